"""Feedback with the conversations that it is about, and what of it was learned, in PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from twotrack.core.database import Connection

_EVERYBODY = "true"

_JUDGED = """
SELECT answer.id, answer.session_id, answer.parent_id, answer.content, answer.state, answer.details,
    rating, correction, feedback.updated_at
FROM feedback
JOIN chat_messages AS answer ON answer.id = message_id
JOIN chat_sessions ON chat_sessions.id = answer.session_id
WHERE {whose} ORDER BY feedback.updated_at DESC, answer.id LIMIT %(limit)s
"""
_VOTED = """
SELECT votes.id AS vote_id, answer.id, answer.session_id, answer.parent_id, answer.content, answer.state,
    answer.details, votes.other, votes.kept_is_better, votes.updated_at
FROM votes
JOIN chat_messages AS answer ON answer.id = message_id
JOIN chat_sessions ON chat_sessions.id = answer.session_id
WHERE {whose} ORDER BY votes.updated_at DESC, votes.id LIMIT %(limit)s
"""
# What stands before answers, each as far back as the model saw it. The question itself always.
_BEFORE = """
WITH RECURSIVE path AS (
    SELECT asked.id AS answer_id, asked.first, message.session_id, message.parent_id, message.position,
        message.role, message.content
    FROM unnest(%(answers)s::uuid[], %(questions)s::uuid[], %(first)s::integer[])
        AS asked (id, question, first)
    JOIN chat_messages AS message ON message.id = asked.question
    UNION ALL
    SELECT path.answer_id, path.first, above.session_id, above.parent_id, above.position, above.role,
        above.content
    FROM path JOIN chat_messages AS above
        ON above.session_id = path.session_id AND above.id = path.parent_id
    WHERE above.position >= path.first
)
SELECT answer_id, role, content FROM path ORDER BY answer_id, position
"""
# What an adapter that is still there has learned, what a run that is not over is learning, and what was
# found to be unfit for the base.
_KNOWN = """
SELECT message_id, digest, lessons.kind,
    adapters.id IS NOT NULL AS learned, coalesce(jobs.state IN ('queued', 'running'), false) AS learning
FROM lessons JOIN lesson_runs USING (run_id)
LEFT JOIN adapters ON adapters.job_id = run_id
LEFT JOIN jobs ON jobs.id = run_id
WHERE lesson_runs.base_id = %(base)s AND message_id = ANY(%(messages)s)
"""
# A run whose job is not there yet is being started, unless its start was broken off long ago.
_OPEN = """
SELECT run_id FROM lesson_runs LEFT JOIN jobs ON jobs.id = run_id
WHERE base_id = %(base)s AND {owner}
AND (jobs.state IN ('queued', 'running')
    OR jobs.id IS NULL AND lesson_runs.created_at > now() - interval '1 minute')
LIMIT 1
"""
_LATEST = """
SELECT run_id, variants.name AS variant, before.name AS before,
    (SELECT count(*) FROM lessons WHERE lessons.run_id = lesson_runs.run_id AND kind = 'correction')
        AS corrections,
    (SELECT count(*) FROM lessons WHERE lessons.run_id = lesson_runs.run_id AND kind = 'praise') AS praised
