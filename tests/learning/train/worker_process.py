"""A worker that trains, to be stopped: `python worker_process.py DATABASE_URL HOME`."""

import asyncio
import functools
import sys
from pathlib import Path

from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Lease, Runner
from twotrack.core.processes import watch_lifeline
from twotrack.learning.train.job import train_job
from twotrack.registry.layout import Layout


async def main() -> None:
    url, home = sys.argv[1:]
    database = Database(url)
    await database.open()
    body = functools.partial(
        train_job, database=database, layout=Layout(Path(home)), seconds_between_checkpoints=0.0
    )
    # A heartbeat after waking tells at once that the run is somebody else's.
    lease = Lease(heartbeat=0.1, stall=3600)
    await Runner(database, [Lane({"train": body}, at_once=1)], lease).serve()


if __name__ == "__main__":
    watch_lifeline()
    asyncio.run(main())
