"""From documents that were read to what can be found: vectors and terms, written whole or not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from twotrack.core.database import Connection, Database
from twotrack.embedders.morphemes import Morphemes
from twotrack.embedders.port import Embedder, Vectors
from twotrack.learning.ingest import originals, tables
from twotrack.learning.ingest.extracted import Extracted
from twotrack.learning.ingest.language import language_of
from twotrack.learning.ingest.places import Item
from twotrack.learning.ingest.report import Noted, note
from twotrack.learning.ingest.schemas import Outcome
from twotrack.registry.layout import Layout
from twotrack.stores import documents, lexical
from twotrack.stores.chunks import replace_chunks
from twotrack.stores.pgvector import copy_vectors, put_rows
from twotrack.stores.port import VectorStore
from twotrack.stores.schemas import ChunkingRule, Collection, NewChunk, indexed_text
from twotrack.stores.terms import stemmed

Transaction = Callable[[], AbstractAsyncContextManager[Connection]]

_REPAIRED_AT_ONCE = 512


@dataclass(frozen=True)
class Reading:
    """A document that was read and cut; its bytes lie in `copy` until they are put in their place."""

    item: Item
    copy: Path
    sha256: str
    size: int
    media_type: str
    extracted: Extracted
    chunks: list[NewChunk]

    @property
    def title(self) -> str:
        return title_of(self.item, self.extracted)

    @property
    def texts(self) -> list[str]:
        return [indexed_text(self.title, chunk) for chunk in self.chunks]


@dataclass(frozen=True)
class Indexed:
    """What a collection finds a document by, a row or list for each of its chunks."""

    vectors: Vectors
    bigrams: list[list[str]]
    morphemes: list[list[str]] | None

    def part(self, start: int, stop: int) -> "Indexed":
        words = None if self.morphemes is None else self.morphemes[start:stop]
        return Indexed(self.vectors[start:stop], self.bigrams[start:stop], words)


def title_of(item: Item, extracted: Extracted | None = None) -> str:
    """What the document calls itself, its first heading of the highest level, or the name of its file."""
    if extracted is not None:
        if extracted.title:
            return extracted.title[:300]
        for _, level, heading in extracted.headings:
            if level == 1:
                return heading[:300]
    return item.source if item.origin == "url" else Path(item.name).stem or item.name


async def index(
    texts: Sequence[str], embedder: Embedder, morphemes: Morphemes, rule: ChunkingRule
) -> Indexed:
    analysis = asyncio.create_task(terms_of(texts, morphemes, rule))
    try:
        vectors = await embedder.embed(texts, kind="passage")
        bigrams, words = await analysis
    finally:
        analysis.cancel()
        await asyncio.wait([analysis])
    return Indexed(vectors, bigrams, words)


async def terms_of(
    texts: Sequence[str], morphemes: Morphemes, rule: ChunkingRule
) -> tuple[list[list[str]], list[list[str]] | None]:
    """Bigrams of each text, and its morphemes where the analyser is installed."""
    bigrams = [lexical.bigram_terms(text) for text in texts]
    words = await morphemes.terms(texts) if morphemes.available and texts else None
    if rule.stems:
        bigrams = [stemmed(terms) for terms in bigrams]
        words = None if words is None else [stemmed(terms) for terms in words]
    return bigrams, words


@dataclass(frozen=True)
class Writer:
    """Writes the documents of one collection, each in one transaction of the job's attempt, with the note of
    what became of it."""

    job: UUID
    collection: Collection
    store: VectorStore
    layout: Layout
    transaction: Transaction
    metadata: dict[str, str]

    async def write(self, reading: Reading, indexed: Indexed, outcome: Outcome) -> None:
        extracted = reading.extracted
        async with self.transaction() as connection:
            document = await self._begin(connection, reading)
            await documents.finish_document(
                connection,
                document,
                title=reading.title,
                media_type=reading.media_type,
                sha256=reading.sha256,
                size=reading.size,
                language=language_of(extracted.text),
                text=extracted.text,
                pages=extracted.pages,
                headings=extracted.headings,
                metadata={**extracted.metadata, **self.metadata},
            )
            before = await self._vectors_elsewhere(connection, document)
            ids = await replace_chunks(
                connection, self.collection.id, document, reading.chunks, indexed.bigrams, indexed.morphemes
            )
            rows = [(number, document, vector) for number, vector in zip(ids, indexed.vectors, strict=True)]
            if self._in_postgres:
                await put_rows(connection, self.collection.vectors, rows)
            tokens = sum(chunk.tokens for chunk in reading.chunks)
            noted = Noted(outcome, document, chunks=len(rows), tokens=tokens)
            await note(connection, self.job, reading.item.source, noted)
            originals.place(reading.copy, self.layout, document, reading.sha256)
        originals.keep_only(self.layout, document, reading.sha256)
        if not self._in_postgres:
            await self.store.put(self.collection.vectors, rows)
            await self.store.remove(self.collection.vectors, before)

    async def write_copy(
        self, item: Item, copy: Path, size: int, sha256: str, twin: UUID, outcome: Outcome
    ) -> int:
        """The document is what its twin is; how many chunks that are."""
        reading = Reading(item, copy, sha256, size, "", Extracted("", ()), [])
        async with self.transaction() as connection:
            document = await self._begin(connection, reading)
            count = await tables.copy_reading(connection, twin, document)
            await copy_vectors(connection, self.collection.vectors, twin, document)
            await tables.set_metadata(connection, document, reading.title, self.metadata)
            noted = Noted(outcome, document, copied=True, chunks=count)
            await note(connection, self.job, item.source, noted)
            originals.place(copy, self.layout, document, sha256)
        originals.keep_only(self.layout, document, sha256)
        return count

    @property
    def copies(self) -> bool:
        """Whether a twin's vectors can be had without embedding anew."""
        return self._in_postgres

    @property
    def _in_postgres(self) -> bool:
        return self.collection.store == "pgvector"

    async def _begin(self, connection: Connection, reading: Reading) -> UUID:
        return await documents.begin_document(
            connection,
            self.collection.id,
            reading.item.source,
            origin=reading.item.origin,
            title=reading.title,
            media_type=reading.media_type,
            sha256=reading.sha256,
            size=reading.size,
        )

    async def _vectors_elsewhere(self, connection: Connection, document: UUID) -> list[int]:
        """Old chunks, whose vectors PostgreSQL does not remove with them."""
        return [] if self._in_postgres else await tables.chunk_ids(connection, [document])


