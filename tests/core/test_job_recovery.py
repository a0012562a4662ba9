"""Workers that die, sleep or vanish: real processes, really killed."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from twotrack.core import events, jobs
from twotrack.core.database import Database
from twotrack.core.job_recovery import MAX_LOST_ATTEMPTS, sweep
from twotrack.core.job_runner import Lane, Lease, Runner
from twotrack.core.jobs import Attempt, Job
from twotrack.core.processes import child_options

_SCRIPT = Path(__file__).with_name("worker_process.py")

StartWorker = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start_worker(database_url: str) -> AsyncIterator[StartWorker]:
    started: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(_SCRIPT), database_url, *arguments, **child_options()
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _waiting_at(attempt: int) -> Callable[[Job], bool]:
    return lambda job: job.progress.get("attempt") == attempt


def _ended(job: Job) -> bool:
    return job.state in jobs.ENDED


async def _succeed(attempt: Attempt) -> dict[str, Any]:
    return {"attempt": attempt.token}


async def _outcomes(database: Database, job: Job) -> list[str | None]:
    rows = await database.fetch_all(
        "SELECT outcome FROM job_attempts WHERE job_id = %s ORDER BY token", (job.id,)
    )
    return [row["outcome"] for row in rows]


async def test_a_job_whose_worker_was_killed_is_taken_up_by_the_next_without_waiting(
    database: Database, start_worker: StartWorker, working: Any, until: Any
) -> None:
    worker = await start_worker()
    job_id = await jobs.enqueue(database, "wait", {})
    await until(job_id, _waiting_at(1))
    worker.kill()
    await worker.wait()
    # The stall limit is an hour: only the proof that the worker is gone can release the job.
    async with working({"wait": _succeed}, lease=Lease(heartbeat=5, stall=3600)):
        job = await until(job_id, _ended)
    assert job.result == {"attempt": 2}
    assert await _outcomes(database, job) == ["lost", "succeeded"]
    assert [event.kind for event in await events.list_events(database)] == ["job.succeeded", "job.lost"]


async def test_a_starting_worker_leaves_the_jobs_of_living_workers_alone(
    database: Database, start_worker: StartWorker, working: Any, until: Any
) -> None:
    await start_worker()
    job_id = await jobs.enqueue(database, "wait", {})
    await until(job_id, _waiting_at(1))
    async with working({"test": _succeed}):
        # The second worker has swept before it runs its first job.
        await until(await jobs.enqueue(database, "test", {}), _ended)
    job = await jobs.fetch(database, job_id)
    assert job.state == "running"
    assert await _outcomes(database, job) == [None]


async def test_a_job_that_keeps_killing_its_worker_fails_in_the_end(
    database: Database, start_worker: StartWorker, working: Any, until: Any
) -> None:
    job_id = await jobs.enqueue(database, "kill", {})
    # All its attempts but one have been lost already.
    await database.execute("UPDATE jobs SET fence = %s WHERE id = %s", (MAX_LOST_ATTEMPTS - 1, job_id))
    await database.execute(
        """
        INSERT INTO job_attempts (job_id, token, worker, ended_at, outcome)
        SELECT %s, token, 'gone', now(), 'lost' FROM generate_series(1, %s) AS token
        """,
        (job_id, MAX_LOST_ATTEMPTS - 1),
    )
    worker = await start_worker()
    async with asyncio.timeout(30):
        assert await worker.wait() == -signal.SIGKILL
    async with working({"kill": _succeed}):
        job = await until(job_id, _ended)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error["type"] == "urn:twotrack:error:attempts-lost"
    assert job.error["values"] == {"attempts": MAX_LOST_ATTEMPTS}


async def test_a_cancelled_job_whose_worker_died_is_not_tried_again(
    database: Database, start_worker: StartWorker, working: Any, until: Any
) -> None:
    worker = await start_worker()
    job_id = await jobs.enqueue(database, "wait", {})
    await until(job_id, _waiting_at(1))
    worker.send_signal(signal.SIGSTOP)
    await jobs.cancel(database, job_id)
    worker.kill()
    await worker.wait()
    async with working({"wait": _succeed}):
        job = await until(job_id, _ended)
    assert job.state == "cancelled"
    assert job.finished_at is not None


async def test_a_worker_that_slept_too_long_loses_its_lease_and_can_write_nothing(
    database: Database, start_worker: StartWorker, until: Any
) -> None:
    await database.execute("CREATE TABLE effects (token bigint, what text)")
    sleeper = await start_worker("1")
    job_id = await jobs.enqueue(database, "write", {})
    await until(job_id, _waiting_at(1))
    sleeper.send_signal(signal.SIGSTOP)
    await start_worker("1")
    await until(job_id, _waiting_at(2))
    async with asyncio.timeout(30), database.notifications.subscribe("refused") as refused:
        sleeper.send_signal(signal.SIGCONT)
        await database.execute("SELECT pg_notify('twotrack', 'write:1')")
        await refused.wait()
    assert (await jobs.fetch(database, job_id)).state == "running"
    await database.execute("SELECT pg_notify('twotrack', 'write:2')")
    job = await until(job_id, _ended)
    assert job.result == {"attempt": 2}
    effects = await database.fetch_all("SELECT token, what FROM effects ORDER BY token")
    assert effects == [{"token": 1, "what": "refused"}, {"token": 2, "what": "written"}]


async def test_workers_that_fall_asleep_again_and_again_use_up_no_attempt(
    database: Database, start_worker: StartWorker, until: Any
) -> None:
    workers = {process.pid: process for process in (await start_worker(), await start_worker())}
    job_id = await jobs.enqueue(database, "wait", {})
    for attempt in range(1, MAX_LOST_ATTEMPTS + 3):
        await until(job_id, _waiting_at(attempt))
        held = await database.fetch_one(
            "SELECT worker FROM job_attempts WHERE job_id = %s AND token = %s", (job_id, attempt)
        )
        assert held is not None
        sleeper = workers[int(held["worker"].split(":")[1])]
        sleeper.send_signal(signal.SIGSTOP)
        # What every worker does, as if the lease were over.
        await sweep(database, 0.0)
        await until(job_id, _waiting_at(attempt + 1))
        sleeper.send_signal(signal.SIGCONT)
    assert (await jobs.fetch(database, job_id)).state == "running"


async def test_a_worker_does_not_take_its_own_attempts_for_lost(database: Database) -> None:
    asleep = await _asleep(database)
    await sweep(database, 30, mine=[Attempt(database, asleep, 2, {}), Attempt(database, uuid4(), 1, {})])
    assert (await jobs.fetch(database, asleep)).state == "queued"
    asleep = await _asleep(database)
    await sweep(database, 30, mine=[Attempt(database, asleep, 1, {})])
    assert (await jobs.fetch(database, asleep)).state == "running"


async def test_an_outage_longer_than_the_lease_costs_no_attempt(
    database: Database, database_url: str, working: Any, until: Any
) -> None:
    ends = asyncio.Event()

    async def body(attempt: Attempt) -> dict[str, Any]:
        await attempt.report("waiting", attempt=attempt.token)
        await ends.wait()
        return {"attempt": attempt.token}

    async with working({"wait": body}, lease=Lease(heartbeat=0.1, stall=3600)):
        job_id = await jobs.enqueue(database, "wait", {})
        await until(job_id, _waiting_at(1))
        async with await psycopg.AsyncConnection.connect(database_url) as other:
            # The row is locked until all connections are cut: no heartbeat comes between.
            await other.execute("UPDATE job_attempts SET heartbeat_at = now() - interval '2 hours'")
            await other.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """
            )
        # The worker serves again once it runs a new job.
        await until(await jobs.enqueue(database, "wait", {}), _waiting_at(1))
        ends.set()
        job = await until(job_id, _ended)
    assert job.result == {"attempt": 1}
    assert await _outcomes(database, job) == ["succeeded"]


