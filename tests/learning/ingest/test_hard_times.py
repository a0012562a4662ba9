"""What goes wrong while documents are taken in: nothing is lost, nothing is there twice, and it is said."""

import asyncio
import os
import subprocess
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from qdrant_client.http.exceptions import ResponseHandlingException

from tests.learning.ingest.conftest import Ingest, WordEmbedders, ended, worker
from tests.learning.ingest.test_job import check_whole, documents_of, the_collection
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Runner
from twotrack.learning.ingest import places, service
from twotrack.learning.ingest.errors import DocumentInaccessible
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores
from twotrack.stores.qdrant import QdrantStore


@pytest.fixture
def many(folder: Path) -> Path:
    for number in range(40):
        (folder / f"note-{number:02}.txt").write_text(f"Note {number}: " + "word " * 300)
    return folder


async def start(database: Database, folder: Path, collection: str = "documents") -> UUID:
    return await jobs.enqueue(database, "ingest", {"collection": collection, "path": str(folder)})


async def files_of(database: Database, job: UUID) -> dict[str, dict[str, Any]]:
    rows = await database.fetch_all("SELECT * FROM ingested_files WHERE job_id = %s", (job,))
    return {row["source"]: row for row in rows}


class AwayAfter:
    """A Qdrant client that loses its server after some calls that write, until it is `back`."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self._left = calls
        self.back = False

    def __getattr__(self, name: str) -> Any:
        if name in ("upsert", "delete") and not self.back:
            self._left -= 1
            if self._left < 0:
                raise ResponseHandlingException(ConnectionError("All connection attempts failed"))
        return getattr(self._client, name)


@pytest.fixture
async def in_qdrant(database: Database, layout: Layout) -> AsyncIterator[Stores]:
    """The collection "documents" keeps its vectors in Qdrant."""
    made = Stores(database, qdrant_url=":memory:")
    await service.create_collection(
        database.transaction, WordEmbedders(layout), made, "documents", store="qdrant"
    )
    yield made
    await made.close()


@pytest.mark.parametrize("calls", [0, 3])
async def test_a_vector_store_that_goes_away_is_made_whole_by_the_next_job(
    many: Path, database: Database, layout: Layout, embedders: WordEmbedders, in_qdrant: Stores, calls: int
) -> None:
    store = in_qdrant.store("qdrant")
    assert isinstance(store, QdrantStore)
    away = AwayAfter(store._client, calls)
    store._client = away
    async with worker(database, layout, embedders, in_qdrant):
        job = await ended(database, await start(database, many))
        assert job.state == "failed"
        assert job.error is not None
        assert job.error["type"] == "urn:twotrack:error:store-away"
        assert "TWOTRACK_QDRANT_URL" in job.error["remedy"]
        written = len(await documents_of(database))
        assert 0 < written < 43
        away.back = True
        job = await ended(database, await start(database, many))
        assert job.state == "succeeded", job.error
        assert job.result is not None
        assert (job.result["unchanged"], job.result["added"]) == (written, 43 - written)
    await check_whole(database, layout, in_qdrant)


async def test_a_collection_is_removed_while_its_store_is_away(
    folder: Path, database: Database, layout: Layout, embedders: WordEmbedders, in_qdrant: Stores
) -> None:
    async with worker(database, layout, embedders, in_qdrant):
        await ended(database, await start(database, folder))
        collection = await the_collection(database)
        known = in_qdrant._qdrant
        in_qdrant._qdrant, in_qdrant._url = None, None
        assert await service.delete_collection(database, layout, in_qdrant, "documents") == 3
        in_qdrant._qdrant, in_qdrant._url = known, ":memory:"
        assert known is not None
        assert await known.count(collection.vectors) > 0
        await database.fetch_all(
            "UPDATE spare_vectors SET created_at = now() - interval '1 hour' RETURNING id"
        )
        await ended(database, await start(database, folder, "another"))
    assert await database.fetch_all("SELECT id FROM spare_vectors") == []
    assert collection.vectors.hex not in str(await known._client.get_collections())


async def test_a_database_that_goes_away_only_delays(
    many: Path, database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> None:
    async with worker(database, layout, embedders, stores):
        job_id = await start(database, many)
        async for job in jobs.wait(database, job_id):
            if job.progress.get("done", 0) >= 5:
                break
        # All connections but the one that does this, as when the server is started anew.
        await database.fetch_all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        job = await ended(database, job_id)
    assert job.state == "succeeded", job.error
    assert job.result is not None
    assert (job.result["added"], job.result["failed"]) == (43, 0)
    await check_whole(database, layout, stores)


async def test_two_people_fill_one_collection_at_once(
    many: Path, tmp_path: Path, database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> None:
    other = tmp_path / "club"
    other.mkdir()
    for number in range(20):
        (other / f"note-{number:02}.txt").write_text(f"The club's note {number}.")
    async with worker(database, layout, embedders, stores), worker(database, layout, embedders, stores):
        first, second = await start(database, many), await start(database, other)
        ends = await asyncio.gather(ended(database, first), ended(database, second))
    assert [job.state for job in ends] == ["succeeded", "succeeded"], [job.error for job in ends]
    assert len(await documents_of(database)) == 63
    await check_whole(database, layout, stores)


async def test_a_collection_that_is_removed_while_it_is_filled_ends_the_job(
    many: Path, database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> None:
    embedders.usual.waits_after = 20
    async with worker(database, layout, embedders, stores):
        job_id = await start(database, many)
        async for job in jobs.wait(database, job_id):
            if job.progress.get("done", 0) >= 5:
                break
        await service.delete_collection(database, layout, stores, "documents")
        embedders.usual.waits_after = None
        embedders.usual.gate.set()
        job = await ended(database, job_id)
    assert job.error is not None
    assert job.error["type"] == "urn:twotrack:error:collection-not-found"
    for table in ("documents", "chunks", "collections", "spare_vectors"):
        assert await database.fetch_all(f"SELECT * FROM {table}") == [], table
    assert not list(layout.staging.glob("ingest-*"))


async def test_a_file_that_vanishes_is_told_and_its_old_reading_stays(
    many: Path, database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> None:
    async with worker(database, layout, embedders, stores):
        await ended(database, await start(database, many))
        for file in many.glob("note-*.txt"):
            file.write_text(file.read_text() + " more")
        last = many / "rules/leave.txt"
        embedders.usual.gate.clear()
        job_id = await start(database, many)
        async for job in jobs.wait(database, job_id):
            if job.progress.get("stage") in ("reading", "indexing"):
                break
        last.unlink()
        embedders.usual.gate.set()
        job = await ended(database, job_id)
        assert job.state == "succeeded", job.error
        told = (await files_of(database, job_id))["rules/leave.txt"]
        assert told["outcome"] == "failed"
        assert told["error"]["en"]["detail"] == "'rules/leave.txt' was gone when its turn came."
        assert (await documents_of(database))["rules/leave.txt"]["state"] == "ready"
        await check_whole(database, layout, stores)
        # The next look at the folder knows that it is gone.
        await ended(database, await start(database, many))
    assert "rules/leave.txt" not in await documents_of(database)
    await check_whole(database, layout, stores)


async def test_names_that_come_out_alike_are_two_documents(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    decomposed = unicodedata.normalize("NFD", "등대.txt")
    (folder / "등대.txt").write_text("등대는 서쪽에 있다.")
    (folder / decomposed).write_text(unicodedata.normalize("NFD", "다른 등대는 동쪽에 있다."))
    (folder / "new\nline.txt").write_text("One with a newline.")
    (folder / "newline.txt").write_text("One without.")
    (folder / "\u202etxt.exe.md").write_text("One that reads backwards.")
    (folder / os.fsdecode(b"bytes-\xff.txt")).write_text("One whose name is no text.")
    for _ in range(2):
        job = await ingest(path=folder)
        assert job.state == "succeeded", job.error
        found = await documents_of(database)
        assert {"등대.txt", "등대 (2).txt", "newline.txt", "newline (2).txt", "txt.exe.md"} <= set(found)
        assert len(found) == 9
        texts = {found["등대.txt"]["text"], found["등대 (2).txt"]["text"]}
        assert texts == {"등대는 서쪽에 있다.", "다른 등대는 동쪽에 있다."}
    assert job.result is not None
    assert job.result["unchanged"] == 9
    await check_whole(database, layout, stores)


async def test_uploads_of_one_name_are_two_documents(
    database: Database, layout: Layout, working: Runner
) -> None:
    job_id = uuid4()
    uploads = layout.job(job_id) / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "0").write_text("The first.")
    (uploads / "1").write_text("The second.")
    args = {"collection": "documents", "uploads": ["notes.txt", "notes.txt"]}
    await jobs.enqueue(database, "ingest", args, job_id=job_id)
    assert (await ended(database, job_id)).state == "succeeded"
    found = await documents_of(database)
    assert {source: one["text"] for source, one in found.items()} == {
        "notes.txt": "The first.",
        "notes (2).txt": "The second.",
    }


@pytest.fixture
def as_somebody() -> Iterator[Path]:
    """A folder that others may enter, while this process is not root, whom no permission keeps out."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.chown(made, 65534, 65534)
            os.seteuid(65534)
        try:
            yield made
        finally:
            if root:
                os.seteuid(0)
            for folder in (made / "closed",):
                if folder.exists():
                    folder.chmod(0o700)


