"""Passages: both legs, fused, each with why it came."""

import numpy as np

from tests.stores.conftest import AddDocument, MakeCollection
from twotrack.core.database import Database
from twotrack.stores import collections
from twotrack.stores.lexical import bigram_terms
from twotrack.stores.pgvector import PgVectorStore
from twotrack.stores.retrieval import retrieve


def unit(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


async def test_a_passage_says_where_each_leg_found_it(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    collection = await make_collection("town")
    store = PgVectorStore(database)
    await store.create(collection.id, 3)
    texts = ["the violet lighthouse", "the grey ferry", "the library"]
    document, ids = await add_document(collection, "facts", texts)
    vectors = [unit(1, 0, 0), unit(0.9, 0.1, 0), unit(0, 0, 1)]
    await store.put(
        collection.id, [(key, document, vector) for key, vector in zip(ids, vectors, strict=True)]
    )
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, "town")
    found = await retrieve(
        database, store, collection, 2, vector=unit(1, 0, 0), terms=bigram_terms("the ferry")
    )
    assert [passage.text for passage in found] == ["the grey ferry", "the violet lighthouse"]
    first = found[0]
    assert (first.dense_rank, first.lexical_rank, first.source) == (2, 1, "facts")
    assert first.text == "\n".join(texts)[first.start : first.stop]
    only_words = await retrieve(database, store, collection, 1, terms=bigram_terms("ferry"))
    assert [(one.dense_rank, one.lexical_rank) for one in only_words] == [(None, 1)]


async def test_the_same_text_twice_is_one_passage_that_names_both(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    collection = await make_collection("town")
    store = PgVectorStore(database)
    await store.create(collection.id, 3)
    for source in ("a.txt", "copy of a.txt"):
        document, ids = await add_document(collection, source, ["the violet lighthouse"])
        await store.put(collection.id, [(ids[0], document, unit(1, 0, 0))])
    found = await retrieve(
        database, store, collection, 5, vector=unit(1, 0, 0), terms=bigram_terms("lighthouse")
    )
    (only,) = found
    assert {only.source, *only.also_in} == {"a.txt", "copy of a.txt"}
