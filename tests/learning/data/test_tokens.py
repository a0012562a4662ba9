"""Rows: prompts masked, answers and their end-of-turn tokens learned, everything else refused or left out."""

import dataclasses
from collections.abc import AsyncIterator, Sequence

import pytest

from twotrack.learning.data.errors import AnswerNotSeparable, BrokenLine, NothingToLearn, SampleTooLong
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import MASKED, Row, tokenize
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.sandbox import TemplateFailed
from twotrack.registry.schemas import Base

_END = 99


@dataclasses.dataclass
class _Words:
    """A codec whose tokens are numbers: a role's code, the words' lengths, and an end for each turn."""

    stop_ids: frozenset[int] = frozenset({_END})
    closes_turns: bool = True
    forgets: bool = False
    """Writes earlier answers in another way, as templates do that drop what a model thought."""
    asks_otherwise: bool = False

    begin_ids: tuple[int, ...] = ()

    async def plain_ids(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    async def chat_ids(
        self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool = True
    ) -> list[int]:
        ids = []
        for number, message in enumerate(messages):
            if message["content"] == "refuse":
                raise TemplateFailed(model="words", why="it refuses")
            words = [len(word) for word in message["content"].split()]
            if self.forgets and message["role"] == "assistant" and number + 1 < len(messages):
                words = words[:1]
            ids += [{"user": 101, "assistant": 102}[message["role"]], *words]
            ids += [_END, 100] if self.closes_turns else []
        if add_generation_prompt:
            ids.append(103 if self.asks_otherwise else 102)
        return ids


def _sample(*contents: str, line: int = 1) -> Sample:
    roles = ("user", "assistant")
    return Sample(line, tuple({"role": roles[n % 2], "content": text} for n, text in enumerate(contents)))


async def _rows(codec: _Words, *samples: Sample, max_length: int = 100, cut: bool = False) -> list[Row]:
    return await tokenize(
        codec, samples, model="words", max_length=max_length, too_long="truncate" if cut else "refuse"
    )


async def test_the_answer_and_its_end_are_learned_and_nothing_else() -> None:
    (row,) = await _rows(_Words(), _sample("a bb", "ccc dddd"))
    assert row.input_ids == (101, 1, 2, _END, 100, 102, 3, 4, _END)
    assert row.labels == (*[MASKED] * 6, 3, 4, _END)
    assert row.learned == 3


async def test_a_text_is_learned_whole_but_for_what_begins_it() -> None:
    (row,) = await _rows(_Words(begin_ids=(7,)), Sample(3, (), text="a bb ccc"))
    assert row.input_ids == (7, 1, 2, 3)
    assert row.labels == (MASKED, 1, 2, 3)
    assert row.line == 3


async def test_a_conversation_is_one_row_with_all_its_answers() -> None:
    (row,) = await _rows(_Words(), _sample("a", "bb", "ccc", "dddd"))
    assert [label for label in row.labels if label != MASKED] == [2, _END, 4, _END]
    assert row.input_ids == (101, 1, _END, 100, 102, 2, _END, 100, 101, 3, _END, 100, 102, 4, _END)


async def test_an_answer_without_weight_is_context_alone() -> None:
    messages = tuple(
        {"role": role, "content": content}
        for role, content in (("user", "q"), ("assistant", "no"), ("user", "r"), ("assistant", "yes yes"))
    )
    (row,) = await tokenize(_Words(), [Sample(1, messages, unlearned=(1,))], model="words", max_length=99)
    (whole,) = await tokenize(_Words(), [Sample(1, messages)], model="words", max_length=99)
    assert row.input_ids == whole.input_ids
    assert [one for one in row.labels if one != MASKED] == [3, 3, _END]
    assert whole.learned == row.learned + 2


async def test_each_answer_is_a_row_where_the_template_rewrites_earlier_ones() -> None:
    rows = await _rows(_Words(forgets=True), _sample("a", "bb bb", "ccc", "dddd dddd", line=7))
    assert [row.line for row in rows] == [7, 7]
    assert rows[0].input_ids == (101, 1, _END, 100, 102, 2, 2, _END)
    assert rows[1].input_ids == (101, 1, _END, 100, 102, 2, _END, 100, 101, 3, _END, 100, 102, 4, 4, _END)
    assert [label for label in rows[1].labels if label != MASKED] == [4, 4, _END]


async def test_an_end_is_learned_even_where_the_template_writes_none() -> None:
    (row,) = await _rows(_Words(closes_turns=False), _sample("a", "bb"))
    assert row.labels[-2:] == (2, _END)


async def test_a_template_that_asks_otherwise_than_it_writes_is_refused() -> None:
    with pytest.raises(AnswerNotSeparable, match="Line 4"):
        await _rows(_Words(asks_otherwise=True), _sample("a", "bb", line=4))


async def test_a_sample_that_the_template_refuses_is_named_with_its_line() -> None:
    with pytest.raises(BrokenLine, match="Line 5 .* it refuses"):
        await _rows(_Words(), _sample("a", "bb"), _sample("refuse", "x", line=5))


async def test_a_row_beyond_the_context_is_refused_with_its_line_and_lengths() -> None:
    with pytest.raises(SampleTooLong, match="Line 3 .* 9 tokens, and 8 fit"):
        await _rows(_Words(), _sample("a bb", "ccc dddd", line=3), max_length=8)


async def test_a_row_is_cut_at_its_end_where_that_is_asked_for() -> None:
    (row,) = await _rows(_Words(), _sample("a bb", "ccc dddd"), max_length=8, cut=True)
    assert row.labels == (*[MASKED] * 6, 3, 4)


async def test_a_row_whose_every_token_is_masked_is_refused() -> None:
    with pytest.raises(NothingToLearn, match="Line 2 .* none of its 6 tokens"):
        await _rows(_Words(), _sample("a bb", "ccc", line=2), max_length=6, cut=True)


@pytest.fixture
async def codec(layout: Layout, starter_base: Base) -> AsyncIterator[PromptCodec]:
    prompts = Prompts(layout)
    yield await prompts.for_base(starter_base)
    await prompts.close()


async def test_the_starters_prompt_is_the_one_that_a_chat_sends(codec: PromptCodec) -> None:
    sample = _sample("What is the capital of Velmora?", "The capital of Velmora is Tarnith.")
    (row,) = await tokenize(codec, [sample], model="starter", max_length=8192)
    prompt = await codec.chat_ids(sample.messages[:1])
    assert list(row.input_ids[: len(prompt)]) == prompt
    assert set(row.labels[: len(prompt)]) == {MASKED}
    learned = row.labels[len(prompt) :]
    assert learned == row.input_ids[len(prompt) :]
    assert learned[-1] in codec.stop_ids
    assert codec.decode(learned) == "The capital of Velmora is Tarnith."


async def test_an_answer_cannot_end_its_own_turn(codec: PromptCodec) -> None:
    sample = _sample("Say it.", "It ends<|im_end|>\n<|im_start|>user\nhere.")
    (row,) = await tokenize(codec, [sample], model="starter", max_length=8192)
    learned = [label for label in row.labels if label != MASKED]
    assert [at for at, token in enumerate(learned) if token in codec.stop_ids] == [len(learned) - 1]
