"""The studio's side of a local engine: one child process behind the Engine protocol.

The child speaks framing.py over a socket pair that only it inherits, so no port is open and nothing that a
library prints can get into the stream; its stdout and stderr are read here, and their last lines explain an
end that nobody asked for. A child that has ended never serves again: the pool starts another one.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from twotrack.core.language import Text
from twotrack.core.processes import has_ended, proportional_set_size, stop_async
from twotrack.engines.body import Loaded
from twotrack.engines.channel import Channel, spawn
from twotrack.engines.checks import check_gains, check_request, check_score
from twotrack.engines.port import (
    BASE,
    ONLY_TRANSFORMERS,
    AdapterGain,
    BranchesUnsupported,
    End,
    EngineDied,
    EngineFailed,
    EngineFailedToStart,
    EngineKind,
    EngineSpec,
    Health,
    Request,
    Token,
)

_log = logging.getLogger(__name__)

_START_S = 900.0
"""The longest that loading may take: a large model from a slow disk, quantized on the way, takes minutes."""
_PING_S = 10.0
_GRACE_S = 2.0
_OUTPUT_KEPT = 16_384
"""Bytes of the child's output that are kept."""

_STOPPED = Text("it was stopped", "중지됨")
_NOT_STARTED = Text("it has not started", "아직 시작되지 않음")
_SILENT = Text(f"no answer for {_PING_S:g} s", f"{_PING_S:g}초 동안 응답 없음")
_OTHERWISE_BUILT = Text(
    "its layers are put together in another way than the names of their modules say",
    "레이어가 모듈 이름에서 알 수 있는 것과 다르게 구성되어 있습니다",
)
_TOO_SLOW = Text(f"not loaded after {_START_S:g} s", f"{_START_S:g}초가 지나도 불러오지 못함")

_Message = dict[str, Any]


