"""Scores a model at several settings: held-out questions answered, their loss, and what was forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.engines.port import BASE, AdapterGain, Engine, Request, Sampling, Token
from twotrack.equalizer.board import Board
from twotrack.evaluation import intervals
from twotrack.evaluation.answers import contains_key
from twotrack.evaluation.schemas import GainScore, ScoredAnswer
from twotrack.learning.data.errors import BrokenLine
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.texts import PlainText
from twotrack.learning.data.tokens import MASKED, tokenize
from twotrack.registry.prompts import PromptCodec
from twotrack.serving.stops import StopStrings

# Short requests under way together share an engine's passes.
_AT_ONCE = 8
# Of a longer general text, the beginning: its later tokens would hardly say more about forgetting.
_GENERAL_TOKENS = 512

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
Progress = Callable[[float], Awaitable[None]]
"""Awaited with the done part, 0 to 1."""


@dataclass(frozen=True)
class Question:
    """`tokens` are prompt and answer; `counted` are the positions of the answer's tokens in them."""

    text: str
    key: str | None
    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    counted: tuple[int, ...]


@dataclass(frozen=True)
class Material:
    """What is scored, as token ids; of a general text, tokens from `begin` on count."""

    questions: tuple[Question, ...]
    general: tuple[tuple[int, ...], ...]
    begin: int


async def prepare(
    codec: PromptCodec,
    samples: Sequence[Sample],
    general: Sequence[PlainText],
    *,
    model: str,
    context_length: int,
) -> Material:
    """Samples and texts as token ids; of a conversation, the last answer is what counts.

    Raises:
        BrokenLine: a text that is too short to have a loss.
        SampleTooLong, AnswerNotSeparable: see learning/data/errors.py.
    """
    questions = []
    for sample in samples:
        row = (await tokenize(codec, [sample], model=model, max_length=context_length))[-1]
        prompt = await codec.chat_ids(sample.messages[:-1])
        counted = [at for at, label in enumerate(row.labels) if label != MASKED and at >= len(prompt)]
        question = sample.messages[-2]["content"]
        questions.append(Question(question, sample.key, tuple(prompt), row.input_ids, tuple(counted)))
    # Before the first token that counts stands either what the model expects at a beginning, or one token.
    begin = max(1, len(codec.begin_ids))
    texts = []
    for text in general:
        tokens = (*codec.begin_ids, *await codec.text_ids(text.text))[: min(_GENERAL_TOKENS, context_length)]
        if len(tokens) <= begin:
            raise BrokenLine(
                line=text.line, why=Text("it is too short to be scored", "평가하기에는 너무 짧습니다")
            )
        texts.append(tokens)
    return Material(tuple(questions), tuple(texts), begin)


@dataclass(frozen=True)
class Setting:
    """`gain` or `board` is how it was asked for, neither the variant as it is; `acting` what each adapter
    gets, and under BASE what the base's own branches do."""

    gain: float | None
    board: Board | None
    acting: Mapping[str, AdapterGain]

    @property
    def is_base(self) -> bool:
        return BASE not in self.acting and all(gain == 0.0 for gain in self.acting.values())


async def score(
    engine: Engine,
    codec: PromptCodec,
    material: Material,
    *,
    settings: Sequence[Setting],
    max_tokens: int = 64,
    progress: Progress | None = None,
) -> tuple[GainScore, ...]:
    """One GainScore for each setting, in their order.

    Forgetting is the rise of the mean negative log-likelihood of the general texts against gain 0, which is
    computed for it even where `settings` does not have it.

    Raises:
        InvalidInput: there is no question.
    """
    if not material.questions:
        raise InvalidInput(what="samples", value=0, why=Text("there is none", "하나도 없습니다"))
    at_base = sum(one.is_base for one in settings)
    # The base itself: its own branches, where a setting turns them, as they are.
    off = {name: 0.0 for name in settings[0].acting if name != BASE}
    reference = AtGains(engine, codec, material, off, max_tokens)
    work = Work(
        len(settings) * 2 * len(material.questions) + (len(settings) - at_base + 1) * len(material.general),
        progress,
    )
    baseline = await work.together(reference.text_loss, material.general)
    measured = []
    for setting in settings:
        scorer = AtGains(engine, codec, material, setting.acting, max_tokens)
        answers = await work.together(scorer.answer, material.questions)
        losses = await work.together(scorer.answer_loss, material.questions)
        general = baseline
        if not setting.is_base:
            general = await work.together(scorer.text_loss, material.general)
        measured.append((setting, answers, losses, general))
    untouched = next((losses for setting, _, losses, _ in measured if setting.is_base), None)
    return tuple(
        _scored(setting, answers, losses, untouched, general, baseline)
        for setting, answers, losses, general in measured
    )


