"""A worker in this process, on a real database: outcomes, cancelling, lanes, stopping, lost connections."""

import asyncio
import logging
from typing import Any

import psycopg
import pytest

from twotrack.core import events, jobs
from twotrack.core.database import Database
from twotrack.core.errors import Conflict
from twotrack.core.job_runner import Lane
from twotrack.core.jobs import Attempt, Job, JobCancelled
from twotrack.core.language import Text


def _ended(job: Job) -> bool:
    return job.state in jobs.ENDED


def _at(stage: str) -> Any:
    return lambda job: job.progress.get("stage") == stage


class _Gate:
    """A body that tells "waiting", waits to be let through, and then returns."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside = 0
        self.most_inside = 0
        self.cleaned_up = False

    async def __call__(self, attempt: Attempt) -> dict[str, Any]:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await attempt.report("waiting", attempt=attempt.token)
            await self.open.wait()
        finally:
            self.inside -= 1
            self.cleaned_up = True
        return {"attempt": attempt.token}


async def _outcomes(database: Database, job_id: Any) -> list[str | None]:
    rows = await database.fetch_all(
        "SELECT outcome FROM job_attempts WHERE job_id = %s ORDER BY token", (job_id,)
    )
    return [row["outcome"] for row in rows]


async def test_a_job_runs_with_its_arguments_and_keeps_its_result(
    database: Database, working: Any, until: Any
) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        await attempt.report("halfway", fraction=0.5)
        await attempt.report("at the end", fraction=1.0)
        return {"echo": attempt.args["text"], "token": attempt.token}

    async with working({"test": body}):
        job_id = await jobs.enqueue(database, "test", {"text": "안녕"})
        job = await until(job_id, _ended)
    assert (job.state, job.result, job.error) == ("succeeded", {"echo": "안녕", "token": 1}, None)
    assert job.progress == {"stage": "at the end", "fraction": 1.0}
    assert job.started_at is not None
    assert job.finished_at is not None
    assert await _outcomes(database, job_id) == ["succeeded"]
    (event,) = await events.list_events(database)
    assert event.kind == "job.succeeded"
    assert event.details == {"job": str(job_id), "kind": "test", "by": {"key_id": None, "name": "owner"}}


async def test_jobs_that_were_queued_before_the_worker_are_run_in_order(
    database: Database, working: Any, until: Any
) -> None:
    order = []

    async def body(attempt: Attempt) -> dict[str, Any]:
        order.append(attempt.args["number"])
        return {}

    made = [await jobs.enqueue(database, "test", {"number": number}) for number in range(4)]
    async with working({}, Lane({"test": body}, at_once=1)):
        for job_id in made:
            assert (await until(job_id, _ended)).state == "succeeded"
    assert order == [0, 1, 2, 3]


async def test_an_error_for_people_becomes_the_jobs_problem_document(
    database: Database, working: Any, until: Any
) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        raise Conflict(why=Text("The base is in use.", "사용 중인 베이스입니다."))

    async with working({"test": body}):
        job_id = await jobs.enqueue(database, "test", {})
        job = await until(job_id, _ended)
    assert job.state == "failed"
    assert job.error is not None
    assert (job.error["type"], job.error["detail"]) == ("urn:twotrack:error:conflict", "The base is in use.")
    korean = await jobs.fetch(database, job_id, language="ko")
    assert korean.error is not None
    assert korean.error["detail"] == "사용 중인 베이스입니다."
    assert await _outcomes(database, job_id) == ["failed"]


async def test_an_unforeseen_error_is_told_to_the_log_and_not_to_people(
    database: Database, working: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        raise RuntimeError("the secret inside")

    async with working({"test": body}):
        job_id = await jobs.enqueue(database, "test", {})
        job = await until(job_id, _ended)
    assert job.state == "failed"
    assert "secret" not in str(job.error)
    assert str(job_id) in str(job.error)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "the secret inside" in str(record.exc_info[1])


async def test_a_result_that_json_cannot_hold_does_not_lose_the_job(
    database: Database, working: Any, until: Any
) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        return {"loss": float("inf"), "job": attempt.job_id}

    async with working({"test": body}):
        job = await until(await jobs.enqueue(database, "test", {}), _ended)
    assert job.result == {"loss": None, "job": str(job.id)}


async def test_a_running_job_that_waits_is_cancelled_and_cleans_up(
    database: Database, working: Any, until: Any
) -> None:
    gate = _Gate()
    async with working({"test": gate}):
        job_id = await jobs.enqueue(database, "test", {})
        await until(job_id, _at("waiting"))
        await jobs.cancel(database, job_id)
        job = await until(job_id, _ended)
    assert job.state == "cancelled"
    assert job.finished_at is not None
    assert gate.cleaned_up
    assert await _outcomes(database, job_id) == ["cancelled"]


async def test_a_body_is_not_cancelled_a_second_time_in_its_cleaning_up(
    database: Database, working: Any, until: Any
) -> None:
    told = asyncio.Event()
    cleaned = asyncio.Event()

    async def body(attempt: Attempt) -> dict[str, Any]:
        try:
            await attempt.report("waiting")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.set()
            # Whatever is reported now raises instead of cancelling.
            with pytest.raises(JobCancelled):
                await attempt.report("cleaning up")
            async with attempt.transaction() as connection:
                await connection.execute("INSERT INTO cleanings VALUES (1)")
            cleaned.set()
        return {}

    await database.execute("CREATE TABLE cleanings (n integer)")
    async with asyncio.timeout(30), working({"test": body}):
        job_id = await jobs.enqueue(database, "test", {})
        await until(job_id, _at("waiting"))
        await jobs.cancel(database, job_id)
        await told.wait()
        await jobs.cancel(database, job_id)
        await cleaned.wait()
        # It got through in spite of the cancellation: what is done is done.
        assert (await until(job_id, _ended)).state == "succeeded"
    assert await database.fetch_all("SELECT n FROM cleanings") == [{"n": 1}]


async def test_a_second_job_of_a_lane_waits_while_other_lanes_go_on(
    database: Database, working: Any, until: Any
) -> None:
    gate = _Gate()

    async def pull(attempt: Attempt) -> dict[str, Any]:
        return {}

    async with working({"pull": pull}, Lane({"train": gate, "score": gate}, at_once=1)):
        training = await jobs.enqueue(database, "train", {})
        scoring = await jobs.enqueue(database, "score", {})
        await until(training, _at("waiting"))
        pulling = await jobs.enqueue(database, "pull", {})
        assert (await until(pulling, _ended)).state == "succeeded"
        assert (await jobs.fetch(database, scoring)).state == "queued"
        gate.open.set()
        for job_id in (training, scoring):
            assert (await until(job_id, _ended)).state == "succeeded"
    assert gate.most_inside == 1


async def test_a_stopping_worker_puts_its_jobs_back_and_the_next_one_resumes_them(
    database: Database, working: Any, until: Any
) -> None:
    gate = _Gate()
    async with working({"test": gate}) as worker:
        job_id = await jobs.enqueue(database, "test", {})
        await until(job_id, _at("waiting"))
        await worker.stop(30)
        assert (await jobs.fetch(database, job_id)).state == "queued"
        assert gate.cleaned_up
    gate.open.set()
    async with working({"test": gate}):
        job = await until(job_id, _ended)
    assert (job.state, job.result) == ("succeeded", {"attempt": 2})
    assert await _outcomes(database, job_id) == ["interrupted", "succeeded"]


async def test_a_body_that_does_not_stop_loses_its_job_all_the_same(
    database: Database, working: Any, until: Any
) -> None:
    done = asyncio.Event()

    async def stubborn(attempt: Attempt) -> dict[str, Any]:
        await attempt.report("waiting")
        while not done.is_set():
            try:
                await done.wait()
            except asyncio.CancelledError:
                continue
        return {"token": attempt.token}

    async with working({"test": stubborn}) as worker:
        job_id = await jobs.enqueue(database, "test", {})
        await until(job_id, _at("waiting"))
        await worker.stop(0.01)
        assert (await jobs.fetch(database, job_id)).state == "queued"
        done.set()
    async with working({"test": stubborn}):
        # Its late result was refused: the job is the second attempt's.
        assert (await until(job_id, _ended)).result == {"token": 2}


async def test_stopping_without_any_job_ends_at_once(working: Any) -> None:
    async with asyncio.timeout(30), working({}) as worker:
        await worker.stop(30)


async def test_a_running_job_survives_a_database_that_drops_all_connections(
    database: Database, database_url: str, working: Any, until: Any
) -> None:
    gate = _Gate()
    async with working({"test": gate}):
        job_id = await jobs.enqueue(database, "test", {})
        await until(job_id, _at("waiting"))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
            await other.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """
            )
        gate.open.set()
        job = await until(job_id, _ended)
        assert (job.state, job.result) == ("succeeded", {"attempt": 1})
        # And the worker still takes new ones.
        assert (await until(await jobs.enqueue(database, "test", {}), _ended)).state == "succeeded"


