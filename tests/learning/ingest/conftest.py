"""Runs jobs of ingestion with a tiny embedder in place of the model, on a real database."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.embedders.conftest import embedder_layout as embedder_layout
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Runner
from twotrack.embedders.morphemes import Morphemes
from twotrack.embedders.port import Embedder, EmbedderFailed, EmbedderUnknown, Kind, Vectors, unit_rows
from twotrack.embedders.service import DEFAULT, DEFAULT_DIMENSIONS, Embedders
from twotrack.learning.ingest.job import ingest_job
from twotrack.learning.ingest.reembedding import embed_job
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores

Ingest = Callable[..., Awaitable[jobs.Job]]


class WordEmbedder:
    """A port.Embedder whose tokens are words and whose vectors are sums over words."""

    def __init__(self, name: str, dimensions: int) -> None:
        self.id, self.dimensions = name, dimensions
        self.longest = 512
        self.embedded: list[str] = []
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails_after: int | None = None
        self.waits_after: int | None = None

    async def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if self.waits_after is not None and len(self.embedded) >= self.waits_after:
            self.gate.clear()
        await self.gate.wait()
        if self.fails_after is not None and len(self.embedded) >= self.fails_after:
            raise EmbedderFailed(name=self.id, why="broken")
        self.embedded += texts
        self.most_at_once = max(self.most_at_once, len(texts))
        return unit_rows(np.array([self._vector(text) for text in texts]).reshape(-1, self.dimensions))

    async def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    async def close(self) -> None:
        pass

    def _vector(self, text: str) -> Any:
        seeds = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) for word in text.split()]
        rows = [np.random.default_rng(seed).normal(size=self.dimensions) for seed in seeds]
        return np.sum(rows, axis=0, dtype=np.float32)


class WordEmbedders(Embedders):
    """Knows two of them, and no morphemes."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.usual = WordEmbedder(DEFAULT, DEFAULT_DIMENSIONS)
        self.other = WordEmbedder("other", 4)
        self.morphemes = _NoMorphemes()

    async def get(self, address: str = DEFAULT) -> Embedder:
        for one in (self.usual, self.other):
            if one.id == address:
                return one
        raise EmbedderUnknown(name=address, why="there are but two")


class _NoMorphemes(Morphemes):
    @property
    def available(self) -> bool:
        return False


@pytest.fixture
def embedders(layout: Layout) -> WordEmbedders:
    return WordEmbedders(layout)


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)


@pytest.fixture
async def working(
    database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> AsyncIterator[Runner]:
    """A worker that knows the jobs of documents."""
    async with worker(database, layout, embedders, stores) as runner:
        yield runner


@contextlib.asynccontextmanager
async def worker(
    database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> AsyncIterator[Runner]:

    async def ingest(attempt: jobs.Attempt) -> dict[str, Any]:
        return await ingest_job(attempt, database=database, layout=layout, embedders=embedders, stores=stores)

    async def embed(attempt: jobs.Attempt) -> dict[str, Any]:
        return await embed_job(
            attempt,
            database=database,
            layout=layout,
            embedders=embedders,
            stores=stores,
            # Nobody else asks meanwhile.
            grace_s=0,
        )

    runner = Runner(database, [Lane({"ingest": ingest, "embed": embed}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    try:
        yield runner
    finally:
        await runner.stop(2)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def ended(database: Database, job_id: Any) -> jobs.Job:
    async with asyncio.timeout(60), contextlib.aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            last = job
    return last


@pytest.fixture
def ingest(database: Database, working: Runner) -> Ingest:
    """`await ingest(path=…)` or urls=…: the job, when it is over."""

    async def run(collection: str = "documents", **args: Any) -> jobs.Job:
        args = {key: str(value) if isinstance(value, Path) else value for key, value in args.items()}
        job_id = await jobs.enqueue(database, "ingest", {"collection": collection, **args})
        return await ended(database, job_id)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents in two folders."""
    made = tmp_path / "team"
    (made / "rules").mkdir(parents=True)
    (made / "harbour.md").write_text("# Harbour\n\nThe pier opens at nine.\n\n## Fees\n\nA berth costs 12.")
    (made / "rules/leave.txt").write_text("휴가는 십오 일이다.\n\n병가는 육십 일이다.")
    (made / "rules/fees.csv").write_text("boat,fee\nskiff,4\nketch,9\n")
    return made
