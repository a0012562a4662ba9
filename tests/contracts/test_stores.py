"""What every vector store keeps: the same suite runs against all of them."""

import os
from collections.abc import AsyncIterator
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from twotrack.core.database import Database
from twotrack.stores import chunks, collections, documents
from twotrack.stores.pgvector import PgVectorStore
from twotrack.stores.port import VectorStore
from twotrack.stores.qdrant import QdrantStore
from twotrack.stores.schemas import ChunkingRule, EmbedderRecord, NewChunk

DIMENSIONS = 16
Vectors = NDArray[np.float32]


class Place:
    """A store with a collection in it, and the chunks that its vectors belong to."""

    def __init__(self, store: VectorStore, collection: UUID, documents_: dict[UUID, list[int]]) -> None:
        self.store = store
        self.collection = collection
        self.documents = documents_
        rng = np.random.default_rng(7)
        self.ids = [key for ids in documents_.values() for key in ids]
        vectors = rng.standard_normal((len(self.ids), DIMENSIONS)).astype(np.float32)
        self.vectors: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    @property
    def rows(self) -> list[tuple[int, UUID, Vectors]]:
        owners = [document for document, ids in self.documents.items() for _ in ids]
        return list(zip(self.ids, owners, self.vectors, strict=True))

    def nearest(self, vector: Vectors, k: int, among: set[int] | None = None) -> list[int]:
        order = np.argsort(-(self.vectors @ vector), kind="stable")
        return [self.ids[i] for i in order if among is None or self.ids[i] in among][:k]


@pytest.fixture(params=["pgvector", "pgvector half", "qdrant", "qdrant half"])
async def place(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Place]:
    """Qdrant: a server where TWOTRACK_QDRANT_URL names one, else the client's own imitation of it."""
    store: VectorStore = PgVectorStore(database)
    qdrant = None
    if request.param.startswith("qdrant"):
        url = os.environ.get("TWOTRACK_QDRANT_URL", ":memory:")
        store = qdrant = QdrantStore.connect(url, os.environ.get("TWOTRACK_QDRANT_KEY"))
    place = await _place(store, database, half=request.param.endswith("half"))
    yield place
    await store.drop(place.collection)
    if qdrant is not None:
        await qdrant.close()


async def _place(store: VectorStore, database: Database, *, half: bool) -> Place:
    async with database.transaction() as connection:
        collection = await collections.insert_collection(
            connection,
            "town",
            embedder=EmbedderRecord(id="test", dimensions=DIMENSIONS),
            chunking=ChunkingRule(tokens=64, overlap=0),
        )
        made: dict[UUID, list[int]] = {}
        for number in range(20):
            document = await documents.begin_document(
                connection,
                collection.id,
                f"{number}.txt",
                origin="upload",
                title="",
                media_type="text/plain",
                sha256="",
                size=0,
            )
            pieces = [NewChunk(position, position, position + 1, 1, "x") for position in range(10)]
            made[document] = await chunks.replace_chunks(
                connection, collection.id, document, pieces, [["x"]] * 10, None
            )
    await store.create(collection.id, DIMENSIONS, half=half)
    return Place(store, collection.id, made)


async def test_the_nearest_come_first_with_their_cosine(place: Place) -> None:
    await place.store.put(place.collection, place.rows)
    for index in (0, 57, 199):
        vector = place.vectors[index]
        hits = await place.store.search(place.collection, vector, 10)
        assert [hit.chunk_id for hit in hits] == place.nearest(vector, 10)
        assert hits[0].score == pytest.approx(1.0, abs=2e-3)
        owners = {key: document for document, ids in place.documents.items() for key in ids}
        assert all(hit.document_id == owners[hit.chunk_id] for hit in hits)


async def test_a_search_among_documents_finds_all_that_were_asked_for(place: Place) -> None:
    await place.store.put(place.collection, place.rows)
    chosen = list(place.documents)[3:5]
    among = {key for document in chosen for key in place.documents[document]}
    hits = await place.store.search(place.collection, place.vectors[0], 10, documents=chosen)
    assert [hit.chunk_id for hit in hits] == place.nearest(place.vectors[0], 10, among)
    assert await place.store.search(place.collection, place.vectors[0], 10, documents=[]) == []


async def test_a_vector_put_again_takes_the_place_of_the_other(place: Place) -> None:
    await place.store.put(place.collection, place.rows)
    key, document, _ = place.rows[0]
    await place.store.put(place.collection, [(key, document, -place.vectors[0])])
    assert await place.store.count(place.collection) == len(place.rows)
    (hit,) = await place.store.search(place.collection, -place.vectors[0], 1)
    assert hit.chunk_id == key


async def test_removed_vectors_are_found_no_more_and_known_as_missing(place: Place) -> None:
    await place.store.put(place.collection, place.rows)
    gone = place.documents[next(iter(place.documents))]
    await place.store.remove(place.collection, gone)
    assert await place.store.count(place.collection) == len(place.rows) - len(gone)
    assert await place.store.missing(place.collection, place.ids) == gone
    kept = [key for key in place.ids if key not in gone]
    assert await place.store.ids(place.collection, 0, 1000) == kept
    assert await place.store.ids(place.collection, kept[2], 4) == kept[3:7]
    hits = await place.store.search(place.collection, place.vectors[0], 200)
    assert not {hit.chunk_id for hit in hits} & set(gone)


async def test_creating_twice_and_dropping_twice_does_no_harm(place: Place) -> None:
    await place.store.put(place.collection, place.rows[:1])
    await place.store.create(place.collection, DIMENSIONS)
    assert await place.store.count(place.collection) == 1
    await place.store.drop(place.collection)
    await place.store.drop(place.collection)


async def test_nothing_to_put_and_nothing_to_find(place: Place) -> None:
    await place.store.put(place.collection, [])
    assert await place.store.count(place.collection) == 0
    assert await place.store.search(place.collection, place.vectors[0], 5) == []