async def test_a_body_that_loses_the_database_is_tried_again(
    database: Database, working: Any, until: Any
) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        if attempt.token == 1:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return {"token": attempt.token}

    async with working({"test": body}):
        job = await until(await jobs.enqueue(database, "test", {}), _ended)
    assert job.result == {"token": 2}
    assert await _outcomes(database, job.id) == ["lost", "succeeded"]


async def test_a_delivery_that_is_not_the_newest_begins_nothing(
    database: Database, working: Any, until: Any
) -> None:
    calls = []

    async def body(attempt: Attempt) -> dict[str, Any]:
        calls.append(attempt.token)
        return {}

    job_id = await jobs.enqueue(database, "test", {})
    await database.execute(
        """
        INSERT INTO procrastinate_jobs (queue_name, task_name, args)
        SELECT queue_name, task_name, args FROM procrastinate_jobs
        """
    )
    async with working({}, Lane({"test": body}, at_once=1)):
        await until(job_id, _ended)
        # One at a time and in order: once a later job is over, so is the second delivery.
        await until(await jobs.enqueue(database, "test", {}), _ended)
    assert calls == [1, 1]
    assert await _outcomes(database, job_id) == ["succeeded"]


async def test_deliveries_do_not_pile_up(database: Database, working: Any, until: Any) -> None:
    async def body(attempt: Attempt) -> dict[str, Any]:
        return {}

    async with working({"test": body}):
        await until(await jobs.enqueue(database, "test", {}), _ended)
    assert await database.fetch_all("SELECT * FROM procrastinate_jobs") == []
    assert await database.fetch_all("SELECT * FROM procrastinate_workers") == []
