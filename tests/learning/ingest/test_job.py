"""What a job of ingestion leaves behind: all of it, nothing twice, and nothing half."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.learning.ingest.conftest import Ingest, WordEmbedders, ended
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Runner
from twotrack.learning.ingest import service
from twotrack.learning.ingest.originals import original
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores
from twotrack.stores.collections import get_collection
from twotrack.stores.lexical import bigram_terms, search
from twotrack.stores.schemas import Collection


async def documents_of(database: Database) -> dict[str, dict[str, Any]]:
    rows = await database.fetch_all("SELECT * FROM documents ORDER BY source")
    return {row["source"]: row for row in rows}


async def the_collection(database: Database, name: str = "documents") -> Collection:
    async with database.transaction() as connection:
        return await get_collection(connection, name)


async def check_whole(database: Database, layout: Layout, stores: Stores) -> None:
    """Every chunk says what stands in its document, has its vector and its terms; and there are no others."""
    rows = await database.fetch_all(
        "SELECT chunks.id, chunks.text, substr(documents.text, start + 1, stop - start) AS slice,"
        " bigrams_length, state FROM chunks JOIN documents ON documents.id = document_id"
    )
    for row in rows:
        assert row["text"] == row["slice"]
        assert row["state"] == "ready"
        assert row["bigrams_length"] > 0
    collection = await the_collection(database)
    store = stores.store_for(collection)
    assert await store.missing(collection.vectors, [row["id"] for row in rows]) == []
    assert await store.count(collection.vectors) == len(rows)
    positions = await database.fetch_all(
        "SELECT array_agg(position ORDER BY position) AS positions FROM chunks GROUP BY document_id"
    )
    assert all(row["positions"] == list(range(len(row["positions"]))) for row in positions)
    for document in (await documents_of(database)).values():
        if document["state"] == "ready":
            path = original(layout, document["id"], document["sha256"])
            assert hashlib.sha256(path.read_bytes()).hexdigest() == document["sha256"]
            assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert not list(layout.staging.glob("ingest-*"))
    assert collection.statistics["chunks"] == len(rows)


async def test_a_folder_becomes_a_collection_that_can_be_searched(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    job = await ingest(path=folder)
    assert job.state == "succeeded", job.error
    assert job.result is not None
    assert (job.result["added"], job.result["failed"]) == (3, 0)
    found = await documents_of(database)
    assert list(found) == ["harbour.md", "rules/fees.csv", "rules/leave.txt"]
    assert found["harbour.md"]["title"] == "Harbour"
    assert found["harbour.md"]["headings"] == [[0, 1, "Harbour"], [34, 2, "Fees"]]
    assert found["rules/leave.txt"]["language"] == "ko"
    assert found["rules/leave.txt"]["metadata"]["folder"] == "team"
    await check_whole(database, layout, stores)
    collection = await the_collection(database)
    hits = await search(
        database, collection.id, collection.statistics, bigram_terms("병가"), 5, leg="bigrams"
    )
    assert [hit.document_id for hit in hits] == [found["rules/leave.txt"]["id"]]


async def test_what_has_not_changed_costs_no_reading_and_no_vector(
    ingest: Ingest, folder: Path, database: Database, embedders: WordEmbedders
) -> None:
    await ingest(path=folder)
    before = await documents_of(database)
    embedders.usual.embedded.clear()
    job = await ingest(path=folder)
    assert job.result is not None
    assert (job.result["unchanged"], job.result["added"], job.result["updated"]) == (3, 0, 0)
    assert embedders.usual.embedded == []
    assert await documents_of(database) == before


async def test_changed_and_deleted_documents_of_the_folder_follow_it(
    ingest: Ingest, folder: Path, tmp_path: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "leave.txt").write_text("Another folder's document.")
    await ingest(path=other)
    await ingest(path=folder)
    before = await documents_of(database)
    (folder / "harbour.md").write_text("# Harbour\n\nThe pier opens at ten.")
    (folder / "rules/fees.csv").unlink()
    job = await ingest(path=folder)
    assert job.result is not None
    assert [job.result[key] for key in ("updated", "deleted", "unchanged")] == [1, 1, 1]
    after = await documents_of(database)
    assert set(after) == {"harbour.md", "leave.txt", "rules/leave.txt"}
    assert after["harbour.md"]["id"] == before["harbour.md"]["id"]
    assert after["harbour.md"]["text"].endswith("ten.")
    assert not (layout.home / "documents" / str(before["rules/fees.csv"]["id"])).exists()
    await check_whole(database, layout, stores)


async def test_an_empty_folder_deletes_nothing(ingest: Ingest, folder: Path, database: Database) -> None:
    """As when a disk is not mounted."""
    await ingest(path=folder)
    for file in folder.rglob("*.*"):
        file.unlink()
    job = await ingest(path=folder)
    assert job.state == "failed"
    assert len(await documents_of(database)) == 3


async def test_two_folders_may_have_files_of_one_name(
    ingest: Ingest, folder: Path, tmp_path: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    other = tmp_path / "club"
    other.mkdir()
    (other / "harbour.md").write_text("# Club\n\nThe club meets on Mondays.")
    await ingest(path=folder)
    for _ in range(2):
        job = await ingest(path=other)
        assert job.state == "succeeded", job.error
    found = await documents_of(database)
    assert {"harbour.md", "club/harbour.md"} <= set(found)
    assert len(found) == 4
    await check_whole(database, layout, stores)


async def test_the_same_file_under_two_names_is_embedded_once(
    ingest: Ingest, folder: Path, database: Database, embedders: WordEmbedders, layout: Layout, stores: Stores
) -> None:
    await ingest(path=folder)
    embedders.usual.embedded.clear()
    (folder / "copy of harbour.md").write_bytes((folder / "harbour.md").read_bytes())
    job = await ingest(path=folder)
    assert job.result is not None
    assert (job.result["copied"], job.result["added"]) == (1, 1)
    assert embedders.usual.embedded == []
    found = await documents_of(database)
    assert found["copy of harbour.md"]["text"] == found["harbour.md"]["text"]
    await check_whole(database, layout, stores)
    (folder / "harbour.md").unlink()
    await ingest(path=folder)
    await check_whole(database, layout, stores)


async def test_one_bad_file_is_reported_and_the_rest_is_done(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    (folder / "a-photo.pdf").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF" * 50)
    (folder / "empty.txt").touch()
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(2 * 2**30)
    (folder / "notes.exe").write_text("not taken at all")
    job = await ingest(path=folder)
    assert job.state == "succeeded", job.error
    assert job.result is not None
    assert (job.result["added"], job.result["failed"], job.result["skipped"]) == (3, 3, 1)
    assert {one["source"] for one in job.result["failures"]} == {"a-photo.pdf", "empty.txt", "huge.txt"}
    found = await documents_of(database)
    assert found["empty.txt"]["state"] == "failed"
    assert "글이 없는" in found["empty.txt"]["error"]["ko"]["detail"]
    (folder / "empty.txt").write_text("No longer empty.")
    await ingest(path=folder)
    assert (await documents_of(database))["empty.txt"]["error"] is None
    await check_whole(database, layout, stores)


async def test_a_document_that_breaks_loses_its_old_chunks(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    await ingest(path=folder)
    (folder / "harbour.md").write_bytes(b"\0" * 100)
    job = await ingest(path=folder)
    assert job.result is not None
    assert job.result["failed"] == 1
    assert (await documents_of(database))["harbour.md"]["state"] == "failed"
    await check_whole(database, layout, stores)


async def test_a_link_out_of_the_folder_is_not_followed(
    ingest: Ingest, folder: Path, tmp_path: Path, database: Database
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    (folder / "link.txt").symlink_to(secret)
    (folder / "rules/up").symlink_to(tmp_path)
    await ingest(path=folder)
    assert "the password" not in str(await documents_of(database))
    assert len(await documents_of(database)) == 3


async def test_a_job_that_lost_its_worker_goes_on_where_it_was(
    database: Database,
    layout: Layout,
    embedders: WordEmbedders,
    stores: Stores,
    folder: Path,
    working: Runner,
) -> None:
    """The embedder fails in the middle; what was written stays, and the next job does only the rest."""
    for number in range(40):
        (folder / f"note-{number:02}.txt").write_text(f"Note {number}: " + "word " * 300)
    embedders.usual.fails_after = 30
    job_id = await jobs.enqueue(database, "ingest", {"collection": "documents", "path": str(folder)})
    job = await ended(database, job_id)
    assert job.state == "failed"
    done = len(await documents_of(database))
    assert 0 < done < 43
    await check_whole(database, layout, stores)
    embedders.usual.fails_after = None
    job_id = await jobs.enqueue(database, "ingest", {"collection": "documents", "path": str(folder)})
    job = await ended(database, job_id)
    assert job.result is not None
    assert (job.result["unchanged"], job.result["added"]) == (done, 43 - done)
    await check_whole(database, layout, stores)


async def test_a_cancelled_job_leaves_whole_documents(
    database: Database,
    layout: Layout,
    embedders: WordEmbedders,
    stores: Stores,
    folder: Path,
    working: Runner,
    ingest: Ingest,
) -> None:
    await ingest(path=folder)
    (folder / "more.txt").write_text("One more.")
    embedders.usual.gate.clear()
    job_id = await jobs.enqueue(database, "ingest", {"collection": "documents", "path": str(folder)})
    async for job in jobs.wait(database, job_id):
        if job.progress.get("done") == 3 or job.progress.get("file") == "rules/leave.txt":
            break
    await jobs.cancel(database, job_id)
    assert (await ended(database, job_id)).state == "cancelled"
    await check_whole(database, layout, stores)


async def test_progress_names_the_file_and_counts(
    database: Database, embedders: WordEmbedders, folder: Path, working: Runner
) -> None:
    embedders.usual.gate.clear()
    job_id = await jobs.enqueue(database, "ingest", {"collection": "documents", "path": str(folder)})
    async for job in jobs.wait(database, job_id):
        if job.progress.get("file") == "rules/leave.txt":
            break
    assert job.progress["total"] == 3
    embedders.usual.gate.set()
    assert (await ended(database, job_id)).progress["fraction"] == 1.0


async def test_another_embedder_takes_a_collection_over_at_once(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    await ingest(path=folder)
    job_id = await jobs.enqueue(
        database, "embed", {"collection": "documents", "embedder": "other", "half": True}
    )
    job = await ended(database, job_id)
    assert job.state == "succeeded", job.error
    collection = await the_collection(database)
    assert (collection.embedder.id, collection.embedder.dimensions, collection.half) == ("other", 4, True)
    await check_whole(database, layout, stores)
    vectors = await embedders.other.embed(embedders.other.embedded, kind="passage")
    hits = await stores.store_for(collection).search(collection.vectors, np.asarray(vectors[0]), 1)
    assert hits[0].score == pytest.approx(1, abs=1e-2)
    # What comes later is made by the same one.
    (folder / "later.txt").write_text("It came later.")
    assert (await ingest(path=folder)).state == "succeeded"
    await check_whole(database, layout, stores)


async def test_removing_takes_everything_along(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores
) -> None:
    await ingest(path=folder)
    document = (await documents_of(database))["harbour.md"]
    await service.delete_document(database, layout, stores, document["id"])
    await check_whole(database, layout, stores)
    collection = await the_collection(database)
    assert await service.delete_collection(database, layout, stores, "documents") == 2
    assert list((layout.home / "documents").iterdir()) == []
    tables = await database.fetch_all("SELECT to_regclass(%s) AS there", (f"vectors_{collection.id.hex}",))
    assert tables[0]["there"] is None


async def test_uploads_are_taken_from_the_jobs_folder(
    database: Database, layout: Layout, working: Runner, stores: Stores
) -> None:
    job_id = uuid4()
    uploads = layout.job(job_id) / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "0").write_text("# Tide\n\nHigh water at six.")
    args = {"collection": "documents", "uploads": ["notes/tide.md"]}
    await jobs.enqueue(database, "ingest", args, job_id=job_id)
    job = await ended(database, job_id)
    assert job.state == "succeeded", job.error
    found = await documents_of(database)
    assert found["notes/tide.md"]["media_type"] == "text/markdown"
    assert not uploads.exists()
    await check_whole(database, layout, stores)
