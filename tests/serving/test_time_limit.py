"""An answer ends in time, whether its engine is silent or never stops talking."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from twotrack.serving.answering import Options, stream_answer
from twotrack.serving.time_limit import AnswerTooLong, within


async def numbers(closed: list[bool], *, then: asyncio.Event | None = None) -> AsyncGenerator[int, None]:
    try:
        for number in range(3):
            yield number
        if then is not None:
            await then.wait()
    finally:
        closed.append(True)


async def collect(
    items: AsyncIterator[Any], into: list[Any], before_each: asyncio.Event | None = None
) -> None:
    async for item in items:
        if before_each is not None:
            await before_each.wait()
        into.append(item)


async def test_what_comes_in_time_comes_as_it_is() -> None:
    for seconds in (None, 3600):
        assert [one async for one in within(seconds, numbers([]))] == [0, 1, 2]


async def test_a_silent_engine_is_ended_and_what_it_said_was_said() -> None:
    closed: list[bool] = []
    said: list[int] = []
    async with aclosing(numbers(closed, then=asyncio.Event())) as items:
        with pytest.raises(AnswerTooLong):
            await collect(within(0.01, items), said)
        assert closed == [True]
    assert said == [0, 1, 2]


async def test_an_engine_that_never_waits_is_ended_too() -> None:
    async def endless() -> AsyncGenerator[int, None]:
        while True:
            yield 0

    async with asyncio.timeout(30), aclosing(endless()) as items:
        with pytest.raises(AnswerTooLong):
            async for _ in within(0.01, items):
                pass


async def test_an_engines_own_time_out_is_not_taken_for_ours() -> None:
    async def fails() -> AsyncGenerator[int, None]:
        raise TimeoutError("the engine's")
        yield 0

    with pytest.raises(TimeoutError, match="the engine's"):
        async for _ in within(3600, fails()):
            pass


async def test_the_readers_own_waiting_is_not_cancelled() -> None:
    """The limit is on the engine: whoever reads may take longer, and hears of the end when they ask again."""
    late = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, late.set)
    read: list[int] = []
    with pytest.raises(AnswerTooLong):
        await collect(within(0.01, numbers([])), read, late)
    assert read == [0]


async def test_an_answer_holds_its_engine_no_longer_than_it_may(byte_model: Any, scripted: Any) -> None:
    pool = scripted("한" * 1_000_000)
    pieces: list[Any] = []
    with pytest.raises(AnswerTooLong):
        await collect(stream_answer(pool, byte_model(), [1], Options(gains={}, seconds=0.05)), pieces)
    assert {piece.text for piece in pieces} == {"한"}
    assert pool.engine.closed == 1
