"""Chat sessions and their messages in PostgreSQL."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.serving.chat.places import Place
from twotrack.serving.chat.schemas import ListedSession, Message, Session

_MESSAGE = "id, position, role, content, state, details, created_at"
_KEPT = "id, parent_id, position, role, content, state, details, active"
_SESSION = "id, title, created_at, updated_at"


@dataclass(frozen=True)
class KeptMessage:
    """A message as it is stored."""

    id: UUID
    parent_id: UUID | None
    position: int
    role: Literal["system", "user", "assistant"]
    content: str
    state: Literal["complete", "streaming", "cut_off"]
    details: dict[str, Any]
    active: bool


@dataclass(frozen=True)
class SessionState:
    last_id: UUID | None
    """Of the last message on the active path."""
    busy: bool
    """Whether an answer is streaming."""


def belongs_to(owner: UUID | None) -> str:
    """The condition that a session is this owner's, for a query with a parameter `owner`.

    Two conditions rather than IS NOT DISTINCT FROM, which no index serves.
    """
    return "owner IS NULL" if owner is None else "owner = %(owner)s"


async def insert_session(connection: Connection, title: str, *, owner: UUID | None) -> UUID:
    cursor = await connection.execute(
        "INSERT INTO chat_sessions (title, owner) VALUES (%s, %s) RETURNING id", [title, owner]
    )
    row = await cursor.fetchone()
    assert row is not None
    return UUID(str(row["id"]))


async def get_session(database: Database, session_id: UUID, *, owner: UUID | None) -> Session | None:
    row = await database.fetch_one(
        f"SELECT {_SESSION} FROM chat_sessions WHERE id = %(id)s AND {belongs_to(owner)}",
        {"id": session_id, "owner": owner},
    )
    return Session(**row) if row else None


async def list_sessions(
    database: Database, *, owner: UUID | None, limit: int, before: Place
) -> list[ListedSession]:
    """The sessions last used first, from the one after `before` on."""
    rows = await database.fetch_all(
        f"SELECT {_SESSION} FROM chat_sessions WHERE {belongs_to(owner)}"
        " AND (%(at)s::timestamptz IS NULL OR (updated_at, id) < (%(at)s::timestamptz, %(id)s::uuid))"
        " ORDER BY updated_at DESC, id DESC LIMIT %(limit)s",
        {"owner": owner, "at": before[0], "id": before[1], "limit": limit},
    )
    return [ListedSession(**row, match=None) for row in rows]


async def rename_session(
    database: Database, session_id: UUID, title: str, *, owner: UUID | None
) -> Session | None:
    row = await database.fetch_one(
        f"UPDATE chat_sessions SET title = %(title)s WHERE id = %(id)s AND {belongs_to(owner)}"
        f" RETURNING {_SESSION}",
        {"title": title, "id": session_id, "owner": owner},
    )
    return Session(**row) if row else None


async def delete_session(database: Database, session_id: UUID, *, owner: UUID | None) -> bool:
    query = f"DELETE FROM chat_sessions WHERE id = %(id)s AND {belongs_to(owner)}"
    return await database.execute(query, {"id": session_id, "owner": owner}) > 0


async def list_messages(
    database: Database, session_id: UUID, *, limit: int, before: int | None = None
) -> list[Message]:
    """The newest `limit` messages of the active path, of those before position `before`, in their order."""
    rows = await database.fetch_all(
        "SELECT message.*, siblings, to_jsonb(feedback) - 'message_id' AS feedback"
        f" FROM (SELECT {_MESSAGE}, session_id, parent_id FROM chat_messages"
        "   WHERE active AND session_id = %(session)s"
        "   AND (%(before)s::integer IS NULL OR position < %(before)s::integer)"
        "   ORDER BY position DESC LIMIT %(limit)s) AS message"
        " LEFT JOIN feedback ON message_id = message.id"
        " CROSS JOIN LATERAL (SELECT array_agg(id ORDER BY number) AS siblings FROM chat_messages AS other"
        "   WHERE other.session_id = message.session_id"
        "   AND (other.parent_id = message.parent_id"
        "        OR other.parent_id IS NULL AND message.parent_id IS NULL)"
        " ) AS family"
        " ORDER BY position",
        {"session": session_id, "before": before, "limit": limit},
    )
    return [Message(**row) for row in rows]


async def list_path(
    database: Database, session_id: UUID, *, limit: int, before: int | None = None
) -> list[KeptMessage]:
    """`list_messages` without what only readers need."""
    rows = await database.fetch_all(
        f"SELECT {_KEPT} FROM chat_messages WHERE active AND session_id = %(session)s"
        " AND (%(before)s::integer IS NULL OR position < %(before)s::integer)"
        " ORDER BY position DESC LIMIT %(limit)s",
        {"session": session_id, "before": before, "limit": limit},
    )
    return [KeptMessage(**row) for row in reversed(rows)]


async def get_message(database: Database, session_id: UUID, message_id: UUID) -> KeptMessage | None:
    row = await database.fetch_one(
        f"SELECT {_KEPT} FROM chat_messages WHERE session_id = %s AND id = %s", [session_id, message_id]
    )
    return KeptMessage(**row) if row else None


async def lock_session(
    connection: Connection, session_id: UUID, *, owner: UUID | None
) -> SessionState | None:
    """Hold the session until the transaction ends; None if there is none."""
    cursor = await connection.execute(
        f"SELECT id FROM chat_sessions WHERE id = %(id)s AND {belongs_to(owner)} FOR UPDATE".encode(),
        {"id": session_id, "owner": owner},
    )
    if await cursor.fetchone() is None:
        return None
    # A statement of its own: one that waited for the lock would not see what was written meanwhile.
    cursor = await connection.execute(
        "SELECT (SELECT id FROM chat_messages WHERE active AND session_id = %(session)s"
        "   ORDER BY position DESC LIMIT 1) AS last_id,"
        " EXISTS (SELECT FROM chat_messages WHERE state = 'streaming' AND session_id = %(session)s) AS busy",
        {"session": session_id},
    )
    row = await cursor.fetchone()
    assert row is not None
    return SessionState(**row)


async def leave_path(connection: Connection, session_id: UUID, message_id: UUID, position: int) -> bool:
    """Take the message at `position`, and all after it, from the active path; False where it is not on it."""
    cursor = await connection.execute(
        # The number itself: with one that it has to look up, the planner expects a third of the session.
        "UPDATE chat_messages SET active = false WHERE active AND session_id = %(session)s"
        " AND position >= %(position)s AND EXISTS"
        " (SELECT FROM chat_messages WHERE active AND session_id = %(session)s AND id = %(message)s)",
        {"session": session_id, "message": message_id, "position": position},
    )
    return cursor.rowcount > 0


async def activate_path(connection: Connection, session_id: UUID, message_id: UUID) -> bool:
    """Show the path through a message, and below it that of the newest children; False if there is none."""
    cursor = await connection.execute(
        "WITH RECURSIVE upward AS ("
        "   SELECT id, parent_id, position, active FROM chat_messages"
        "   WHERE session_id = %(session)s AND id = %(message)s"
        "   UNION ALL SELECT above.id, above.parent_id, above.position, above.active"
        "   FROM upward JOIN chat_messages AS above"
        "   ON above.session_id = %(session)s AND above.id = upward.parent_id WHERE NOT upward.active"
        " ), downward AS ("
        "   SELECT id, position FROM upward WHERE id = %(message)s"
        "   UNION ALL SELECT child.id, child.position FROM downward CROSS JOIN LATERAL ("
        "     SELECT id, position FROM chat_messages"
        "     WHERE session_id = %(session)s AND parent_id = downward.id ORDER BY number DESC LIMIT 1"
        "   ) AS child"
        " ) SELECT id, position FROM upward UNION SELECT id, position FROM downward",
        {"session": session_id, "message": message_id},
    )
    path = await cursor.fetchall()
    if not path:
        return False
    parameters = {
        "session": session_id,
        "path": [row["id"] for row in path],
        "first": min(row["position"] for row in path),
    }
    # First off, then on: a position is on the path once at any moment.
    await connection.execute(
        "UPDATE chat_messages SET active = false WHERE active AND session_id = %(session)s"
        " AND position >= %(first)s AND id <> ALL(%(path)s)",
        parameters,
    )
    await connection.execute(
        "UPDATE chat_messages SET active = true WHERE NOT active AND id = ANY(%(path)s)", parameters
    )
    return True


async def insert_question(
    connection: Connection, session_id: UUID, parent_id: UUID | None, position: int, content: str
) -> UUID:
    return await _insert(connection, session_id, parent_id, position, "user", content, "complete", {})


async def insert_answer(
    connection: Connection, session_id: UUID, question_id: UUID, position: int, details: dict[str, Any]
) -> UUID:
    """An empty answer that is streaming."""
    return await _insert(connection, session_id, question_id, position, "assistant", "", "streaming", details)


async def _insert(connection: Connection, *columns: Any) -> UUID:
    *others, details = columns
    cursor = await connection.execute(
        "INSERT INTO chat_messages (session_id, parent_id, position, role, content, state, details)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [*others, as_jsonb(details)],
    )
    row = await cursor.fetchone()
    assert row is not None
    return UUID(str(row["id"]))


async def touch_session(connection: Connection, session_id: UUID, *, title: str) -> None:
    """The session is the last used; without a title it gets `title`."""
    await connection.execute(
        "UPDATE chat_sessions SET updated_at = now(), title = CASE title WHEN '' THEN %s ELSE title END"
        " WHERE id = %s",
        [title, session_id],
    )


async def write_partial_answer(database: Database, answer_id: UUID, text: str) -> None:
    # The state too: another API process that started meanwhile took this answer for an orphan.
    await database.execute(
        "UPDATE chat_messages SET content = %s, state = 'streaming' WHERE id = %s", [text, answer_id]
    )


async def write_answer(
    database: Database, answer_id: UUID, text: str, *, complete: bool, details: dict[str, Any]
) -> None:
    await database.execute(
        "UPDATE chat_messages SET content = %s, state = %s, details = %s WHERE id = %s",
        [text, "complete" if complete else "cut_off", as_jsonb(details), answer_id],
    )


async def cut_off_streaming_answers(database: Database) -> int:
    return await database.execute(
        "UPDATE chat_messages SET state = 'cut_off',"
        " details = details || '{\"cut_off\": \"studio-stopped\"}' WHERE state = 'streaming'"
    )
