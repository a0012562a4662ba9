"""Chat: questions in, answers out, kept in sessions. Plain functions; no request, no response."""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.registry.tables import list_variants
from twotrack.serving.admission import Failure, take_turns
from twotrack.serving.answering import (
    Final,
    Models,
    Options,
    Piece,
    Served,
    find_served,
    stream_answer,
)
from twotrack.serving.chat import tables
from twotrack.serving.chat.admin import AdminSettings, SettingsRevision, apply_limits, load_settings
from twotrack.serving.chat.branches import begin_turn, find_place
from twotrack.serving.chat.errors import BatchTooLarge, NoModel
from twotrack.serving.chat.history import Prompt, fit_history
from twotrack.serving.chat.queue import AdmissionQueue, Ticket
from twotrack.serving.chat.recording import Recording
from twotrack.serving.chat.schemas import (
    Answer,
    AnsweredBy,
    Batch,
    Choices,
    Question,
    Started,
    Timing,
    Usage,
)


async def close_broken_answers(database: Database) -> int:
    """At start: answers that a killed studio left streaming keep their text as cut off. Returns how many."""
    return await tables.cut_off_streaming_answers(database)


async def current_settings(models: Models, queue: AdmissionQueue) -> SettingsRevision:
    """The admin settings, with their limits in force."""
    settings = await load_settings(models.database)
    apply_limits(queue, models.engines, settings)
    return settings


async def answer(
    models: Models, queue: AdmissionQueue, client: str, question: Question, *, owner: UUID | None
) -> AsyncGenerator[Started | Piece | Answer, None]:
    """`Started` once everything is in order, pieces of text, and the whole `Answer` once it is kept.

    Closing the generator cancels; what was said so far then stays in the session as cut off.

    Raises:
        QueueFull, ModelNotFound, PromptTooLong, and what branches.py raises: before `Started`.
        EngineDied, EngineFailedToStart, AnswerTooLong: after it.
    """
    settings = await current_settings(models, queue)
    with queue.enter(client) as ticket:
        async with aclosing(_answer(models, queue, ticket, settings, question, owner)) as items:
            async for item in items:
                yield item


async def answer_all(
    models: Models, queue: AdmissionQueue, client: str, batch: Batch
) -> list[Answer | TwotrackError]:
    """An answer, or the error of that question alone, for each message, in their order; none is kept.

    Raises:
        QueueFull: there is no place for even one of them.
        BatchTooLarge: more questions than the settings allow.
    """
    settings = await current_settings(models, queue)
    if len(batch.messages) > settings.batch_size:
        raise BatchTooLarge(questions=len(batch.messages), limit=settings.batch_size)
    choices = batch.model_dump(include=set(Choices.model_fields))

    def work(message: str) -> Callable[[Ticket], AsyncGenerator[Started | Piece | Answer, None]]:
        question = Question(message=message, keep=False, **choices)
        # Nothing of a batch is kept, so nobody owns it.
        return lambda ticket: _answer(models, queue, ticket, settings, question, owner=None)

    results: list[Answer | TwotrackError] = [TwotrackError() for _ in batch.messages]
    works = [work(message) for message in batch.messages]
    async with aclosing(take_turns(queue, client, works)) as items:
        async for index, item in items:
            if isinstance(item, Failure):
                results[index] = item.error
            elif isinstance(item, Answer):
                results[index] = item
    return results


async def default_variant(models: Models, settings: AdminSettings) -> str:
    """Name of the variant that answers when none is named: the setting, else the oldest base itself.

    Raises:
        NoModel: there is none at all.
    """
    if settings.default_variant is not None:
        return settings.default_variant
    async with models.database.transaction() as connection:
        variants = await list_variants(connection)
    bases = sorted((one for one in variants if one.is_base), key=lambda one: one.created_at)
    if not bases:
        raise NoModel
    return bases[0].name


async def _answer(
    models: Models,
    queue: AdmissionQueue,
    ticket: Ticket,
    settings: SettingsRevision,
    question: Question,
    owner: UUID | None,
) -> AsyncGenerator[Started | Piece | Answer, None]:
    name = question.variant or await default_variant(models, settings)
    served = await find_served(models, name, question.gains)
    options = _options(served, settings, question)
    system = settings.system_prompt if question.system is None else question.system
    place = await find_place(models.database, question, owner=owner)
    prompt = await fit_history(served, system, place.history, place.message, options.max_tokens)
    by = _answered_by(served, options, system, settings, prompt)
    details = {"by": by.model_dump(mode="json"), "begins_at": prompt.begins_at}
    turn = None
    if question.keep:
        turn = await begin_turn(models.database, question.session_id, place, details, owner=owner)
    ids = {
        "session_id": turn.session_id if turn else question.session_id,
        "question_id": turn.question_id if turn else None,
        "answer_id": turn.answer_id if turn else None,
    }
    async with Recording(models.database, ids["answer_id"], details) as recording:
        yield Started(**ids, waiting=max(0, queue.status().waiting - 1), by=by)
        began = time.monotonic()
        await ticket.turn()
        waited = time.monotonic() - began
        async with aclosing(stream_answer(models.engines, served, prompt.ids, options)) as items:
            async for item in items:
                if isinstance(item, Piece):
                    recording.add(item.text)
                    yield item
                else:
                    whole = _whole(recording.text, item, waited, ids, by)
        await recording.complete(
            **whole.model_dump(mode="json", include={"finish_reason", "usage", "timing"})
        )
    yield whole


def _options(served: Served, settings: AdminSettings, choices: Choices) -> Options:
    def chosen(name: str) -> Any:
        own = getattr(choices, name)
        return getattr(settings, name) if own is None else own

    return Options(
        gains=served.gains,
        temperature=chosen("temperature"),
        top_p=chosen("top_p"),
        max_tokens=chosen("max_tokens"),
        seconds=settings.answer_seconds,
        # A drawn seed is recorded like a given one, so that every answer can be repeated.
        seed=secrets.randbelow(2**31) if choices.seed is None else choices.seed,
        stop=(*choices.stop, *served.codec.stop_texts),
    )


def _answered_by(
    served: Served, options: Options, system: str, settings: SettingsRevision, prompt: Prompt
) -> AnsweredBy:
    return AnsweredBy(
        variant=served.variant.name,
        variant_id=served.variant.id,
        base_id=served.base.id,
        engine=served.spec.kind,
        template_hash=served.codec.template_hash,
        temperature=options.temperature,
        top_p=options.top_p,
        max_tokens=options.max_tokens,
        seed=options.seed,
        stop=options.stop,
        gains=dict(options.gains),
        system=system,
        settings_revision=settings.revision or 0,
        left_out=prompt.left_out,
    )


def _whole(text: str, final: Final, waited: float, ids: Mapping[str, UUID | None], by: AnsweredBy) -> Answer:
    return Answer(
        text=text,
        finish_reason=final.reason,
        **ids,
        usage=Usage(
            prompt_tokens=final.prompt_tokens,
            cached_tokens=final.cached_tokens,
            completion_tokens=final.completion_tokens,
        ),
        timing=Timing(
            waited_seconds=round(waited, 4),
            first_token_seconds=_rounded(final.first_token_seconds),
            seconds=round(final.seconds, 4),
            tokens_per_second=_rounded(final.tokens_per_second),
        ),
        by=by,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
