"""The default embedder in its child process, through llama.cpp and through torch."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import numpy as np
import pytest

from twotrack.core.processes import proportional_set_size
from twotrack.embedders.port import EmbedderDied, EmbedderUnknown, TokenEmbedder
from twotrack.embedders.service import DEFAULT, Embedders
from twotrack.registry.layout import Layout

QUESTIONS = ["등대는 무슨 색이에요?", "What colour is the lighthouse?"]
PASSAGES = [
    "누리매의 등대는 보라색으로 칠해져 있습니다.",
    "The lighthouse of Nurimae is painted violet.",
    "도서관은 아홉 시에 엽니다.",
    "The bakery sells plum dumplings on Mondays.",
]


@pytest.fixture
async def small(embedder_layout: Layout) -> AsyncIterator[Embedders]:
    embedders = Embedders(embedder_layout, threads=1)
    yield embedders
    await embedders.close()


async def test_a_question_is_nearest_to_the_passage_that_answers_it(small: Embedders) -> None:
    embedder = await small.get()
    asked = await embedder.embed(QUESTIONS, kind="query")
    told = await embedder.embed(PASSAGES, kind="passage")
    assert told.shape == (4, embedder.dimensions)
    assert np.linalg.norm(told, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (asked @ told.T).argmax(axis=1).tolist() == [0, 1]


async def test_the_company_of_other_texts_changes_no_vector(small: Embedders) -> None:
    embedder = await small.get()
    together = await embedder.embed(PASSAGES * 40, kind="passage")
    alone = np.concatenate([await embedder.embed([text], kind="passage") for text in PASSAGES])
    assert ((together[:4] * alone).sum(axis=1) > 0.999).all()
    assert len(together) == 160


async def test_a_text_beyond_the_limit_is_cut_and_empty_and_hostile_ones_have_vectors(
    small: Embedders,
) -> None:
    embedder = await small.get()
    long = "누리매 시청은 월요일에 엽니다. " * 2000
    vectors = await embedder.embed([long, "", "\ud800 \x00", "🦦" * 50], kind="passage")
    assert np.isfinite(vectors).all()
    assert (await embedder.count([long]))[0] > embedder.longest
    assert (await embedder.embed([], kind="query")).shape == (0, embedder.dimensions)


async def test_tokens_are_counted_without_prefix_and_marks(small: Embedders) -> None:
    embedder = await small.get()
    assert await embedder.count(["", "등대", "The lighthouse"]) == [0, 2, 3]


async def test_a_killed_child_fails_the_call_and_the_next_one_works(small: Embedders) -> None:
    embedder = await small.get()
    await embedder.count(["warm"])
    child = embedder._child._child  # type: ignore[attr-defined]
    os.kill(child._process.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(embedder.embed(PASSAGES, kind="passage"))
    while not child._calls:
        await asyncio.sleep(0)
    os.kill(child._process.pid, signal.SIGKILL)
    with pytest.raises(EmbedderDied):
        await waiting
    assert await embedder.count(["등대"]) == [2]


async def test_an_idle_child_ends_by_itself_and_those_of_a_worker_that_stops_then_close_at_once(
    embedder_layout: Layout,
) -> None:
    embedders = Embedders(embedder_layout, threads=1, idle_s=0.1)
    embedder = await embedders.get()
    try:
        for _ in range(2):
            assert await embedder.count(["등대"]) == [2]
            process = embedder._child._child._process  # type: ignore[attr-defined]
            async with asyncio.timeout(60):
                await process.wait()
                # Whatever ended it has ended, too.
                while any("idle" in task.get_name() for task in asyncio.all_tasks()):
                    await asyncio.sleep(0.01)
    finally:
        async with asyncio.timeout(60):
            await embedders.close()


async def test_a_call_that_comes_while_an_idle_child_is_ended_is_answered(embedder_layout: Layout) -> None:
    embedders = Embedders(embedder_layout, threads=1, idle_s=3600)
    embedder = await embedders.get()
    try:
        await embedder.count(["warm"])
        # The time is up, and a call comes before or after anything has been done about it.
        for pauses in range(4):
            embedder._child._begin_to_end()  # type: ignore[attr-defined]
            for _ in range(pauses):
                await asyncio.sleep(0)
            assert await embedder.count(["등대"]) == [2]
    finally:
        await embedders.close()


@pytest.mark.skipif(sys.platform != "linux", reason="pages are given back on Linux alone")
async def test_a_long_text_leaves_no_memory_taken(small: Embedders) -> None:
    """llama.cpp makes room for 250,000 logits a token, which an embedder has no use for."""
    embedder = await small.get()
    before = await embedder.embed(PASSAGES, kind="passage")
    child = embedder._child._child._process.pid  # type: ignore[attr-defined]
    taken = proportional_set_size(child)
    await embedder.embed(["누리매 시청은 월요일에 엽니다. " * 2000], kind="passage")
    # Some 500 tokens' logits alone would be 500 MB.
    assert proportional_set_size(child) - taken < 100 * 2**20
    assert (await embedder.embed(PASSAGES, kind="passage") == before).all()


@pytest.mark.torch
async def test_torch_and_llama_cpp_give_the_same_vectors(small: Embedders, embedder_layout: Layout) -> None:
    large = Embedders(embedder_layout, bulk=True, threads=1)
    try:
        one, other = await small.get(), await large.get()
        assert one.id == other.id == DEFAULT
        texts = [*PASSAGES, *QUESTIONS, "", "누리매 " * 700]
        for kind in ("query", "passage"):
            vectors = await one.embed(texts, kind=kind)
            assert ((vectors * await other.embed(texts, kind=kind)).sum(axis=1) > 0.999).all()
        assert isinstance(one, TokenEmbedder)
        assert isinstance(other, TokenEmbedder)
        scores = await one.match(QUESTIONS[0], texts)
        assert scores == pytest.approx(await other.match(QUESTIONS[0], texts), abs=0.02)
    finally:
        await large.close()


@pytest.mark.parametrize(
    "address", ["nonsense", "folder:relative", "folder:/nowhere", "openai:ftp://x/v1#m", "openai:http://x/v1"]
)
async def test_what_is_no_embedder_says_what_would_be_one(small: Embedders, address: str) -> None:
    with pytest.raises(EmbedderUnknown) as caught:
        await small.get(address)
    assert address in str(caught.value)


async def test_a_question_matches_the_passage_that_answers_it_token_by_token(small: Embedders) -> None:
    embedder = await small.get()
    assert isinstance(embedder, TokenEmbedder)
    for question, answer in zip(QUESTIONS, PASSAGES, strict=False):
        scores = await embedder.match(question, PASSAGES)
        assert scores.index(max(scores)) == PASSAGES.index(answer)
        assert all(-1 <= score <= 1 for score in scores)
    # In other company and once more, from what was kept.
    again = await embedder.match(QUESTIONS[1], [PASSAGES[3], PASSAGES[1], PASSAGES[1]])
    assert again == pytest.approx([scores[3], scores[1], scores[1]], abs=1e-3)
    assert await embedder.match("", PASSAGES[:1])
    assert await embedder.match(QUESTIONS[0], []) == []
