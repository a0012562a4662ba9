"""What the tests of jobs share: a worker in this process, and a look at a job until it is as wanted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from tests.at_work import at_work
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Lease, Runner
from twotrack.core.jobs import Job, JobBody

Working = Callable[..., AbstractAsyncContextManager[Runner]]


@pytest.fixture
def working(database: Database) -> Working:
    """`async with working({"kind": body, …})`: a runner that serves these kinds, all in one lane."""

    @asynccontextmanager
    async def work(
        bodies: Mapping[str, JobBody], *more: Lane, lease: Lease | None = None
    ) -> AsyncIterator[Runner]:
        lanes = [Lane(bodies, at_once=2), *more]
        async with at_work(database, lanes, lease, grace=0.1) as runner:
            yield runner

    return work


@pytest.fixture
def until(database: Database) -> Any:
    """`await until(job_id, lambda job: …)`: the first snapshot of the job for which this is true."""

    async def watch(job_id: UUID, wanted: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(30), aclosing(jobs.wait(database, job_id)) as snapshots:
            async for job in snapshots:
                if wanted(job):
                    return job
        raise AssertionError(f"the job ended otherwise: {await jobs.fetch(database, job_id)}")

    return watch
