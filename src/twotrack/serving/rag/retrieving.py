"""From a question to passages, and how far they can be trusted to hold its answer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from twotrack.core.database import Database
from twotrack.embedders.port import TokenEmbedder, Vectors
from twotrack.embedders.service import Embedders
from twotrack.serving.rag.confidence import Evidence, confidence
from twotrack.serving.rag.errors import NoCollection
from twotrack.stores import lexical
from twotrack.stores.choice import Stores
from twotrack.stores.collections import check_embedder, get_collection
from twotrack.stores.filters import Range, Value, matching_documents
from twotrack.stores.retrieval import retrieve
from twotrack.stores.schemas import Collection, EmbedderRecord, Leg, Passage, indexed_text
from twotrack.stores.terms import stemmed, telling

Legs = Literal["both", "dense", "lexical"]

# So many passages are looked at closely, whether they are asked for or not: token by token against the
# question, and for how far they can be trusted. On the frozen questions 12 find no more than 6.
_LOOKED_AT = 6


@dataclass(frozen=True)
class Library:
    """All that finding passages needs."""

    database: Database
    stores: Stores
    embedders: Embedders


@dataclass(frozen=True)
class Found:
    """The best passages first, and what the search knew of the question."""

    collection: Collection
    passages: tuple[Passage, ...]
    confidence: float
    """Probability that the first one holds the answer, see confidence.py."""
    evidence: Evidence
    leg: Leg
    terms: tuple[str, ...]
    rarities: Mapping[str, float] = field(repr=False)
    vector: Vectors = field(repr=False)
    """Of the question, shape [dimensions]."""


async def choose_collection(database: Database, name: str | None) -> Collection:
    """The one of that name or id; without one, the oldest.

    Raises:
        CollectionNotFound, NoCollection
    """
    async with database.transaction() as connection:
        if name is None:
            cursor = await connection.execute("SELECT id FROM collections ORDER BY created_at, id LIMIT 1")
            row = await cursor.fetchone()
            if row is None:
                raise NoCollection
            name = str(row["id"])
        return await get_collection(connection, name)


async def find(
    library: Library,
    question: str,
    *,
    collection: str | None = None,
    k: int = 8,
    filters: Mapping[str, Value | list[Value] | Range] | None = None,
    legs: Legs = "both",
    leg: Leg | None = None,
) -> Found:
    """The `k` best passages for the question.

    `leg` names the lexical index to use; None takes morphemes where the collection and this installation
    have them.

    Raises:
        CollectionNotFound, NoCollection, StoreAway, StoreUnknown, and what an embedder raises.
    """
    chosen = await choose_collection(library.database, collection)
    leg = leg or _leg_for(library, chosen)
    vector, (asked,), documents = await asyncio.gather(
        _embed(library, chosen, question),
        terms_of_texts(library, chosen, [question], leg),
        matching_documents(library.database, chosen.id, filters or {}),
    )
    terms = telling(asked, leg)
    passages, rarities = await asyncio.gather(
        retrieve(
            library.database,
            library.stores.store_for(chosen),
            chosen,
            max(k, _LOOKED_AT),
            vector=None if legs == "lexical" else vector,
            terms=() if legs == "dense" else terms,
            leg=leg,
            documents=documents,
        ),
        lexical.rarities(library.database, chosen.id, chosen.statistics, terms, leg=leg),
    )
    if legs == "both":
        passages = await _matched(library, chosen, question, passages)
    held = await lexical.terms_of(
        library.database, [passage.chunk_id for passage in passages[:_LOOKED_AT]], leg=leg
    )
    evidence = Evidence.of(passages, rarities, list(held.values()))
    return Found(
        collection=chosen,
        passages=tuple(passages[:k]),
        confidence=confidence(evidence),
        evidence=evidence,
        leg=leg,
        terms=tuple(terms),
        rarities=rarities,
        vector=vector,
    )


async def terms_of_texts(
    library: Library, collection: Collection, texts: Sequence[str], leg: Leg
) -> list[list[str]]:
    """The terms of each text as that index of the collection has them."""
    if leg == "bigrams":
        terms = [lexical.bigram_terms(text) for text in texts]
    else:
        terms = await library.embedders.morphemes.terms(texts)
    return [stemmed(one) for one in terms] if collection.chunking.stems else terms


def _leg_for(library: Library, collection: Collection) -> Leg:
    indexed = float(collection.statistics.get("morphemes", {}).get("average") or 0) > 0
    return "morphemes" if indexed and library.embedders.morphemes.available else "bigrams"


async def _matched(
    library: Library, collection: Collection, question: str, passages: list[Passage]
) -> list[Passage]:
    """The first passages ordered by how well they match the question token by token, the others after them;
    as they are where the embedder has no tokens to show."""
    embedder = await library.embedders.get(collection.embedder.id)
    if not isinstance(embedder, TokenEmbedder):
        return passages
    first = passages[:_LOOKED_AT]
    scores = await embedder.match(question, [indexed_text(one.title, one) for one in first])
    matched = [
        one.model_copy(update={"match": round(score, 4)}) for one, score in zip(first, scores, strict=True)
    ]
    # Sorted stably: of equals the one that the legs put first.
    return [*sorted(matched, key=lambda one: -(one.match or 0)), *passages[_LOOKED_AT:]]


async def _embed(library: Library, collection: Collection, question: str) -> Vectors:
    embedder = await library.embedders.get(collection.embedder.id)
    check_embedder(collection, EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions))
    vectors = await embedder.embed([question], kind="query")
    vector: Vectors = vectors[0]
    return vector
