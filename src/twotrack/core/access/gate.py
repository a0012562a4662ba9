"""The gate: every request passes it before anything else runs, and stays under its eye while it runs.

Plain ASGI, since Starlette's BaseHTTPMiddleware would copy every streamed token through a queue.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Iterable

import psycopg
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twotrack.core.access.errors import ForeignOrigin, KeyRequired, TooManyRequests, UnknownHost
from twotrack.core.access.guard import Guard, Running
from twotrack.core.database import DatabaseAway
from twotrack.core.errors import TwotrackError

# Answered without a key, so that a load balancer or the supervisor can ask whether the studio is up.
_OPEN_PATHS = frozenset({"/api/health"})
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")
_LISTED_METHODS = "GET, POST, PUT, PATCH, DELETE"
# What a page may send of its own accord, and read of an answer.
_LISTED_HEADERS = "Authorization, Content-Type, Accept-Language, Last-Event-ID"
_EXPOSED_HEADERS = "Retry-After, WWW-Authenticate"
_PREFLIGHT_SECONDS = "600"

Refuse = Callable[[Request, TwotrackError], Response]
Frame = Callable[[Request, TwotrackError], bytes]


def is_loopback(host: str) -> bool:
    """Whether an address to listen on, or a Host header's name, can only mean this machine."""
    name = host.lower()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class AccessGate:
    """Refuses foreign hosts (DNS rebinding), foreign origins, and requests whose key opens nothing.

    `refuse` renders an error as the path's API promises, `last_frame` the one that ends a stream of events.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        guard: Guard,
        allowed_hosts: Iterable[str],
        refuse: Refuse,
        last_frame: Frame,
    ) -> None:
        self.app = app
        self.guard = guard
        self.refuse = refuse
        self.last_frame = last_frame
        self.allowed_hosts = frozenset(name.lower() for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # A WebSocket, which nothing here speaks, and which no check below would look at.
            await send({"type": "websocket.close"})
            return
        headers = Headers(scope=scope)
        listed: str | None = None
        try:
            listed = await self._listed_origin(scope, headers)
            if _is_api(scope["path"]):
                send = _with_headers(send, listed)
            if listed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _preflight(headers)(scope, receive, send)
                return
            running = await self._let_in(scope, headers, listed)
        except TwotrackError as error:
            self._note(scope, error)
            await self.refuse(Request(scope), error)(scope, receive, send)
            return
        except psycopg.OperationalError:
            await self.refuse(Request(scope), DatabaseAway())(scope, receive, send)
            return
        if running is None:
            await self.app(scope, receive, send)
        else:
            await self._watched(running, scope, receive, send)

    async def _listed_origin(self, scope: Scope, headers: Headers) -> str | None:
        """The origin that an administrator has listed and that this request comes from; None: the studio's.

        Raises:
            UnknownHost, ForeignOrigin
        """
        host = _host_name(headers.get("host", ""))
        if not is_loopback(host) and host not in self.allowed_hosts:
            raise UnknownHost(host=host)
        origin = headers.get("origin")
        if origin is None:
            # What a foreign page embeds comes without an Origin; browsers say so in another way.
            if _is_api(scope["path"]) and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
                raise ForeignOrigin(origin=headers["sec-fetch-site"])
            return None
        if _is_own(origin, headers.get("host", "")):
            return None
        if origin in (await self.guard.rules()).allowed_origins:
            return origin
        raise ForeignOrigin(origin=origin)

    async def _let_in(self, scope: Scope, headers: Headers, listed: str | None) -> Running | None:
        """Name the caller in the scope; the running request, where a key can be taken from it.

        Raises:
            TwotrackError: it is not let in.
        """
        path = scope["path"]
        if path in _OPEN_PATHS or not _is_api(path):
            return None
        address = scope["client"][0] if scope.get("client") else ""
        required = self.guard.login or listed is not None or not _is_local(headers, address)
        caller, key = await self.guard.authenticate(_bearer(headers), address, required=required)
        self.guard.count(caller, address)
        scope["state"] = {**scope.get("state", {}), "caller": caller, "key_required": required}
        # Who renews or revokes the key that the request came with must still get the answer.
        changes_keys = path.startswith("/api/admin/keys") and scope["method"] != "GET"
        return None if key is None or changes_keys else self.guard.begin(key)

    def _note(self, scope: Scope, error: TwotrackError) -> None:
        # A request without a key is how a page asks whether it needs one, and one too many is no attack.
        if not isinstance(error, KeyRequired | TooManyRequests):
            self.guard.note_refusal(scope, error)

    async def _watched(self, running: Running, scope: Scope, receive: Receive, send: Send) -> None:
        """The request, up to its end or its key's."""
        answer = _Answer(send)

        async def work() -> None:
            await self.app(scope, receive, answer.send)

        task = asyncio.create_task(work(), name="request")
        try:
            reason = await self.guard.watch(running, task)
            if reason is None:
                task.result()
                return
            answer.close()
            await _end(task)
            await self._last_words(answer, reason, scope, receive, send)
        finally:
            self.guard.finish(running)
            await _end(task)

    async def _last_words(
        self, answer: "_Answer", reason: TwotrackError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if not answer.started:
            await self.refuse(Request(scope), reason)(scope, receive, send)
        elif answer.is_events and not answer.complete:
            body = self.last_frame(Request(scope), reason)
            await send({"type": "http.response.body", "body": body, "more_body": False})
        # Of anything else, half an answer must not look whole: the server closes the connection.


class _Answer:
    """What has been sent of an answer; once closed, it lets nothing through."""

    def __init__(self, send: Send) -> None:
        self.started = False
        self.complete = False
        self.is_events = False
        self._send = send
        self._closed = False

    def close(self) -> None:
        self._closed = True

    async def send(self, message: Message) -> None:
        if self._closed:
            return
        if message["type"] == "http.response.start":
            self.started = True
            kind = Headers(raw=message.get("headers", [])).get("content-type", "")
            self.is_events = kind.startswith("text/event-stream")
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True
        await self._send(message)


async def _end(task: "asyncio.Task[None]") -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait([task])


def _is_api(path: str) -> bool:
    """Whether a path is more than the page's own files, which hold no secret."""
    return path.startswith(("/api/", "/v1/")) or path in ("/api", "/v1")


def _bearer(headers: Headers) -> str | None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" and given.strip() else None


def _is_local(headers: Headers, address: str) -> bool:
    """Whether the request can only come from this machine; behind a proxy, nothing is known of that."""
    return (
        is_loopback(_host_name(headers.get("host", "")))
        and (not address or is_loopback(address))
        and not any(name in headers for name in _FORWARDED)
    )


def _is_own(origin: str, host: str) -> bool:
    """Whether a page comes from the host it asks: http or https, since a proxy in front may speak TLS."""
    scheme, separator, place = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        return False
    return place.lower() == host.lower().removesuffix(f":{_DEFAULT_PORTS[scheme]}")


def _preflight(headers: Headers) -> Response:
    allowed = {
        "Access-Control-Allow-Methods": _LISTED_METHODS,
        "Access-Control-Allow-Headers": _LISTED_HEADERS,
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
    # A page of the internet that asks a studio on its visitor's own machine (Private Network Access).
    if headers.get("access-control-request-private-network") == "true":
        allowed["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=allowed)


def _with_headers(send: Send, listed: str | None) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers.add_vary_header("Origin")
            # Nothing of the API is a script, a picture or a page to be embedded somewhere.
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            if listed is not None:
                headers["Access-Control-Allow-Origin"] = listed
                headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        await send(message)

    return sending


def _host_name(header: str) -> str:
    """The Host header without its port; an IPv6 address keeps its brackets."""
    if header.startswith("["):
        address, bracket, _ = header.partition("]")
        return (address + bracket).lower()
    return header.partition(":")[0].lower()
