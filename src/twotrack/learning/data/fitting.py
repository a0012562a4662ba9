"""How long samples are for a base, by the code that training makes its rows with."""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from twotrack.core.language import Text
from twotrack.learning.data.canonical import text_of
from twotrack.learning.data.errors import AnswerNotSeparable, BrokenLine, NothingToLearn
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.report import Fit, Spread
from twotrack.learning.data.tokens import ChatTokenizer, tokenize

_NO_LIMIT = 2**40
# These are always counted, and of the later ones each so-manieth: enough for the distribution.
_FIRST, _EVERY = 500, 50


@dataclass(frozen=True)
class Unfit:
    too_long: bool
    why: Text


class Fitting:
    """Measures samples against a base; `limit` is in tokens.

    No tokenizer makes more tokens of a text than it has bytes. What is within the limit even so is not
    counted, but for a part of it: rendering and tokenizing take most of a check's time.
    """

    def __init__(self, codec: ChatTokenizer, model: str, limit: int) -> None:
        self._codec, self._model, self._limit = codec, model, limit
        self._frames: dict[tuple[str, ...], int | Text] = {}
        self._tokens = array("I")
        self._seen = self._bytes = self._counted_bytes = 0

    def unfit(self, samples: Sequence[Sample]) -> list[Unfit | None]:
        """What keeps each of them from being trained on, None as a rule. Runs an event loop of its own."""

        async def all_of_them() -> list[Unfit | None]:
            return [await self._unfit(sample) for sample in samples]

        return asyncio.run(all_of_them())

    def report(self) -> Fit:
        rate = sum(self._tokens) / self._counted_bytes if self._counted_bytes else 0.0
        return Fit(
            base=self._model,
            limit=self._limit,
            measured=len(self._tokens),
            tokens=Spread.of(self._tokens),
            total=round(rate * self._bytes),
        )

    async def _unfit(self, sample: Sample) -> Unfit | None:
        size = len(text_of(sample).encode())
        self._seen += 1
        frame = await self._frame(sample)
        if isinstance(frame, Text):
            return Unfit(too_long=False, why=frame)
        self._bytes += size
        if frame + size <= self._limit and self._seen > _FIRST and self._seen % _EVERY:
            return None
        found = await self._count(sample)
        if isinstance(found, Text):
            return Unfit(too_long=False, why=found)
        self._tokens.append(found)
        self._counted_bytes += size
        if found > self._limit:
            why = Text(
                f"{found:,} tokens, and {self._limit:,} fit",
                f"{found:,} 토큰인데 {self._limit:,} 토큰까지 들어갑니다",
            )
            return Unfit(too_long=True, why=why)
        return None

    async def _frame(self, sample: Sample) -> int | Text:
        """Tokens of what the template puts around these roles' messages, or why it does not take them."""
        roles = tuple(one["role"] for one in sample.messages)
        if roles not in self._frames:
            short = tuple({"role": role, "content": "x"} for role in roles)
            self._frames[roles] = await self._count(
                replace(sample, messages=short, text=sample.text and "xx")
            )
        return self._frames[roles]

    async def _count(self, sample: Sample) -> int | Text:
        try:
            rows = await tokenize(self._codec, [sample], model=self._model, max_length=_NO_LIMIT)
        except BrokenLine as error:
            why: Text = error.values["why"]
            return why
        except NothingToLearn as error:
            tokens = error.values["tokens"]
            return Text(
                f"none of its {tokens} tokens would be trained",
                f"{tokens} 토큰 가운데 학습되는 것이 없습니다",
            )
        except AnswerNotSeparable:
            return Text(
                f"the template of {self._model} writes answers otherwise than it asks for them",
                f"{self._model}의 템플릿이 답변을 요청할 때와 다르게 표시합니다",
            )
        return max(len(row.input_ids) for row in rows)
