"""The working side of jobs: begins attempts, keeps their leases alive, interrupts them."""

import asyncio
import contextlib
import logging
import math
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from twotrack.core.access.caller import starter
from twotrack.core.database import Database
from twotrack.core.job_outcome import conclude, release
from twotrack.core.job_queue import consume
from twotrack.core.job_recovery import sweep
from twotrack.core.jobs import Attempt, Interruption, JobBody, JobCancelled, StaleAttempt, WorkerStopping

_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """Kinds of jobs that share a number of places on one worker."""

    bodies: Mapping[str, JobBody]
    at_once: int


@dataclass(frozen=True)
class Lease:
    """In seconds. An attempt without a heartbeat for `stall` is taken for lost."""

    heartbeat: float = 5.0
    stall: float = 30.0


class Runner:
    """Runs the jobs of its lanes: `serve` until cancelled, after `stop` has ended the bodies."""

    def __init__(
        self,
        database: Database,
        lanes: Sequence[Lane],
        lease: Lease | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is to count the hours that the machine slept, as the monotonic one does not on Linux."""
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._database = database
        self._lanes = lanes
        self._lease = lease or Lease()
        self._clock = clock
        self._running: dict[Attempt, asyncio.Task[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._consumers: list[asyncio.Task[None]] = []
        self._stopping = False

    async def serve(self) -> None:
        """Take up what dead workers left, then run jobs as they come.

        A lost database ends no body: once it is back, heartbeats and deliveries go on.
        """
        places = [asyncio.Semaphore(lane.at_once) for lane in self._lanes]
        first = True
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database.url, autocommit=True
                ) as connection:
                    # Held as long as this process lives, and gone with it at once: see job_recovery.sweep.
                    await connection.execute(
                        "SELECT pg_advisory_lock(hashtextextended(%s, 0))", (self.worker,)
                    )
                    if first:
                        await sweep(self._database, self._lease.stall, dead_workers=True)
                        first = False
                    self._consumers = [
                        asyncio.create_task(self._consume(lane, free), name=f"jobs: {', '.join(lane.bodies)}")
                        for lane, free in zip(self._lanes, places, strict=True)
                    ]
                    await self._keep_alive(connection)
            except psycopg.OperationalError as error:
                _log.warning("the worker lost the database, trying again: %s", error)
            finally:
                await self._stop_consumers()
            await asyncio.sleep(_RETRY_SECONDS)

    async def stop(self, grace_seconds: float) -> None:
        """Begin nothing new, interrupt all bodies, and put their jobs back into the queue.

        Bodies that have not ended after the grace lose their jobs all the same.
        """
        self._stopping = True
        await self._stop_consumers(grace_seconds)
        for attempt, body in self._running.items():
            _interrupt(attempt, body, WorkerStopping)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for attempt in list(self._running):
            _log.warning("job %s did not stop within %s s", attempt.job_id, grace_seconds)
            with contextlib.suppress(StaleAttempt, psycopg.OperationalError):
                await release(attempt, "interrupted")

    async def _stop_consumers(self, patience: float | None = None) -> None:
        consumers, self._consumers = self._consumers, []
        for consumer in consumers:
            consumer.cancel()
        if consumers:
            await asyncio.wait(consumers, timeout=patience)

    async def _consume(self, lane: Lane, free: asyncio.Semaphore) -> None:
        async def perform(job_id: UUID, delivery: int) -> None:
            # A delivery is cut off when the queue loses the database; the work that it began goes on, and
            # holds its place in the lane.
            task = asyncio.create_task(self._perform(lane, free, job_id, delivery), name=f"job {job_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.shield(task)

        try:
            await consume(
                self._database,
                lane.bodies,
                lane.at_once,
                perform,
                heartbeat_seconds=self._lease.heartbeat,
            )
        except Exception:
            _log.exception("fetching jobs ended; it starts again with a new connection")

    async def _perform(self, lane: Lane, free: asyncio.Semaphore, job_id: UUID, delivery: int) -> None:
        try:
            async with free, self._database.notifications.subscribe(f"job-interrupted:{job_id}") as news:
                if self._stopping:
                    return
                begun = await _begin(self._database, job_id, delivery, self.worker)
                if begun is None:
                    _log.info("delivery %s of job %s is not the newest: not begun", delivery, job_id)
                    return
                attempt, kind = begun
                await self._run(attempt, lane.bodies[kind], news)
        except Exception:
            _log.exception("job %s could not be run; it is taken up again after the stall limit", job_id)

    async def _run(self, attempt: Attempt, run: JobBody, news: asyncio.Event) -> None:
        async def call() -> dict[str, Any]:
            return await run(attempt)

        body = asyncio.create_task(call(), name=f"body of job {attempt.job_id}")
        self._running[attempt] = body
        watch = asyncio.create_task(_watch(attempt, body, news), name=f"watch of job {attempt.job_id}")
        if self._stopping:
            _interrupt(attempt, body, WorkerStopping)
        try:
            await asyncio.wait([body])
            watch.cancel()
            await asyncio.wait([watch])
            await attempt.close()
            await conclude(attempt, body)
        finally:
            del self._running[attempt]

    async def _keep_alive(self, connection: psycopg.AsyncConnection[Any]) -> None:
        # After an outage of the database, everybody's heartbeats are as old as this worker's.
        beaten = -math.inf
        while True:
            await self._beat(connection)
            late = self._clock() - beaten > self._lease.stall / 2
            beaten = self._clock()
            # Who comes late itself has slept, most likely with the whole machine: the other workers on it get
            # one heartbeat's time to say that they are there.
            if not late:
                await sweep(self._database, self._lease.stall, mine=list(self._running))
            for consumer in self._consumers:
                if consumer.done():
                    return
            await asyncio.sleep(self._lease.heartbeat)

    async def _beat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        running = dict(self._running)
        rows = await (
            await connection.execute(
                """
                UPDATE job_attempts a SET heartbeat_at = now()
                FROM unnest(%s::uuid[], %s::bigint[]) AS mine (job_id, token), jobs j
                WHERE a.job_id = mine.job_id AND a.token = mine.token AND a.ended_at IS NULL
                  AND j.id = a.job_id AND j.fence = a.token AND j.state = 'running'
                RETURNING a.job_id, j.cancel_requested
                """,
                ([attempt.job_id for attempt in running], [attempt.token for attempt in running]),
            )
        ).fetchall()
        cancelled = dict(rows)
        for attempt, body in running.items():
            if attempt.job_id not in cancelled:
                _interrupt(attempt, body, StaleAttempt)
            elif cancelled[attempt.job_id]:
                _interrupt(attempt, body, JobCancelled)


async def _begin(database: Database, job_id: UUID, delivery: int, worker: str) -> tuple[Attempt, str] | None:
    """A new attempt and the job's kind; None when the job is not waiting for this delivery."""
    async with database.transaction() as connection:
        job = await (
            await connection.execute(
                """
                UPDATE jobs SET state = 'running', fence = fence + 1, started_at = coalesce(started_at, now())
                WHERE id = %s AND delivery = %s AND state = 'queued'
                RETURNING kind, args, fence, owner, (SELECT name FROM api_keys WHERE id = owner) AS owner_name
                """,
                (job_id, delivery),
            )
        ).fetchone()
        if job is None:
            return None
        await connection.execute(
            "INSERT INTO job_attempts (job_id, token, worker) VALUES (%s, %s, %s)",
            (job_id, job["fence"], worker),
        )
    by = starter(job["owner"], job["owner_name"])
    return Attempt(database, job_id, job["fence"], job["args"], by=by), job["kind"]


async def _watch(attempt: Attempt, body: asyncio.Task[Any], news: asyncio.Event) -> None:
    while True:
        await news.wait()
        news.clear()
        try:
            await attempt.look()
        except psycopg.OperationalError:
            # The next heartbeat looks again.
            continue
        _interrupt(attempt, body, attempt.interruption)


def _interrupt(attempt: Attempt, body: asyncio.Task[Any], reason: type[Interruption] | None) -> None:
    if reason is None:
        return
    attempt.interrupt(reason)
    if not attempt.told:
        attempt.told = True
        body.cancel()
