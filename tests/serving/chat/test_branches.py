"""The tree of a session: asking, editing, answering again and switching, alone and from two windows."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from twotrack.core.database import Database
from twotrack.serving.chat import sessions, tables
from twotrack.serving.chat.branches import Turn, begin_turn, find_place, show_branch
from twotrack.serving.chat.errors import MessageNotFound, SessionBusy, SessionChanged
from twotrack.serving.chat.schemas import Message, Question


async def begin(database: Database, session_id: UUID, **question: Any) -> Turn:
    asked = Question(session_id=session_id, **question)
    place = await find_place(database, asked, owner=None)
    return await begin_turn(database, session_id, place, {}, owner=None)


async def end(database: Database, turn: Turn, answer: str = "a") -> Turn:
    await tables.write_answer(database, turn.answer_id, answer, complete=True, details={})
    return turn


async def whole(database: Database, session_id: UUID, **question: Any) -> Turn:
    return await end(database, await begin(database, session_id, **question))


async def shown(database: Database, session_id: UUID) -> list[Message]:
    session = await sessions.open_session(database, session_id, owner=None, limit=1000, before=None)
    assert [one.position for one in session.messages] == list(range(len(session.messages)))
    return session.messages


@pytest.fixture
async def session_id(database: Database) -> UUID:
    return (await sessions.create_session(database, "", owner=None)).id


@dataclass
class Known:
    """A message as it must be, in a tree kept beside the studio's."""

    id: UUID
    parent: UUID | None
    children: list[UUID]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_done_to_a_session_nothing_is_lost_and_one_path_is_shown(
    database: Database, session_id: UUID, seed: int
) -> None:
    chance = random.Random(seed)
    roots: list[UUID] = []
    known: dict[UUID, Known] = {}
    path: list[UUID] = []

    def family(parent: UUID | None) -> list[UUID]:
        return known[parent].children if parent else roots

    def add(message_id: UUID, parent: UUID | None) -> UUID:
        known[message_id] = Known(message_id, parent, [])
        family(parent).append(message_id)
        return message_id

    for step in range(60):
        on_path = chance.randrange(len(path)) if path else None
        match chance.choice(("ask", "ask", "edit", "again", "switch")) if on_path is not None else "ask":
            case "edit":
                assert on_path is not None
                old = path[on_path - on_path % 2]
                turn = await whole(database, session_id, message=f"edit {step}", replaces=old)
                path = path[: path.index(old)]
                path.append(add(turn.question_id, path[-1] if path else None))
                path.append(add(turn.answer_id, turn.question_id))
            case "again":
                assert on_path is not None
                old = path[on_path | 1]
                turn = await whole(database, session_id, again=old)
                path = path[: path.index(old)]
                assert turn.question_id == path[-1]
                path.append(add(turn.answer_id, turn.question_id))
            case "switch":
                target = chance.choice(list(known))
                await show_branch(database, session_id, target, owner=None)
                path = [target]
                while (parent := known[path[0]].parent) is not None:
                    path.insert(0, parent)
                while newer := known[path[-1]].children:
                    path.append(newer[-1])
            case _:
                turn = await whole(database, session_id, message=f"ask {step}")
                path.append(add(turn.question_id, path[-1] if path else None))
                path.append(add(turn.answer_id, turn.question_id))
        messages = await shown(database, session_id)
        assert [one.id for one in messages] == path
        assert [one.siblings for one in messages] == [family(known[one].parent) for one in path]
    rows = await database.fetch_all("SELECT id FROM chat_messages WHERE session_id = %s", [session_id])
    assert {row["id"] for row in rows} == set(known)


async def test_of_two_windows_that_ask_at_once_one_is_answered(database: Database, session_id: UUID) -> None:
    results = await asyncio.gather(
        *(begin(database, session_id, message=window) for window in ("left", "right")),
        return_exceptions=True,
    )
    (refusal,) = [one for one in results if not isinstance(one, Turn)]
    assert isinstance(refusal, SessionBusy | SessionChanged)
    (winner,) = [one for one in results if isinstance(one, Turn)]
    assert [one.id for one in await shown(database, session_id)] == [winner.question_id, winner.answer_id]