async def repair(
    database: Database,
    collection: Collection,
    store: VectorStore,
    embedder: Embedder,
    report: Callable[[], Awaitable[None]],
) -> int:
    """Give their vectors to chunks that have none, and take those away whose chunks are gone: a store of its
    own may have gone away after a document was written and before its vectors were."""
    await store.create(collection.vectors, collection.embedder.dimensions, half=collection.half)
    await remove_strays(database, collection.vectors, store)
    after = repaired = 0
    while True:
        async with database.transaction() as connection:
            chunks = await tables.indexed_chunks(connection, collection.id, after, _REPAIRED_AT_ONCE)
        if not chunks:
            return repaired
        after = chunks[-1].id
        missing = set(await store.missing(collection.vectors, [chunk.id for chunk in chunks]))
        lost = [chunk for chunk in chunks if chunk.id in missing]
        if lost:
            await report()
            vectors = await embedder.embed([chunk.indexed for chunk in lost], kind="passage")
            await store.put(
                collection.vectors,
                [(chunk.id, chunk.document_id, row) for chunk, row in zip(lost, vectors, strict=True)],
            )
            repaired += len(lost)


async def remove_strays(database: Database, place: UUID, store: VectorStore) -> None:
    """Vectors whose chunks are gone."""
    after = 0
    while ids := await store.ids(place, after, _REPAIRED_AT_ONCE):
        after = ids[-1]
        async with database.transaction() as connection:
            await store.remove(place, await tables.gone_chunks(connection, ids))
