"""Questions in, answers out of documents. Plain functions; no request, no response."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from importlib import import_module
from typing import Any
from uuid import UUID

from twotrack.core.errors import TwotrackError
from twotrack.serving.admission import Failure, take_turns
from twotrack.serving.answering import Models, Options, Piece, Served, find_served
from twotrack.serving.chat.admin import AdminSettings
from twotrack.serving.chat.branches import Place, Turn, begin_turn, find_place
from twotrack.serving.chat.errors import BatchTooLarge, NoModel
from twotrack.serving.chat.history import usable_messages
from twotrack.serving.chat.queue import Ticket
from twotrack.serving.chat.recording import Recording
from twotrack.serving.chat.service import current_settings, default_variant
from twotrack.serving.rag.answers import Item, Rag, find_for, started, whole_answer
from twotrack.serving.rag.citing import Cited
from twotrack.serving.rag.fields import fields_of
from twotrack.serving.rag.forms import forms_of
from twotrack.serving.rag.prompts import ABSTAINED, language_of
from twotrack.serving.rag.quoting import quote
from twotrack.serving.rag.retrieving import Library, choose_collection, find
from twotrack.serving.rag.schemas import (
    FilterField,
    Passages,
    RagAnswer,
    RagBatch,
    RagChoices,
    RagQuestion,
    RagStarted,
    Search,
)

# Below so many parameters a model is not trusted with writing, nor where nobody knows how many it has.
_WRITERS = 1_000_000_000
# Turns of a session that a follow-up may refer to.
_HISTORY = 6
# Of what is told: passages are found again by whoever asks for them, the ids are the message's own.
_NOT_KEPT = {"passages", "session_id", "question_id", "answer_id"}
# A question of fewer words is taken for a follow-up where no model can rewrite it.
_SHORT = 6


async def search(library: Library, asked: Search) -> Passages:
    """
    Raises:
        CollectionNotFound, NoCollection, StoreAway, StoreUnknown, and what an embedder raises.
    """
    found = await find(
        library,
        asked.question,
        collection=asked.collection,
        k=asked.k,
        filters=asked.filters,
        legs=asked.legs,
    )
    return Passages(
        collection=found.collection.name,
        passages=list(found.passages),
        confidence=round(found.confidence, 4),
        leg=found.leg,
        terms=list(found.terms),
        rarities={term: round(weight, 4) for term, weight in found.rarities.items()},
        forms=forms_of((passage.text for passage in found.passages), found.terms)
        if found.collection.chunking.stems
        else {},
    )


async def filter_fields(library: Library, collection: str | None) -> list[FilterField]:
    """
    Raises:
        CollectionNotFound, NoCollection
    """
    chosen = await choose_collection(library.database, collection)
    return await fields_of(library.database, chosen.id)


async def answer(
    rag: Rag, client: str, question: RagQuestion, *, owner: UUID | None
) -> AsyncGenerator[Item, None]:
    """`RagStarted` once passages are found, pieces of text, and the whole `RagAnswer` at the end.

    Raises:
        QueueFull, ModelNotFound, SessionNotFound, and what `find` raises: before `RagStarted`.
        EngineDied, EngineFailedToStart, AnswerTooLong: after it.
    """
    settings = await current_settings(rag.models, rag.queue)
    with rag.queue.enter(client) as ticket:
        async with aclosing(_answer(rag, ticket, settings, question, owner)) as items:
            async for item in items:
                yield item


async def answer_all(rag: Rag, client: str, batch: RagBatch) -> list[RagAnswer | TwotrackError]:
    """An answer, or the error of that question alone, for each question, in their order.

    Raises:
        QueueFull: there is no place for even one of them.
        BatchTooLarge: more questions than the settings allow.
    """
    settings = await current_settings(rag.models, rag.queue)
    if len(batch.questions) > settings.batch_size:
        raise BatchTooLarge(questions=len(batch.questions), limit=settings.batch_size)
    choices = {name: getattr(batch, name) for name in RagChoices.model_fields}

    def work(asked: str) -> Callable[[Ticket], AsyncGenerator[Item, None]]:
        question = RagQuestion(question=asked, **choices)
        return lambda ticket: _answer(rag, ticket, settings, question, owner=None)

    results: list[RagAnswer | TwotrackError] = [TwotrackError() for _ in batch.questions]
    works = [work(asked) for asked in batch.questions]
    async with aclosing(take_turns(rag.queue, client, works)) as items:
        async for index, item in items:
            if isinstance(item, Failure):
                results[index] = item.error
            elif isinstance(item, RagAnswer):
                results[index] = item
    return results


async def _answer(
    rag: Rag, ticket: Ticket, settings: AdminSettings, question: RagQuestion, owner: UUID | None
) -> AsyncGenerator[Item, None]:
    models = rag.models
    place = await find_place(models.database, question.place(), owner=owner)
    # Before a slot is waited for: what cannot be answered is refused at once.
    await choose_collection(models.database, question.collection)
    served = await _writer(models, settings, question)
    await ticket.turn()
    if served is None:
        answering = _quoted(rag, question, place)
    else:
        # The import takes a second, which the event loop does not have.
        writing = await asyncio.to_thread(import_module, "twotrack.serving.rag.writing")
        options = _options(served, settings, question)
        answering = writing.written(rag, served, options, question, place, _turns(place))
    # Both: what is left to the collector of garbage is written down some time later, or never.
    async with (
        aclosing(answering) as items,
        aclosing(_kept(rag, question, place, items, owner)) as kept,
    ):
        async for item in kept:
            yield item


async def _kept(
    rag: Rag,
    question: RagQuestion,
    place: Place,
    items: AsyncGenerator[Item, None],
    owner: UUID | None,
) -> AsyncGenerator[Item, None]:
    """The same items; what is to be kept is written down on their way."""
    found = await anext(items)
    assert isinstance(found, RagStarted)
    details: dict[str, Any] = {"rag": found.model_dump(mode="json", exclude=_NOT_KEPT)}
    turn: Turn | None = None
    if question.keep:
        turn = await begin_turn(rag.models.database, question.session_id, place, details, owner=owner)
    async with Recording(rag.models.database, turn.answer_id if turn else None, details) as recording:
        yield found.model_copy(update=_ids(question, turn))
        async for item in items:
            if isinstance(item, Piece):
                recording.add(item.text)
                yield item
            elif isinstance(item, RagAnswer):
                whole = item.model_copy(update=_ids(question, turn))
        await recording.complete(rag=whole.model_dump(mode="json", exclude={*_NOT_KEPT, "answer"}))
    yield whole


def _ids(question: RagQuestion, turn: Turn | None) -> dict[str, UUID | None]:
    return {
        "session_id": turn.session_id if turn else question.session_id,
        "question_id": turn.question_id if turn else None,
        "answer_id": turn.answer_id if turn else None,
    }


async def _writer(models: Models, settings: AdminSettings, question: RagQuestion) -> Served | None:
    """What writes the answer; None where it is quoted.

    Raises:
        ModelNotFound, BaseAltered
        NoModel: writing was asked for, and there is none.
    """
    if question.mode == "quote":
        return None
    try:
        name = question.variant or await default_variant(models, settings)
    except NoModel:
        if question.mode == "write":
            raise
        return None
    served = await find_served(models, name, question.gains)
    large = (served.base.parameters or 0) >= _WRITERS
    return served if large or question.mode == "write" else None


def _options(served: Served, settings: AdminSettings, question: RagQuestion) -> Options:
    return Options(
        gains=served.gains,
        temperature=question.temperature,
        max_tokens=settings.max_tokens if question.max_tokens is None else question.max_tokens,
        seconds=settings.answer_seconds,
        seed=secrets.randbelow(2**31) if question.seed is None else question.seed,
        stop=tuple(served.codec.stop_texts),
    )


async def _quoted(rag: Rag, question: RagQuestion, place: Place) -> AsyncGenerator[Item, None]:
    searched = _with_history(place.message, _turns(place))
    found = await find_for(rag.library, question, searched)
    yield started(found, "quote", None, searched)
    text, cited = "", Cited([], [])
    if found.confidence >= question.min_confidence:
        text, cited = await quote(rag.library, found)
    abstained = not text
    if abstained:
        text = ABSTAINED.show(language_of(place.message))
    yield Piece(text)
    yield whole_answer(text, cited, found, "quote", None, searched, abstained=abstained)


def _turns(place: Place) -> list[tuple[str, str]]:
    """(role, text) of the last questions and answers before this one."""
    usable = [one for one in usable_messages(place.history) if one.role != "system"]
    return [(one.role, one.content) for one in usable[-_HISTORY:]]


def _with_history(question: str, turns: list[tuple[str, str]]) -> str:
    """A short question says less than it means: the one before it goes with it."""
    before = next((text for role, text in reversed(turns) if role == "user"), None)
    return f"{before}\n{question}" if before and len(question.split()) < _SHORT else question
