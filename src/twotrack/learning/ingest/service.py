"""Collections and their documents: made, embedded anew, and removed with all that belongs to them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from twotrack.core.database import Connection, Database
from twotrack.core.file_lock import file_lock
from twotrack.core.jobs import Attempt
from twotrack.embedders.port import Embedder
from twotrack.embedders.service import DEFAULT, DEFAULT_DIMENSIONS, Embedders
from twotrack.learning.ingest import originals, tables
from twotrack.learning.ingest.chunks import RULE
from twotrack.learning.ingest.indexing import Transaction
from twotrack.learning.ingest.schemas import EmbedReport
from twotrack.registry.layout import Layout
from twotrack.stores import collections, documents, lexical
from twotrack.stores.choice import Stores
from twotrack.stores.errors import CollectionNameTaken, CollectionNotFound
from twotrack.stores.pgvector import create_table, drop_table, put_rows
from twotrack.stores.port import Row, VectorStore
from twotrack.stores.schemas import Collection, EmbedderRecord, StoreKind

_EMBEDDED_AT_ONCE = 256


def lock_of(layout: Layout, collection: UUID) -> Path:
    """Held by what changes a collection's documents or vectors."""
    return layout.staging / "locks" / f"collection-{collection}"


async def create_collection(
    transaction: Transaction,
    embedders: Embedders,
    stores: Stores,
    name: str,
    *,
    embedder: str | None = None,
    half: bool = False,
    store: StoreKind = "pgvector",
) -> Collection:
    """
    Raises:
        CollectionNameTaken, EmbedderUnknown, StoreUnknown, StoreAway, EmbedderFailed
    """
    record = await _record(embedders, embedder)
    async with transaction() as connection:
        collection = await collections.insert_collection(
            connection, name, embedder=record, chunking=RULE, store=store, half=half
        )
        if store == "pgvector":
            await create_table(connection, collection.id, record.dimensions, half=half)
        else:
            # Within the transaction: where the store does not answer, there is no collection either.
            await stores.store_for(collection).create(collection.id, record.dimensions, half=half)
    return collection


async def _record(embedders: Embedders, address: str | None) -> EmbedderRecord:
    """What is known of the default without it: nobody is to wait here until it is fetched."""
    if address in (None, DEFAULT):
        return EmbedderRecord(id=DEFAULT, dimensions=DEFAULT_DIMENSIONS)
    embedder = await embedders.get(address or DEFAULT)
    return EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions)


async def open_collection(
    database: Database, embedders: Embedders, stores: Stores, name: str, transaction: Transaction
) -> tuple[Collection, Embedder]:
    """The collection of that name, made now if there is none, and its embedder."""
    try:
        async with database.transaction() as connection:
            collection = await collections.get_collection(connection, name)
    except CollectionNotFound:
        try:
            collection = await create_collection(transaction, embedders, stores, name)
        except CollectionNameTaken:
            # Another job was faster.
            async with database.transaction() as connection:
                collection = await collections.get_collection(connection, name)
    embedder = await embedders.get(collection.embedder.id)
    collections.check_embedder(collection, embedder.id)
    return collection, embedder


async def delete_collection(database: Database, layout: Layout, stores: Stores, name: str) -> int:
    """How many documents went with it.

    Raises:
        CollectionNotFound, StoreAway
    """
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, name)
        known = await tables.known_documents(connection, collection.id)
        if collection.store == "pgvector":
            await drop_table(connection, collection.id)
        else:
            await stores.store_for(collection).drop(collection.id)
        await collections.delete_collection(connection, collection.id)
    await asyncio.to_thread(originals.remove, layout, [one.id for one in known.values()])
    return len(known)


async def delete_document(database: Database, layout: Layout, stores: Stores, document: UUID) -> None:
    """
    Raises:
        DocumentNotFound, StoreAway
    """
    found = await documents.get_document(database, document)
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, found.collection_id)
    async with database.transaction() as connection:
        ids = await delete_rows(connection, [document])
    await forget(layout, collection, stores.store_for(collection), [document], ids)
    async with database.transaction() as connection:
        await lexical.refresh_statistics(connection, collection.id)


async def delete_rows(connection: Connection, gone: Sequence[UUID]) -> list[int]:
    """Documents with their chunks; the ids of those. The collection's statistics are the caller's, and
    `forget` comes after the transaction."""
    ids = await tables.chunk_ids(connection, gone)
    await documents.delete_documents(connection, gone)
    return ids


async def forget(
    layout: Layout, collection: Collection, store: VectorStore, gone: Sequence[UUID], ids: Sequence[int]
) -> None:
    """What lies outside of PostgreSQL of documents that are gone: vectors of their chunks, and originals."""
    await forget_vectors(collection, store, ids)
    await asyncio.to_thread(originals.remove, layout, gone)


async def forget_vectors(collection: Collection, store: VectorStore, chunk_ids: Sequence[int]) -> None:
    """Of chunks that are gone; those in PostgreSQL went with them."""
    if collection.store != "pgvector" and chunk_ids:
        await store.remove(collection.id, chunk_ids)


async def embed_job(
    attempt: Attempt, *, database: Database, layout: Layout, embedders: Embedders, stores: Stores
) -> dict[str, Any]:
    """Body of a job of the kind "embed": another embedder makes all vectors of a collection anew.

    Until the last is there the collection is searched as it was; then all are exchanged at once.
    Args: "collection" (its id), and perhaps "embedder" and "half".
    """
    await attempt.report("preparing")
    embedder = await embedders.get(attempt.args.get("embedder") or DEFAULT)
    record = EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions)
    half = bool(attempt.args.get("half"))
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, attempt.args["collection"])

    async def waiting() -> None:
        await attempt.report("waiting")

    async with file_lock(lock_of(layout, collection.id), waiting=waiting):
        total = int(collection.statistics.get("chunks", 0))
        rows: list[Row] = []
        after = 0
        while True:
            done = {"done": len(rows), "total": total}
            await attempt.report("embedding", fraction=min(1.0, len(rows) / max(1, total)), **done)
            async with database.transaction() as connection:
                chunks = await tables.indexed_chunks(connection, collection.id, after, _EMBEDDED_AT_ONCE)
            if not chunks:
                break
            after = chunks[-1].id
            vectors = await embedder.embed([chunk.indexed for chunk in chunks], kind="passage")
            rows += [
                (chunk.id, chunk.document_id, vector) for chunk, vector in zip(chunks, vectors, strict=True)
            ]
        await attempt.report("exchanging", fraction=1.0)
        async with attempt.transaction() as connection:
            # A document may have been deleted meanwhile.
            alive = set(await tables.chunk_ids(connection, list({row[1] for row in rows})))
            rows = [row for row in rows if row[0] in alive]
            await collections.change_embedder(connection, collection.id, record, half=half)
            if collection.store == "pgvector":
                await drop_table(connection, collection.id)
                await create_table(connection, collection.id, record.dimensions, half=half)
                await put_rows(connection, collection.id, rows)
            else:
                store = stores.store_for(collection)
                await store.drop(collection.id)
                await store.create(collection.id, record.dimensions, half=half)
                await store.put(collection.id, rows)
    report = EmbedReport(
        collection=collection.name,
        collection_id=collection.id,
        embedder=record.id,
        chunks=len(rows),
        cut_anew=0,
    )
    return report.model_dump(mode="json")
