"""100,000 chunks: the vector stores against exact search, and what a retrieval costs beside its bare SQL.

The collection is made from a seed (clustered.py). Exact is a sequential scan of the same table in the same
PostgreSQL for the time, and NumPy for what is true. Qdrant has no server here: its client's local mode runs
a fifth of the vectors, for its answers and not for its speed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from benchmarks import clustered
from benchmarks.measure import Row, at_least, at_most
from twotrack.core.database import Database, migrate
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.stores import chunks, collections, documents, lexical
from twotrack.stores.filters import matching_documents
from twotrack.stores.pgvector import PgVectorStore
from twotrack.stores.port import Row as VectorRow
from twotrack.stores.port import VectorStore
from twotrack.stores.qdrant import QdrantStore
from twotrack.stores.retrieval import retrieve
from twotrack.stores.schemas import ChunkingRule, Collection, EmbedderRecord, Hit, NewChunk

_CHUNKS = 100_000
_IN_QDRANT = 20_000
_QUESTIONS = 200
_RETRIEVALS = 80
_ROUNDS = 2
_K = 10
# As many of the vectors come one batch at a time into the finished index, as while documents are taken in.
_ADDED = 1_000

Integers = NDArray[np.int64]


def run() -> list[Row]:
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        with EmbeddedPostgres(home) as server:
            migrate(server.url())
            return asyncio.run(_measured(server.url()))


@dataclass(frozen=True)
class _Filled:
    """The world in the database: its chunks' ids and documents in the order of its vectors."""

    world: clustered.World
    collection: Collection
    ids: Integers
    documents: list[UUID]
    questions: list[str]

    @property
    def terms(self) -> list[list[str]]:
        """Of each question."""
        return [lexical.bigram_terms(question) for question in self.questions]

    def rows(self, start: int, stop: int) -> list[VectorRow]:
        size = clustered.CHUNKS_OF_DOCUMENT
        return [
            (int(self.ids[index]), self.documents[index // size], self.world.vectors[index])
            for index in range(start, stop)
        ]

    def nearest(self, k: int, among: Sequence[UUID] | None = None, count: int = _CHUNKS) -> list[set[int]]:
        """The truth: ids of the k nearest to each question."""
        cosines = self.world.questions @ self.world.vectors[:count].T
        if among is not None:
            wanted = set(among)
            chosen = np.array([document in wanted for document in self.documents])
            cosines[:, ~np.repeat(chosen, clustered.CHUNKS_OF_DOCUMENT)[:count]] = -2
        return [set(row.tolist()) for row in self.ids[np.argpartition(-cosines, k, axis=1)[:, :k]]]


async def _measured(url: str) -> list[Row]:
    database = Database(url)
    await database.open()
    try:
        filled = await _filled(database)
        rows = await _pgvector(database, url, filled, half=False)
        rows += await _retrieval(database, url, filled)
        rows += await _pgvector(database, url, filled, half=True)
    finally:
        await database.close()
    return rows + (await _qdrant(filled) if find_spec("qdrant_client") else [])


async def _pgvector(database: Database, url: str, filled: _Filled, *, half: bool) -> list[Row]:
    store = PgVectorStore(database)
    collection = filled.collection.vectors
    await store.drop(collection)
    await store.create(collection, clustered.DIMENSIONS, half=half)
    built, added = await _load(database, store, filled)
    size = await database.fetch_one(
        "SELECT pg_relation_size(%s) AS bytes", (f"vectors_{collection.hex}_near",)
    )
    assert size is not None
    questions = filled.world.questions

    async def search(index: int, k: int, among: Sequence[UUID] | None = None) -> list[Hit]:
        return await store.search(collection, questions[index], k, documents=among)

    with psycopg.connect(url, autocommit=True) as bare:
        bare.execute("SET enable_indexscan = off")
        scan = _nearest_statement(collection, k=_K)

        async def exact(index: int) -> None:
            bare.execute(scan, (_literal(questions[index]),)).fetchall()

        seconds = await _times(
            {"index": lambda index: search(index, _K), "scan": exact}, range(0, _QUESTIONS, 8)
        )
    name = "stores, halfvec" if half else "stores"
    found = await _recall(filled, _K, lambda index: search(index, _K))
    deep = await _recall(filled, 50, lambda index: search(index, 50))
    rows = [
        Row(name, "pgvector: recall@10 of exact search", *at_least(found.recall, 0.99, "")),
        Row(name, "and @50, as a retrieval asks", f"{deep.recall:.3f}"),
        Row(
            name,
            "a search against a sequential scan",
            *at_least(np.median(seconds["scan"]) / np.median(seconds["index"]), 10),
        ),
        Row(name, "a search", f"{1000 * np.median(seconds['index']):.1f} ms"),
    ]
    for part, filters in (("1 %", {"office": 7}), ("25 %", {"quarter": 1})):
        among = await matching_documents(database, filled.collection.id, filters)
        assert among is not None
        filtered = await _recall(filled, _K, partial(search, k=_K, among=among), among)
        target = at_least(filtered.recall, 0.95, "")
        rows += [
            Row(name, f"documents that are {part}: recall@10", *target),
            Row(name, f"documents that are {part}: k found", *at_least(filtered.least / _K, 1, "")),
        ]
    return [
        *rows,
        Row(
            name, f"index of {_CHUNKS - _ADDED:,} vectors", f"{built:.0f} s, {size['bytes'] / 2**20:.0f} MiB"
        ),
        Row(name, "one vector more", f"{1000 * added / _ADDED:.1f} ms"),
    ]


async def _retrieval(database: Database, url: str, filled: _Filled) -> list[Row]:
    """retrieve() beside the statements that it comes down to, over one bare connection of psycopg."""
    store = PgVectorStore(database)
    collection = filled.collection
    questions = filled.world.questions
    terms = filled.terms

    async def retrieved(database: Database, index: int) -> None:
        await retrieve(
            database, store, collection, _K, vector=questions[index], terms=terms[index], leg="bigrams"
        )

    statements: list[list[tuple[str, Any]]] = []
    for index in range(_RETRIEVALS):
        recorder = _Recorder(database)
        await retrieved(recorder, index)
        statements.append(recorder.statements)
    with psycopg.connect(url, autocommit=True) as bare:
        for setting, value in (("iterative_scan", "relaxed_order"), ("ef_search", "200")):
            bare.execute(sql.SQL("SET {} = {}").format(sql.Identifier("hnsw", setting), value))
        near = _nearest_statement(collection.vectors, k=50)

        async def plain(index: int) -> None:
            bare.execute(near, (_literal(questions[index]),)).fetchall()
            for query, parameters in statements[index]:
                bare.execute(query.encode(), parameters).fetchall()

        seconds = await _times({"ours": partial(retrieved, database), "bare": plain}, range(_RETRIEVALS))
    slow = {name: float(np.percentile(times, 95)) for name, times in seconds.items()}
    middle = {name: float(np.median(times)) for name, times in seconds.items()}
    name = "stores"
    return [
        Row(name, "a retrieval, p95, against its bare SQL", *at_most(slow["ours"] / slow["bare"], 3, "×")),
        Row(name, "its median and p95", f"{1000 * middle['ours']:.0f} and {1000 * slow['ours']:.0f} ms"),
    ]


async def _qdrant(filled: _Filled) -> list[Row]:
    store = QdrantStore.connect(":memory:")
    collection = filled.collection.vectors
    questions = filled.world.questions
    await store.create(collection, clustered.DIMENSIONS)
    await store.put(collection, filled.rows(0, _IN_QDRANT))
    some = range(0, _QUESTIONS, 8)

    async def search(index: int, among: Sequence[UUID] | None = None) -> list[Hit]:
        return await store.search(collection, questions[index], _K, documents=among)

    seconds = await _times({"search": search}, some)
    found = await _recall(filled, _K, search, count=_IN_QDRANT, indices=some)
    among = filled.documents[: _IN_QDRANT // clustered.CHUNKS_OF_DOCUMENT : 100]
    filtered = await _recall(
        filled, _K, lambda index: search(index, among), among, count=_IN_QDRANT, indices=some
    )
    await store.close()
    name = "stores, Qdrant's local mode"
    return [
        Row(name, "recall@10 of exact search", *at_least(found.recall, 0.99, "")),
        Row(name, "documents that are 1 %: recall@10", *at_least(filtered.recall, 0.95, "")),
        Row(name, "documents that are 1 %: k found", *at_least(filtered.least / _K, 1, "")),
        Row(name, f"a search of {_IN_QDRANT:,}", f"{1000 * np.median(seconds['search']):.0f} ms"),
    ]


class _Recorder(Database):
    """A database that remembers what it was asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[tuple[str, Any]] = []

    async def fetch_all(self, query: str, parameters: Any = None) -> Any:
        self.statements.append((query, parameters))
        return await self._database.fetch_all(query, parameters)


async def _times(
    variants: dict[str, Callable[[int], Awaitable[Any]]], indices: Sequence[int]
) -> dict[str, list[float]]:
    """Of each question the shortest of some rounds, the variants in turn."""
    best = {name: [float("inf")] * len(indices) for name in variants}
    for _ in range(_ROUNDS):
        for place, index in enumerate(indices):
            for name, work in variants.items():
                start = time.perf_counter()
                await work(index)
                best[name][place] = min(best[name][place], time.perf_counter() - start)
    return best


@dataclass(frozen=True)
class _Found:
    recall: float
    least: int
    """Hits of the question that had fewest."""


async def _recall(
    filled: _Filled,
    k: int,
    search: Callable[[int], Awaitable[list[Hit]]],
    among: Sequence[UUID] | None = None,
    count: int = _CHUNKS,
    indices: Sequence[int] = range(_QUESTIONS),
) -> _Found:
    truth = filled.nearest(k, among, count)
    found = {index: {hit.chunk_id for hit in await search(index)} for index in indices}
    shares = [len(found[index] & truth[index]) / k for index in indices]
    return _Found(float(np.mean(shares)), min(map(len, found.values())))


async def _filled(database: Database) -> _Filled:
    """Collection, documents and chunks, as ingestion leaves them but for the vectors."""
    world = clustered.world(_CHUNKS, _QUESTIONS)
    texts, questions = clustered.texts(world)
    async with database.transaction() as connection:
        collection = await collections.insert_collection(
            connection,
            "benchmark",
            embedder=EmbedderRecord(id="made", dimensions=clustered.DIMENSIONS),
            chunking=ChunkingRule(tokens=200, overlap=40),
        )
    size = clustered.CHUNKS_OF_DOCUMENT
    made: list[UUID] = []
    ids: list[int] = []
    for number in range(_CHUNKS // size):
        part = texts[number * size : (number + 1) * size]
        async with database.transaction() as connection:
            document = await documents.begin_document(
                connection,
                collection.id,
                f"{number}.txt",
                origin="folder",
                title=f"Document {number}",
                media_type="text/plain",
                sha256=str(number),
                size=1,
            )
            await documents.finish_document(
                connection,
                document,
                title=f"Document {number}",
                media_type="text/plain",
                sha256=str(number),
                size=1,
                language="ko",
                text="",
                pages=None,
                headings=[],
                metadata={"office": number % 100, "quarter": number % 4},
            )
            pieces = [NewChunk(place, 0, len(text), 200, text) for place, text in enumerate(part)]
            terms = [lexical.bigram_terms(text) for text in part]
            ids += await chunks.replace_chunks(connection, collection.id, document, pieces, terms, None)
        made.append(document)
    async with database.transaction() as connection:
        statistics = await lexical.refresh_statistics(connection, collection.id)
    await database.execute("ANALYZE chunks")
    return _Filled(
        world,
        collection.model_copy(update={"statistics": statistics}),
        np.array(ids),
        made,
        questions,
    )


async def _load(database: Database, store: VectorStore, filled: _Filled) -> tuple[float, float]:
    """Seconds for the index over all vectors but the last ones, and for adding those."""
    near = sql.Identifier(f"vectors_{filled.collection.vectors.hex}_near")
    row = await database.fetch_one(
        "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
        (f"vectors_{filled.collection.vectors.hex}_near",),
    )
    assert row is not None
    async with database.transaction() as connection:
        await connection.execute(sql.SQL("DROP INDEX {}").format(near))
    until = _CHUNKS - _ADDED
    for start in range(0, until, 5000):
        await store.put(filled.collection.vectors, filled.rows(start, min(until, start + 5000)))
    start_ = time.perf_counter()
    async with database.transaction() as connection:
        # The whole graph in memory: beyond it the building falls to a tenth of its speed.
        await connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
        await connection.execute(row["indexdef"].encode())
    built = time.perf_counter() - start_
    start_ = time.perf_counter()
    for start in range(until, _CHUNKS, 50):
        await store.put(filled.collection.vectors, filled.rows(start, start + 50))
    return built, time.perf_counter() - start_


def _nearest_statement(collection: UUID, k: int) -> sql.Composed:
    return sql.SQL(
        "SELECT chunk_id, document_id, embedding <=> %s AS distance FROM {} ORDER BY distance LIMIT {}"
    ).format(sql.Identifier(f"vectors_{collection.hex}"), k)


def _literal(vector: NDArray[np.float32]) -> str:
    return str(vector.tolist())
