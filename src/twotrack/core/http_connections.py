"""Connections of the API process: so many at once, and none without a request for long.

uvicorn's own limits leave gaps: a connection that has sent nothing yet, or a byte now and then, is never
closed, and those beyond `limit_concurrency` are kept until they have sent a whole request.
"""

import asyncio
import json
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from twotrack.core.listening import BACKLOG

_MOST_CONNECTIONS = 1000
_WANTED_DESCRIPTORS = 8192
# Of the database, engines, files, and of connections that were accepted and not looked at yet.
_OTHER_DESCRIPTORS = 200 + BACKLOG

_PROBLEM = json.dumps(
    {
        "type": "urn:twotrack:error:too-many-connections",
        "title": "Too many connections",
        "status": 503,
        "detail": "The studio holds as many connections as it can.",
        "remedy": "Try again in a few seconds.",
    }
).encode()
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: application/problem+json\r\n"
    b"Content-Length: %d\r\n"
    b"Retry-After: 5\r\n"
    b"Connection: close\r\n\r\n%s" % (len(_PROBLEM), _PROBLEM)
)


def most_connections() -> int:
    """How many this process can hold, after it has asked for the file descriptors that they take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _WANTED_DESCRIPTORS:
        soft = _WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_WANTED_DESCRIPTORS, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(50, min(_MOST_CONNECTIONS, soft - _OTHER_DESCRIPTORS))


class Connection(H11Protocol):
    """One client's connection; `limit_concurrency` of uvicorn's configuration is how many there may be."""

    idle_seconds = 65.0
    """How long a connection may go without a request under way."""
    stalled_seconds = 120.0
    """How long a client may go without reading its answer."""

    _idle: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        most = self.limit_concurrency
        if most is not None and len(self.connections) >= most:
            self.transport = transport
            transport.write(_REFUSAL)
            transport.close()
            return
        # The place is taken at once; uvicorn's own check comes later, and would count this connection twice.
        self.limit_concurrency = None
        super().connection_made(transport)
        self._watch_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._idle, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_idle()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _watch_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self.loop.call_later(self.idle_seconds, self._close_if_idle)

    def _close_if_idle(self) -> None:
        # One byte now and then is no request; a request under way has limits of its own.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def uvicorn_options() -> dict[str, Any]:
    """For uvicorn.Config."""
    return {
        "http": Connection,
        # Nothing here speaks WebSocket, whatever library is installed.
        "ws": "none",
        "limit_concurrency": most_connections(),
        "backlog": BACKLOG,
        "timeout_keep_alive": int(Connection.idle_seconds),
    }