def test_a_folder_without_permission_is_told_and_deletes_nothing(as_somebody: Path) -> None:
    closed = as_somebody / "closed"
    closed.mkdir()
    (closed / "a.txt").write_text("hidden")
    (as_somebody / "b.txt").write_text("open")
    closed.chmod(0)
    place = places.of_path(as_somebody)
    assert [item.source for item in place.items] == ["b.txt"]
    assert [source for source, _ in place.unreadable] == ["closed/"]
    assert not place.whole
    with pytest.raises(DocumentInaccessible, match="Permission denied") as refused:
        places.of_path(closed)
    for language in ("en", "ko"):
        assert refused.value.advise(language)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with less room than the studio keeps in reserve."""
    made = tmp_path / "disk"
    made.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(made)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a disk")
    try:
        yield made
    finally:
        subprocess.run(["umount", "-l", str(made)], check=True)


async def test_a_full_disk_is_told_and_nothing_half_is_left(
    small_disk: Path, folder: Path, database: Database, stores: Stores
) -> None:
    layout = Layout(small_disk)
    async with worker(database, layout, WordEmbedders(layout), stores):
        job = await ended(database, await start(database, folder))
    assert job.error is not None
    assert job.error["type"] == "urn:twotrack:error:disk-full"
    assert "TWOTRACK_HOME" in job.error["remedy"]
    assert await documents_of(database) == {}
    assert not list(layout.staging.glob("ingest-*"))
