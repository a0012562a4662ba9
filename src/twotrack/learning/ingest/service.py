"""Collections and their documents: made, and removed with all that belongs to them."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from twotrack.core.database import Connection, Database
from twotrack.core.errors import TwotrackError
from twotrack.embedders.port import Embedder
from twotrack.embedders.service import DEFAULT, DEFAULT_DIMENSIONS, DEFAULT_LONGEST, Embedders
from twotrack.learning.ingest import originals, tables
from twotrack.learning.ingest.chunks import rule_for
from twotrack.learning.ingest.indexing import Transaction
from twotrack.registry.layout import Layout
from twotrack.stores import collections, documents, lexical, spare
from twotrack.stores.choice import Stores
from twotrack.stores.errors import CollectionNameTaken, CollectionNotFound
from twotrack.stores.pgvector import create_table
from twotrack.stores.port import VectorStore
from twotrack.stores.schemas import ChunkingRule, Collection, EmbedderRecord, StoreKind

_log = logging.getLogger(__name__)


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
    record, rule = await _record(embedders, embedder)
    async with transaction() as connection:
        collection = await collections.insert_collection(
            connection, name, embedder=record, chunking=rule, store=store, half=half
        )
        if store == "pgvector":
            await create_table(connection, collection.vectors, record.dimensions, half=half)
        else:
            # Within the transaction: where the store does not answer, there is no collection either.
            await stores.store_for(collection).create(collection.vectors, record.dimensions, half=half)
    return collection


async def _record(embedders: Embedders, address: str | None) -> tuple[EmbedderRecord, ChunkingRule]:
    """What is known of the default without it: nobody is to wait here until it is fetched."""
    if address in (None, DEFAULT):
        return EmbedderRecord(id=DEFAULT, dimensions=DEFAULT_DIMENSIONS), rule_for(DEFAULT_LONGEST)
    embedder = await embedders.get(address or DEFAULT)
    record = EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions)
    return record, rule_for(embedder.longest)


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
    record = EmbedderRecord(id=embedder.id, dimensions=embedder.dimensions)
    collections.check_embedder(collection, record)
    return collection, embedder


async def delete_collection(database: Database, layout: Layout, stores: Stores, name: str) -> int:
    """How many documents went with it. A store that is away loses its vectors once it is back.

    Raises:
        CollectionNotFound
    """
    async with database.transaction() as connection:
        collection = await collections.get_collection(connection, name)
        known = await tables.known_documents(connection, collection.id)
        await spare.write_down(connection, collection.vectors, collection.store)
        await collections.delete_collection(connection, collection.id)
    try:
        await spare.drop(database, stores, collection.vectors, collection.store)
    except TwotrackError as error:
        _log.warning("the vectors of %r are dropped later: %s", collection.name, error)
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
        await store.remove(collection.vectors, chunk_ids)
