"""Jobs whose attempt ended without a word are taken up again: the worker died or slept too long."""

import logging
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from twotrack.core import events, job_queue
from twotrack.core.access.caller import Caller, starter
from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.core.errors import TwotrackError
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text

# Within a day. A job that takes its worker down each time must not do so for ever; one that trains for a week
# may live through many power cuts. A worker that was only asleep says so when it wakes: see `outlived`.
MAX_LOST_ATTEMPTS = 5

_log = logging.getLogger(__name__)


class AttemptsLost(TwotrackError):
    detail = Text(
        "The worker ended {attempts} times within a day in the middle of this job; it is not tried again.",
        "이 작업을 하던 중 워커가 하루 사이에 {attempts}번 종료되어 더 시도하지 않습니다.",
    )
    remedy = Text(
        "The worker's log may tell why; often the memory did not suffice. `twotrack doctor` shows what this "
        "machine holds.",
        "워커의 로그를 확인하세요. 메모리 부족인 경우가 많습니다. 이 컴퓨터의 사양은 `twotrack doctor`로 "
        "확인할 수 있습니다.",
    )


def both_languages(error: TwotrackError) -> dict[str, dict[str, object]]:
    """The problem document as a job keeps it: whoever reads it later chooses the language."""
    return {"en": error.problem("en"), "ko": error.problem("ko")}


async def give_back(connection: Connection, job_id: UUID, outcome: Literal["interrupted", "lost"]) -> None:
    """End the newest attempt of a running job, whose row this transaction has locked, and queue it again.

    A cancelled job ends here instead, and so does one that has lost MAX_LOST_ATTEMPTS attempts within a day.
    """
    job = await (
        await connection.execute(
            """
            UPDATE job_attempts a SET ended_at = now(), outcome = %s FROM jobs j
            WHERE j.id = %s AND a.job_id = j.id AND a.token = j.fence
            RETURNING j.kind, j.cancel_requested, a.token, a.worker, j.owner,
                (SELECT name FROM api_keys WHERE id = j.owner) AS owner_name
            """,
            (outcome, job_id),
        )
    ).fetchone()
    assert job is not None
    facts = {
        "by": starter(job["owner"], job["owner_name"]).details(),
        "job": job_id,
        "kind": job["kind"],
        "attempt": job["token"],
        "worker": job["worker"],
    }
    if outcome == "lost":
        _log.warning("job %s lost its attempt %s on worker %s", job_id, job["token"], job["worker"])
        await events.append(connection, "job.lost", **facts)
    if job["cancel_requested"]:
        await connection.execute(
            "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = %s", (job_id,)
        )
        await events.append(connection, "job.cancelled", **facts)
        return
    lost = await (
        await connection.execute(
            """
            SELECT count(*) AS attempts FROM job_attempts
            WHERE job_id = %s AND outcome = 'lost' AND ended_at > now() - interval '1 day'
            """,
            (job_id,),
        )
    ).fetchone()
    assert lost is not None
    if outcome == "lost" and lost["attempts"] >= MAX_LOST_ATTEMPTS:
        await connection.execute(
            "UPDATE jobs SET state = 'failed', error = %s, finished_at = now() WHERE id = %s",
            (as_jsonb(both_languages(AttemptsLost(attempts=lost["attempts"]))), job_id),
        )
        await events.append(connection, "job.failed", **facts, error="attempts-lost")
        return
    await _queue_again(connection, job_id, job["kind"])


async def outlived(attempt: Attempt) -> None:
    """An attempt that was taken for lost has its worker still: it slept, or was slow. That is no death, and
    counts as little as an orderly end of the worker, however often it happens."""
    await attempt.database.execute(
        """
        UPDATE job_attempts SET outcome = 'interrupted' WHERE job_id = %s AND token = %s AND outcome = 'lost'
        """,
        (attempt.job_id, attempt.token),
    )


