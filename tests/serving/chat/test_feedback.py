"""Feedback on answers: whose, on what, and in pages."""

from uuid import UUID, uuid4

import pytest

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.serving.chat import sessions, tables
from twotrack.serving.chat.branches import Place, Turn, begin_turn, find_place
from twotrack.serving.chat.errors import MessageNotFound
from twotrack.serving.chat.feedback import give_feedback, list_feedback
from twotrack.serving.chat.schemas import FeedbackPage, NewFeedback, Question

UP, DOWN = NewFeedback(rating=1), NewFeedback(rating=-1, correction="옳은 답")


async def answered(database: Database, question: str = "q", owner: UUID | None = None) -> Turn:
    turn = await begin_turn(database, None, Place(question), {"by": {"variant": "v"}}, owner=owner)
    await tables.write_answer(database, turn.answer_id, "a", complete=True, details={"by": {"variant": "v"}})
    return turn


async def listed(
    database: Database,
    *,
    owner: UUID | None = None,
    corrected: bool | None = None,
    rating: int | None = None,
    before: str | None = None,
    limit: int = 50,
) -> FeedbackPage:
    return await list_feedback(
        database, owner=owner, corrected=corrected, rating=rating, before=before, limit=limit
    )


async def test_changed_feedback_keeps_its_first_date(database: Database) -> None:
    turn = await answered(database)
    first = await give_feedback(database, turn.answer_id, UP, owner=None)
    second = await give_feedback(database, turn.answer_id, DOWN, owner=None)
    assert first is not None
    assert second is not None
    assert (second.rating, second.correction) == (-1, "옳은 답")
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


async def test_pages_of_feedback_follow_each_other_and_filters_hold(database: Database) -> None:
    turns = [await answered(database, str(number)) for number in range(6)]
    for number, turn in enumerate(turns):
        await give_feedback(database, turn.answer_id, DOWN if number % 2 else UP, owner=None)

    async def all_of(corrected: bool | None = None, rating: int | None = None) -> list[str]:
        seen, before = [], None
        while True:
            page = await listed(database, corrected=corrected, rating=rating, before=before, limit=2)
            seen += [entry.question for entry in page.feedback]
            if (before := page.next) is None:
                return seen

    assert await all_of() == list("543210")
    assert await all_of(corrected=True) == await all_of(rating=-1) == list("531")
    assert await all_of(corrected=False) == await all_of(rating=1) == list("420")
    assert await all_of(corrected=True, rating=1) == []
    with pytest.raises(InvalidInput):
        await listed(database, before="yesterday")


async def test_feedback_outlives_an_edit_and_ends_with_its_session(database: Database) -> None:
    turn = await answered(database)
    await give_feedback(database, turn.answer_id, DOWN, owner=None)
    edit = Question(message="Q", session_id=turn.session_id, replaces=turn.question_id)
    place = await find_place(database, edit, owner=None)
    await begin_turn(database, turn.session_id, place, {}, owner=None)
    (entry,) = (await listed(database)).feedback
    assert (entry.question, entry.answer, entry.correction, entry.variant) == ("q", "a", "옳은 답", "v")
    # Also an answer on another branch can be judged.
    await give_feedback(database, turn.answer_id, UP, owner=None)
    await sessions.delete_session(database, turn.session_id, owner=None)
    assert (await listed(database)).feedback == []


async def test_feedback_is_its_owners_alone(database: Database) -> None:
    owner = uuid4()
    await database.execute(
        "INSERT INTO api_keys (id, name, role, hash, hint) VALUES (%s, 'k', 'user', '', '')", [owner]
    )
    theirs = await answered(database, owner=owner)
    await give_feedback(database, theirs.answer_id, UP, owner=owner)
    with pytest.raises(MessageNotFound):
        await give_feedback(database, theirs.answer_id, DOWN, owner=None)
    assert (await listed(database)).feedback == []
    assert len((await listed(database, owner=owner)).feedback) == 1


async def test_questions_and_unknown_messages_take_none(database: Database) -> None:
    turn = await answered(database)
    with pytest.raises(InvalidInput):
        await give_feedback(database, turn.question_id, UP, owner=None)
    with pytest.raises(MessageNotFound):
        await give_feedback(database, uuid4(), UP, owner=None)
