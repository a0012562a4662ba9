"""Search in sessions: their titles, and the messages that are shown."""

import re
from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.serving.chat.places import Place
from twotrack.serving.chat.schemas import ListedSession, Match
from twotrack.serving.chat.tables import belongs_to

# Characters of a message that are shown around the words.
_BEFORE = 60
_AFTER = 120

# `lower` on both sides is what ILIKE does itself: the words are found again where it found them. OFFSET 0
# keeps that from being done once for each column. `before` and `after` reach one character further than what
# is shown, which tells whether there is more.
_FIND = """
WITH page AS (
    SELECT chat_sessions.id, title, created_at, updated_at, message_id
    FROM chat_sessions LEFT JOIN {found}
    WHERE {belongs_to} AND (message_id IS NOT NULL OR title ILIKE %(pattern)s)
    AND (%(at)s::timestamptz IS NULL OR (updated_at, chat_sessions.id) < (%(at)s::timestamptz, %(id)s::uuid))
    ORDER BY updated_at DESC, chat_sessions.id DESC LIMIT %(limit)s
)
SELECT page.*, position,
    substr(content, greatest(1, at - {before}), least(at - 1, {before})) AS before,
    substr(content, at, length(%(words)s)) AS match,
    substr(content, at + length(%(words)s), {after}) AS after
FROM page LEFT JOIN LATERAL (
    SELECT position, content, strpos(lower(content), lower(%(words)s)) AS at
    FROM chat_messages WHERE id = message_id OFFSET 0
) AS message ON true
ORDER BY updated_at DESC, page.id DESC
"""
_BY_INDEX = """(
    SELECT DISTINCT ON (session_id) session_id, id AS message_id FROM chat_messages
    WHERE active AND state <> 'streaming' AND content ILIKE %(pattern)s
    ORDER BY session_id, position
) AS found ON session_id = chat_sessions.id"""
# One session after the other, which ends early where a word is common.
_BY_SESSION = """LATERAL (
    SELECT id AS message_id FROM chat_messages
    WHERE active AND session_id = chat_sessions.id AND state <> 'streaming' AND content ILIKE %(pattern)s
    ORDER BY position LIMIT 1
) AS found ON true"""

_WORD = re.compile(r"[^\W_]+")


async def find_sessions(
    database: Database, words: str, *, owner: UUID | None, limit: int, before: Place
) -> list[ListedSession]:
    """The owner's sessions whose title or messages have `words`, in whatever case, the last used first.

    Messages of other branches, and an answer that is still streaming, are not searched.
    """
    rows = await database.fetch_all(
        _FIND.format(
            found=_BY_INDEX if _has_trigrams(words) else _BY_SESSION,
            belongs_to=belongs_to(owner),
            before=_BEFORE + 1,
            after=_AFTER + 1,
        ),
        {
            "words": words,
            "pattern": _pattern(words),
            "owner": owner,
            "at": before[0],
            "id": before[1],
            "limit": limit,
        },
    )
    return [ListedSession(**{**row, "match": _match(row)}) for row in rows]


def _pattern(words: str) -> str:
    """For LIKE, whose own signs stand for themselves here."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _has_trigrams(words: str) -> bool:
    """Whether the index can tell where the words are not: it knows three letters in a row, and where words
    begin and end. Many a Korean word has two."""
    return " " in words or any(len(word) > 2 for word in _WORD.findall(words))


def _match(row: dict[str, Any]) -> Match | None:
    if row["message_id"] is None:
        return None
    before, after = row["before"], row["after"]
    return Match(
        message_id=row["message_id"],
        position=row["position"],
        before=f"…{before[1:]}" if len(before) > _BEFORE else before,
        match=row["match"],
        after=f"{after[:-1]}…" if len(after) > _AFTER else after,
    )
