"""The log of what happened, for the administrator: rows of the `events` table."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from twotrack.core.database import Connection, Database, as_jsonb


class Event(BaseModel):
    """`kind` is "thing.happening", such as "job.failed"; `details` names the things by their ids."""

    id: int
    kind: str
    details: dict[str, Any]
    created_at: datetime


async def append(connection: Connection, kind: str, /, **details: Any) -> None:
    """Write an event in the transaction of what happened, so that neither stands without the other."""
    await connection.execute("INSERT INTO events (kind, details) VALUES (%s, %s)", (kind, as_jsonb(details)))


async def list_of_job(database: Database, job_id: UUID) -> list[Event]:
    """What happened to one job, the oldest first."""
    rows = await database.fetch_all(
        "SELECT id, kind, details, created_at FROM events WHERE details->>'job' = %s ORDER BY id",
        (str(job_id),),
    )
    return [Event.model_validate(row) for row in rows]


async def list_events(
    database: Database, *, kind: str | None = None, before: int | None = None, limit: int = 100
) -> list[Event]:
    """The newest events first.

    `kind` is a whole kind ("job.failed") or its first part ("job"); `before` is an event's id: only older
    ones are listed, so that the last id of one page asks for the next.
    """
    rows = await database.fetch_all(
        """
        SELECT id, kind, details, created_at FROM events
        WHERE (%(kind)s::text IS NULL OR kind = %(kind)s OR starts_with(kind, %(kind)s || '.'))
          AND (%(before)s::bigint IS NULL OR id < %(before)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"kind": kind, "before": before, "limit": limit},
    )
    return [Event.model_validate(row) for row in rows]
