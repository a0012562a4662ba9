"""Where a question goes in its session, and writing it down.

The messages of a session are a tree: each has the one before it as parent, and one path through it is active,
which is what is shown and what a question continues. An edited question, and an answer that is given again,
become siblings of what they replace; that leaves the path with all after it, and is kept.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.core.language import Text
from twotrack.serving.chat import tables
from twotrack.serving.chat.errors import MessageNotFound, SessionBusy, SessionChanged, SessionNotFound
from twotrack.serving.chat.schemas import Question

# More messages than any context holds are not even read.
_LONGEST_HISTORY = 1000
_TITLE_LENGTH = 60

_NOT_A_QUESTION = Text(
    "it is an answer; `again` asks for another one", "답변입니다. 다시 받으려면 `again`을 쓰세요"
)
_NOT_AN_ANSWER = Text("it is a question; `replaces` edits one", "질문입니다. 고치려면 `replaces`를 쓰세요")


@dataclass(frozen=True)
class Place:
    """Where in a session a question and its answer go."""

    message: str
    history: list[tables.KeptMessage] = field(default_factory=list)
    """The active path before the question, as far as a context could hold it."""
    parent_id: UUID | None = None
    """Of the question."""
    position: int = 0
    """Of the question."""
    question_id: UUID | None = None
    """The question that is answered again."""
    replaced: UUID | None = None
    """The question or answer that leaves the path, with all after it."""


@dataclass(frozen=True)
class Turn:
    """A question and the row that its answer goes into."""

    session_id: UUID
    question_id: UUID
    answer_id: UUID


async def find_place(database: Database, question: Question, *, owner: UUID | None) -> Place:
    """
    Raises:
        SessionNotFound
        MessageNotFound: `replaces` or `again` is no message of the session.
        InvalidInput: it is an answer where a question is meant, or the other way round.
        SessionBusy: the answer that the question would follow is not complete.
        SessionChanged: the message is not on the active path any more.
    """
    if question.session_id is None:
        return Place(question.message or "")
    if await tables.get_session(database, question.session_id, owner=owner) is None:
        raise SessionNotFound(name=str(question.session_id))
    if question.replaces is not None:
        return await _instead_of(database, question.session_id, question.replaces, question.message or "")
    if question.again is not None:
        return await _once_more(database, question.session_id, question.again)
    history = await tables.list_path(database, question.session_id, limit=_LONGEST_HISTORY)
    if not history:
        return Place(question.message or "")
    if question.keep and history[-1].state == "streaming":
        raise SessionBusy
    return Place(question.message or "", history, history[-1].id, history[-1].position + 1)


async def _instead_of(database: Database, session_id: UUID, replaced: UUID, message: str) -> Place:
    old = await _shown(database, session_id, replaced)
    if old.role != "user":
        raise InvalidInput(what="replaces", value=str(replaced), why=_NOT_A_QUESTION)
    history = await tables.list_path(database, session_id, limit=_LONGEST_HISTORY, before=old.position)
    return Place(message, history, old.parent_id, old.position, replaced=replaced)


async def _once_more(database: Database, session_id: UUID, answer_id: UUID) -> Place:
    old = await _shown(database, session_id, answer_id)
    if old.role != "assistant" or old.parent_id is None:
        raise InvalidInput(what="again", value=str(answer_id), why=_NOT_AN_ANSWER)
    asked = await _shown(database, session_id, old.parent_id)
    history = await tables.list_path(database, session_id, limit=_LONGEST_HISTORY, before=asked.position)
    return Place(asked.content, history, asked.parent_id, asked.position, asked.id, answer_id)


async def _shown(database: Database, session_id: UUID, message_id: UUID) -> tables.KeptMessage:
    message = await tables.get_message(database, session_id, message_id)
    if message is None:
        raise MessageNotFound(name=str(message_id))
    if not message.active:
        raise SessionChanged
    return message


async def begin_turn(
    database: Database, session_id: UUID | None, place: Place, details: dict[str, Any], *, owner: UUID | None
) -> Turn:
    """Write the question and its empty answer down, in a new session where `session_id` is None.

    Raises:
        SessionNotFound, SessionBusy
        SessionChanged: the active path is not the one that `place` was found on.
    """
    writing = asyncio.ensure_future(_write_turn(database, session_id, place, details, owner=owner))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        # Cancelled in the moment of the commit: an answer that nobody writes must not look like streaming.
        with suppress(TwotrackError):
            turn = await writing
            gone = details | {"cut_off": "cancelled"}
            await tables.write_answer(database, turn.answer_id, "", complete=False, details=gone)
        raise


async def _write_turn(
    database: Database, session_id: UUID | None, place: Place, details: dict[str, Any], *, owner: UUID | None
) -> Turn:
    async with database.transaction() as connection:
        if session_id is None:
            session_id = await tables.insert_session(connection, "", owner=owner)
        else:
            state = await tables.lock_session(connection, session_id, owner=owner)
            if state is None:
                raise SessionNotFound(name=str(session_id))
            if state.busy:
                raise SessionBusy
            if place.replaced is None:
                if state.last_id != place.parent_id:
                    raise SessionChanged
            else:
                # Messages never change their parents: what is still on the path has the same path before it.
                position = place.position if place.question_id is None else place.position + 1
                if not await tables.leave_path(connection, session_id, place.replaced, position):
                    raise SessionChanged
        question_id = place.question_id
        if question_id is None:
            question_id = await tables.insert_question(
                connection, session_id, place.parent_id, place.position, place.message
            )
        answer_id = await tables.insert_answer(
            connection, session_id, question_id, place.position + 1, details
        )
        await tables.touch_session(connection, session_id, title=_title(place.message))
    return Turn(session_id, question_id, answer_id)


def _title(message: str) -> str:
    first_line = message.strip().partition("\n")[0].strip()
    return first_line if len(first_line) <= _TITLE_LENGTH else first_line[: _TITLE_LENGTH - 1] + "…"


async def show_branch(database: Database, session_id: UUID, message_id: UUID, *, owner: UUID | None) -> None:
    """Make the path through this message the active one; below it, that of the newest children.

    Raises:
        SessionNotFound, MessageNotFound
        SessionBusy: an answer is streaming.
    """
    async with database.transaction() as connection:
        state = await tables.lock_session(connection, session_id, owner=owner)
        if state is None:
            raise SessionNotFound(name=str(session_id))
        if state.busy:
            raise SessionBusy
        if not await tables.activate_path(connection, session_id, message_id):
            raise MessageNotFound(name=str(message_id))
