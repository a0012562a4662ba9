"""How an attempt ended, written once and fenced: succeeded, failed, cancelled, or back into the queue."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from twotrack.core import events
from twotrack.core.database import Connection, as_jsonb
from twotrack.core.errors import TwotrackError
from twotrack.core.job_recovery import both_languages, give_back, outlived
from twotrack.core.jobs import Attempt, Interruption, JobCancelled, StaleAttempt, WorkerStopping
from twotrack.core.language import Text

_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class JobFailed(TwotrackError):
    """Stands for an error that is not meant for people; its traceback is in the worker's log."""

    detail = Text(
        "The job failed because of an error inside the studio.", "스튜디오 내부 오류로 작업이 실패했습니다."
    )
    remedy = Text(
        "The worker's log tells more; look for {job}.",
        "자세한 내용은 워커의 로그에 있습니다. 찾을 값: {job}",
    )


@dataclass(frozen=True)
class _End:
    state: Literal["succeeded", "failed", "cancelled"]
    result: dict[str, Any] | None = None
    error: TwotrackError | None = None


async def conclude(attempt: Attempt, body: asyncio.Task[dict[str, Any]]) -> None:
    """Write what became of a body that is done, however long the database is away."""
    error = _error_of(body)
    # A body that got through in spite of an interruption has done its work.
    reason = None if error is None else attempt.interruption
    if isinstance(error, Interruption) and reason is None:
        reason = type(error)
    if error is None:
        await _persist(attempt, lambda: _end(attempt, _End("succeeded", result=body.result())))
    elif reason is StaleAttempt:
        _log.warning("attempt %s of job %s has lost its lease", attempt.token, attempt.job_id)
        await _persist(attempt, lambda: outlived(attempt))
    elif reason is JobCancelled:
        await _persist(attempt, lambda: _end(attempt, _End("cancelled")))
    elif reason is WorkerStopping:
        await _persist(attempt, lambda: release(attempt, "interrupted"))
    elif isinstance(error, psycopg.OperationalError):
        _log.warning("job %s lost the database: %s", attempt.job_id, error)
        await _persist(attempt, lambda: release(attempt, "lost"))
    else:
        shown = error if isinstance(error, TwotrackError) else JobFailed(job=str(attempt.job_id))
        if shown is not error:
            _log.error("job %s failed", attempt.job_id, exc_info=error)
        await _persist(attempt, lambda: _end(attempt, _End("failed", error=shown)))


async def release(attempt: Attempt, outcome: Literal["interrupted", "lost"]) -> None:
    """Put the attempt's job back into the queue.

    Raises:
        StaleAttempt: it is not this attempt's any more.
    """
    async with attempt.transaction() as connection:
        await _write_progress(connection, attempt)
        await give_back(connection, attempt.job_id, outcome)


async def _persist(attempt: Attempt, write: Callable[[], Awaitable[None]]) -> None:
    """Hours of work may hang on this write, so it is tried until the database takes it."""
    while True:
        try:
            await write()
        except StaleAttempt:
            _log.warning("the end of attempt %s of job %s came too late", attempt.token, attempt.job_id)
            await _persist(attempt, lambda: outlived(attempt))
        except psycopg.OperationalError as error:
            _log.warning("the end of job %s is not written yet: %s", attempt.job_id, error)
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        return


async def _end(attempt: Attempt, end: _End) -> None:
    result = None if end.result is None else as_jsonb(end.result)
    error = None if end.error is None else as_jsonb(both_languages(end.error))
    async with attempt.transaction() as connection:
        await _write_progress(connection, attempt)
        job = await (
            await connection.execute(
                """
                UPDATE jobs SET state = %s, result = %s, error = %s, finished_at = now() WHERE id = %s
                RETURNING kind
                """,
                (end.state, result, error, attempt.job_id),
            )
        ).fetchone()
        assert job is not None
        await connection.execute(
            "UPDATE job_attempts SET ended_at = now(), outcome = %s WHERE job_id = %s AND token = %s",
            (end.state, attempt.job_id, attempt.token),
        )
        facts = {} if end.error is None else {"error": end.error.code}
        await events.append(
            connection,
            f"job.{end.state}",
            by=attempt.by.details(),
            job=attempt.job_id,
            kind=job["kind"],
            **facts,
        )


async def _write_progress(connection: Connection, attempt: Attempt) -> None:
    if attempt.unwritten is not None:
        await connection.execute(
            "UPDATE jobs SET progress = %s WHERE id = %s", (as_jsonb(attempt.unwritten), attempt.job_id)
        )


def _error_of(body: asyncio.Task[Any]) -> BaseException | None:
    try:
        return body.exception()
    except asyncio.CancelledError as cancelled:
        return cancelled
