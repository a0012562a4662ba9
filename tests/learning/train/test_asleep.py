"""A laptop that falls asleep while it trains: worker and child are stopped, really, and wake again."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import psutil
import pytest

from tests.at_work import worker_process
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_recovery import sweep
from twotrack.core.jobs import Job
from twotrack.learning.train import service
from twotrack.registry import tables
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytest.importorskip("trl")

pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

_EPOCHS = 40


@contextmanager
def _asleep(pid: int) -> Iterator[None]:
    """The process and what it has started stand still meanwhile."""
    worker = psutil.Process(pid)
    stopped = [worker, *worker.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _beyond(step: int) -> Callable[[Job], bool]:
    return lambda job: job.progress.get("step", 0) > step and job.progress["stage"] == "training"


async def _outcomes(database: Database, job: Job) -> list[str | None]:
    query = "SELECT outcome FROM job_attempts WHERE job_id = %s ORDER BY token"
    return [row["outcome"] for row in await database.fetch_all(query, (job.id,))]


async def test_a_laptop_that_sleeps_for_longer_than_the_lease_loses_nothing_and_writes_nothing_twice(
    database: Database, database_url: str, layout: Layout, tiny_base: Base, facts: bytes, until: Any
) -> None:
    recipe = {"base": "tiny", "name": "velmora", "epochs": _EPOCHS, "batch_size": 2, "precision": "fp32"}
    job_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    async with worker_process("train", database_url, layout) as first:
        reached = (await until(job_id, _beyond(1))).progress["step"]
        with _asleep(first.pid):
            # Nobody else is there: what it wakes to is its own lease, an hour old.
            await database.execute("UPDATE job_attempts SET heartbeat_at = now() - interval '1 hour'")
        job = await until(job_id, _beyond(reached))
        assert await _outcomes(database, job) == [None]

        async with AsyncExitStack() as second:
            with _asleep(first.pid):
                # What every worker does, as if the lease were over.
                await sweep(database, 0.0)
                await second.enter_async_context(worker_process("train", database_url, layout))
                # Its child waits for the one that sleeps.
                await until(job_id, lambda job: job.progress.get("stage") == "waiting")
            done = await until(job_id, lambda job: job.state in jobs.ENDED)
    assert done.state == "succeeded", done.error
    # The sleeper found its run in other hands; that was no death of it.
    assert await _outcomes(database, done) == ["interrupted", "succeeded"]
    async with database.transaction() as connection:
        assert len(await tables.list_adapters_of_job(connection, job_id)) == 1
    run = await service.get_run(database, layout, job_id)
    assert [point.step for point in run.history] == list(range(1, 2 * _EPOCHS + 1))
