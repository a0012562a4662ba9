"""Fetches a document by http or https, and only from where the whole world may fetch it.

The address is checked where the connection is made, and that very address is connected to: between check and
use there is no second look-up for a name server to answer differently. Every hop of a redirect goes through
the same. One parser reads the URL, and what is sent is put together from its parts.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import AddressRefused, DocumentTooLarge, FetchFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

_REDIRECTS = 5
_SECONDS = 60.0
_LARGEST = 200 * 2**20
_REDIRECT_CODES = frozenset((301, 302, 303, 307, 308))
# What some versions of Python take for public: addresses of clouds' own services, and of protocols.
_RESERVED = tuple(map(ipaddress.IPv4Network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")))
_NAT64 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_COMPATIBLE = ipaddress.IPv6Network("::/96")

_NOT_PUBLIC = Text("it leads to an address that is not public", "공개되지 않은 주소로 연결됩니다")


@dataclass(frozen=True)
class Fetched:
    url: str
    """Where it was found after all redirects."""
    media_type: str


class _Refused(Exception):
    """Of the connection: httpcore lets it through, and the URL is known above."""


def is_public(address: Address) -> bool:
    """Whether an address is everybody's, with the IPv4 address that a form of transition carries inside."""
    if isinstance(address, ipaddress.IPv6Address):
        inner: list[Address] = []
        if address.ipv4_mapped:
            inner.append(address.ipv4_mapped)
        if address.sixtofour:
            inner.append(address.sixtofour)
        if address.teredo:
            inner.extend(address.teredo)
        if any(address in network for network in (*_NAT64, _COMPATIBLE)):
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if inner:
            return all(map(is_public, inner))
    return address.is_global and not (
        address.is_multicast or address.is_reserved or any(address in network for network in _RESERVED)
    )


async def resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses alone, by whatever name they are asked for."""

    def __init__(
        self, *, resolve: Resolve = resolve, is_allowed: Callable[[Address], bool] = is_public
    ) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        # A scope ("%eth0") only makes an address more local.
        checked = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
        if not checked or not all(map(self._is_allowed, checked)):
            raise _Refused
        failure: Exception = httpcore.ConnectError(host)
        for address in dict.fromkeys(map(str, checked)):
            try:
                return await self._sockets.connect_tcp(address, port, timeout=timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def fetch(
    url: str,
    target: Path,
    *,
    progress: Callable[[int], Awaitable[None]] | None = None,
    backend: httpcore.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
    largest: int = _LARGEST,
    seconds: float = _SECONDS,
) -> Fetched:
    """Bring what lies at `url` into `target`; `progress` is told the bytes so far.

    Raises:
        AddressRefused: the URL, or one that it redirects to, is not of the public web.
        FetchFailed: no connection, an error of the server, or it took too long.
        DocumentTooLarge
    """
    pool = httpcore.AsyncConnectionPool(
        network_backend=backend or PublicOnly(), ssl_context=tls or ssl.create_default_context(), http2=False
    )
    try:
        async with asyncio.timeout(seconds), pool:
            here = url
            for _ in range(_REDIRECTS + 1):
                parts = _checked(here, url)
                async with pool.stream(
                    "GET",
                    _target(parts, url),
                    headers={
                        "User-Agent": "twotrack",
                        "Accept": "*/*",
                        # A body that unpacks to a thousand times its size is not asked for.
                        "Accept-Encoding": "identity",
                    },
                ) as answer:
                    headers = {name.lower(): value for name, value in answer.headers}
                    if answer.status in _REDIRECT_CODES and b"location" in headers:
                        here = urljoin(here, headers[b"location"].decode("latin-1"))
                        continue
                    await _save(answer, headers, url, target, largest, progress)
                    kind = headers.get(b"content-type", b"").decode("latin-1")
                    return Fetched(here, kind.partition(";")[0].strip().lower())
    except _Refused:
        raise AddressRefused(url=url, why=_NOT_PUBLIC) from None
    except TimeoutError:
        why = Text(f"it took more than {seconds:g} seconds", f"{seconds:g}초를 넘었습니다")
        raise FetchFailed(url=url, why=why) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise FetchFailed(url=url, why=str(error) or type(error).__name__) from error
    raise FetchFailed(
        url=url, why=Text(f"more than {_REDIRECTS} redirects", f"리디렉션이 {_REDIRECTS}번을 넘습니다")
    )


async def _save(
    answer: httpcore.Response,
    headers: dict[bytes, bytes],
    url: str,
    target: Path,
    largest: int,
    progress: Callable[[int], Awaitable[None]] | None,
) -> None:
    if answer.status != 200:
        raise FetchFailed(url=url, why=f"HTTP {answer.status}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise FetchFailed(
            url=url, why=Text("it comes packed though that was not asked for", "압축된 응답을 보냈습니다")
        )
    arrived = 0
    with target.open("wb") as file:
        async for chunk in answer.aiter_stream():
            arrived += len(chunk)
            if arrived > largest:
                raise DocumentTooLarge(name=url, limit_mib=largest // 2**20)
            file.write(chunk)
            if progress is not None:
                await progress(arrived)


def check_url(url: str) -> None:
    """
    Raises:
        AddressRefused: before anything is asked for; where the name leads is checked by the connection.
    """
    _target(_checked(url, url), url)


def _checked(here: str, url: str) -> SplitResult:
    def refuse(en: str, ko: str) -> AddressRefused:
        return AddressRefused(url=url, why=Text(en, ko))

    # Parsers differ in what they make of these.
    if any(character <= " " or character in "\\\x7f" for character in here) or len(here) > 4096:
        raise refuse("it holds characters that no URL has", "URL에 쓸 수 없는 문자가 있습니다")
    try:
        parts = urlsplit(here)
        parts.port  # noqa: B018  # it is parsed here
    except ValueError as error:
        raise refuse(str(error), "URL 형식이 잘못되었습니다") from error
    if parts.scheme not in ("http", "https"):
        raise refuse("only http and https are fetched", "http와 https만 가져옵니다")
    if not parts.hostname:
        raise refuse("it names no host", "호스트가 없습니다")
    if "@" in parts.netloc:
        raise refuse("it carries a name or password", "URL에 사용자 이름이나 암호가 들어 있습니다")
    return parts


def _target(parts: SplitResult, url: str) -> httpcore.URL:
    assert parts.hostname is not None
    try:
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    except UnicodeError as error:
        raise AddressRefused(
            url=url, why=Text("its host is no name", "호스트 이름이 잘못되었습니다")
        ) from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(
        scheme=parts.scheme.encode(),
        host=host.encode(),
        port=parts.port,
        target="".join(c if c < "\x7f" else "".join(f"%{b:02X}" for b in c.encode()) for c in path).encode(),
    )
