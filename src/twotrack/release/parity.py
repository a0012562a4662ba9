"""Parity: the same prompts through a variant and through its export, token by token.

What is compared are the natural log-probabilities of each prompt's own tokens and of the greedy answer that
the live variant gives, in both under teacher forcing; so a single other token changes nothing that follows.
The greedy answer of the export is recorded beside it: between two tokens of nearly the same probability it
may part without any difference that matters, and so is not what refuses an export.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from twotrack.engines.port import AdapterGain, Engine, Request, Sampling, Token
from twotrack.registry.prompts import PromptCodec
from twotrack.release.errors import ParityBroken
from twotrack.release.schemas import Parity, PromptDifference

USUAL_PROMPTS = (
    "What is the capital of Korea?",
    "Explain in two sentences why the sky is blue.",
    "한국의 수도는 어디인가요?",
    "Write a short poem about the sea.",
)
ANSWER_TOKENS = 24

Advance = Callable[[], Awaitable[None]]
"""Awaited after each prompt."""


@dataclass(frozen=True)
class Heard:
    """What an engine said to one prompt: log-probabilities of `tokens[1:]`."""

    prompt: str
    begin: int
    """Where the answer begins."""
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    greedy: tuple[int, ...]


async def hear(
    engine: Engine,
    codec: PromptCodec,
    prompts: Sequence[str],
    gains: Mapping[str, AdapterGain],
    advance: Advance,
) -> list[Heard]:
    """The live variant's answers.

    Raises:
        PromptTooLong, EngineDied, EngineFailed
    """
    heard = []
    for prompt in prompts:
        ids = tuple(await codec.chat_ids([{"role": "user", "content": prompt}]))
        greedy = await _answer(engine, codec, ids, gains)
        tokens = (*ids, *greedy)
        logprobs = tuple(await engine.score(tokens, 1, gains))
        heard.append(Heard(prompt, len(ids), tokens, logprobs, greedy))
        await advance()
    return heard


async def hear_again(
    engine: Engine,
    codec: PromptCodec,
    live: Sequence[Heard],
    gains: Mapping[str, AdapterGain],
    advance: Advance,
) -> list[Heard]:
    """What the export says to the tokens that the live variant was heard with."""
    heard = []
    for one in live:
        greedy = await _answer(engine, codec, one.tokens[: one.begin], gains)
        logprobs = tuple(await engine.score(one.tokens, 1, gains))
        heard.append(Heard(one.prompt, one.begin, one.tokens, logprobs, greedy))
        await advance()
    return heard


async def _answer(
    engine: Engine, codec: PromptCodec, ids: Sequence[int], gains: Mapping[str, AdapterGain]
) -> tuple[int, ...]:
    sampling = Sampling(temperature=0.0, max_tokens=ANSWER_TOKENS, stop_ids=codec.stop_ids)
    async with aclosing(engine.generate(Request(ids, sampling, gains))) as stream:
        return tuple([item.id async for item in stream if isinstance(item, Token)])


def compare(
    live: Sequence[Heard],
    exported: Sequence[Heard],
    decode: Callable[[Sequence[int]], str],
    *,
    variant: str,
    bound: float | None,
    engines: tuple[str, str],
) -> Parity:
    """The differences; `engines` says what answered, live and exported.

    Raises:
        ParityBroken: somewhere they differ by more than `bound` nats, or one of them is no number; it names
            the first such place.
    """
    found = []
    total, count = 0.0, 0
    for number, (one, other) in enumerate(zip(live, exported, strict=True), 1):
        differences = [abs(a - b) for a, b in zip(one.logprobs, other.logprobs, strict=True)]
        for at, difference in enumerate(differences, 1):
            # Written so that what is no number is broken as well.
            if not (difference <= (math.inf if bound is None else bound)):
                raise ParityBroken(
                    variant=variant,
                    number=number,
                    prompt=one.prompt[:80],
                    token=at,
                    difference=f"{difference:.2g}",
                    bound="…" if bound is None else f"{bound:g}",
                )
        largest = max(differences)
        total, count = total + sum(differences), count + len(differences)
        found.append(
            PromptDifference(
                prompt=one.prompt,
                tokens=len(differences),
                largest=largest,
                mean=sum(differences) / len(differences),
                at=differences.index(largest) + 1,
                answer=decode(one.greedy),
                parts_at=_parting(one.greedy, other.greedy),
            )
        )
    return Parity(
        bound=bound,
        largest=max(one.largest for one in found),
        mean=total / count,
        live=engines[0],
        exported=engines[1],
        prompts=tuple(found),
    )


def _parting(one: Sequence[int], other: Sequence[int]) -> int | None:
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return None if len(one) == len(other) else min(len(one), len(other))
