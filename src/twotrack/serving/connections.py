"""Clients over HTTP: who they are, work that ends when they go, and server-sent events.

The work behind a stream runs in a task of its own, never in the response's: a response is torn down in the
middle of any await when its client goes, and what has to be written down then must not be.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from twotrack.core.access.roles import caller_of
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text

log = logging.getLogger(__name__)
T = TypeVar("T")

# Proxies and load balancers drop connections that are silent for a minute or so.
KEEP_ALIVE_SECONDS = 10.0
_KEEP_ALIVE = b": waiting\n\n"
# How long a response without a first event stays open to become an error with a status of its own.
_PATIENCE_SECONDS = 5.0


class ClientGone(TwotrackError):
    """Nobody reads this any more; 499 is what reverse proxies log in that case."""

    status = 499
    detail = Text("The client closed the connection.", "클라이언트가 연결을 닫았습니다.")


def client_key(request: Request) -> str:
    """Whom the queue treats as one client: the key, or the address of whoever has none.

    Not what the Authorization header says: where no key is asked for, anybody may write anything there.
    """
    if key_id := caller_of(request).key_id:
        return str(key_id)
    return request.client.host if request.client else ""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled as soon as the client closes the connection.

    Call it after the body was read. Raises ClientGone, or what `work` raises.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled():
                raise ClientGone
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


def event_frame(event: str | None, data: Any) -> bytes:
    """One server-sent event with `data` as JSON on one line (WHATWG HTML, section 9.2)."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {body}\n\n".encode("utf-8", "replace")


class EventStream(Response):
    """Frames of a running task, with comments in the silence; the task is cancelled when the client goes."""

    media_type = "text/event-stream"

    def __init__(
        self,
        first: bytes,
        frames: "asyncio.Queue[bytes | TwotrackError | None]",
        task: "asyncio.Task[None]",
        render: Callable[[TwotrackError], bytes],
    ) -> None:
        self.status_code = 200
        self.background = None
        self._first = first
        self._frames = frames
        self._task = task
        self._render = render
        # Caches must not keep an answer, and a proxy must not collect it before it passes it on.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch = asyncio.create_task(self._cancel_when_gone(receive))
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            body, more = self._first, True
            while more:
                await send({"type": "http.response.body", "body": body, "more_body": True})
                body, more = await self._next()
            await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            watch.cancel()
            self._cancel()

    async def _next(self) -> tuple[bytes, bool]:
        """All frames that are there, or the next one, or a comment; and whether more can come."""
        if self._frames.empty():
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    frame = await self._frames.get()
            except TimeoutError:
                return _KEEP_ALIVE, True
        else:
            frame = self._frames.get_nowait()
        parts: list[bytes] = []
        while frame is not None:
            parts.append(frame if isinstance(frame, bytes) else self._render(frame))
            if self._frames.empty():
                return b"".join(parts), True
            frame = self._frames.get_nowait()
        return b"".join(parts), False

    async def _cancel_when_gone(self, receive: Receive) -> None:
        await _disconnected(receive)
        self._cancel()

    def _cancel(self) -> None:
        # Once: a second cancellation would break off the writing down that the first one set off.
        if not self._task.cancelling():
            self._task.cancel()


async def open_event_stream(
    source: AsyncGenerator[bytes, None], render: Callable[[TwotrackError], bytes]
) -> EventStream:
    """A response of the frames that `source` yields, drawn in a task of its own.

    What `source` raises before its first frame is raised here, so that it gets a status of its own; what it
    raises later is sent as the frame that `render` makes of it. The frames wait in an unbounded queue: an
    answer is short, and a client that does not read must not hold an engine's slot.
    """
    frames: asyncio.Queue[bytes | TwotrackError | None] = asyncio.Queue()
    task = asyncio.create_task(_draw(source, frames))
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            first = await frames.get()
    except TimeoutError:
        first = _KEEP_ALIVE
    except asyncio.CancelledError:
        task.cancel()
        raise
    if isinstance(first, TwotrackError):
        raise first
    if first is None:
        frames.put_nowait(None)
    return EventStream(first or b"", frames, task, render)


async def _draw(
    source: AsyncGenerator[bytes, None], frames: "asyncio.Queue[bytes | TwotrackError | None]"
) -> None:
    try:
        async with aclosing(source):
            async for frame in source:
                frames.put_nowait(frame)
    except TwotrackError as error:
        frames.put_nowait(error)
    except Exception as error:
        log.error("unforeseen error in a stream", exc_info=error)
        frames.put_nowait(TwotrackError())
    finally:
        frames.put_nowait(None)
