"""The arithmetic of a score, with an engine whose every answer is known."""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.engines.port import BASE, AdapterGain, End, EngineDied, EngineKind, Health, Request, Token
from twotrack.evaluation.score import Material, Setting, prepare, score
from twotrack.learning.data.errors import BrokenLine
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.texts import PlainText
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.schemas import Base

_ADAPTER = "a"


class _Learned:
    """Knows the answer from gain ½ on; each token's likelihood falls with the gain, in general texts too."""

    kind: EngineKind = "transformers"
    alive = True

    def __init__(self, answers: Mapping[tuple[int, ...], Sequence[int]], *, dies: bool = False) -> None:
        self.answers = answers
        self.dies = dies

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        if self.dies:
            raise EngineDied(model="learned", why="it was told to")
        gain = request.gains[_ADAPTER]
        assert isinstance(gain, float | int)
        known = gain >= 0.5
        answer = self.answers[tuple(request.prompt)] if known else (1000, 1001)
        for token in answer:
            if token in request.sampling.stop_ids:
                break
            yield Token(token)
        yield End("stop", len(request.prompt), 0, len(answer))

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        gain = (gains or {})[_ADAPTER]
        assert isinstance(gain, float | int)
        value = math.log(0.9) * (1 + gain) if self._is_general(tokens) else math.log(0.5) * (1 - gain)
        return [value] * (len(tokens) - start)

    def _is_general(self, tokens: Sequence[int]) -> bool:
        return not any(tuple(tokens[: len(prompt)]) == prompt for prompt in self.answers)

    async def health(self) -> Health:
        return Health("transformers", "fp32", 100, None, (_ADAPTER,), 0)

    async def stop(self) -> None:
        pass


@pytest.fixture
async def codec(layout: Layout, starter_base: Base) -> AsyncIterator[PromptCodec]:
    prompts = Prompts(layout)
    yield await prompts.for_base(starter_base)
    await prompts.close()


def _at(*gains: float) -> list[Setting]:
    return [Setting(gain, None, {_ADAPTER: gain}) for gain in gains]


def _sample(question: str, answer: str, key: str | None) -> Sample:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Sample(1, messages, key)


async def _material(codec: PromptCodec) -> Material:
    samples = [
        _sample("What is the capital of Velmora?", "The capital of Velmora is Tarnith.", "Tarnith"),
        _sample("Which river flows through Quilby?", "The river Dolm flows through Quilby.", "Dolm"),
    ]
    texts = [PlainText(1, "Water boils at a lower temperature on a mountain."), PlainText(2, "Bread rises.")]
    return await prepare(codec, samples, texts, model="starter", context_length=8192)


def _engine(material: Material, **options: bool) -> _Learned:
    return _Learned({one.prompt: one.tokens[len(one.prompt) :] for one in material.questions}, **options)


async def test_each_gain_has_its_answers_its_loss_and_what_it_forgot(codec: PromptCodec) -> None:
    material = await _material(codec)
    seen: list[float] = []

    async def progress(fraction: float) -> None:
        seen.append(fraction)

    none, half, full = await score(
        _engine(material), codec, material, settings=_at(0, 0.5, 1), progress=progress
    )
    assert [found.gain for found in (none, half, full)] == [0, 0.5, 1]
    assert [(found.exact, found.total) for found in (none, half, full)] == [(0, 2), (2, 2), (2, 2)]
    assert full.answers[0].answer == "The capital of Velmora is Tarnith."
    assert full.answers[0].correct
    assert none.task_loss == pytest.approx(-math.log(0.5))
    assert half.task_loss == pytest.approx(-math.log(0.5) / 2)
    assert none.forgetting == 0
    assert full.forgetting == pytest.approx(-math.log(0.9))
    assert (none.learned, none.learned_interval) == (0, (0, 0))
    assert full.learned == pytest.approx(none.task_loss - full.task_loss)
    assert full.learned_interval == pytest.approx((full.learned, full.learned))
    assert full.exact_interval == pytest.approx((0.342, 1), abs=1e-3)
    assert seen == sorted(seen)
    assert seen[-1] == 1


class _Watched(_Learned):
    """Remembers the gains of what is scored."""

    def __init__(self, answers: Mapping[tuple[int, ...], Sequence[int]]) -> None:
        super().__init__(answers)
        self.seen: list[Mapping[str, AdapterGain]] = []

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        self.seen.append(gains or {})
        return await super().score(tokens, start, gains)


async def test_a_base_board_acts_beside_the_adapters_but_not_at_gain_0(codec: PromptCodec) -> None:
    material = await _material(codec)
    engine = _Watched({one.prompt: one.tokens[len(one.prompt) :] for one in material.questions})
    board = ((1.0, 0.5), (0.0, 1.0))
    half = Setting(0.5, None, {_ADAPTER: 0.5, BASE: board})
    (found,) = await score(engine, codec, material, settings=[half])
    assert found.forgetting == pytest.approx(-math.log(0.9) / 2)
    # What is forgotten is measured against the base itself.
    assert {frozenset(gains.items()) for gains in engine.seen} == {
        frozenset({_ADAPTER: 0}.items()),
        frozenset({_ADAPTER: 0.5, BASE: board}.items()),
    }


async def test_forgetting_is_known_without_gain_0_being_asked_for(codec: PromptCodec) -> None:
    material = await _material(codec)
    (found,) = await score(_engine(material), codec, material, settings=_at(1))
    assert found.forgetting == pytest.approx(-math.log(0.9))
    assert (found.learned, found.learned_interval) == (None, None)


async def test_a_question_without_a_key_has_a_loss_and_is_neither_right_nor_wrong(codec: PromptCodec) -> None:
    samples = [
        _sample("What is the capital of Velmora?", "The capital of Velmora is Tarnith.", "Tarnith"),
        _sample("Which river flows through Quilby?", "The river Dolm flows through Quilby.", None),
    ]
    material = await prepare(codec, samples, [], model="starter", context_length=8192)
    (found,) = await score(_engine(material), codec, material, settings=_at(0.5))
    assert (found.exact, found.total) == (1, 1)
    assert [one.correct for one in found.answers] == [True, None]
    assert found.task_loss == pytest.approx(-math.log(0.5) / 2)


async def test_without_general_texts_nothing_is_said_of_forgetting(codec: PromptCodec) -> None:
    material = Material((await _material(codec)).questions, (), 1)
    (found,) = await score(_engine(material), codec, material, settings=_at(1))
    assert (found.general_loss, found.forgetting) == (None, None)


async def test_the_answers_end_of_turn_token_counts_in_its_loss(codec: PromptCodec) -> None:
    question = (await _material(codec)).questions[0]
    assert question.tokens[question.counted[-1]] in codec.stop_ids
    assert [question.counted[0]] == [len(question.prompt)]


async def test_an_engine_that_dies_is_one_error(codec: PromptCodec) -> None:
    material = await _material(codec)
    with pytest.raises(EngineDied):
        await score(_engine(material, dies=True), codec, material, settings=_at(0))


async def test_a_score_without_a_question_is_refused(codec: PromptCodec) -> None:
    with pytest.raises(InvalidInput):
        await score(_Learned({}), codec, Material((), (), 1), settings=_at(0))


async def test_a_text_of_one_token_is_refused_with_its_line(codec: PromptCodec) -> None:
    with pytest.raises(BrokenLine, match="Line 3"):
        await prepare(codec, [], [PlainText(3, "a")], model="starter", context_length=8192)
