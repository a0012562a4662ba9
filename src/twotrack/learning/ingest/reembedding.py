"""The job "embed": another embedder makes all vectors of a collection anew, beside those that answer.

The new vectors lie in a place of their own (stores/spare.py) that bears the job's id. Killed at any moment,
the job goes on with the chunks that have none there yet; once all have theirs, one transaction makes that
place the collection's. Nowhere more than a group of chunks is held in memory.

Chunks are sized in the embedder's tokens: where another one counts more of them, or takes fewer at once, a
document is cut anew, from its original. Its new chunks are staged, and take the old ones' place with the
rest.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg

from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.file_lock import file_lock
from twotrack.core.jobs import Attempt, JobCancelled
from twotrack.embedders.port import Embedder
from twotrack.embedders.service import DEFAULT, Embedders
from twotrack.learning.ingest import report, staging, tables
from twotrack.learning.ingest.chunks import cut, rule_for
from twotrack.learning.ingest.indexing import remove_strays, terms_of
from twotrack.learning.ingest.originals import original
from twotrack.learning.ingest.places import name_for_reader
from twotrack.learning.ingest.readers.process import Readers
from twotrack.learning.ingest.schemas import EmbedReport
from twotrack.learning.ingest.service import lock_of
from twotrack.learning.ingest.staging import Unfinished
from twotrack.registry.layout import Layout
from twotrack.registry.storage import disk_full
from twotrack.stores import collections, lexical, spare
from twotrack.stores.choice import Stores
from twotrack.stores.errors import CollectionNotFound, VectorsGone
from twotrack.stores.pgvector import bind
from twotrack.stores.schemas import Collection, EmbedderRecord, indexed_text

_EMBEDDED_AT_ONCE = 256
_LOOKED_AT_ONCE = 32
_TOO_LONG = 1.25
"""A chunk's tokens beyond the rule's: the pieces of what is too long by itself are only estimated."""
_GRACE_S = 5.0
"""How long the old vectors stay for whoever looked the collection up just before."""


async def embed_job(
    attempt: Attempt,
    *,
    database: Database,
    layout: Layout,
    embedders: Embedders,
    stores: Stores,
    grace_s: float = _GRACE_S,
) -> dict[str, Any]:
    """Args: "collection" (its id), and perhaps "embedder" and "half"; result: EmbedReport."""
    await attempt.report("preparing")
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, attempt.args["collection"])
    embedder = await embedders.get(attempt.args.get("embedder") or DEFAULT)

    async def waiting() -> None:
        await attempt.report("waiting")

    async with file_lock(lock_of(layout, collection.id), waiting=waiting):
        await spare.sweep(database, stores)
        async with database.transaction() as connection:
            collection = await collections.get_collection(connection, str(collection.id))
        anew = _Anew(attempt, database, layout, embedders, stores, collection, embedder)
        if collection.vectors != attempt.job_id:
            try:
                await anew.make()
            except BaseException as error:
                if attempt.interruption in (None, JobCancelled):
                    # What another attempt will go on with is kept.
                    with suppress(TwotrackError, psycopg.Error):
                        await spare.drop(database, stores, attempt.job_id, collection.store)
                if isinstance(error, psycopg.errors.ForeignKeyViolation | VectorsGone):
                    # Somebody removed it in the middle.
                    raise CollectionNotFound(name=collection.name) from error
                if isinstance(error, psycopg.errors.DiskFull):
                    raise disk_full(layout.home, 0, collection.name) from error
                raise
            await attempt.report("clearing", fraction=1.0)
            await asyncio.sleep(grace_s)
            with suppress(TwotrackError):
                await anew.remove_strays()
                await spare.drop(database, stores, collection.vectors, collection.store)
        return (await anew.summary()).model_dump(mode="json")


class _Anew:
    def __init__(
        self,
        attempt: Attempt,
        database: Database,
        layout: Layout,
        embedders: Embedders,
        stores: Stores,
        collection: Collection,
        embedder: Embedder,
    ) -> None:
        self._attempt = attempt
        self._database = database
        self._layout = layout
        self._morphemes = embedders.morphemes
        self._collection = collection
        self._store = stores.store_for(collection)
        self._embedder = embedder
        self._record = EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions)
        self._half = bool(attempt.args.get("half"))
        self._rule = rule_for(embedder.longest)
        self._place = attempt.job_id
        self._total = int(collection.statistics.get("chunks", 0))
        self._done = 0
        self._title = ""

    async def make(self) -> None:
        async with self._attempt.transaction() as connection:
            await spare.write_down(connection, self._place, self._collection.store, self._place)
            await staging.forget_changed(connection, self._place)
        # Nothing happens where an attempt before this one has made it.
        await self._store.create(self._place, self._record.dimensions, half=self._half, bound=False)
        group: list[tables.IndexedChunk] = []
        async for chunks in self._unfinished():
            for start in range(0, len(chunks), _EMBEDDED_AT_ONCE):
                group += chunks[start : start + _EMBEDDED_AT_ONCE]
                if len(group) >= _EMBEDDED_AT_ONCE:
                    await self._embed(group)
                    group = []
        await self._embed(group)
        await self._exchange()

    async def _unfinished(self) -> AsyncGenerator[list[tables.IndexedChunk], None]:
        """Document by document, the chunks that have no vector in the new place yet."""
        after: UUID | None = None
        readers = Readers()
        try:
            while documents := await staging.documents_after(
                self._database, self._collection.id, after, _LOOKED_AT_ONCE
            ):
                after = documents[-1].id
                for document in documents:
                    chunks = await self._chunks(readers, document)
                    missing = set(await self._store.missing(self._place, [chunk.id for chunk in chunks]))
                    self._done += len(chunks) - len(missing)
                    yield [chunk for chunk in chunks if chunk.id in missing]
        finally:
            await readers.close()

    async def _chunks(self, readers: Readers, document: Unfinished) -> list[tables.IndexedChunk]:
        """Those that the document is to have: its own, or others that are staged for it."""
        self._title = document.source
        async with self._database.transaction() as connection:
            if staged := await staging.staged_chunks(connection, self._place, document):
                return staged
            chunks = await tables.chunks_of(connection, document.id)
        if not await self._fits([chunk.text for chunk in chunks]):
            await self._cut_anew(readers, document)
            async with self._database.transaction() as connection:
                return await staging.staged_chunks(connection, self._place, document)
        return chunks

    async def _fits(self, texts: list[str]) -> bool:
        if self._rule != self._collection.chunking:
            return False
        if self._embedder.id == self._collection.embedder.id:
            return True
        return max(await self._embedder.count(texts), default=0) <= _TOO_LONG * self._rule.tokens

    async def _cut_anew(self, readers: Readers, document: Unfinished) -> None:
        await self._report("cutting")
        path = original(self._layout, document.id, document.sha256)
        text = await staging.text_of(self._database, document)
        try:
            _, extracted = await readers.read(path, name_for_reader(document.source, document.media_type))
            if extracted.text.replace("\0", "\ufffd") != text.text:
                # Citations point into the text as it was read then.
                extracted = text
        except (TwotrackError, OSError):
            extracted = text
        chunks = await cut(extracted, self._embedder.count, self._rule)
        indexed = [indexed_text(document.title, chunk) for chunk in chunks]
        bigrams, morphemes = await terms_of(indexed, self._morphemes, self._rule)
        async with self._attempt.transaction() as connection:
            await staging.stage(connection, self._place, document, chunks, bigrams, morphemes)

    async def _embed(self, chunks: list[tables.IndexedChunk]) -> None:
        await self._report("embedding")
        if not chunks:
            return
        vectors = await self._embedder.embed([chunk.indexed for chunk in chunks], kind="passage")
        await self._store.put(
            self._place,
            [(chunk.id, chunk.document_id, row) for chunk, row in zip(chunks, vectors, strict=True)],
        )
        self._done += len(chunks)

    async def _exchange(self) -> None:
        await self._report("exchanging")
        old = self._collection
        async with self._attempt.transaction() as connection:
            anew = await staging.unstage(connection, self._place, old.id)
            await report.note_all(connection, self._attempt.job_id, "updated", anew)
            if old.store == "pgvector":
                await bind(connection, self._place)
            await collections.change_embedder(
                connection, old.id, self._record, chunking=self._rule, half=self._half, vectors=self._place
            )
            await spare.strike_out(connection, self._place)
            await spare.write_down(connection, old.vectors, old.store)
            await lexical.refresh_statistics(connection, old.id)

    async def remove_strays(self) -> None:
        """Vectors of documents that were deleted while theirs were made."""
        if self._collection.store != "pgvector":
            await remove_strays(self._database, self._place, self._store)

    async def summary(self) -> EmbedReport:
        counts = await self._database.fetch_one(
            "SELECT (SELECT count(*) FROM chunks WHERE collection_id = %s) AS chunks,"
            " (SELECT count(*) FROM ingested_files WHERE job_id = %s) AS anew",
            (self._collection.id, self._attempt.job_id),
        )
        assert counts is not None
        return EmbedReport(
            collection=self._collection.name,
            collection_id=self._collection.id,
            embedder=self._record.id,
            chunks=counts["chunks"],
            cut_anew=counts["anew"],
        )

    async def _report(self, stage: str) -> None:
        done = min(self._done, self._total)
        await self._attempt.report(
            stage, fraction=done / max(1, self._total), done=done, total=self._total, file=self._title
        )
