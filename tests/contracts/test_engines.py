"""What every engine owes its callers: one suite for all of them, on one tiny model in 32-bit floats."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from twotrack.core.errors import InvalidInput
from twotrack.engines.pool import start_engine
from twotrack.engines.port import (
    AdapterGain,
    End,
    Engine,
    EngineFailed,
    EngineKind,
    EngineSpec,
    PromptTooLong,
    Request,
    Sampling,
    Token,
)

if TYPE_CHECKING:
    from tests.contracts.conftest import Tiny

# One event loop for the module, so that each engine is started once.
pytestmark = pytest.mark.asyncio(loop_scope="module")

LLAMA_CPP = pytest.param("llama_cpp", id="llama_cpp")
TRANSFORMERS = pytest.param("transformers", id="transformers", marks=pytest.mark.torch)
REMOTE = pytest.param("openai_compatible", id="openai_compatible")

PROMPT = [504, 3575, 282, 4649, 314]
# Rounding differs between engines: far below what a wrong formula would do, and above what any of them does.
CLOSE = 2e-3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tiny: "Tiny", llama_server: tuple[str, str]) -> AsyncIterator[Callable[..., Any]]:
    """Gives the running engine of a kind; each is started once."""
    engines: dict[EngineKind, Engine] = {}

    async def get(kind: EngineKind) -> Engine:
        if kind == "transformers":
            pytest.importorskip("torch")
        if kind not in engines:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("TWOTRACK_REMOTE_KEY", llama_server[1])
                engines[kind] = await start_engine(specs[kind], "tiny")
        return engines[kind]

    specs = {**tiny.specs, "openai_compatible": remote_spec(tiny, llama_server[0])}
    yield get
    for engine in engines.values():
        await engine.stop()


def remote_spec(tiny: "Tiny", endpoint: str) -> EngineSpec:
    local = tiny.specs["llama_cpp"]
    return replace(local, kind="openai_compatible", model=tiny.tokenizer, adapters=(), endpoint=endpoint)


@pytest_asyncio.fixture(loop_scope="module", params=[LLAMA_CPP, TRANSFORMERS, REMOTE])
async def engine(request: pytest.FixtureRequest, started: Callable[..., Any]) -> Engine:
    found: Engine = await started(request.param)
    return found


@pytest_asyncio.fixture(loop_scope="module", params=[LLAMA_CPP, TRANSFORMERS])
async def local(request: pytest.FixtureRequest, started: Callable[..., Any]) -> Engine:
    """Engines of this machine: they alone have adapters, scores and a process."""
    found: Engine = await started(request.param)
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def remote(started: Callable[..., Any]) -> Engine:
    found: Engine = await started("openai_compatible")
    return found


async def collect(
    engine: Engine, prompt: Sequence[int], gains: Mapping[str, AdapterGain] | None = None, **sampling: Any
) -> tuple[list[Token], End]:
    """All tokens and the end; greedy and 16 tokens long unless told otherwise."""
    settings = Sampling(**{"temperature": 0.0, "max_tokens": 16, **sampling})
    items = [item async for item in engine.generate(Request(prompt, settings, gains or {}))]
    (*tokens, end) = items
    assert isinstance(end, End)
    return [token for token in tokens if isinstance(token, Token)], end


async def ids(engine: Engine, prompt: Sequence[int], gains: Any = None, **sampling: Any) -> list[int]:
    return [token.id for token in (await collect(engine, prompt, gains, **sampling))[0]]


def some_prompt(length: int, seed: int) -> list[int]:
    return [(seed * 7919 + position * 104729) % 40000 + 100 for position in range(length)]


GREEDY: dict[str, dict[EngineKind, Any]] = {}
"""What engines answered, to be compared with each other; each test of them runs for one engine at a time."""


def same_in_all(name: str, engine: Engine, answer: Any) -> None:
    answers = GREEDY.setdefault(name, {})
    answers[engine.kind] = answer
    assert answers == dict.fromkeys(answers, answer)


async def test_greedy_tokens_are_the_same_in_all_engines(engine: Engine) -> None:
    answers = [await ids(engine, some_prompt(length, 1)) for length in (1, 2, 63, 64, 65, 200)]
    assert len({tuple(answer) for answer in answers}) == len(answers)
    same_in_all("greedy", engine, answers)


async def test_greedy_tokens_with_gains_are_the_same_in_all_local_engines(
    local: Engine, tiny: "Tiny"
) -> None:
    first, second = tiny.adapters
    settings: list[dict[str, AdapterGain]] = [
        {},
        {first: 1.0},
        {first: 0.5},
        {second: -1.0},
        {first: 0.3, second: 2.0},
        {first: tiny.table},
        {first: 0.3, second: tiny.table},
    ]
    answers = [await ids(local, PROMPT, gains) for gains in settings]
    assert len({tuple(answer) for answer in answers}) == len(settings)
    same_in_all("gains", local, answers)


async def test_a_gain_of_zero_is_exactly_the_base(local: Engine, tiny: "Tiny") -> None:
    base, _ = await collect(local, PROMPT, logprobs=3)
    zeros, _ = await collect(local, PROMPT, dict.fromkeys(tiny.adapters, 0.0), logprobs=3)
    assert zeros == base


async def test_a_table_acts_as_gains_baked_into_the_weights(local: Engine, tiny: "Tiny") -> None:
    text = [*PROMPT, *some_prompt(40, 1)]
    baked = await local.score(text, 1, {tiny.baked: 1.0})
    assert await local.score(text, 1, {tiny.adapters[0]: tiny.table}) == pytest.approx(baked, abs=1e-4)
    whole = await local.score(text, 1, {tiny.adapters[0]: 1.0})
    assert whole != pytest.approx(baked, abs=0.01)
    ones = tuple((1.0,) * len(row) for row in tiny.table)
    assert await local.score(text, 1, {tiny.adapters[0]: ones}) == pytest.approx(whole, abs=1e-4)


async def test_a_table_of_zeros_is_exactly_the_base(local: Engine, tiny: "Tiny") -> None:
    base, _ = await collect(local, PROMPT, logprobs=3)
    zeros = tuple((0.0,) * len(row) for row in tiny.table)
    assert (await collect(local, PROMPT, {tiny.adapters[0]: zeros}, logprobs=3))[0] == base


@pytest.mark.parametrize("table", [((1.0,) * 4,), ((1.0,), (1.0,)), ((1.0,) * 4, (math.nan,) * 4)])
async def test_a_table_that_is_none_is_refused(local: Engine, tiny: "Tiny", table: Any) -> None:
    with pytest.raises(InvalidInput, match="gain"):
        await local.score(PROMPT, 1, {tiny.adapters[0]: table})


async def test_gains_never_bleed_between_simultaneous_requests(local: Engine, tiny: "Tiny") -> None:
    first, second = tiny.adapters
    cases = [
        (
            some_prompt(5 + 13 * i, i),
            {first: i / 4 - 1, second: tiny.table if i % 3 == 2 else (i % 3) / 2},
            0.9 * (i % 2),
        )
        for i in range(9)
    ]

    async def one(case: Any, seed: int) -> list[int]:
        return await ids(local, case[0], case[1], temperature=case[2], seed=seed, max_tokens=12)

    alone = [await one(case, i) for i, case in enumerate(cases)]
    together = await asyncio.gather(*(one(case, i) for i, case in enumerate(cases)))
    assert together == alone


async def test_an_adapter_that_is_not_loaded_is_refused(local: Engine) -> None:
    with pytest.raises(InvalidInput, match="unheard-of"):
        await collect(local, PROMPT, {"unheard-of": 1.0})


async def test_a_gain_outside_its_range_is_refused(local: Engine, tiny: "Tiny") -> None:
    with pytest.raises(InvalidInput, match="gain"):
        await collect(local, PROMPT, {tiny.adapters[0]: 2.5})


async def test_a_stop_id_ends_the_answer_and_is_not_part_of_it(engine: Engine) -> None:
    free = await ids(engine, PROMPT)
    stop = free[5]
    cut, end = await collect(engine, PROMPT, stop_ids=frozenset({stop, 7}))
    assert [token.id for token in cut] == free[: free.index(stop)]
    assert end.reason == "stop"
    assert end.completion_tokens == len(cut)


async def test_max_tokens_ends_the_answer(engine: Engine) -> None:
    tokens, end = await collect(engine, PROMPT, max_tokens=3)
    assert len(tokens) == 3
    assert (end.reason, end.prompt_tokens, end.completion_tokens) == ("length", len(PROMPT), 3)


async def test_the_end_tells_when_the_prompt_began(local: Engine, tiny: "Tiny") -> None:
    asked = time.monotonic()
    came: list[float] = []
    async for one in local.generate(Request(PROMPT, Sampling(max_tokens=3), {tiny.adapters[0]: tiny.table})):
        if isinstance(one, Token):
            came.append(time.monotonic())
        else:
            began = one.prompt_began
    assert began is not None
    assert asked < began < came[0]


async def test_max_tokens_is_clipped_to_the_room_that_the_prompt_leaves(engine: Engine, tiny: "Tiny") -> None:
    context = tiny.specs["llama_cpp"].context_length
    prompt = some_prompt(context - 4, 3)
    tokens, end = await collect(engine, prompt, max_tokens=1000)
    assert (len(tokens), end.reason) == (4, "length")


async def test_a_prompt_that_leaves_no_room_is_refused_before_any_work(engine: Engine, tiny: "Tiny") -> None:
    context = tiny.specs["llama_cpp"].context_length
    with pytest.raises(PromptTooLong, match=str(context)):
        await collect(engine, [500] * context)
    with pytest.raises(PromptTooLong):
        await collect(engine, [500] * 1_000_000)
    assert await ids(engine, PROMPT, max_tokens=2)


@pytest.mark.parametrize("prompt", [[], [-1], [1, 2, 10_000_000]])
async def test_a_prompt_that_is_none_is_refused(engine: Engine, prompt: list[int]) -> None:
    with pytest.raises(InvalidInput):
        await collect(engine, prompt)


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": math.nan}, {"temperature": -1}, {"top_p": 0}, {"max_tokens": 0}, {"logprobs": 1000}],
)
async def test_sampling_settings_that_make_no_sense_are_refused(
    engine: Engine, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        await collect(engine, PROMPT, **wrong)


async def test_the_same_seed_gives_the_same_answer(engine: Engine) -> None:
    settings = {"temperature": 1.0, "max_tokens": 24}
    first = await ids(engine, PROMPT, seed=7, **settings)
    assert await ids(engine, PROMPT, seed=7, **settings) == first
    assert await ids(engine, PROMPT, seed=8, **settings) != first


async def test_a_seed_means_the_same_in_all_local_engines(local: Engine) -> None:
    answers = [
        await ids(local, PROMPT, seed=seed, temperature=0.8, top_p=0.9, max_tokens=12)
        for seed in (0, 1, -5, 2**63)
    ]
    same_in_all("seeds", local, answers)


async def test_a_request_without_a_seed_is_not_reproducible(engine: Engine) -> None:
    answers = [tuple(await ids(engine, PROMPT, temperature=2.0)) for _ in range(3)]
    assert len(set(answers)) > 1


async def test_logprobs_are_of_the_model_before_temperature_and_top_p(engine: Engine) -> None:
    (greedy, *_), _ = await collect(engine, PROMPT, logprobs=5, max_tokens=1)
    (drawn, *_), _ = await collect(
        engine, PROMPT, logprobs=5, max_tokens=1, temperature=0.2, top_p=0.5, seed=1
    )
    assert greedy.logprob == pytest.approx(greedy.top[0][1])
    assert greedy.id == greedy.top[0][0]
    values = [value for _, value in greedy.top]
    assert len(values) == 5
    assert values == sorted(values, reverse=True)
    assert all(value < 0 for value in values)
    assert dict(drawn.top) == pytest.approx(dict(greedy.top), abs=CLOSE)
    assert drawn.logprob == pytest.approx(dict(greedy.top)[drawn.id], abs=CLOSE)


async def test_no_logprobs_come_unasked(engine: Engine) -> None:
    tokens, _ = await collect(engine, PROMPT, max_tokens=2)
    assert [(token.logprob, token.top) for token in tokens] == [(None, ())] * 2


async def test_score_agrees_with_the_logprobs_of_a_generation(local: Engine, tiny: "Tiny") -> None:
    for gains in ({}, {tiny.adapters[0]: 0.7, tiny.adapters[1]: -0.4}):
        tokens, _ = await collect(local, PROMPT, gains, logprobs=1, temperature=1.0, seed=3, max_tokens=80)
        text = PROMPT + [token.id for token in tokens]
        scores = await local.score(text, len(PROMPT), gains)
        assert scores == pytest.approx([token.logprob for token in tokens], abs=CLOSE)


@pytest.mark.parametrize("start", [1, 63, 64, 65, 149])
async def test_a_score_is_the_same_wherever_it_starts(local: Engine, start: int) -> None:
    text = some_prompt(150, 4)
    whole = await local.score(text, 1)
    assert len(whole) == 149
    assert await local.score(text, start) == pytest.approx(whole[start - 1 :], abs=CLOSE)


@pytest.mark.parametrize("start", [0, 5, 6, -1])
async def test_a_score_of_nothing_is_refused(local: Engine, start: int) -> None:
    with pytest.raises(InvalidInput):
        await local.score(PROMPT, start)


async def test_a_server_without_prompt_logprobs_says_so(remote: Engine) -> None:
    with pytest.raises(EngineFailed, match="log-probabilities"):
        await remote.score(PROMPT, 1)


async def test_a_remote_server_takes_no_gains(remote: Engine, tiny: "Tiny") -> None:
    with pytest.raises(InvalidInput, match="export"):
        await collect(remote, PROMPT, {tiny.adapters[0]: 1.0})


async def test_a_shared_prefix_is_computed_once(engine: Engine) -> None:
    prefix = some_prompt(1200, 5)
    answers = {}
    for turn in range(3):
        prompt = [*prefix, *some_prompt(20, 50 + turn)]
        _, end = await collect(engine, prompt, max_tokens=2)
        answers[turn] = end
    assert answers[0].cached_tokens == 0
    for turn in (1, 2):
        assert answers[turn].prompt_tokens == 1220
        # A tenth of the prompt may be computed anew.
        assert 1098 <= answers[turn].cached_tokens < 1220


async def test_a_cached_prefix_changes_no_token(engine: Engine) -> None:
    prefix, other = some_prompt(300, 6), some_prompt(300, 7)
    settings: dict[str, Any] = {"temperature": 0.7, "seed": 1}
    fresh = await ids(engine, prefix, **settings)
    await ids(engine, other)
    await ids(engine, [*prefix, *fresh, 17, 18])
    again, end = await collect(engine, prefix, **settings)
    assert [token.id for token in again] == fresh
    assert end.cached_tokens > 0


async def test_each_gains_setting_keeps_a_prefix_of_its_own(local: Engine, tiny: "Tiny") -> None:
    prefix = some_prompt(256, 8)
    gains = [{}, {tiny.adapters[0]: 1.0}]
    fresh = [await collect(local, prefix, one) for one in gains]
    again = [await collect(local, prefix, one) for one in gains]
    assert [end.cached_tokens for _, end in fresh] == [0, 0]
    assert [tokens for tokens, _ in again] == [tokens for tokens, _ in fresh]
    for _, end in again:
        assert end.cached_tokens >= 128


async def test_a_cancelled_request_frees_its_place(engine: Engine, tiny: "Tiny") -> None:
    places = tiny.specs["llama_cpp"].parallel
    for _ in range(3 * places):
        endless = engine.generate(Request(PROMPT, Sampling(temperature=1.0, max_tokens=1400)))
        async with aclosing(endless) as stream:
            assert isinstance(await anext(stream), Token)
    # Would wait for hours behind them otherwise.
    assert len(await ids(engine, PROMPT, max_tokens=4)) == 4


async def test_a_request_that_is_given_up_before_its_first_token_is_forgotten(engine: Engine) -> None:
    prompts = [some_prompt(1000, 20 + i) for i in range(8)]
    tasks = [asyncio.create_task(collect(engine, prompt)) for prompt in prompts]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    assert await asyncio.gather(*tasks, return_exceptions=True)
    assert len(await ids(engine, PROMPT, max_tokens=4)) == 4


async def test_more_requests_than_places_are_all_answered(engine: Engine) -> None:
    prompts = [some_prompt(10 + i, 30 + i) for i in range(12)]
    alone = [await ids(engine, prompt, max_tokens=6) for prompt in prompts]
    together = await asyncio.gather(*(ids(engine, prompt, max_tokens=6) for prompt in prompts))
    assert together == alone


async def test_health_tells_what_is_running(engine: Engine, tiny: "Tiny") -> None:
    health = await engine.health()
    assert health.kind == engine.kind
    assert health.context_length == tiny.specs["llama_cpp"].context_length


async def test_a_local_engine_tells_its_process_and_adapters(local: Engine, tiny: "Tiny") -> None:
    health = await local.health()
    assert health.adapters == (*tiny.adapters, tiny.baked)
    assert health.pid is not None
    assert health.memory_bytes > 2**20
