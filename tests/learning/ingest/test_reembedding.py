"""Another embedder takes a collection over: the old vectors answer until the new ones are whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.learning.ingest.conftest import Ingest, WordEmbedders, ended, worker
from tests.learning.ingest.test_job import check_whole, documents_of, the_collection
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.learning.ingest import service
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores


@pytest.fixture(params=["pgvector", "qdrant"])
async def stores(request: pytest.FixtureRequest, database: Database, layout: Layout) -> Any:
    """Both of them; the collection "documents" keeps its vectors in the one in turn."""
    made = Stores(database, qdrant_url=":memory:")
    await service.create_collection(
        database.transaction, WordEmbedders(layout), made, "documents", store=request.param
    )
    yield made
    await made.close()


@pytest.fixture
def many(folder: Path) -> Path:
    """Enough documents for several groups."""
    for number in range(20):
        text = "\n\n".join(f"Note {number}, line {line}: " + "word " * 110 for line in range(14))
        (folder / f"note-{number:02}.txt").write_text(text)
    return folder


async def embed(database: Database, **args: Any) -> Any:
    return await jobs.enqueue(database, "embed", {"collection": "documents", **args})


async def left_behind(database: Database) -> list[Any]:
    return await database.fetch_all(
        "SELECT id::text FROM spare_vectors UNION ALL SELECT id::text FROM staged_chunks"
    )


async def test_the_old_vectors_answer_until_the_new_are_whole(
    ingest: Ingest, many: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    await ingest(path=many)
    before = await the_collection(database)
    embedders.other.gate.clear()
    job_id = await embed(database, embedder="other", half=True)
    async for job in jobs.wait(database, job_id):
        assert job.state in ("queued", "running"), job.error
        if job.progress.get("stage") == "embedding":
            break
    now = await the_collection(database)
    assert (now.embedder.id, now.vectors) == ("multilingual-e5-small", before.vectors)
    (asked,) = await embedders.usual.embed(["harbour"], kind="query")
    assert len(await stores.store_for(now).search(now.vectors, asked, 5)) == 5
    await check_whole(database, layout, stores)
    embedders.other.gate.set()
    job = await ended(database, job_id)
    assert job.state == "succeeded", job.error
    after = await the_collection(database)
    assert (after.embedder.id, after.embedder.dimensions, after.half) == ("other", 4, True)
    assert job.result is not None
    assert job.result["chunks"] == len(set(embedders.other.embedded)) > 256
    assert job.result["cut_anew"] == 0
    assert embedders.other.most_at_once <= 512
    await check_whole(database, layout, stores)
    assert await left_behind(database) == []


async def test_a_job_that_was_stopped_goes_on_with_what_is_left(
    many: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    args = {"collection": "documents", "path": str(many)}
    async with worker(database, layout, embedders, stores):
        await ended(database, await jobs.enqueue(database, "ingest", args))
        embedders.other.waits_after = 200
        job_id = await embed(database, embedder="other")
        async for job in jobs.wait(database, job_id):
            assert job.state in ("queued", "running"), job.error
            if job.progress.get("done", 0) > 0:
                break
    made = len(embedders.other.embedded)
    assert (await the_collection(database)).embedder.id == "multilingual-e5-small"
    embedders.other.waits_after = None
    embedders.other.gate.set()
    async with worker(database, layout, embedders, stores):
        job = await ended(database, job_id)
    assert job.state == "succeeded", job.error
    assert job.result is not None
    assert made > 0
    # At most the group that was in flight is made twice.
    assert len(embedders.other.embedded) <= job.result["chunks"] + 256
    assert len(set(embedders.other.embedded)) == job.result["chunks"]
    await check_whole(database, layout, stores)
    assert await left_behind(database) == []


async def test_an_embedder_that_fails_changes_nothing(
    ingest: Ingest, many: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    await ingest(path=many)
    embedders.other.fails_after = 256
    job = await ended(database, await embed(database, embedder="other"))
    assert job.error is not None
    assert job.error["type"] == "urn:twotrack:error:embedder-failed"
    assert (await the_collection(database)).embedder.id == "multilingual-e5-small"
    await check_whole(database, layout, stores)
    assert await left_behind(database) == []


async def test_chunks_are_cut_anew_where_the_embedder_takes_less(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    text = "The pier opens at nine and closes at six. " * 20
    (folder / "harbour.md").write_text(f"# Harbour\n\n{text}\n\n## Fees\n\nA berth costs 12.")
    (folder / "tide.csv").write_text("day,hour,height\n" + "monday,six,four metres\n" * 30)
    await ingest(path=folder)
    before = await documents_of(database)
    embedders.other.longest = 40
    job = await ended(database, await embed(database, embedder="other"))
    assert job.state == "succeeded", job.error
    assert job.result is not None
    assert job.result["cut_anew"] == 4
    collection = await the_collection(database)
    assert (collection.chunking.tokens, collection.chunking.overlap) == (30, 6)
    rows = await database.fetch_all("SELECT tokens, heading FROM chunks")
    assert max(row["tokens"] for row in rows) <= 30
    # The header row still travels with the rows of the table.
    assert any(row["heading"].endswith("day | hour | height") for row in rows)
    assert {source: one["text"] for source, one in (await documents_of(database)).items()} == {
        source: one["text"] for source, one in before.items()
    }
    await check_whole(database, layout, stores)
    assert await left_behind(database) == []
    # What comes later is cut by the same rule.
    (folder / "later.txt").write_text(text)
    assert (await ingest(path=folder)).state == "succeeded"
    assert max(row["tokens"] for row in await database.fetch_all("SELECT tokens FROM chunks")) <= 30
    await check_whole(database, layout, stores)


async def test_a_document_whose_original_is_gone_is_cut_from_its_text(
    ingest: Ingest, folder: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    (folder / "harbour.md").write_text(
        "# Harbour\n\n" + "The pier opens at nine. " * 30 + "\n\n## Fees\n\nTwelve."
    )
    await ingest(path=folder)
    document = (await documents_of(database))["harbour.md"]
    (layout.home / "documents" / str(document["id"]) / document["sha256"]).unlink()
    embedders.other.longest = 40
    job = await ended(database, await embed(database, embedder="other"))
    assert job.state == "succeeded", job.error
    rows = await database.fetch_all(
        "SELECT text, heading FROM chunks WHERE document_id = %s ORDER BY position", (document["id"],)
    )
    assert (rows[-1]["text"], rows[-1]["heading"]) == (
        "Fees\n\nTwelve.",
        "Harbour › Fees",
    )
    assert len(rows) > 3


async def test_a_document_that_is_deleted_meanwhile_leaves_no_vector(
    ingest: Ingest, many: Path, database: Database, layout: Layout, stores: Stores, embedders: WordEmbedders
) -> None:
    await ingest(path=many)
    embedders.other.gate.clear()
    job_id = await embed(database, embedder="other")
    async for job in jobs.wait(database, job_id):
        if job.progress.get("stage") == "embedding":
            break
    gone = (await documents_of(database))["note-00.txt"]["id"]
    await service.delete_document(database, layout, stores, gone)
    embedders.other.gate.set()
    assert (await ended(database, job_id)).state == "succeeded"
    collection = await the_collection(database)
    found = await stores.store_for(collection).search(collection.vectors, np.full(4, 0.5, np.float32), 1000)
    assert gone not in {hit.document_id for hit in found}