FROM lesson_runs JOIN jobs ON jobs.id = run_id
LEFT JOIN variants ON variants.id::text = jobs.result ->> 'variant_id'
LEFT JOIN variants AS before ON before.id = lesson_runs.before
WHERE lesson_runs.base_id = %(base)s AND {owner}
ORDER BY lesson_runs.created_at DESC LIMIT 1
"""


def _of(owner: UUID | None, table: str) -> str:
    """The condition that a row is this owner's. As in serving/chat/tables.py, two conditions rather than
    IS NOT DISTINCT FROM, which no index serves."""
    return f"{table}.owner IS NULL" if owner is None else f"{table}.owner = %(owner)s"


async def judged(
    connection: Connection, *, owner: UUID | None, everybody: bool, limit: int
) -> list[dict[str, Any]]:
    """Answers with feedback, those judged last first."""
    return await _rows(connection, _JUDGED, owner, everybody, limit)


async def voted(
    connection: Connection, *, owner: UUID | None, everybody: bool, limit: int
) -> list[dict[str, Any]]:
    """Answers with votes, the newest vote first."""
    return await _rows(connection, _VOTED, owner, everybody, limit)


async def _rows(
    connection: Connection, query: str, owner: UUID | None, everybody: bool, limit: int
) -> list[dict[str, Any]]:
    whose = _EVERYBODY if everybody else _of(owner, "chat_sessions")
    cursor = await connection.execute(query.format(whose=whose).encode(), {"owner": owner, "limit": limit})
    return await cursor.fetchall()


async def before(
    connection: Connection, answers: Sequence[tuple[UUID, UUID, int]]
) -> dict[UUID, list[dict[str, str]]]:
    """What stands before answers: (its id, its question's, the position of the first message that counts)."""
    found: dict[UUID, list[dict[str, str]]] = {}
    cursor = await connection.execute(
        _BEFORE,
        {
            "answers": [one for one, _, _ in answers],
            "questions": [question for _, question, _ in answers],
            "first": [first for _, _, first in answers],
        },
    )
    for row in await cursor.fetchall():
        found.setdefault(row["answer_id"], []).append({"role": row["role"], "content": row["content"]})
    return found


async def known_lessons(
    connection: Connection, base_id: str, messages: Sequence[UUID]
) -> list[dict[str, Any]]:
    cursor = await connection.execute(_KNOWN, {"base": base_id, "messages": list(messages)})
    return await cursor.fetchall()


async def open_run(connection: Connection, base_id: str, *, owner: UUID | None) -> UUID | None:
    """One of the owner's runs on the base that is not over."""
    query = _OPEN.format(owner=_of(owner, "lesson_runs")).encode()
    row = await (await connection.execute(query, {"base": base_id, "owner": owner})).fetchone()
    return None if row is None else row["run_id"]


async def latest_run(connection: Connection, base_id: str, *, owner: UUID | None) -> dict[str, Any] | None:
    query = _LATEST.format(owner=_of(owner, "lesson_runs")).encode()
    return await (await connection.execute(query, {"base": base_id, "owner": owner})).fetchone()


async def lock_lessons(connection: Connection) -> None:
    """Of two that start at once the second waits here until the first is written down."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('twotrack lessons'))")


async def insert_run(
    connection: Connection,
    run_id: UUID,
    *,
    owner: UUID | None,
    base_id: str,
    before: UUID,
    everybody: bool,
    lessons: Iterable[tuple[UUID, str, str]],
) -> None:
    """`lessons` are (message, digest, kind). Their messages cannot be deleted until the transaction ends.

    Raises:
        psycopg.errors.ForeignKeyViolation: one of them was.
    """
    await connection.execute(
        "INSERT INTO lesson_runs (run_id, owner, base_id, before, everybody) VALUES (%s, %s, %s, %s, %s)",
        (run_id, owner, base_id, before, everybody),
    )
    await connection.cursor().executemany(
        "INSERT INTO lessons (run_id, message_id, digest, kind) VALUES (%s, %s, %s, %s)",
        [(run_id, *lesson) for lesson in lessons],
    )


async def delete_run(connection: Connection, run_id: UUID) -> None:
    await connection.execute("DELETE FROM lesson_runs WHERE run_id = %s", (run_id,))


async def count_runs(connection: Connection, base_id: str) -> int:
    row = await (
        await connection.execute("SELECT count(*) AS n FROM lesson_runs WHERE base_id = %s", (base_id,))
    ).fetchone()
    return 0 if row is None else int(row["n"])


async def keep_vote(
    connection: Connection, message_id: UUID, *, other: str, other_variant: str, kept_is_better: bool
) -> None:
    await connection.execute(
        "INSERT INTO votes (message_id, other, other_variant, kept_is_better) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (message_id, md5(other), other_variant)"
        " DO UPDATE SET kept_is_better = excluded.kept_is_better, updated_at = now()",
        (message_id, other, other_variant, kept_is_better),
    )


async def drop_vote(connection: Connection, message_id: UUID, *, other: str, other_variant: str) -> None:
    await connection.execute(
        "DELETE FROM votes WHERE message_id = %s AND other = %s AND other_variant = %s",
        (message_id, other, other_variant),
    )
