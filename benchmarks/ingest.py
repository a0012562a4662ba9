"""Ingestion against the bare embedder: tokens a second, and what a second run over unchanged files costs.

The two alternate over the same texts, and the smallest time of each counts. Processor seconds are those of
all processes (worker, readers, embedder, morphemes, database): on a machine whose cores the embedder fills,
what the others take is what ingestion costs more, however well it overlaps.
"""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.measure import Row, Timing, at_least, at_most
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
_ROUNDS = 2


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
        whole, bare = [], []
        for number in range(_ROUNDS):
            texts, tokens, taken = await _ingested(database, f"samples {number}", _SAMPLES)
            whole.append(taken)
            bare.append(await _timed(embedder.embed(texts, kind="passage")))
        many = _notes(folder)
        texts, _, first = await _ingested(database, "notes", many)
        notes = await _timed(embedder.embed(texts, kind="passage"))
        _, _, second = await _ingested(database, "notes", many)
    finally:
        await runner.stop(0.1)
        serving.cancel()
        await asyncio.wait([serving])
        await embedders.close()
        await database.close()
    name = "ingest"
    wall, bare_wall = min(one.wall for one in whole), min(one.wall for one in bare)
    processor, bare_processor = min(one.processor for one in whole), min(one.processor for one in bare)
    return [
        Row(name, "tokens a second", f"{tokens / wall:,.0f}"),
        Row(name, "of the bare embedder's, samples", *at_least(bare_wall / wall, 0.9, "×")),
        Row(name, "the same by processor seconds", f"{bare_processor / processor:.2f}×"),
        Row(
            name,
            f"{_DOCUMENTS} short notes, by processor seconds",
            f"{notes.processor / first.processor:.2f}×",
        ),
        Row(
            name, f"{_DOCUMENTS} unchanged documents again", *at_most(100 * second.wall / first.wall, 2, "%")
        ),
    ]


async def _ingested(database: Database, collection: str, folder: Path) -> tuple[list[str], int, Timing]:
    """Texts and tokens that were embedded, and the time of the job."""
    processor = _processor_seconds()
    job_id = await jobs.enqueue(database, "ingest", {"collection": collection, "path": str(folder)})
    async for job in jobs.wait(database, job_id):
        last = job
    processor = _processor_seconds() - processor
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
    return [row["text"] for row in rows], last.result["tokens"], Timing(seconds, processor)


async def _timed(work: Any) -> Timing:
    start, processor = time.perf_counter(), _processor_seconds()
    await work
    return Timing(time.perf_counter() - start, _processor_seconds() - processor)


def _processor_seconds() -> float:
    """Of this process and all that it has started, those that have ended included."""
    this = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (this, *this.children(recursive=True)))


def _notes(folder: Path) -> Path:
    notes = folder / "notes"
    notes.mkdir()
    for number in range(_DOCUMENTS):
        words = " ".join(f"word{(number * 31 + place) % 997}" for place in range(_WORDS))
        (notes / f"{number:04}.txt").write_text(f"Note {number}. {words}")
    return notes
