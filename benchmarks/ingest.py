"""Ingestion against the bare embedder: tokens a second, and what a second run over unchanged files costs."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Row, at_least, at_most
from twotrack.core import jobs
from twotrack.core.database import Database, migrate
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.core.job_runner import Lane, Runner
from twotrack.embedders.service import Embedders
from twotrack.learning.ingest.job import ingest_job
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores

_SAMPLES = Path(__file__).parent.parent / "samples" / "documents"
_DOCUMENTS = 1000
_WORDS = 60


def run() -> list[Row]:
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        with EmbeddedPostgres(home) as server:
            migrate(server.url())
            return asyncio.run(_measured(server.url(), Layout(home), Path(folder)))


async def _measured(url: str, layout: Layout, folder: Path) -> list[Row]:
    database = Database(url)
    await database.open()
    embedders = Embedders(layout, bulk=True)
    stores = Stores(database)

    async def ingest(attempt: jobs.Attempt) -> dict[str, Any]:
        return await ingest_job(attempt, database=database, layout=layout, embedders=embedders, stores=stores)

    runner = Runner(database, [Lane({"ingest": ingest}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    try:
        # Loaded before the clock runs: it is loaded once for many documents.
        embedder = await embedders.get()
        await embedder.embed(["warm"], kind="passage")
        if embedders.morphemes.available:
            await embedders.morphemes.terms(["준비"])
        texts, tokens, taken = await _ingested(database, "samples", _SAMPLES)
        bare = await _seconds(embedder.embed(texts, kind="passage"))
        many = _notes(folder)
        _, _, first = await _ingested(database, "notes", many)
        _, _, second = await _ingested(database, "notes", many)
    finally:
        await runner.stop(0.1)
        serving.cancel()
        await asyncio.wait([serving])
        await embedders.close()
        await database.close()
    name = "ingest"
    return [
        Row(name, "tokens a second", f"{tokens / taken:,.0f}"),
        Row(name, "of the bare embedder's, samples", *at_least(bare / taken, 0.9, "×")),
        Row(name, f"{_DOCUMENTS} unchanged documents again", *at_most(100 * second / first, 2, "%")),
    ]


async def _ingested(database: Database, collection: str, folder: Path) -> tuple[list[str], int, float]:
    """Texts and tokens that were embedded, and the seconds of the job."""
    job_id = await jobs.enqueue(database, "ingest", {"collection": collection, "path": str(folder)})
    async for job in jobs.wait(database, job_id):
        last = job
    assert last.state == "succeeded", last.error
    assert last.result is not None
    assert last.started_at is not None
    assert last.finished_at is not None
    rows = await database.fetch_all(
        "SELECT title || E'\\n' || heading || E'\\n' || chunks.text AS text FROM chunks"
        " JOIN documents ON documents.id = document_id WHERE chunks.collection_id = %s",
        (last.result["collection_id"],),
    )
    seconds = (last.finished_at - last.started_at).total_seconds()
    return [row["text"] for row in rows], last.result["tokens"], seconds


async def _seconds(work: Any) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


def _notes(folder: Path) -> Path:
    notes = folder / "notes"
    notes.mkdir()
    for number in range(_DOCUMENTS):
        words = " ".join(f"word{(number * 31 + place) % 997}" for place in range(_WORDS))
        (notes / f"{number:04}.txt").write_text(f"Note {number}. {words}")
    return notes
