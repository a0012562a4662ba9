"""From a question's vector and terms to passages: two legs side by side, fused by their scores."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.stores import lexical
from twotrack.stores.fusion import fuse_scores
from twotrack.stores.port import Vector, VectorStore
from twotrack.stores.schemas import Collection, Hit, Leg, Passage

WEIGHTS = {"dense": 0.7, "lexical": 0.3}
"""How much each leg has to say. On the frozen questions MRR@10 changes by 0.01 from 0.6 to 0.8."""

_DEPTH = 50
"""How far down each leg is looked at, at least."""


async def retrieve(
    database: Database,
    store: VectorStore,
    collection: Collection,
    k: int,
    *,
    vector: Vector | None = None,
    terms: Sequence[str] = (),
    leg: Leg = "bigrams",
    documents: Sequence[UUID] | None = None,
    weights: Mapping[str, float] = WEIGHTS,
) -> list[Passage]:
    """The `k` best passages. Without a vector or without terms, the other leg alone.

    Passages with the same text count once and name the other documents. `documents` keeps the search to
    these; `weights` are those of "dense" and "lexical".
    """
    depth = max(_DEPTH, 3 * k)

    async def dense() -> list[Hit]:
        if vector is None:
            return []
        return await store.search(collection.vectors, vector, depth, documents=documents)

    async def by_terms() -> list[Hit]:
        return await lexical.search(
            database, collection.id, collection.statistics, terms, depth, leg=leg, documents=documents
        )

    near, alike = await asyncio.gather(dense(), by_terms())
    legs = {"dense": near, "lexical": alike}
    fused = fuse_scores(
        {name: [(hit.chunk_id, hit.score) for hit in hits] for name, hits in legs.items()}, weights=weights
    )
    rows = await _load(database, list(fused)[: 2 * k + 20])
    return _passages(fused, rows, near, alike, k)


def _passages(
    fused: Mapping[int, float], rows: Mapping[int, Any], near: Sequence[Hit], alike: Sequence[Hit], k: int
) -> list[Passage]:
    dense = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(near, start=1)}
    lexical_ = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(alike, start=1)}
    passages: dict[str, Passage] = {}
    for chunk_id, score in fused.items():
        row = rows.get(chunk_id)
        if row is None:
            # Gone since the leg looked, or (in a store of its own) a chunk that was replaced.
            continue
        text = row["text"].strip()
        if first := passages.get(text):
            if row["source"] != first.source and row["source"] not in first.also_in:
                passages[text] = first.model_copy(update={"also_in": (*first.also_in, row["source"])})
            continue
        dense_rank, dense_score = dense.get(chunk_id, (None, None))
        lexical_rank, lexical_score = lexical_.get(chunk_id, (None, None))
        passages[text] = Passage(
            **row,
            score=score,
            dense_rank=dense_rank,
            dense_score=dense_score,
            lexical_rank=lexical_rank,
            lexical_score=lexical_score,
        )
    return list(passages.values())[:k]


async def _load(database: Database, chunk_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = await database.fetch_all(
        """
        SELECT chunks.id AS chunk_id, document_id, chunks.collection_id, title, source, media_type, page,
               heading, start, stop, chunks.text
        FROM chunks JOIN documents ON documents.id = document_id WHERE chunks.id = ANY(%s)
        """,
        (list(chunk_ids),),
    )
    return {row["chunk_id"]: row for row in rows}