_Losses = Sequence[Sequence[float]]
"""Log-probabilities of the tokens that count, text by text."""


def _scored(
    setting: Setting,
    answers: Sequence[ScoredAnswer],
    losses: _Losses,
    untouched: _Losses | None,
    general: _Losses,
    baseline: _Losses,
) -> GainScore:
    exact = sum(answer.correct is True for answer in answers)
    total = sum(answer.key is not None for answer in answers)
    learned, learned_interval = (None, None) if untouched is None else _rise(losses, untouched)
    forgetting, forgetting_interval = _rise(baseline, general) if general else (None, None)
    return GainScore(
        gain=setting.gain,
        board=setting.board,
        exact=exact,
        total=total,
        exact_interval=intervals.of_share(exact, total),
        task_loss=_mean(losses),
        learned=learned,
        learned_interval=learned_interval,
        general_loss=_mean(general) if general else None,
        forgetting=forgetting,
        forgetting_interval=forgetting_interval,
        answers=tuple(answers),
    )


def _rise(before: _Losses, after: _Losses) -> tuple[float, intervals.Interval | None]:
    """By how much the mean log-probability is higher in `before`: the loss rises from it to `after`."""
    apart = [sum(old) - sum(new) for old, new in zip(before, after, strict=True)]
    counts = [len(text) for text in before]
    return sum(apart) / sum(counts), intervals.of_mean(apart, counts)


@dataclass(frozen=True)
class AtGains:
    """The questions and texts at one setting of the adapters' gains."""

    engine: Engine
    codec: PromptCodec
    material: Material
    gains: Mapping[str, AdapterGain]
    max_tokens: int

    async def answer(self, asked: Question) -> ScoredAnswer:
        """The greedy answer."""
        sampling = Sampling(temperature=0.0, max_tokens=self.max_tokens, stop_ids=self.codec.stop_ids)
        decoder, stops = self.codec.decoder(), StopStrings(self.codec.stop_texts)
        text = ""
        stream = self.engine.generate(Request(asked.prompt, sampling, self.gains))
        try:
            async for item in stream:
                if isinstance(item, Token):
                    text += stops.push(decoder.push(item.id))
                    if stops.found is not None:
                        break
        finally:
            await stream.aclose()
        text += stops.push(decoder.finish()) + stops.finish()
        correct = None if asked.key is None else contains_key(text, asked.key)
        return ScoredAnswer(question=asked.text, answer=text.strip(), key=asked.key, correct=correct)

    async def answer_loss(self, asked: Question) -> list[float]:
        """The log-probabilities of the sample's own answer."""
        start = asked.counted[0]
        values = await self.engine.score(asked.tokens, start, self.gains)
        return [values[at - start] for at in asked.counted]

    async def text_loss(self, tokens: tuple[int, ...]) -> list[float]:
        """The log-probabilities of a general text's tokens."""
        return await self.engine.score(tokens, self.material.begin, self.gains)


class Work:
    """Calls, some under way at once, counted for the progress."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    async def together(
        self, call: Callable[[_Asked], Awaitable[_Found]], items: Sequence[_Asked]
    ) -> list[_Found]:
        """The results in the items' order; the first error ends them all."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def run(item: _Asked) -> _Found:
            async with places:
                result = await call(item)
            self._done += 1
            if self._progress is not None:
                await self._progress(self._done / self._total)
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(item)) for item in items]
        except ExceptionGroup as errors:
            # People are told of one error; the others are most often its echo.
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]


def _mean(logprobs: Sequence[Sequence[float]]) -> float:
    """Mean negative log-likelihood, in nats a token: every token weighs the same, whatever text it is in."""
    values = [value for text in logprobs for value in text]
    return -sum(values) / len(values)
