"""The studio's side of a child that embeds or analyses texts: started at the first call, ended when idle."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from twotrack.core.processes import stop_async
from twotrack.embedders.port import EmbedderDied, EmbedderFailed
from twotrack.engines.channel import Channel, spawn

_log = logging.getLogger(__name__)

_START_S = 300.0
_GRACE_S = 2.0
_OUTPUT_KEPT = 4096


class ChildCalls:
    """Calls to one child, which comes up for the first of them and again after it has died.

    `idle_s` seconds after its last call it ends by itself; None lets it live.
    """

    def __init__(self, name: str, spec: Mapping[str, Any], *, idle_s: float | None = None) -> None:
        self.name = name
        self._spec = dict(spec)
        self._idle_s = idle_s
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._ending: asyncio.TimerHandle | None = None
        self._busy = 0
        self._closing: set[asyncio.Task[None]] = set()

    async def ready(self) -> dict[str, Any]:
        """What the child said when it came up."""
        return (await self._running()).said

    async def call(self, message: Mapping[str, Any]) -> Any:
        """
        Raises:
            EmbedderDied: the child ended, or did not come up.
            EmbedderFailed: it could not do this one thing.
        """
        self._busy += 1
        try:
            return await (await self._running()).ask(message)
        finally:
            self._busy -= 1
            self._rest()

    async def close(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        async with self._starting:
            await self._stop()
        if self._closing:
            await asyncio.wait(self._closing)

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._child is None or not self._child.alive:
                self._child = await _Child.start(self.name, self._spec)
            return self._child

    def _rest(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        if self._idle_s is not None and not self._busy:
            self._ending = asyncio.get_running_loop().call_later(self._idle_s, self._begin_to_end)

    def _begin_to_end(self) -> None:
        task = asyncio.create_task(self._end_if_idle(), name=f"end the idle {self.name}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end_if_idle(self) -> None:
        async with self._starting:
            # Whoever calls from here on waits for the lock, and gets a child of their own.
            if not self._busy:
                await self._stop()

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()


class _Child:
    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.said: dict[str, Any] = {}
        self.alive = True
        self._name = name
        self._process = process
        self._output = b""
        self._reading = asyncio.create_task(self._read_output())
        self._channel = Channel(self._receive, self._lost)
        self._started: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    @classmethod
    async def start(cls, name: str, spec: dict[str, Any]) -> "_Child":
        process, ours = await spawn("twotrack.embedders.child")
        child = cls(name, process)
        try:
            await asyncio.get_running_loop().create_connection(lambda: child._channel, sock=ours)
            child._channel.send({"spec": spec})
            async with asyncio.timeout(_START_S):
                child.said = await child._started
        except TimeoutError:
            await child.stop()
            raise EmbedderDied(name=name, why=f"not loaded after {_START_S:g} s") from None
        except BaseException:
            await child.stop()
            raise
        return child

    async def ask(self, message: Mapping[str, Any]) -> Any:
        if not self.alive:
            raise EmbedderDied(name=self._name, why=self._last_words())
        self._number += 1
        number = self._number
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        try:
            self._channel.send({"id": number, **message})
            return await answer
        finally:
            del self._calls[number]

    async def stop(self) -> None:
        self.alive = False
        await stop_async(self._process, grace=_GRACE_S, first=signal.SIGKILL)
        self._channel.close()
        # A process that the child left behind could hold the pipe open.
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._reading), _GRACE_S)
        self._reading.cancel()
        self._fail_all()

    def _receive(self, message: dict[str, Any]) -> None:
        if (number := message.get("id")) is not None:
            answer = self._calls.get(number)
            if answer is None or answer.done():
                return
            if "error" in message:
                answer.set_exception(EmbedderFailed(name=self._name, why=message["error"]))
            else:
                answer.set_result(message["result"])
        elif not self._started.done():
            if "failed" in message:
                self._started.set_exception(EmbedderDied(name=self._name, why=message["failed"]))
            else:
                self._started.set_result(message["ready"])

    def _lost(self) -> None:
        if self.alive:
            _log.warning("the child of %s (pid %d) ended", self._name, self._process.pid)
        self.alive = False
        self._fail_all()

    def _fail_all(self) -> None:
        for waiting in (self._started, *self._calls.values()):
            if not waiting.done():
                waiting.set_exception(EmbedderDied(name=self._name, why=self._last_words()))
                # Nobody may be waiting: reading it here keeps asyncio from complaining about that.
                waiting.exception()

    def _last_words(self) -> str:
        lines = [line for line in self._output.decode("utf-8", "replace").splitlines() if line.strip()]
        return "; ".join(line.strip() for line in lines[-2:]) or "it said nothing"

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4096):
            self._output = (self._output + data)[-_OUTPUT_KEPT:]
