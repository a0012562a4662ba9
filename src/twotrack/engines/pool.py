"""Engines by lease: loaded on demand, shared, and unloaded by least recent use within a memory budget."""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from twotrack.core.errors import Conflict, NotFound
from twotrack.core.language import Text
from twotrack.engines.memory import estimate_memory
from twotrack.engines.openai_compatible import RemoteEngine
from twotrack.engines.port import (
    Engine,
    EngineDied,
    EngineKind,
    EngineSpec,
    OutOfMemoryBudget,
)
from twotrack.engines.process import ChildEngine

_log = logging.getLogger(__name__)

_MIB = 2**20

Start = Callable[[EngineSpec, str], Awaitable[Engine]]


async def start_engine(spec: EngineSpec, model_name: str) -> Engine:
    """The engine that `spec` asks for, loaded and answering.

    Raises:
        EngineFailedToStart
    """
    if spec.kind == "openai_compatible":
        return await RemoteEngine.start(spec, model_name)
    return await ChildEngine.start(spec, model_name)


@dataclass(frozen=True)
class PoolEntry:
    """One engine of the pool, as an administrator sees it."""

    id: UUID
    model: str
    """The variant that it was loaded for; others of its base may use it too."""
    kind: EngineKind
    state: str
    """starting, idle, busy, or draining (replaced by a newer one; ends with its last request)."""
    requests: int
    adapters: tuple[str, ...]
    estimated_bytes: int
    memory_bytes: int | None
    """What it really takes, where it can tell."""
    precision: str | None
    context_length: int
    pid: int | None
    since: datetime | None
    """When it was loaded."""


class EngineNotFound(NotFound):
    detail = Text("There is no loaded engine {name}.", "메모리에 올라온 엔진을 찾을 수 없습니다: {name}")


class EngineInUse(Conflict):
    detail = Text(
        "The engine of {model} is answering {requests} requests.",
        "엔진이 요청 {requests}개에 답하는 중입니다({model}).",
    )
    remedy = Text(
        "Unload it when they have ended, or stop them first.", "답이 끝난 뒤에 내리거나 먼저 멈추세요."
    )


@dataclass(frozen=True)
class PoolStatus:
    budget_bytes: int
    engines: tuple[PoolEntry, ...]


@dataclass(eq=False)
class _Entry:
    spec: EngineSpec
    model_name: str
    needs: int
    id: UUID = field(default_factory=uuid4)
    since: datetime | None = None
    loading: asyncio.Task[None] | None = None
    engine: Engine | None = None
    failure: Exception | None = None
    leases: int = 0
    last_used: int = 0
    superseded: bool = False
    """A newer one serves what this one served: no new leases, and it ends when its requests have."""
    stopping: asyncio.Task[None] | None = None

    @property
    def usable(self) -> bool:
        if self.superseded or self.stopping is not None or self.failure is not None:
            return False
        return self.engine is None or self.engine.alive

    def serves(self, spec: EngineSpec) -> bool:
        return _same_model(self.spec, spec) and set(spec.adapters) <= set(self.spec.adapters)