async def test_a_window_that_asks_on_what_another_has_edited_away_is_refused(
    database: Database, session_id: UUID
) -> None:
    first = await whole(database, session_id, message="q")
    asked = Question(session_id=session_id, message="and then?")
    place = await find_place(database, asked, owner=None)
    # As long as before, but not the same.
    await whole(database, session_id, message="Q", replaces=first.question_id)
    with pytest.raises(SessionChanged):
        await begin_turn(database, session_id, place, {}, owner=None)


async def test_a_window_that_edits_what_another_has_edited_away_is_refused(
    database: Database, session_id: UUID
) -> None:
    first = await whole(database, session_id, message="q")
    late = Question(session_id=session_id, message="late", replaces=first.question_id)
    place = await find_place(database, late, owner=None)
    await whole(database, session_id, message="Q", replaces=first.question_id)
    with pytest.raises(SessionChanged):
        await begin_turn(database, session_id, place, {}, owner=None)
    with pytest.raises(SessionChanged):
        await find_place(database, late, owner=None)


async def test_an_edit_holds_although_another_window_asked_for_another_answer(
    database: Database, session_id: UUID
) -> None:
    first = await whole(database, session_id, message="q")
    late = Question(session_id=session_id, message="Q", replaces=first.question_id)
    place = await find_place(database, late, owner=None)
    await whole(database, session_id, again=first.answer_id)
    edited = await begin_turn(database, session_id, place, {}, owner=None)
    assert [one.id for one in await shown(database, session_id)] == [edited.question_id, edited.answer_id]


@pytest.mark.parametrize("change", ["ask", "edit", "again", "switch"])
async def test_nothing_moves_under_an_answer_that_is_streaming(
    database: Database, session_id: UUID, change: str
) -> None:
    first = await whole(database, session_id, message="q")
    other = await whole(database, session_id, message="Q", replaces=first.question_id)
    streaming = await begin(database, session_id, message="more")
    changes: dict[str, Callable[[], Awaitable[Any]]] = {
        "ask": lambda: begin(database, session_id, message="!"),
        "edit": lambda: begin(database, session_id, message="!", replaces=other.question_id),
        "again": lambda: begin(database, session_id, again=streaming.answer_id),
        "switch": lambda: show_branch(database, session_id, first.question_id, owner=None),
    }
    with pytest.raises(SessionBusy):
        await changes[change]()
    assert [one.id for one in await shown(database, session_id)][-1] == streaming.answer_id


async def test_a_branch_of_another_session_is_not_found(database: Database, session_id: UUID) -> None:
    mine = await whole(database, session_id, message="q")
    other = (await sessions.create_session(database, "", owner=None)).id
    for message_id in (mine.question_id, uuid4()):
        with pytest.raises(MessageNotFound):
            await show_branch(database, other, message_id, owner=None)


async def test_siblings_are_in_the_order_of_their_making_for_a_clock_that_goes_back_too(
    database: Database, session_id: UUID
) -> None:
    first = await whole(database, session_id, message="q")
    await database.execute("UPDATE chat_messages SET created_at = now() + interval '1 day'")
    again = await whole(database, session_id, again=first.answer_id)
    (_, answer) = await shown(database, session_id)
    assert answer.siblings == [first.answer_id, again.answer_id]


async def test_a_deleted_session_takes_all_its_branches_and_their_feedback_along(
    database: Database, session_id: UUID
) -> None:
    first = await whole(database, session_id, message="q")
    await whole(database, session_id, message="Q", replaces=first.question_id)
    await database.execute("INSERT INTO feedback (message_id, rating) VALUES (%s, 1)", [first.answer_id])
    await sessions.delete_session(database, session_id, owner=None)
    for table in ("chat_messages", "feedback"):
        assert await database.fetch_all(f"SELECT * FROM {table}") == []
