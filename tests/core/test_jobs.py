"""Jobs as people and bodies see them: enqueue, follow, cancel, report, and the fence."""

import asyncio
import itertools
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import NotFound
from twotrack.core.jobs import Attempt, Job, JobCancelled, StaleAttempt


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _begun(database: Database, *, clock: _Clock | None = None) -> Attempt:
    """An attempt as a worker would begin it, without a worker."""
    job_id = await jobs.enqueue(database, "test", {})
    await database.execute("UPDATE jobs SET state = 'running', fence = 1 WHERE id = %s", (job_id,))
    return Attempt(database, job_id, 1, {}, clock=clock or _Clock())


async def _pass_to_newer_attempt(database: Database, job_id: UUID) -> None:
    await database.execute("UPDATE jobs SET fence = fence + 1 WHERE id = %s", (job_id,))


async def _deliveries(database: Database) -> list[dict[str, Any]]:
    return await database.fetch_all("SELECT id, queue_name, status, args FROM procrastinate_jobs ORDER BY id")


async def test_a_new_job_is_queued_and_delivered_to_the_queue_of_its_kind(database: Database) -> None:
    job_id = await jobs.enqueue(database, "pull", {"source": "starter"})
    job = await jobs.fetch(database, job_id)
    assert (job.kind, job.args, job.state) == ("pull", {"source": "starter"}, "queued")
    assert job.started_at is None
    assert job.finished_at is None
    (delivery,) = await _deliveries(database)
    assert (delivery["queue_name"], delivery["args"]) == ("pull", {"job_id": str(job_id)})


async def test_a_job_that_cannot_be_written_is_not_delivered_either(database: Database) -> None:
    await database.execute("ALTER TABLE jobs ADD CONSTRAINT no_test CHECK (kind <> 'test')")
    with pytest.raises(psycopg.errors.CheckViolation):
        await jobs.enqueue(database, "test", {})
    assert await _deliveries(database) == []


async def test_jobs_are_listed_newest_first_by_kind_state_and_page(database: Database) -> None:
    made = [await jobs.enqueue(database, kind, {}) for kind in ("pull", "train", "pull", "pull")]
    await jobs.cancel(database, made[0])
    assert [job.id for job in await jobs.list_jobs(database)] == made[::-1]
    assert [job.id for job in await jobs.list_jobs(database, kind="train")] == [made[1]]
    assert [job.id for job in await jobs.list_jobs(database, state="cancelled")] == [made[0]]
    first_page = await jobs.list_jobs(database, kind="pull", limit=2)
    assert [job.id for job in first_page] == [made[3], made[2]]
    second_page = await jobs.list_jobs(database, kind="pull", before=first_page[-1].id)
    assert [job.id for job in second_page] == [made[0]]


async def test_an_unknown_job_is_named_in_the_error(database: Database) -> None:
    unknown = uuid4()
    for ask in (jobs.fetch, jobs.cancel):
        with pytest.raises(NotFound, match=str(unknown)):
            await ask(database, unknown)
    with pytest.raises(NotFound):
        await anext(jobs.wait(database, unknown))


async def test_a_queued_job_is_cancelled_at_once_and_its_delivery_withdrawn(database: Database) -> None:
    job_id = await jobs.enqueue(database, "test", {})
    job = await jobs.cancel(database, job_id)
    assert job.state == "cancelled"
    assert job.finished_at is not None
    assert await _deliveries(database) == []


async def test_cancelling_a_job_that_is_over_changes_nothing(database: Database) -> None:
    job_id = await jobs.enqueue(database, "test", {})
    await database.execute(
        "UPDATE jobs SET state = 'succeeded', result = '{}', finished_at = now() WHERE id = %s", (job_id,)
    )
    over = await jobs.fetch(database, job_id)
    assert await jobs.cancel(database, job_id) == over


async def test_waiting_shows_the_job_as_it_is_then_each_change_to_its_end(database: Database) -> None:
    attempt = await _begun(database)
    seen: list[Job] = []
    async with asyncio.timeout(30):
        async for job in jobs.wait(database, attempt.job_id):
            seen.append(job)
            if len(seen) == 1:
                await attempt.report("reading")
            elif len(seen) == 2:
                await database.execute(
                    "UPDATE jobs SET state = 'succeeded', result = '{\"n\": 1}' WHERE id = %s", (job.id,)
                )
    assert [job.progress.get("stage") for job in seen] == [None, "reading", "reading"]
    assert [job.state for job in seen] == ["running", "running", "succeeded"]
    assert seen[-1].result == {"n": 1}


async def test_waiting_for_a_job_that_is_over_ends_at_once(database: Database) -> None:
    job_id = await jobs.enqueue(database, "test", {})
    await jobs.cancel(database, job_id)
    assert [job.state async for job in jobs.wait(database, job_id)] == ["cancelled"]


async def test_an_error_is_read_in_the_language_of_the_reader(database: Database) -> None:
    job_id = await jobs.enqueue(database, "test", {})
    await database.execute(
        """
        UPDATE jobs SET state = 'failed', error = '{"en": {"detail": "No."}, "ko": {"detail": "아니요."}}'
        WHERE id = %s
        """,
        (job_id,),
    )
    assert (await jobs.fetch(database, job_id)).error == {"detail": "No."}
    assert (await jobs.list_jobs(database, language="ko"))[0].error == {"detail": "아니요."}