async def test_a_worker_that_was_late_itself_leaves_the_others_time_to_wake(
    database: Database, until: Any
) -> None:
    calls: asyncio.Queue[None] = asyncio.Queue()
    asleep = True
    moment = 0.0

    def clock() -> float:
        nonlocal moment
        moment += 3600 if asleep else 0
        calls.put_nowait(None)
        return moment

    runner = Runner(database, [Lane({}, at_once=1)], Lease(heartbeat=0.01, stall=30), clock=clock)
    serving = asyncio.create_task(runner.serve())
    try:
        async with asyncio.timeout(30):
            # It begins with a sweep; what comes then is for those that follow, one after each two calls.
            await calls.get()
            job_id = await _asleep(database)
            for _ in range(calls.qsize() + 6):
                await calls.get()
        assert (await jobs.fetch(database, job_id)).state == "running"
        asleep = False
        await until(job_id, lambda job: job.state == "queued")
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def test_a_worker_that_the_queue_forgot_in_its_sleep_takes_new_jobs(
    database: Database, working: Any, until: Any
) -> None:
    async with working({"test": _succeed}, lease=Lease(heartbeat=0.1)):
        assert (await until(await jobs.enqueue(database, "test", {}), _ended)).state == "succeeded"
        await database.execute("DELETE FROM procrastinate_workers")
        assert (await until(await jobs.enqueue(database, "test", {}), _ended)).state == "succeeded"


async def _asleep(database: Database) -> UUID:
    """A job whose first attempt's worker has not been heard of for an hour."""
    job_id = await jobs.enqueue(database, "test", {})
    await database.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'job_id' = %s", (str(job_id),))
    await database.execute("UPDATE jobs SET state = 'running', fence = 1 WHERE id = %s", (job_id,))
    await database.execute(
        "INSERT INTO job_attempts VALUES (%s, 1, 'asleep', now(), now() - interval '1 hour')", (job_id,)
    )
    return job_id


async def test_a_queued_job_whose_delivery_was_lost_is_delivered_again(
    database: Database, working: Any, until: Any
) -> None:
    gone = await jobs.enqueue(database, "test", {})
    fetched_by_the_dead = await jobs.enqueue(database, "test", {})
    await database.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'job_id' = %s", (str(gone),))
    await database.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    async with working({"test": _succeed}):
        for job_id in (gone, fetched_by_the_dead):
            assert (await until(job_id, _ended)).result == {"attempt": 1}
    assert await database.fetch_all("SELECT * FROM procrastinate_jobs") == []


async def test_sweeping_twice_at_once_queues_a_job_once(database: Database) -> None:
    job_id = await _asleep(database)
    await asyncio.gather(*(sweep(database, 30) for _ in range(4)))
    assert (await jobs.fetch(database, job_id)).state == "queued"
    assert len(await database.fetch_all("SELECT id FROM procrastinate_jobs")) == 1
    assert len(await events.list_events(database, kind="job.lost")) == 1
