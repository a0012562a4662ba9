"""Feedback on answers: a thumb, and the answer as it should have been."""

from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.serving.chat.errors import MessageNotFound
from twotrack.serving.chat.places import parse_place, place_text
from twotrack.serving.chat.schemas import Feedback, FeedbackEntry, FeedbackPage, NewFeedback
from twotrack.serving.chat.tables import belongs_to

NOT_AN_ANSWER = Text(
    "it is a question, and feedback is about answers", "질문입니다. 피드백은 답변에만 남길 수 있습니다"
)

# Held, so that a session that is deleted meanwhile takes this feedback along.
_HOLD = """
SELECT role FROM chat_messages JOIN chat_sessions ON chat_sessions.id = session_id
WHERE chat_messages.id = %(message)s AND {belongs_to} FOR KEY SHARE OF chat_messages
"""
_KEEP = """
INSERT INTO feedback (message_id, rating, correction) VALUES (%(message)s, %(rating)s, %(correction)s)
ON CONFLICT (message_id) DO UPDATE SET rating = excluded.rating, correction = excluded.correction,
    updated_at = now()
RETURNING rating, correction, created_at, updated_at
"""
_LIST = """
SELECT message_id, answer.session_id,
    coalesce(answer.details -> 'by', answer.details -> 'rag') ->> 'variant' AS variant,
    question.content AS question, answer.content AS answer,
    rating, correction, feedback.created_at, feedback.updated_at
FROM feedback
JOIN chat_messages AS answer ON answer.id = message_id
JOIN chat_messages AS question ON question.id = answer.parent_id
JOIN chat_sessions ON chat_sessions.id = answer.session_id
WHERE {belongs_to} AND (%(corrected)s::boolean IS NULL OR (correction IS NOT NULL) = %(corrected)s)
AND (%(rating)s::smallint IS NULL OR rating = %(rating)s)
AND (%(at)s::timestamptz IS NULL
    OR (feedback.created_at, message_id) < (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY feedback.created_at DESC, message_id DESC LIMIT %(limit)s
"""


async def give_feedback(
    database: Database, message_id: UUID, new: NewFeedback, *, owner: UUID | None
) -> Feedback | None:
    """Replace the feedback on an answer; None when none is left.

    Raises:
        MessageNotFound: the owner has none of that id.
        InvalidInput: the message is a question.
    """
    async with database.transaction() as connection:
        cursor = await connection.execute(
            _HOLD.format(belongs_to=belongs_to(owner)).encode(), {"message": message_id, "owner": owner}
        )
        message = await cursor.fetchone()
        if message is None:
            raise MessageNotFound(name=str(message_id))
        if message["role"] != "assistant":
            raise InvalidInput(what="message_id", value=str(message_id), why=NOT_AN_ANSWER)
        if new.rating is None and new.correction is None:
            await connection.execute("DELETE FROM feedback WHERE message_id = %s", [message_id])
            return None
        cursor = await connection.execute(_KEEP, {"message": message_id, **new.model_dump()})
        row: dict[str, Any] | None = await cursor.fetchone()
    assert row is not None
    return Feedback(**row)


async def list_feedback(
    database: Database,
    *,
    owner: UUID | None,
    corrected: bool | None,
    rating: int | None,
    before: str | None,
    limit: int,
) -> FeedbackPage:
    """The owner's own, the newest first; `before` is an earlier page's `next`.

    Raises:
        InvalidInput: `before` is not one.
    """
    at, message_id = parse_place(before)
    # One more than asked for tells whether there is a next page.
    rows = await database.fetch_all(
        _LIST.format(belongs_to=belongs_to(owner)),
        {
            "owner": owner,
            "corrected": corrected,
            "rating": rating,
            "at": at,
            "id": message_id,
            "limit": limit + 1,
        },
    )
    page = [FeedbackEntry(**row) for row in rows[:limit]]
    last = page[-1] if len(rows) > limit else None
    return FeedbackPage(feedback=page, next=last and place_text(last.created_at, last.message_id))
