"""A studio's API over HTTP, in a thread of the tests' process."""

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from twotrack.api import create_app
from twotrack.core.http_connections import uvicorn_options
from twotrack.core.listening import listen, local_url
from twotrack.core.settings import Settings

PATIENCE_S = 60
"""For a studio's end: what is under way has 5 s, a child that is killed ends at once."""


@contextmanager
def served(settings: Settings, database_url: str) -> Iterator[str]:
    """Its URL; there is no worker. What goes wrong in the server's thread is raised at the end.

    Raises:
        AssertionError: it did not end; with what each of its tasks waits for.
    """
    # Listening from now on, so that the first request may come before the server is up.
    with listen("127.0.0.1", 0, protected=False) as listening:
        config = uvicorn.Config(
            create_app(settings, database_url),
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=5,
            **uvicorn_options(),
        )
        thread = _Thread(uvicorn.Server(config), listening)
        thread.start()
        try:
            yield local_url(listening)
        finally:
            thread.end()


class _Thread(threading.Thread):
    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        # A daemon: one that does not end must not keep the process from it.
        super().__init__(name="studio", daemon=True)
        self._server = server
        self._listening = listening
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([self._listening])

        try:
            asyncio.run(serve())
        # uvicorn ends by SystemExit where it cannot begin.
        except BaseException as error:
            self._error = error

    def end(self) -> None:
        self._server.should_exit = True
        self.join(PATIENCE_S)
        if self.is_alive():
            raise AssertionError("\n".join(["the studio does not end:", *_waiting(self._loop)]))
        if self._error is not None:
            raise self._error


def _waiting(loop: asyncio.AbstractEventLoop | None) -> Iterator[str]:
    """Each task, and the lines from its coroutine down to what it waits for."""
    for task in asyncio.all_tasks(loop) if loop else ():
        yield f"{task.get_name()} (cancelled {task.cancelling()} times)"
        inner: Any = task.get_coro()
        while inner is not None:
            frame = getattr(inner, "cr_frame", None) or getattr(inner, "ag_frame", None)
            if frame is not None:
                yield f"  {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
                inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
            else:
                # A step of an asynchronous generator has no attribute that names the generator.
                inner = next((one for one in gc.get_referents(inner) if hasattr(one, "ag_frame")), None)
