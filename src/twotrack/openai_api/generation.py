"""What chat completions and completions have in common: from a checked request to choices and usage."""

import hashlib
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.openai_api.schemas import Generation
from twotrack.serving.admission import Failure, take_turns
from twotrack.serving.answering import (
    Final,
    Models,
    Options,
    Piece,
    Served,
    TokenText,
    stream_answer,
)
from twotrack.serving.chat.admin import AdminSettings
from twotrack.serving.chat.queue import AdmissionQueue, Ticket

MOST_CHOICES = 128
# JSON has no minus infinity; that API writes this instead.
_LEAST_LOGPROB = -9999.0

_TOO_MANY = Text(
    f"one request may ask for {MOST_CHOICES} answers at most, all prompts together",
    f"한 요청의 답은 모든 프롬프트를 합쳐 {MOST_CHOICES}개까지입니다",
)


@dataclass(frozen=True)
class Plan:
    """A request that is in order. Choice number p·n + i is the i-th answer to prompt number p."""

    served: Served
    prompts: Sequence[Sequence[int]]
    options: Options
    n: int
    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def fingerprint(self) -> str:
        """Changes with whatever makes the same seed give another answer: weights, gains, engine, template."""
        served = self.served
        what = (
            served.base.id,
            sorted(self.options.gains.items()),
            served.spec.kind,
            served.codec.template_hash,
        )
        return "fp_" + hashlib.sha256(repr(what).encode()).hexdigest()[:12]


@dataclass
class Choice:
    """One answer as it grows."""

    text: str = ""
    tokens: list[TokenText] = field(default_factory=list)
    final: Final | None = None


def new_id(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def options_for(
    served: Served,
    settings: AdminSettings,
    request: Generation,
    *,
    max_tokens: int | None,
    logprobs: int | None,
    stop_texts: tuple[str, ...] = (),
) -> Options:
    """What the request says, and the admin settings where it says nothing.

    `stop_texts` end an answer besides the stop strings of the request.
    """
    temperature = settings.temperature if request.temperature is None else request.temperature
    top_p = settings.top_p if request.top_p is None else request.top_p
    return Options(
        gains=served.gains,
        # No probability mass at all leaves the likeliest token, which is what greedy means.
        temperature=0.0 if top_p == 0 else temperature,
        top_p=1.0 if top_p == 0 else top_p,
        max_tokens=settings.max_tokens if max_tokens is None else max_tokens,
        seconds=settings.answer_seconds,
        seed=request.seed,
        stop=(*request.stops, *stop_texts),
        logprobs=logprobs,
    )


def check_count(prompts: int, n: int) -> None:
    """
    Raises:
        InvalidInput: more choices than one request may ask for.
    """
    if prompts * n > MOST_CHOICES:
        raise InvalidInput(what="n", value=n, why=_TOO_MANY)


async def run(
    models: Models, queue: AdmissionQueue, client: str, plan: Plan
) -> AsyncGenerator[tuple[int, Piece | Final], None]:
    """Pieces and ends of all choices as they come, with the choice's number.

    Raises:
        the first error of any choice; the others are cancelled then.
    """

    def work(number: int) -> Callable[[Ticket], AsyncGenerator[Piece | Final, None]]:
        options = plan.options
        if options.seed is not None:
            # With one seed for all, the n answers would be n times the same.
            options = replace(options, seed=options.seed + number % plan.n)

        async def generate(ticket: Ticket) -> AsyncGenerator[Piece | Final, None]:
            await ticket.turn()
            prompt = plan.prompts[number // plan.n]
            async with aclosing(stream_answer(models.engines, plan.served, prompt, options)) as items:
                async for item in items:
                    yield item

        return generate

    works = [work(number) for number in range(len(plan.prompts) * plan.n)]
    async with aclosing(take_turns(queue, client, works)) as results:
        async for number, item in results:
            if isinstance(item, Failure):
                raise item.error
            yield number, item


async def collect(items: AsyncGenerator[tuple[int, Piece | Final], None], count: int) -> list[Choice]:
    choices = [Choice() for _ in range(count)]
    texts: list[list[str]] = [[] for _ in range(count)]
    async with aclosing(items):
        async for number, item in items:
            if isinstance(item, Final):
                choices[number].final = item
            else:
                texts[number].append(item.text)
                choices[number].tokens.extend(item.tokens)
    for choice, parts in zip(choices, texts, strict=True):
        choice.text = "".join(parts)
    return choices


def usage(plan: Plan, finals: Sequence[Final | None]) -> dict[str, Any]:
    """A prompt counts once, however many answers it has; what was cached is what its first answer found."""
    prompt_tokens = sum(len(prompt) for prompt in plan.prompts)
    completion_tokens = sum(final.completion_tokens for final in finals if final)
    cached_tokens = sum(final.cached_tokens for final in finals[:: plan.n] if final)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": cached_tokens},
    }


def finite(logprob: float) -> float:
    return max(logprob, _LEAST_LOGPROB)
