"""kill -9 of the worker in the middle of a job: no chunk is lost, and none is there twice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.learning.ingest.test_job import check_whole, documents_of
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.processes import child_options
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores

StartWorker = Callable[[], Awaitable[asyncio.subprocess.Process]]

_DOCUMENTS = 6


@pytest.fixture
async def start(database_url: str, home: Path, embedder_layout: Layout) -> AsyncIterator[StartWorker]:
    """A worker of its own process, with the default embedder in its data folder."""
    (home / "derived").mkdir()
    (home / "derived" / "embedders").symlink_to(embedder_layout.home / "derived" / "embedders")
    environment = {"DATABASE_URL": database_url, "TWOTRACK_HOME": str(home), "TWOTRACK_THREADS": "1"}
    started: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twotrack.worker"), **child_options(environment)
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.slow
async def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    start: StartWorker, database: Database, layout: Layout, stores: Stores, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(_DOCUMENTS):
        sentences = (
            f"{number}번 창고의 {line}번째 상자에는 소금이 {line * 7}근 들어 있다." for line in range(150)
        )
        (folder / f"note-{number}.txt").write_text("\n\n".join(sentences))
    worker = await start()
    job_id = await jobs.enqueue(database, "ingest", {"collection": "documents", "path": str(folder)})
    async with asyncio.timeout(240), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            assert job.state in ("queued", "running"), job.error
            if job.progress.get("done", 0) >= 1:
                break
    worker.kill()
    await worker.wait()
    before = await documents_of(database)
    assert 1 <= len(before) < _DOCUMENTS
    await start()
    async with asyncio.timeout(240), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            last = job
    assert last.state == "succeeded", last.error
    assert last.result is not None
    # What the killed attempt had added is told as added, not as found unchanged.
    assert (last.result["added"], last.result["unchanged"]) == (_DOCUMENTS, 0)
    after = await documents_of(database)
    assert len(after) == _DOCUMENTS
    assert {source: after[source]["updated_at"] for source in before} == {
        source: document["updated_at"] for source, document in before.items()
    }
    await check_whole(database, layout, stores)
    # Both legs of the lexical search are filled: `make setup` installs the analyser.
    rows = await database.fetch_all("SELECT count(*) FILTER (WHERE morphemes IS NULL) AS without FROM chunks")
    assert rows[0]["without"] == 0
