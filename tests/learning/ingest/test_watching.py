"""The folder `data` is taken in by itself, once it stays as it is."""

from pathlib import Path

from tests.learning.ingest.conftest import ended
from tests.learning.ingest.test_job import documents_of
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Runner
from twotrack.learning.ingest.watching import Watch
from twotrack.registry.layout import Layout


async def test_what_is_put_into_the_folder_is_taken_in_once(
    database: Database, layout: Layout, working: Runner
) -> None:
    watch = Watch(database, layout)
    assert not await watch.look()
    data = layout.home / "data"
    data.mkdir()
    (data / "photo.jpg").write_bytes(b"\xff\xd8")
    assert [await watch.look() for _ in range(2)] == [False, False]
    (data / "tide.md").write_text("# Tide\n\nHigh water at six.")
    assert not await watch.look(), "it may still be being written"
    assert await watch.look()
    assert not await watch.look()
    # Another worker, or this one after a start.
    again = Watch(database, layout)
    assert [await again.look() for _ in range(2)] == [False, False]
    (job,) = await jobs.list_jobs(database)
    assert (await ended(database, job.id)).state == "succeeded"
    assert list(await documents_of(database)) == ["tide.md"]


async def test_a_file_that_grows_is_waited_for(database: Database, layout: Layout) -> None:
    watch = Watch(database, layout)
    data = layout.home / "data"
    data.mkdir()
    growing: Path = data / "log.txt"
    for length in range(1, 5):
        growing.write_text("word " * length)
        assert not await watch.look()
    assert await watch.look()
