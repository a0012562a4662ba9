"""A worker for one kind of job, to be stopped: `python worker_of_a_kind.py KIND DATABASE_URL HOME`."""

import asyncio
import functools
import sys
from pathlib import Path

from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Lease, Runner
from twotrack.core.jobs import JobBody
from twotrack.core.processes import watch_lifeline
from twotrack.registry.layout import Layout


def body_of(kind: str, database: Database, layout: Layout) -> JobBody:
    if kind == "train":
        from twotrack.learning.train.job import train_job

        # With a checkpoint after every step.
        return functools.partial(train_job, database=database, layout=layout, seconds_between_checkpoints=0.0)
    from twotrack.release.job import export_job

    return functools.partial(export_job, database=database, layout=layout)


async def main() -> None:
    kind, url, home = sys.argv[1:]
    database = Database(url)
    await database.open()
    body = body_of(kind, database, Layout(Path(home)))
    # Heartbeats tell at once that a job is somebody else's; nobody is taken for dead for being slow.
    await Runner(database, [Lane({kind: body}, at_once=1)], Lease(heartbeat=0.1, stall=3600)).serve()


if __name__ == "__main__":
    watch_lifeline()
    asyncio.run(main())
