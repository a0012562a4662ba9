"""Fine-tuning jobs in PostgreSQL: a row beside the run's own, for what only that API has."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from twotrack.core.database import Connection, as_jsonb
from twotrack.core.jobs import JobState
from twotrack.learning.train.schemas import RunArgs, RunResult

_SELECT = """
    SELECT t.job_id, t.training_file, t.validation_file, t.suffix, t.metadata, t.created_at,
           j.owner, j.state, j.args, j.progress, j.result, j.error, j.started_at, j.finished_at
    FROM fine_tuning_jobs t JOIN jobs j ON j.id = t.job_id
"""


class TuningRow(BaseModel):
    """`error` holds a problem document for each language."""

    job_id: UUID
    training_file: UUID
    validation_file: UUID | None
    suffix: str | None
    metadata: dict[str, str] | None
    created_at: datetime
    owner: UUID | None
    state: JobState
    args: RunArgs
    progress: dict[str, Any]
    result: RunResult | None
    error: dict[str, dict[str, Any]] | None
    started_at: datetime | None
    finished_at: datetime | None


async def insert(
    connection: Connection,
    job_id: UUID,
    *,
    training_file: UUID,
    validation_file: UUID | None = None,
    suffix: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    await connection.execute(
        "INSERT INTO fine_tuning_jobs (job_id, training_file, validation_file, suffix, metadata)"
        " VALUES (%s, %s, %s, %s, %s)",
        (
            *(job_id, training_file, validation_file, suffix),
            None if metadata is None else as_jsonb(dict(metadata)),
        ),
    )


async def find(connection: Connection, job_id: UUID, *, of: UUID | None) -> TuningRow | None:
    """None where there is none, or where it is not `of` that owner."""
    row = await (await connection.execute(f"{_SELECT} WHERE t.job_id = %s", (job_id,))).fetchone()
    if row is None or (of is not None and row["owner"] != of):
        return None
    return TuningRow.model_validate(row)


async def list_all(
    connection: Connection,
    *,
    of: UUID | None,
    before: TuningRow | None,
    limit: int,
    metadata: Mapping[str, str] | None,
    without_metadata: bool = False,
) -> list[TuningRow]:
    """The newest first; `metadata`: only those that have all of it."""
    rows = await (
        await connection.execute(
            f"""
            {_SELECT}
            WHERE (%(of)s::uuid IS NULL OR j.owner = %(of)s)
              AND (%(metadata)s::jsonb IS NULL OR t.metadata @> %(metadata)s)
              AND (NOT %(without)s OR t.metadata IS NULL)
              AND (%(id)s::uuid IS NULL OR (t.created_at, t.job_id) < (%(at)s, %(id)s))
            ORDER BY t.created_at DESC, t.job_id DESC LIMIT %(limit)s
            """,
            {
                "of": of,
                "metadata": as_jsonb(dict(metadata)) if metadata else None,
                "without": without_metadata,
                "id": before and before.job_id,
                "at": before and before.created_at,
                "limit": limit,
            },
        )
    ).fetchall()
    return [TuningRow.model_validate(row) for row in rows]
