"""/v1/chat/completions: messages in, answers in that API's shape out."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.openai_api import generation
from twotrack.openai_api.generation import Choice, Plan
from twotrack.openai_api.schemas import ChatRequest
from twotrack.serving.answering import Final, Models, TokenText, chat_prompt, find_served
from twotrack.serving.chat.queue import AdmissionQueue
from twotrack.serving.chat.service import current_settings
from twotrack.serving.connections import event_frame

_NEEDS_LOGPROBS = Text("it needs `logprobs: true`", "`logprobs: true`가 필요합니다")


async def _plan(models: Models, queue: AdmissionQueue, client: str, request: ChatRequest) -> Plan:
    """Check the request and tokenize its prompt."""
    request.refuse_what_would_be_ignored()
    messages = [message.plain() for message in request.messages]
    generation.check_count(1, request.n or 1)
    if request.top_logprobs is not None and not request.logprobs:
        raise InvalidInput(what="top_logprobs", value=request.top_logprobs, why=_NEEDS_LOGPROBS)
    settings = await current_settings(models, queue)
    # A place is held while the prompt is prepared: a full queue refuses before it has worked.
    with queue.enter(client):
        served = await find_served(models, request.model, request.gains)
        if settings.system_prompt and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": settings.system_prompt})
        prompt = await chat_prompt(served, messages)
    return Plan(
        served=served,
        prompts=[prompt],
        options=generation.options_for(
            served,
            settings,
            request,
            max_tokens=request.max_completion_tokens or request.max_tokens,
            logprobs=(request.top_logprobs or 0) if request.logprobs else None,
            stop_texts=served.codec.stop_texts,
        ),
        n=request.n or 1,
        id=generation.new_id("chatcmpl"),
        model=request.model,
    )


async def whole(models: Models, queue: AdmissionQueue, client: str, request: ChatRequest) -> dict[str, Any]:
    """One document with all answers.

    Raises:
        UnsupportedParameter, InvalidInput, ModelNotFound, PromptTooLong, QueueFull, EngineDied.
    """
    plan = await _plan(models, queue, client, request)
    choices = await generation.collect(generation.run(models, queue, client, plan), plan.n)
    return {
        "id": plan.id,
        "object": "chat.completion",
        "created": plan.created,
        "model": plan.model,
        "system_fingerprint": plan.fingerprint,
        "choices": [_choice(plan, number, choice) for number, choice in enumerate(choices)],
        "usage": generation.usage(plan, [choice.final for choice in choices]),
    }


async def frames(
    models: Models, queue: AdmissionQueue, client: str, request: ChatRequest
) -> AsyncGenerator[bytes, None]:
    """Server-sent chunks, the last of them [DONE]. Raises what `whole` raises."""
    plan = await _plan(models, queue, client, request)
    head: dict[str, Any] = {
        "id": plan.id,
        "object": "chat.completion.chunk",
        "created": plan.created,
        "model": plan.model,
        "system_fingerprint": plan.fingerprint,
    }
    tail: dict[str, Any] = {"usage": None} if request.include_usage else {}

    def chunk(
        number: int, delta: dict[str, Any], logprobs: dict[str, Any] | None = None, reason: str | None = None
    ) -> bytes:
        choice = {"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return event_frame(None, {**head, "choices": [choice], **tail})

    finals: list[Final | None] = [None] * plan.n
    begun = [False] * plan.n
    async with aclosing(generation.run(models, queue, client, plan)) as items:
        async for number, item in items:
            if not begun[number]:
                begun[number] = True
                yield chunk(number, {"role": "assistant", "content": ""})
            if isinstance(item, Final):
                finals[number] = item
                yield chunk(number, {}, reason=item.reason)
            else:
                yield chunk(number, {"content": item.text}, _logprobs(plan, item.tokens))
    if request.include_usage:
        yield event_frame(None, {**head, "choices": [], "usage": generation.usage(plan, finals)})
    yield b"data: [DONE]\n\n"


def _choice(plan: Plan, number: int, choice: Choice) -> dict[str, Any]:
    return {
        "index": number,
        "message": {"role": "assistant", "content": choice.text, "refusal": None},
        "logprobs": _logprobs(plan, choice.tokens),
        "finish_reason": choice.final.reason if choice.final else "stop",
    }


def _logprobs(plan: Plan, tokens: Sequence[TokenText]) -> dict[str, Any] | None:
    if plan.options.logprobs is None:
        return None
    content = [
        {**_token(token), "top_logprobs": [_token(alternative) for alternative in token.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _token(token: TokenText) -> dict[str, Any]:
    return {
        "token": token.text,
        "bytes": list(token.raw),
        "logprob": generation.finite(token.logprob),
    }
