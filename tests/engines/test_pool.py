"""Leases: loading on demand, sharing, the memory budget, replacement, and what happens when things die."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from twotrack.engines.pool import EngineInUse, EngineNotFound, EnginePool
from twotrack.engines.port import (
    AdapterFile,
    AdapterGain,
    End,
    Engine,
    EngineDied,
    EngineFailedToStart,
    EngineKind,
    EngineSpec,
    Health,
    OutOfMemoryBudget,
    Request,
    Token,
)

MIB = 2**20


@dataclass(eq=False)
class FakeEngine:
    """Lives until it is stopped or killed."""

    spec: EngineSpec
    alive: bool = True
    stopped: bool = False

    @property
    def kind(self) -> EngineKind:
        return self.spec.kind

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        yield End("stop", len(request.prompt), 0, 0)

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        return []

    async def health(self) -> Health:
        return Health(self.kind, "Q4_1", 100, 7, (), 5 * MIB)

    async def stop(self) -> None:
        self.alive = False
        await asyncio.sleep(0)
        self.stopped = True


@dataclass
class Starts:
    """Starts fakes; `gate` holds them back, `failure` makes them fail."""

    engines: list[FakeEngine] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None
    begun: int = 0

    async def __call__(self, spec: EngineSpec, model_name: str) -> Engine:
        self.begun += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.engines.append(FakeEngine(spec))
        return self.engines[-1]

    @property
    def running(self) -> list[str]:
        return [engine.spec.model.name for engine in self.engines if not engine.stopped]


@pytest.fixture
def starts() -> Starts:
    made = Starts()
    made.gate.set()
    return made


@pytest.fixture
async def make(starts: Starts) -> AsyncIterator[Callable[..., EnginePool]]:
    pools: list[EnginePool] = []

    def estimate(spec: EngineSpec) -> int:
        return spec.context_length * MIB

    def make(budget: int, wait_s: float = 30.0) -> EnginePool:
        """A pool in which each engine needs as many MiB as its context has tokens."""
        pools.append(EnginePool(budget * MIB, wait_s=wait_s, start=starts, estimate=estimate))
        return pools[-1]

    yield make
    for pool in pools:
        await pool.close()


def model(name: str, needs: int, *adapters: Path) -> EngineSpec:
    files = tuple(AdapterFile(path.name, path) for path in adapters)
    return EngineSpec("llama_cpp", Path(name), needs, adapters=files)


async def use(pool: EnginePool, spec: EngineSpec) -> Engine:
    async with pool.lease(spec, spec.model.name) as engine:
        return engine


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(done: Callable[[], bool]) -> None:
    """Let everything run until `done()`; estimates are made in a thread."""
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0)


async def until_waiting(pool: EnginePool, count: int) -> None:
    """Let everything run until `count` requests wait for one start."""
    async with asyncio.timeout(30):
        while [one.requests for one in (await pool.status()).engines] != [count]:
            await asyncio.sleep(0)


@pytest.fixture
def adapters(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path in paths:
        path.touch()
    return paths


async def test_an_engine_is_started_once_and_kept(make: Callable[..., EnginePool], starts: Starts) -> None:
    pool = make(100)
    first = await use(pool, model("a", 10))
    assert await use(pool, model("a", 10)) is first
    assert starts.begun == 1


async def test_simultaneous_first_requests_share_one_start(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(100)
    starts.gate.clear()
    tasks = [asyncio.create_task(use(pool, model("a", 10))) for _ in range(5)]
    await until_waiting(pool, 5)
    starts.gate.set()
    assert len({id(engine) for engine in await asyncio.gather(*tasks)}) == 1
    assert starts.begun == 1


async def test_a_request_that_is_given_up_leaves_the_start_to_the_others(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(100)
    starts.gate.clear()
    first = asyncio.create_task(use(pool, model("a", 10)))
    await until(lambda: starts.begun > 0)
    second = asyncio.create_task(use(pool, model("a", 10)))
    await until_waiting(pool, 2)
    first.cancel()
    await settle()
    starts.gate.set()
    assert (await second).alive
    assert starts.begun == 1


async def test_a_failed_start_is_told_to_all_who_waited_and_tried_again(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(100)
    starts.gate.clear()
    starts.failure = EngineFailedToStart(model="a", why="no such file")
    tasks = [asyncio.create_task(use(pool, model("a", 10))) for _ in range(3)]
    await until_waiting(pool, 3)
    starts.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [EngineFailedToStart] * 3
    starts.failure = None
    assert (await use(pool, model("a", 10))).alive
    assert starts.begun == 2


async def test_the_least_recently_used_idle_engine_makes_room(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(30)
    for name in ("a", "b", "c", "a"):
        await use(pool, model(name, 10))
    await use(pool, model("d", 10))
    assert starts.running == ["a", "c", "d"]
    await use(pool, model("e", 20))
    assert starts.running == ["d", "e"]


async def test_an_engine_in_use_is_never_unloaded(make: Callable[..., EnginePool], starts: Starts) -> None:
    pool = make(30, wait_s=0.05)
    async with pool.lease(model("a", 20), "a") as engine:
        with pytest.raises(OutOfMemoryBudget, match=r"about 20 MiB.+30 MiB"):
            await use(pool, model("b", 20))
        assert engine.alive
    assert starts.running == ["a"]


async def test_a_request_waits_until_another_leaves_its_memory(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(30)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pool.lease(model("a", 20), "a"))
        waiting = asyncio.create_task(use(pool, model("b", 20)))
        await settle()
        assert not waiting.done()
    assert (await waiting).alive
    assert starts.running == ["b"]


async def test_a_model_beyond_the_budget_is_refused_at_once(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(30)
    await use(pool, model("a", 10))
    with pytest.raises(OutOfMemoryBudget):
        await use(pool, model("b", 31))
    assert starts.running == ["a"]


async def test_a_dead_engine_is_replaced(make: Callable[..., EnginePool], starts: Starts) -> None:
    pool = make(30)
    await use(pool, model("a", 20))
    starts.engines[0].alive = False
    assert await use(pool, model("a", 20)) is starts.engines[1]
    assert starts.engines[0].stopped


async def test_an_engine_that_dies_in_use_is_cleaned_up(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(30)
    async with pool.lease(model("a", 20), "a"):
        starts.engines[0].alive = False
    await until(lambda: starts.engines[0].stopped)
    await settle()
    assert (await pool.status()).engines == ()


async def test_a_subset_of_the_adapters_needs_no_new_engine(
    make: Callable[..., EnginePool], starts: Starts, adapters: list[Path]
) -> None:
    pool = make(100)
    both = await use(pool, model("a", 10, *adapters[:2]))
    assert await use(pool, model("a", 10, adapters[1])) is both
    assert await use(pool, model("a", 10)) is both


async def test_a_new_adapter_brings_a_new_engine_and_drains_the_old_one(
    make: Callable[..., EnginePool], starts: Starts, adapters: list[Path]
) -> None:
    pool = make(100)
    async with pool.lease(model("a", 10, adapters[0]), "a") as old:
        new = await use(pool, model("a", 10, adapters[1]))
        assert new is not old
        # What the old one served goes to the new one from now on; what it serves, it serves to its end.
        assert await use(pool, model("a", 10, adapters[0])) is new
        assert old.alive
        assert [one.state for one in (await pool.status()).engines] == ["draining", "idle"]
    await until(lambda: not old.alive)
    await settle()
    assert [one.adapters for one in (await pool.status()).engines] == [("two", "one")]


async def test_an_adapter_that_was_removed_is_not_loaded_again(
    make: Callable[..., EnginePool], starts: Starts, adapters: list[Path]
) -> None:
    pool = make(100)
    await use(pool, model("a", 10, adapters[0]))
    adapters[0].unlink()
    await use(pool, model("a", 10, adapters[1]))
    assert [one.adapters for one in (await pool.status()).engines] == [("two",)]


async def test_where_old_and_new_do_not_fit_together_the_old_one_ends_first(
    make: Callable[..., EnginePool], starts: Starts, adapters: list[Path]
) -> None:
    pool = make(30)
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(pool.lease(model("a", 20, adapters[0]), "a"))
        newer = asyncio.create_task(use(pool, model("a", 20, adapters[1])))
        while (await pool.status()).engines[0].state != "draining":
            await asyncio.sleep(0)
        # A further request for the old adapters must not keep the old engine busy for ever.
        another = asyncio.create_task(use(pool, model("a", 20, adapters[0])))
        await settle()
        assert starts.begun == 1
        assert not newer.done()
        assert not another.done()
        assert old.alive
    assert await newer is await another
    assert starts.begun == 2


async def test_if_the_new_engine_fails_the_old_one_goes_on(
    make: Callable[..., EnginePool], starts: Starts, adapters: list[Path]
) -> None:
    pool = make(100)
    old = await use(pool, model("a", 10, adapters[0]))
    starts.failure = EngineFailedToStart(model="a", why="broken adapter")
    with pytest.raises(EngineFailedToStart):
        await use(pool, model("a", 10, adapters[1]))
    assert await use(pool, model("a", 10, adapters[0])) is old


async def test_other_settings_are_another_engine(make: Callable[..., EnginePool], starts: Starts) -> None:
    pool = make(100)
    plain = await use(pool, model("a", 10))
    assert await use(pool, replace(model("a", 10), exact=True)) is not plain
    assert len((await pool.status()).engines) == 2


async def test_the_status_tells_what_is_loaded(make: Callable[..., EnginePool], starts: Starts) -> None:
    pool = make(100)
    starts.gate.clear()
    first = asyncio.create_task(use(pool, model("a", 10)))
    await until(lambda: starts.begun > 0)
    (entry,) = (await pool.status()).engines
    assert (entry.model, entry.state, entry.estimated_bytes, entry.pid) == ("a", "starting", 10 * MIB, None)
    starts.gate.set()
    await first
    async with pool.lease(model("a", 10), "a"):
        (entry,) = (await pool.status()).engines
        assert (entry.state, entry.requests, entry.memory_bytes, entry.pid) == ("busy", 1, 5 * MIB, 7)


async def test_closing_stops_everything_and_refuses_the_rest(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(30)
    await use(pool, model("a", 10))
    starts.gate.clear()
    loading = asyncio.create_task(use(pool, model("b", 10)))
    await until(lambda: starts.begun > 1)
    waiting = asyncio.create_task(use(pool, model("c", 20)))
    await settle()
    await pool.close()
    for task in (loading, waiting):
        with pytest.raises(EngineDied, match="shutting down"):
            await task
    assert starts.running == []
    with pytest.raises(EngineDied):
        await use(pool, model("a", 10))
    await pool.close()


async def test_a_lowered_budget_unloads_idle_engines_at_the_next_load(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(100)
    for name in ("a", "b"):
        await use(pool, model(name, 40))
    pool.set_budget(50 * MIB)
    assert starts.running == ["a", "b"]
    # What is loaded goes on being used.
    await use(pool, model("a", 40))
    await use(pool, model("c", 40))
    assert starts.running == ["c"]
    with pytest.raises(OutOfMemoryBudget):
        await use(pool, model("d", 60))
    pool.set_budget(None)
    await use(pool, model("d", 60))
    assert starts.running == ["c", "d"]


async def test_a_raised_budget_lets_in_who_waits_for_room(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(50)
    async with pool.lease(model("a", 40), "a"):
        waiting = asyncio.create_task(use(pool, model("b", 40)))
        await settle()
        assert not waiting.done()
        pool.set_budget(100 * MIB)
        await waiting
        assert starts.running == ["a", "b"]


async def test_an_idle_engine_can_be_unloaded_and_one_in_use_cannot(
    make: Callable[..., EnginePool], starts: Starts
) -> None:
    pool = make(100)
    async with pool.lease(model("a", 40), "a"):
        (entry,) = (await pool.status()).engines
        assert entry.since is not None
        with pytest.raises(EngineInUse):
            await pool.unload(entry.id)
    await pool.unload(entry.id)
    assert starts.running == []
    assert pool.reserved_bytes() == 0
    with pytest.raises(EngineNotFound):
        await pool.unload(entry.id)
    await use(pool, model("a", 40))
    assert starts.running == ["a"]