async def test_progress_is_written_at_most_five_times_a_second(database: Database) -> None:
    await database.execute("CREATE TABLE writes (stage text)")
    await database.execute(
        """
        CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO writes VALUES (NEW.progress ->> 'stage'); RETURN NULL; END $$
        """
    )
    await database.execute(
        "CREATE TRIGGER w AFTER UPDATE OF progress ON jobs FOR EACH ROW EXECUTE FUNCTION count_write()"
    )
    clock = _Clock()
    attempt = await _begun(database, clock=clock)
    for step in itertools.count():
        clock.now = 1000.0 + step * 0.01
        if clock.now > 1002.0:
            break
        await attempt.report(str(step))
        # The clock is not the event loop's: what waits for its time is not written by it here.
        await attempt.close()
    writes = await database.fetch_all("SELECT stage FROM writes")
    assert 10 <= len(writes) <= 11
    assert writes[0]["stage"] == "0"


async def test_the_last_progress_is_written_though_nothing_follows_it(database: Database, until: Any) -> None:
    attempt = await _begun(database)
    await attempt.report("first")
    await attempt.report("second")
    await attempt.report("third", fraction=0.5, tokens=7)
    job = await until(attempt.job_id, lambda job: job.progress["stage"] != "first")
    assert job.progress == {"stage": "third", "fraction": 0.5, "tokens": 7}
    assert attempt.unwritten is None


async def test_progress_that_is_told_during_a_write_is_written_too(
    database: Database, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await _begun(database)
    await attempt.report("first")
    fetch_one = database.fetch_one

    async def slow(query: str, *values: Any) -> Any:
        row = await fetch_one(query, *values)
        if "UPDATE jobs SET progress" in query:
            monkeypatch.undo()
            await attempt.report("third")
        return row

    monkeypatch.setattr(database, "fetch_one", slow)
    await attempt.report("second")
    job = await until(attempt.job_id, lambda job: job.progress["stage"] == "third")
    assert job.progress == {"stage": "third"}


async def test_progress_that_json_cannot_hold_is_written_all_the_same(database: Database) -> None:
    attempt = await _begun(database)
    await attempt.report("training", loss=float("nan"), text="half\ud83d nul\0", path=attempt.job_id)
    job = await jobs.fetch(database, attempt.job_id)
    assert job.progress == {
        "stage": "training",
        "loss": None,
        "text": "half? nul\ufffd",
        "path": str(attempt.job_id),
    }


async def test_a_stale_attempt_writes_no_progress_and_is_told(database: Database) -> None:
    clock = _Clock()
    attempt = await _begun(database, clock=clock)
    await attempt.report("mine")
    await _pass_to_newer_attempt(database, attempt.job_id)
    clock.now += 1
    with pytest.raises(StaleAttempt):
        await attempt.report("too late")
    with pytest.raises(StaleAttempt):
        await attempt.check()
    assert (await jobs.fetch(database, attempt.job_id)).progress == {"stage": "mine"}


async def test_a_stale_attempt_gets_no_transaction(database: Database) -> None:
    await database.execute("CREATE TABLE effects (token bigint)")
    stale = await _begun(database)
    await _pass_to_newer_attempt(database, stale.job_id)
    newest = Attempt(database, stale.job_id, 2, {})
    for attempt in (stale, newest):
        try:
            async with attempt.transaction() as connection:
                await connection.execute("INSERT INTO effects VALUES (%s)", (attempt.token,))
        except StaleAttempt:
            assert attempt is stale
    assert await database.fetch_all("SELECT token FROM effects") == [{"token": 2}]


async def test_no_newer_attempt_begins_within_a_transaction_of_the_present_one(database: Database) -> None:
    attempt = await _begun(database)
    async with attempt.transaction(), database.transaction() as other:
        await other.execute("SET LOCAL lock_timeout = '1ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await other.execute("UPDATE jobs SET fence = fence + 1 WHERE id = %s", (attempt.job_id,))


async def test_a_job_that_is_over_gets_no_transaction(database: Database) -> None:
    attempt = await _begun(database)
    await database.execute("UPDATE jobs SET state = 'cancelled' WHERE id = %s", (attempt.job_id,))
    with pytest.raises(StaleAttempt):
        async with attempt.transaction():
            pytest.fail("the fence let it through")


async def test_a_cancelled_attempt_is_told_by_report_and_check_but_may_still_clean_up(
    database: Database,
) -> None:
    clock = _Clock()
    attempt = await _begun(database, clock=clock)
    assert (await jobs.cancel(database, attempt.job_id)).state == "running"
    with pytest.raises(JobCancelled):
        await attempt.check()
    with pytest.raises(JobCancelled):
        await attempt.report("going on")
    async with attempt.transaction() as connection:
        await connection.execute("SELECT 1")


async def test_progress_waits_when_the_database_does_not_take_it(database: Database) -> None:
    unreachable = Database("postgresql://127.0.0.1:1/none", min_size=0)
    await unreachable.pool.open()
    unreachable.pool.timeout = 0.01
    clock = _Clock()
    there = await _begun(database)
    attempt = Attempt(unreachable, there.job_id, 1, {}, clock=clock)
    await attempt.report("working")
    assert attempt.unwritten == {"stage": "working"}
    await unreachable.close()