async def take_up(database: Database, job_id: UUID, *, by: Caller) -> bool:
    """Queue a failed or cancelled job once more, as the same job; False if it is neither.

    For jobs whose bodies go on from what an earlier attempt has left.
    """
    async with database.transaction() as connection:
        job = await (
            await connection.execute(
                """
                UPDATE jobs SET cancel_requested = false, error = NULL, finished_at = NULL
                WHERE id = %s AND state IN ('failed', 'cancelled') RETURNING kind
                """,
                (job_id,),
            )
        ).fetchone()
        if job is None:
            return False
        await _queue_again(connection, job_id, job["kind"])
        await events.append(connection, "job.resumed", by=by.details(), job=job_id, kind=job["kind"])
    return True


async def sweep(
    database: Database, stall_seconds: float, *, dead_workers: bool = False, mine: Sequence[Attempt] = ()
) -> None:
    """Take up what nobody works at: attempts without a heartbeat, and queued jobs that no delivery carries.

    `mine` are attempts that the caller works at: it lives, however old their heartbeats are. (A machine may
    fall asleep between a heartbeat and this.)

    With `dead_workers`, attempts whose worker has provably ended are taken up without waiting for the stall
    limit. The proof is the advisory lock that a worker's connection holds; a restart of the database frees
    all of them, so a starting worker asks for it and a running one does not.
    """
    limits = {
        "stall": stall_seconds,
        "dead": dead_workers,
        "jobs": [attempt.job_id for attempt in mine],
        "tokens": [attempt.token for attempt in mine],
    }
    async with database.transaction() as connection:
        abandoned = await (
            await connection.execute(
                """
                WITH newest AS MATERIALIZED (
                    SELECT a.* FROM jobs j JOIN job_attempts a ON a.job_id = j.id AND a.token = j.fence
                    WHERE j.state = 'running'
                )
                SELECT j.id FROM jobs j JOIN newest a ON a.job_id = j.id AND a.token = j.fence
                WHERE j.state = 'running'
                  AND (a.heartbeat_at < now() - make_interval(secs => %(stall)s)
                       OR (%(dead)s AND pg_try_advisory_xact_lock(hashtextextended(a.worker, 0))))
                  AND (j.id, a.token) NOT IN (
                      SELECT * FROM unnest(%(jobs)s::uuid[], %(tokens)s::bigint[]))
                FOR NO KEY UPDATE OF j SKIP LOCKED
                """,
                limits,
            )
        ).fetchall()
        for job in abandoned:
            await give_back(connection, job["id"], "lost")
        # A worker may have died, or lost the database, after it fetched the delivery and before it began.
        undelivered = await (
            await connection.execute(
                """
                SELECT j.id, j.kind FROM jobs j
                WHERE j.state = 'queued' AND NOT EXISTS (
                    SELECT FROM procrastinate_jobs d LEFT JOIN procrastinate_workers w ON w.id = d.worker_id
                    WHERE d.id = j.delivery
                      AND (d.status = 'todo'
                           OR d.status = 'doing'
                              AND w.last_heartbeat >= now() - make_interval(secs => %(stall)s)))
                FOR NO KEY UPDATE OF j SKIP LOCKED
                """,
                limits,
            )
        ).fetchall()
        for job in undelivered:
            await _queue_again(connection, job["id"], job["kind"])
        if dead_workers:
            # They leave their deliveries behind as "doing". No job waits for these any more.
            await connection.execute(
                """
                DELETE FROM procrastinate_jobs d
                WHERE d.status = 'doing'
                  AND NOT EXISTS (SELECT FROM procrastinate_workers w WHERE w.id = d.worker_id
                                  AND w.last_heartbeat >= now() - make_interval(secs => %(stall)s))
                  AND NOT EXISTS (SELECT FROM jobs j
                                  WHERE j.delivery = d.id AND j.state IN ('queued', 'running'))
                """,
                limits,
            )


async def _queue_again(connection: Connection, job_id: UUID, kind: str) -> None:
    delivery = await job_queue.deliver(connection, job_id, kind, again=True)
    await connection.execute(
        "UPDATE jobs SET state = 'queued', delivery = %s WHERE id = %s", (delivery, job_id)
    )
