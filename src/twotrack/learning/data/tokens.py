"""Samples as token ids, by the template and tokenizer that serving uses, with all but the answers masked."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from twotrack.core.language import Text
from twotrack.learning.data.errors import AnswerNotSeparable, BrokenLine, NothingToLearn, SampleTooLong
from twotrack.learning.data.messages import Sample
from twotrack.registry.sandbox import TemplateFailed

MASKED = -100
"""The label of a token that is read and not learned (torch's cross entropy ignores it)."""

TooLong = Literal["refuse", "truncate"]


class ChatTokenizer(Protocol):
    """What is needed of `registry.prompts.PromptCodec`."""

    stop_ids: frozenset[int]

    @property
    def begin_ids(self) -> tuple[int, ...]: ...

    async def plain_ids(self, text: str) -> list[int]: ...

    async def chat_ids(
        self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool = True
    ) -> list[int]: ...


@dataclass(frozen=True)
class Row:
    """One training sequence; `labels` is as long as `input_ids` and MASKED wherever no answer stands."""

    line: int
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def learned(self) -> int:
        """How many tokens are learned: the first one of a sequence follows nothing and cannot be."""
        return sum(label != MASKED for label in self.labels[1:])


async def tokenize(
    codec: ChatTokenizer,
    samples: Sequence[Sample],
    *,
    model: str,
    max_length: int,
    too_long: TooLong = "refuse",
    progress: Callable[[int], Awaitable[None]] | None = None,
) -> list[Row]:
    """Rows in the order of the samples. `model` names the base in errors; `progress` hears of samples done.

    The prompt before each answer is exactly what a chat would send. An answer is learned with its
    end-of-turn token, and nothing after that. A conversation is one row where each turn continues the one
    before it, token by token; where the template writes earlier turns differently, each answer is a row.

    Raises:
        BrokenLine: the template refuses the sample.
        SampleTooLong, NothingToLearn, AnswerNotSeparable
    """
    rows: list[Row] = []
    for done, sample in enumerate(samples, 1):
        try:
            found = await _unfitted(codec, sample, model)
        except TemplateFailed as error:
            why = Text(error.explain("en").rstrip("."), error.explain("ko").rstrip("."))
            raise BrokenLine(line=sample.line, why=why) from error
        rows += (_fitted(row, max_length, too_long) for row in found)
        if progress is not None:
            await progress(done)
    return rows


async def _unfitted(codec: ChatTokenizer, sample: Sample, model: str) -> list[Row]:
    if sample.text is None:
        return _rows(sample.line, await _answers(codec, sample, model))
    begin, text = codec.begin_ids, tuple(await codec.plain_ids(sample.text))
    return [Row(sample.line, (*begin, *text), (*(MASKED for _ in begin), *text))]


@dataclass(frozen=True)
class _Answer:
    """Token ids up to where an answer begins, and of the answer with what follows it in the template."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    learned: int
    """How many of the answer's tokens come before the end of its turn, that included."""


async def _answers(codec: ChatTokenizer, sample: Sample, model: str) -> list[_Answer]:
    found = []
    for position, message in enumerate(sample.messages):
        if message["role"] != "assistant" or position in sample.unlearned:
            continue
        prompt = tuple(await codec.chat_ids(sample.messages[:position]))
        whole = tuple(await codec.chat_ids(sample.messages[: position + 1], add_generation_prompt=False))
        if not prompt or whole[: len(prompt)] != prompt:
            raise AnswerNotSeparable(line=sample.line, model=model)
        answer = whole[len(prompt) :]
        stops = [index for index, token in enumerate(answer) if token in codec.stop_ids]
        if not stops and codec.stop_ids:
            # A template that closes no turn would teach the model never to stop.
            answer = (*answer, min(codec.stop_ids))
            stops = [len(answer) - 1]
        found.append(_Answer(prompt, answer, stops[-1] + 1 if stops else len(answer)))
    return found


def _rows(line: int, answers: list[_Answer]) -> list[Row]:
    continues = all(
        later.prompt[: len(earlier.prompt) + len(earlier.answer)] == earlier.prompt + earlier.answer
        for earlier, later in zip(answers, answers[1:], strict=False)
    )
    rows = []
    for group in [answers] if continues else [[answer] for answer in answers]:
        last = group[-1]
        input_ids = last.prompt + last.answer[: last.learned]
        labels = [MASKED] * len(input_ids)
        for answer in group:
            start = len(answer.prompt)
            labels[start : start + answer.learned] = answer.answer[: answer.learned]
        rows.append(Row(line, input_ids, tuple(labels)))
    return rows


def _fitted(row: Row, max_length: int, too_long: TooLong) -> Row:
    if len(row.input_ids) > max_length:
        if too_long == "refuse":
            raise SampleTooLong(line=row.line, tokens=len(row.input_ids), limit=max_length)
        row = Row(row.line, row.input_ids[:max_length], row.labels[:max_length])
    if row.learned == 0:
        raise NothingToLearn(line=row.line, tokens=len(row.input_ids))
    return row
