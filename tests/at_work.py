"""Workers in the test's own process or in one of their own, and the end of a job."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Lease, Runner
from twotrack.core.jobs import Job
from twotrack.core.processes import child_options
from twotrack.registry.layout import Layout


@asynccontextmanager
async def at_work(
    database: Database, lanes: Sequence[Lane], lease: Lease | None = None, *, grace: float = 5
) -> AsyncIterator[Runner]:
    runner = Runner(database, lanes, lease)
    serving = asyncio.create_task(runner.serve())
    try:
        yield runner
    finally:
        await runner.stop(grace)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def ended(database: Database, job_id: UUID, seconds: float = 900) -> Job:
    """The job once it is over."""
    async with asyncio.timeout(seconds), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            if job.state in jobs.ENDED:
                return job
    raise AssertionError("unreachable")


@asynccontextmanager
async def worker_process(
    kind: str, database_url: str, layout: Layout
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker of its own for jobs of this kind; it is killed at the end, if it lives then."""
    script = str(Path(__file__).with_name("worker_of_a_kind.py"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, script, kind, database_url, str(layout.home)), **child_options()
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