class EnginePool:
    """See `lease`. Belongs to one event loop: between two awaits nobody else touches its entries."""

    def __init__(
        self,
        budget_bytes: int,
        *,
        wait_s: float = 60.0,
        start: Start = start_engine,
        estimate: Callable[[EngineSpec], int] = estimate_memory,
    ) -> None:
        """`budget_bytes` is for all engines together, by `estimate`; `wait_s` is how long a request waits for
        others to leave the memory that its model needs."""
        self.budget_bytes = self._usual_budget = budget_bytes
        self._wait_s = wait_s
        self._start = start
        self._estimate = estimate
        self._entries: list[_Entry] = []
        """Older ones first."""
        self._waiting: list[EngineSpec] = []
        """What requests need that have no engine yet."""
        self._changed = asyncio.Event()
        self._clock = itertools.count()
        self._closed = False

    @asynccontextmanager
    async def lease(self, spec: EngineSpec, model_name: str) -> AsyncGenerator[Engine, None]:
        """An engine for `spec`, loaded if need be, that stays loaded until the lease ends.

        An engine that has the same model and at least the adapters of `spec` serves it. When none has, a new
        one is started with these adapters and those of the old one, which ends with its last request.

        Raises:
            EngineFailedToStart: everybody who waited for this start gets it; the next request tries again.
            OutOfMemoryBudget: the model alone is too large, or others needed the memory for too long.
        """
        entry = await self._take(spec, model_name)
        try:
            yield await self._loaded(entry)
        finally:
            self._give_back(entry)

    def set_budget(self, budget_bytes: int | None) -> None:
        """None is what the pool was made with. What is loaded stays until others need its room."""
        budget_bytes = self._usual_budget if budget_bytes is None else budget_bytes
        if budget_bytes != self.budget_bytes:
            self.budget_bytes = budget_bytes
            self._notify()

    def reserved_bytes(self) -> int:
        """Of the budget, by the engines that are there."""
        return sum(entry.needs for entry in self._entries)

    async def unload(self, entry_id: UUID) -> None:
        """Returns when its memory is given back.

        Raises:
            EngineNotFound
            EngineInUse: it is answering, or loading for somebody.
        """
        entry = next((one for one in self._entries if one.id == entry_id), None)
        if entry is None:
            raise EngineNotFound(name=str(entry_id))
        if entry.leases:
            raise EngineInUse(model=entry.model_name, requests=entry.leases)
        self._stop(entry)
        assert entry.stopping is not None
        await asyncio.wait([entry.stopping])

    async def status(self) -> PoolStatus:
        entries = [await _describe(entry) for entry in list(self._entries)]
        return PoolStatus(self.budget_bytes, tuple(entries))

    async def close(self) -> None:
        """Stop all engines. Requests in flight get EngineDied, and so does every later lease."""
        self._closed = True
        self._notify()
        for entry in list(self._entries):
            self._stop(entry)
        await asyncio.gather(*(entry.stopping for entry in self._entries if entry.stopping is not None))

    async def _take(self, spec: EngineSpec, model_name: str) -> _Entry:
        self._waiting.append(spec)
        try:
            return await self._take_when_possible(spec, model_name)
        finally:
            self._waiting.remove(spec)

    async def _take_when_possible(self, spec: EngineSpec, model_name: str) -> _Entry:
        deadline = asyncio.get_running_loop().time() + self._wait_s
        estimates: dict[EngineSpec, int] = {}
        while True:
            if self._closed:
                raise EngineDied(model=model_name, why=_CLOSING)
            for entry in self._entries:
                if entry.engine is not None and not entry.engine.alive:
                    self._stop(entry)
            if found := self._find(spec):
                found.leases += 1
                return found
            wider = self._with_known_adapters(spec)
            if wider not in estimates:
                # Reads the model's header, so not in the event loop; what was seen before may have changed.
                estimates[wider] = await asyncio.to_thread(self._estimate, wider)
                continue
            needs = estimates[wider]
            if needs > self.budget_bytes:
                raise self._too_large(model_name, needs)
            if self._make_room(wider, needs):
                entry = _Entry(wider, model_name, needs, leases=1)
                entry.loading = asyncio.create_task(self._load(entry))
                self._entries.append(entry)
                return entry
            changed = self._changed
            try:
                async with asyncio.timeout_at(deadline):
                    await changed.wait()
            except TimeoutError:
                raise self._too_large(model_name, needs) from None

    def _find(self, spec: EngineSpec) -> _Entry | None:
        fitting = [entry for entry in self._entries if entry.usable and entry.serves(spec)]
        return fitting[-1] if fitting else None

    def _with_known_adapters(self, spec: EngineSpec) -> EngineSpec:
        """`spec` with the adapters that its model is, or is to be, served with, as far as they still exist.

        Otherwise two variants of one base that are asked in turn would replace each other's engine for ever.
        """
        adapters = {adapter.id: adapter for adapter in spec.adapters}
        for known in [*(entry.spec for entry in self._entries), *self._waiting]:
            if _same_model(known, spec):
                for adapter in known.adapters:
                    if adapter.path.exists():
                        adapters.setdefault(adapter.id, adapter)
        return replace(spec, adapters=tuple(adapters.values()))

    def _make_room(self, spec: EngineSpec, needs: int) -> bool:
        """Whether `needs` bytes are free now; if not, begin to free some."""
        missing = self.reserved_bytes() + needs - self.budget_bytes
        if missing <= 0:
            return True
        missing -= sum(entry.needs for entry in self._entries if entry.stopping is not None)
        idle = [one for one in self._entries if one.leases == 0 and one.stopping is None]
        for entry in sorted(idle, key=lambda one: one.last_used):
            if missing > 0:
                self._stop(entry)
                missing -= entry.needs
        if missing > 0:
            # Old and new do not fit side by side: the old one gets no more requests and ends with its last.
            for entry in self._entries:
                if _same_model(entry.spec, spec):
                    entry.superseded = True
        return False

    async def _load(self, entry: _Entry) -> None:
        try:
            entry.engine = await self._start(entry.spec, entry.model_name)
        except Exception as error:
            # Not raised here: those who wait for the engine raise it.
            entry.failure = error
        finally:
            if entry.engine is None:
                self._entries.remove(entry)
            else:
                entry.since = datetime.now(UTC)
                for older in self._entries[: self._entries.index(entry)]:
                    if _same_model(older.spec, entry.spec):
                        older.superseded = True
                        if older.leases == 0:
                            self._stop(older)
            self._notify()

    async def _loaded(self, entry: _Entry) -> Engine:
        assert entry.loading is not None
        # Others may wait for the same start: a request that is given up must not take it from them.
        await asyncio.wait([entry.loading])
        if entry.engine is not None:
            return entry.engine
        raise entry.failure or EngineDied(model=entry.model_name, why=_CLOSING)

    def _give_back(self, entry: _Entry) -> None:
        entry.leases -= 1
        entry.last_used = next(self._clock)
        if entry.leases == 0 and entry.engine is not None and not entry.usable:
            self._stop(entry)
        self._notify()

    def _stop(self, entry: _Entry) -> None:
        if entry.stopping is None:
            entry.stopping = asyncio.create_task(self._end(entry))

    async def _end(self, entry: _Entry) -> None:
        try:
            if entry.loading is not None and not entry.loading.done():
                entry.loading.cancel()
                await asyncio.wait([entry.loading])
            if entry.engine is not None:
                await entry.engine.stop()
        finally:
            if entry in self._entries:
                self._entries.remove(entry)
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _too_large(self, model_name: str, needs: int) -> OutOfMemoryBudget:
        return OutOfMemoryBudget(
            model=model_name, needed_mib=-(-needs // _MIB), budget_mib=self.budget_bytes // _MIB
        )


_CLOSING = Text("the studio is shutting down", "스튜디오가 종료되는 중")


def _same_model(one: EngineSpec, other: EngineSpec) -> bool:
    return replace(one, adapters=()) == replace(other, adapters=())


async def _describe(entry: _Entry) -> PoolEntry:
    health = None
    if entry.engine is not None and entry.engine.alive:
        try:
            health = await entry.engine.health()
        except EngineDied:
            _log.info("the engine of %s ended while it was asked for its health", entry.model_name)
    if entry.engine is None:
        state = "starting"
    elif entry.superseded:
        state = "draining"
    else:
        state = "busy" if entry.leases else "idle"
    return PoolEntry(
        id=entry.id,
        model=entry.model_name,
        kind=entry.spec.kind,
        state=state,
        requests=entry.leases,
        adapters=tuple(adapter.id for adapter in entry.spec.adapters),
        estimated_bytes=entry.needs,
        memory_bytes=health.memory_bytes if health else None,
        precision=health.precision if health else None,
        context_length=health.context_length if health else entry.spec.context_length,
        pid=health.pid if health else None,
        since=entry.since,
    )
