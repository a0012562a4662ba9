"""/v1/completions: plain texts or token ids in, their continuations in that API's shape out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.equalizer.board import Gains
from twotrack.openai_api import generation
from twotrack.openai_api.errors import UnsupportedParameter
from twotrack.openai_api.generation import Choice, Plan
from twotrack.openai_api.schemas import CompletionRequest
from twotrack.serving.answering import (
    Final,
    Models,
    Served,
    TokenText,
    find_served,
    ids_prompt,
    score_prompt,
    text_prompt,
)
from twotrack.serving.chat.queue import AdmissionQueue
from twotrack.serving.chat.service import current_settings
from twotrack.serving.connections import event_frame

_NO_RANKING = Text(
    "answers are not ranked; it may only repeat `n`", "답의 순위를 매기지 않으므로 `n`과 같아야 합니다"
)
_ECHO_ALTERNATIVES = Text(
    "the prompt's own log-probabilities come without alternatives: with `echo` it must be 0",
    "프롬프트의 로그 확률에는 대안 토큰이 없으므로 `echo`와 함께 쓸 때는 0이어야 합니다",
)
_ONLY_WITH_ECHO = Text(
    "only with `echo` is there an answer without a token", "0은 `echo`와 함께만 쓸 수 있습니다"
)
_EMPTY = Text("it is empty", "비어 있습니다")


@dataclass(frozen=True)
class Echo:
    """A prompt that stands before its answer; with log-probabilities its tokens too."""

    text: str
    tokens: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True)
class TextPlan:
    plan: Plan
    echoes: Sequence[Echo] | None
    """One for each prompt."""
    generate: bool
    """False: nothing but the echo is asked for."""


async def _plan(models: Models, queue: AdmissionQueue, client: str, request: CompletionRequest) -> TextPlan:
    """Check the request and tokenize its prompts."""
    request.refuse_what_would_be_ignored()
    n = request.n or 1
    if request.best_of not in (None, n):
        raise UnsupportedParameter(what="best_of", why=_NO_RANKING)
    if request.echo and request.logprobs:
        raise UnsupportedParameter(what="logprobs", why=_ECHO_ALTERNATIVES)
    if request.max_tokens == 0 and not request.echo:
        raise InvalidInput(what="max_tokens", value=0, why=_ONLY_WITH_ECHO)
    wanted = _prompts(request)
    generation.check_count(len(wanted), n)
    settings = await current_settings(models, queue)
    with queue.enter(client) as ticket:
        served = await find_served(models, request.model, request.gains)
        prompts = [
            await text_prompt(served, one) if isinstance(one, str) else ids_prompt(served, one)
            for one in wanted
        ]
        options = generation.options_for(
            served, settings, request, max_tokens=request.max_tokens or None, logprobs=request.logprobs
        )
        echoes: list[Echo] | None = None
        if request.echo:
            if request.logprobs is not None:
                await ticket.turn()
            echoes = [
                await _echo(models, served, one, ids, options.gains, scored=request.logprobs is not None)
                for one, ids in zip(wanted, prompts, strict=True)
            ]
    return TextPlan(
        Plan(served, prompts, options, n, generation.new_id("cmpl"), request.model),
        echoes,
        generate=request.max_tokens != 0,
    )


def _prompts(request: CompletionRequest) -> list[str | list[int]]:
    prompt = request.prompt
    if isinstance(prompt, str):
        return [prompt]
    if not prompt:
        raise InvalidInput(what="prompt", value=prompt, why=_EMPTY)
    if all(isinstance(one, int) for one in prompt):
        return [[one for one in prompt if isinstance(one, int)]]
    return [one for one in prompt if not isinstance(one, int)]


async def _echo(
    models: Models,
    served: Served,
    wanted: str | list[int],
    ids: Sequence[int],
    gains: Mapping[str, Gains],
    *,
    scored: bool,
) -> Echo:
    text = wanted if isinstance(wanted, str) else served.codec.decode(ids)
    if not scored:
        return Echo(text)
    logprobs: list[float | None] = [None]
    if len(ids) > 1:
        logprobs += await score_prompt(models.engines, served, ids, gains)
    return Echo(text, tuple(zip((served.codec.token_text(one) for one in ids), logprobs, strict=True)))


async def whole(
    models: Models, queue: AdmissionQueue, client: str, request: CompletionRequest
) -> dict[str, Any]:
    """One document with all answers.

    Raises:
        UnsupportedParameter, InvalidInput, ModelNotFound, PromptTooLong, QueueFull, EngineDied.
    """
    asked = await _plan(models, queue, client, request)
    plan = asked.plan
    count = len(plan.prompts) * plan.n
    choices = [Choice() for _ in range(count)]
    if asked.generate:
        choices = await generation.collect(generation.run(models, queue, client, plan), count)
    return {
        **_head(plan),
        "choices": [_choice(asked, number, choice) for number, choice in enumerate(choices)],
        "usage": generation.usage(plan, [choice.final for choice in choices]),
    }


async def frames(
    models: Models, queue: AdmissionQueue, client: str, request: CompletionRequest
) -> AsyncGenerator[bytes, None]:
    """Server-sent chunks, the last of them [DONE]. Raises what `whole` raises."""
    asked = await _plan(models, queue, client, request)
    plan = asked.plan
    count = len(plan.prompts) * plan.n
    head = _head(plan)
    tail: dict[str, Any] = {"usage": None} if request.include_usage else {}
    finals: list[Final | None] = [None] * count
    lengths = [0] * count

    def chunk(number: int, text: str, logprobs: dict[str, Any] | None, reason: str | None = None) -> bytes:
        choice = {"index": number, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return event_frame(None, {**head, "choices": [choice], **tail})

    for number in range(count):
        if echo := _echo_of(asked, number):
            lengths[number] = len(echo.text)
            reason = None if asked.generate else "length"
            yield chunk(number, echo.text, _logprobs(plan, echo, ()), reason)
    if asked.generate:
        async with aclosing(generation.run(models, queue, client, plan)) as items:
            async for number, item in items:
                if isinstance(item, Final):
                    finals[number] = item
                    yield chunk(number, "", None, item.reason)
                else:
                    yield chunk(number, item.text, _logprobs(plan, None, item.tokens, lengths[number]))
                    lengths[number] += len(item.text)
    if request.include_usage:
        yield event_frame(None, {**head, "choices": [], "usage": generation.usage(plan, finals)})
    yield b"data: [DONE]\n\n"


def _head(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "object": "text_completion",
        "created": plan.created,
        "model": plan.model,
        "system_fingerprint": plan.fingerprint,
    }


def _choice(asked: TextPlan, number: int, choice: Choice) -> dict[str, Any]:
    echo = _echo_of(asked, number)
    return {
        "index": number,
        "text": (echo.text if echo else "") + choice.text,
        "logprobs": _logprobs(asked.plan, echo, choice.tokens),
        "finish_reason": choice.final.reason if choice.final else "length",
    }


def _echo_of(asked: TextPlan, number: int) -> Echo | None:
    return None if asked.echoes is None else asked.echoes[number // asked.plan.n]


def _logprobs(
    plan: Plan, echo: Echo | None, tokens: Sequence[TokenText], offset: int = 0
) -> dict[str, Any] | None:
    """Four lists of one length; `text_offset` counts characters from the beginning of the choice's text."""
    if plan.options.logprobs is None:
        return None
    before = echo.tokens if echo else ()
    texts = [text for text, _ in before] + [token.text for token in tokens]
    values = [logprob for _, logprob in before] + [token.logprob for token in tokens]
    offsets = []
    for text in texts:
        offsets.append(offset)
        offset += len(text)
    tops = [None] * len(before) + [
        {one.text: generation.finite(one.logprob) for one in token.top} or None for token in tokens
    ]
    return {
        "tokens": texts,
        "token_logprobs": [None if value is None else generation.finite(value) for value in values],
        "top_logprobs": tops if plan.options.logprobs else None,
        "text_offset": offsets,
    }
