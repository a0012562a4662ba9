"""Long work as jobs in PostgreSQL: at least once, fenced, cancellable, telling their progress.

procrastinate delivers a job's id; who may write for the job is decided here. Each attempt holds a token,
and every write of an attempt checks, in its own transaction, that the token is still the newest: a worker
that was taken for dead and comes back can change nothing.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import DictRow
from pydantic import BaseModel

from twotrack.core import events, job_queue
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.core.errors import NotFound
from twotrack.core.language import Language, Text

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ENDED: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})

# Five progress writes a second are as many as anybody reads.
_SECONDS_BETWEEN_WRITES = 0.2

_COLUMNS = "id, kind, args, owner, state, progress, result, error, created_at, started_at, finished_at"
_JOB = Text("job", "작업")

_log = logging.getLogger(__name__)


class Job(BaseModel):
    """A job as people see it; `progress` holds "stage", "fraction" (0 to 1, where known) and further fields.

    `error` is the problem document of a failed job, in the language that was asked for; `owner` the id of the
    key that started it, null for the studio's owner.
    """

    id: UUID
    kind: str
    args: dict[str, Any]
    owner: UUID | None = None
    state: JobState
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Interruption(Exception):
    """An attempt is to end without a result: its body cleans up and lets this pass."""


class JobCancelled(Interruption):
    """Somebody cancelled the job."""


class StaleAttempt(Interruption):
    """The job was given to a newer attempt, or is over: this one may write nothing any more."""


class WorkerStopping(Interruption):
    """The worker ends; the job goes back into the queue."""


class Attempt:
    """One try at a job: what the job's body gets. `token` grows with every attempt of the same job.

    When the attempt is interrupted, the body's task is cancelled (once), and `report` and `check` raise from
    then on. Files are not fenced: where a stray child of an earlier attempt could still write, name the
    folder after the token too.
    """

    def __init__(
        self,
        database: Database,
        job_id: UUID,
        token: int,
        args: Mapping[str, Any],
        *,
        by: Caller = OWNER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job_id = job_id
        self.token = token
        self.args = args
        self.by = by
        """Who started the job."""
        self.interruption: type[Interruption] | None = None
        self.told = False
        """Whether the body has heard of the interruption: it is not to be disturbed in its cleaning up."""
        self.unwritten: dict[str, Any] | None = None
        """The newest progress, as long as the database does not have it."""
        self.database = database
        self._clock = clock
        self._write_due = clock()
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def report(self, stage: str, *, fraction: float | None = None, **fields: Any) -> None:
        """Tell the progress; call it as often as you like, it is written about five times a second.

        Progress that the database cannot take at the moment is no reason to end the work: it is kept and
        written later.

        Raises:
            JobCancelled, StaleAttempt, WorkerStopping: the body is to end.
        """
        self._raise_if_interrupted()
        known = {} if fraction is None else {"fraction": fraction}
        self.unwritten = {"stage": stage, **known, **fields}
        if self._later is not None and not self._later.done():
            return
        delay = self._write_due - self._clock()
        if delay > 0:
            self._later = asyncio.create_task(self._write_after(delay), name=f"progress of job {self.job_id}")
        else:
            await self._write_progress()
            self._raise_if_interrupted()

    async def check(self) -> None:
        """Ask the database whether this attempt may go on.

        Raises:
            JobCancelled, StaleAttempt, WorkerStopping: the body is to end.
        """
        self._raise_if_interrupted()
        await self.look()
        self._raise_if_interrupted()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that only the newest attempt gets, and during which no newer one can begin.

        It holds the job's row, so keep it short. A requested cancellation does not refuse it: a body may
        clean up in one.

        Raises:
            StaleAttempt: the job belongs to a newer attempt, or is over.
        """
        async with self.database.transaction() as connection:
            row = await (
                await connection.execute(
                    "SELECT fence, state FROM jobs WHERE id = %s FOR NO KEY UPDATE", (self.job_id,)
                )
            ).fetchone()
            if row is None or row["fence"] != self.token or row["state"] != "running":
                self.interrupt(StaleAttempt)
                self._raise_if_interrupted()
            yield connection

    async def look(self) -> None:
        """Learn from the database whether the attempt is interrupted, without a word to the body."""
        row = await self.database.fetch_one(
            "SELECT fence, state, cancel_requested FROM jobs WHERE id = %s", (self.job_id,)
        )
        self._judge(row)

    def interrupt(self, reason: type[Interruption]) -> None:
        """The first reason holds, but a lost lease outranks all."""
        if self.interruption is None or reason is StaleAttempt:
            self.interruption = reason

    async def close(self) -> None:
        """Write no progress any more."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.wait([self._later])

    def _raise_if_interrupted(self) -> None:
        if self.interruption is not None:
            self.told = True
            raise self.interruption(f"attempt {self.token} of job {self.job_id}")

    async def _write_after(self, delay: float) -> None:
        while True:
            await asyncio.sleep(delay)
            progress = self.unwritten
            await self._write_progress()
            # What was told during the write relied on it; what failed to be written waits for a report.
            if self.unwritten is None or self.unwritten is progress:
                return
            delay = _SECONDS_BETWEEN_WRITES

    async def _write_progress(self) -> None:
        async with self._writing:
            progress = self.unwritten
            if progress is None:
                return
            self._write_due = self._clock() + _SECONDS_BETWEEN_WRITES
            try:
                row = await self.database.fetch_one(
                    """
                    UPDATE jobs SET progress = %s WHERE id = %s AND fence = %s AND state = 'running'
                    RETURNING fence, state, cancel_requested
                    """,
                    (as_jsonb(progress), self.job_id, self.token),
                )
            except psycopg.OperationalError as error:
                _log.warning("the progress of job %s is not written yet: %s", self.job_id, error)
                return
            if self.unwritten is progress:
                self.unwritten = None
            self._judge(row)

    def _judge(self, row: DictRow | None) -> None:
        if row is None or row["fence"] != self.token or row["state"] != "running":
            self.interrupt(StaleAttempt)
        elif row["cancel_requested"]:
            self.interrupt(JobCancelled)


JobBody = Callable[[Attempt], Awaitable[dict[str, Any]]]
"""Does a job's work and returns its result. A TwotrackError that it raises becomes the job's error."""


async def enqueue(
    database: Database,
    kind: str,
    args: Mapping[str, Any],
    *,
    by: Caller = OWNER,
    job_id: UUID | None = None,
    event: str | None = None,
    also: Callable[[Connection], Awaitable[None]] | None = None,
) -> UUID:
    """A new job, in the hands of the queue once this returns; after a crash before that there is none.

    `event` is the kind of a line in the log of what happened. `job_id` is for callers that put files into the
    job's folder first: the job may begin at once. `also` writes what belongs to the job, in its transaction.
    """
    job_id = job_id or uuid4()
    async with database.transaction() as connection:
        delivery = await job_queue.deliver(connection, job_id, kind)
        await connection.execute(
            "INSERT INTO jobs (id, kind, args, delivery, owner) VALUES (%s, %s, %s, %s, %s)",
            (job_id, kind, as_jsonb(args), delivery, by.key_id),
        )
        if event is not None:
            await events.append(connection, event, by=by.details(), job=job_id)
        if also is not None:
            await also(connection)
    return job_id


async def fetch(
    database: Database, job_id: UUID, *, of: UUID | None = None, language: Language = "en"
) -> Job:
    """
    Raises:
        NotFound: there is no such job, or it is not `of` that owner.
    """
    row = await database.fetch_one(f"SELECT {_COLUMNS} FROM jobs WHERE id = %s", (job_id,))
    if row is None or (of is not None and row["owner"] != of):
        raise NotFound(what=_JOB, name=str(job_id))
    return _job(row, language)


async def list_jobs(
    database: Database,
    *,
    of: UUID | None = None,
    kind: str | None = None,
    state: JobState | None = None,
    before: UUID | None = None,
    limit: int = 50,
    language: Language = "en",
) -> list[Job]:
    """The newest jobs first, everybody's or `of` one owner; `before` is a job's id: only older ones are
    listed."""
    rows = await database.fetch_all(
        f"""
        SELECT {_COLUMNS} FROM jobs
        WHERE (%(of)s::uuid IS NULL OR owner = %(of)s)
          AND (%(kind)s::text IS NULL OR kind = %(kind)s)
          AND (%(state)s::text IS NULL OR state = %(state)s)
          AND (%(before)s::uuid IS NULL
               OR (created_at, id) < (
                   SELECT created_at, id FROM jobs
                   WHERE id = %(before)s AND (%(of)s::uuid IS NULL OR owner = %(of)s)))
        ORDER BY created_at DESC, id DESC LIMIT %(limit)s
        """,
        {"of": of, "kind": kind, "state": state, "before": before, "limit": limit},
    )
    return [_job(row, language) for row in rows]


async def cancel(database: Database, job_id: UUID, *, by: Caller = OWNER, language: Language = "en") -> Job:
    """Cancel a job: a queued one at once, a running one as soon as its worker has heard and cleaned up.

    A job that is over stays as it is; the answer tells how it ended.

    Raises:
        NotFound: there is no such job, or `by` may not see it.
    """
    async with database.transaction() as connection:
        row = await (
            await connection.execute(
                "SELECT kind, state, delivery, owner FROM jobs WHERE id = %s FOR NO KEY UPDATE", (job_id,)
            )
        ).fetchone()
        if row is None or by.confined_to not in (None, row["owner"]):
            raise NotFound(what=_JOB, name=str(job_id))
        if row["state"] == "queued":
            await connection.execute(
                "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = %s",
                (job_id,),
            )
            await job_queue.withdraw(connection, row["delivery"])
            await events.append(connection, "job.cancelled", by=by.details(), job=job_id, kind=row["kind"])
        elif row["state"] == "running":
            await connection.execute("UPDATE jobs SET cancel_requested = true WHERE id = %s", (job_id,))
    return await fetch(database, job_id, language=language)


async def wait(database: Database, job_id: UUID, *, language: Language = "en") -> AsyncGenerator[Job, None]:
    """The job as it is now, then after each change, to its end. Leave early through `contextlib.aclosing`.

    Changes that come faster than the caller asks are seen as one.

    Raises:
        NotFound: there is no such job.
    """
    async with database.notifications.subscribe(f"job:{job_id}") as news:
        seen = None
        while seen is None or seen.state not in ENDED:
            news.clear()
            job = await fetch(database, job_id, language=language)
            if job != seen:
                seen = job
                yield job
            else:
                await news.wait()


def _job(row: DictRow, language: Language) -> Job:
    return Job.model_validate({**row, "error": row["error"] and row["error"][language]})