class ChildEngine:
    """An Engine in a child process, made by `start`. It belongs to the event loop that it was made in."""

    def __init__(self, spec: EngineSpec, model_name: str, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self._name = model_name
        self._process = process
        self._output = b""
        self._reading = asyncio.create_task(self._read_output())
        self._calls: dict[int, asyncio.Queue[_Message]] = {}
        self._number = 0
        self._channel = Channel(self._receive, self._lost)
        self._loaded: Loaded | None = None
        self._started: asyncio.Future[Loaded] = asyncio.get_running_loop().create_future()
        self._death: str | Text | None = None
        """Why it no longer serves; None as long as it does."""
        self._burial: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, spec: EngineSpec, model_name: str) -> Self:
        """Start the child and wait until its model is loaded; cancelling this ends the child.

        Raises:
            EngineFailedToStart: with the child's reason or the last lines of its output.
        """
        process, ours = await spawn("twotrack.engines.child")
        engine = cls(spec, model_name, process)
        try:
            await asyncio.get_running_loop().create_connection(lambda: engine._channel, sock=ours)
            engine._channel.send(spec_message(spec))
            async with asyncio.timeout(_START_S):
                engine._loaded = await engine._started
        except TimeoutError:
            await engine.stop()
            raise EngineFailedToStart(model=model_name, why=_TOO_SLOW) from None
        except BaseException:
            await engine.stop()
            raise
        return engine

    @property
    def kind(self) -> EngineKind:
        return self.spec.kind

    @property
    def alive(self) -> bool:
        return self._loaded is not None and self._death is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        loaded = self._require_alive()
        request = check_request(
            request,
            context_length=loaded.context_length,
            vocabulary_size=loaded.vocabulary_size,
            adapters=self._adapters,
            grid=self.spec.grid,
        )
        self._refuse_branches(request.gains)
        sampling = {**vars(request.sampling), "stop_ids": sorted(request.sampling.stop_ids)}
        number, answers = self._open(
            {"op": "generate", "prompt": list(request.prompt), "sampling": sampling, "gains": request.gains}
        )
        over = False
        try:
            while not over:
                message = await answers.get()
                if (token := message.get("t")) is not None:
                    yield _token(token)
                    continue
                over = True
                if (end := message.get("end")) is None:
                    raise self._failure(message)
                yield End(*end)
        finally:
            self._close(number, over)

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        loaded = self._require_alive()
        check_score(
            tokens, start, context_length=loaded.context_length, vocabulary_size=loaded.vocabulary_size
        )
        complete = check_gains(gains or {}, self._adapters, self.spec.grid)
        self._refuse_branches(complete)
        result = await self._ask({"op": "score", "tokens": list(tokens), "start": start, "gains": complete})
        return [float(value) for value in result]

    async def health(self) -> Health:
        """Raises EngineDied when the child does not answer."""
        loaded = self._require_alive()
        try:
            async with asyncio.timeout(_PING_S):
                await self._ask({"op": "ping"})
        except TimeoutError:
            raise EngineDied(model=self._name, why=_SILENT) from None
        return Health(
            kind=self.kind,
            precision=loaded.precision,
            context_length=loaded.context_length,
            pid=self.pid,
            adapters=tuple(self._adapters),
            memory_bytes=await asyncio.to_thread(proportional_set_size, self.pid),
        )

    async def stop(self) -> None:
        if self._death is None:
            self._death = _STOPPED
        # A child holds nothing that would have to be saved.
        await stop_async(self._process, grace=_GRACE_S, first=signal.SIGKILL)
        self._channel.close()
        await self._bury()

    @property
    def _adapters(self) -> list[str]:
        return [adapter.id for adapter in self.spec.adapters]

    def _require_alive(self) -> Loaded:
        if self._loaded is None or self._death is not None:
            raise EngineDied(model=self._name, why=self._death or _NOT_STARTED)
        return self._loaded

    def _refuse_branches(self, gains: Mapping[str, AdapterGain]) -> None:
        if BASE in gains and not self._require_alive().branches:
            why = _OTHERWISE_BUILT if self.kind == "transformers" else ONLY_TRANSFORMERS
            raise BranchesUnsupported(model=self._name, why=why)

    def _open(self, message: _Message) -> tuple[int, asyncio.Queue[_Message]]:
        self._number += 1
        answers = self._calls[self._number] = asyncio.Queue()
        self._channel.send({"id": self._number, **message})
        return self._number, answers

    def _close(self, number: int, over: bool) -> None:
        del self._calls[number]
        if not over:
            self._channel.send({"op": "cancel", "id": number})

    async def _ask(self, message: _Message) -> Any:
        number, answers = self._open(message)
        over = False
        try:
            answer = await answers.get()
            over = True
            if "result" not in answer:
                raise self._failure(answer)
            return answer["result"]
        finally:
            self._close(number, over)

    def _failure(self, message: _Message) -> Exception:
        if "died" in message:
            return EngineDied(model=self._name, why=message["died"])
        return EngineFailed(model=self._name, why=message.get("error", "no reason given"))

    def _receive(self, message: _Message) -> None:
        if (number := message.get("id")) is not None:
            # What still comes for a call that was given up has no queue any more.
            if (answers := self._calls.get(number)) is not None:
                answers.put_nowait(message)
        elif self._started.done():
            return
        elif "ready" in message:
            self._started.set_result(Loaded(**message["ready"]))
        elif "failed" in message:
            self._started.set_exception(EngineFailedToStart(model=self._name, why=message["failed"]))

    def _lost(self) -> None:
        """The child closed its end, or the stream cannot be read any more."""
        self._burial = asyncio.create_task(self._bury())

    async def _bury(self) -> None:
        """Wait for the child's end, find out why, and tell everybody who waits for it."""
        # To send a signal first would be wrong: asyncio then looks by itself whether the child has ended, and
        # may take its exit status from the thread that waits for it.
        await has_ended(self._process, within=_GRACE_S)
        code = await stop_async(self._process, grace=_GRACE_S)
        # A process that the child left behind could hold the pipe open.
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._reading), _GRACE_S)
        self._reading.cancel()
        if self._death is None:
            self._death = self._explain(code)
            _log.warning("engine of %s (pid %d) ended: %s", self._name, self.pid, self._death.en)
        if not self._started.done():
            self._started.set_exception(EngineFailedToStart(model=self._name, why=self._death))
            # Nobody may be waiting: reading it here keeps asyncio from complaining about that.
            self._started.exception()
        for answers in self._calls.values():
            answers.put_nowait({"died": self._death})

    def _explain(self, code: int) -> Text:
        lines = self._output.decode("utf-8", "replace").replace("\r", "\n").split("\n")
        # The texts are templates.
        last = [line.strip().replace("{", "(").replace("}", ")") for line in lines if line.strip()][-3:]
        if code == -signal.SIGKILL:
            how = Text(
                "killed by SIGKILL, as the system does when memory runs out",
                "SIGKILL로 종료됨. 메모리가 부족하면 시스템이 이렇게 종료합니다",
            )
        elif code < 0:
            name = signal.Signals(-code).name
            how = Text(f"killed by {name}", f"{name}로 종료됨")
        else:
            how = Text(f"exit status {code}", f"종료 코드 {code}")
        return Text("; ".join([how.en, *last]), "; ".join([how.ko, *last]))

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4096):
            self._output = (self._output + data)[-_OUTPUT_KEPT:]
            _log.debug("engine of %s: %s", self._name, data.decode("utf-8", "replace").rstrip())


def _token(entry: list[Any]) -> Token:
    if len(entry) == 1:
        return Token(entry[0])
    number, logprob, top = entry
    return Token(number, logprob, tuple((i, value) for i, value in top))


def spec_message(spec: EngineSpec) -> _Message:
    """`spec` as child.spec_from reads it."""
    adapters = [{"id": adapter.id, "path": str(adapter.path)} for adapter in spec.adapters]
    grid = spec.grid and [spec.grid.layers, spec.grid.columns, spec.grid.bands]
    return {**vars(spec), "model": str(spec.model), "adapters": adapters, "grid": grid}
