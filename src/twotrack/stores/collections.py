"""Collections in PostgreSQL: names and ids both find them."""

from typing import LiteralString
from uuid import UUID, uuid4

import psycopg

from twotrack.core.database import Connection, as_jsonb
from twotrack.stores.errors import CollectionNameTaken, CollectionNotFound, OtherDimensions, OtherEmbedder
from twotrack.stores.schemas import ChunkingRule, Collection, CollectionEntry, EmbedderRecord, StoreKind

_COLLECTION: LiteralString = "id, name, embedder, chunking, store, half, vectors, statistics, created_at"


async def insert_collection(
    connection: Connection,
    name: str,
    *,
    embedder: EmbedderRecord,
    chunking: ChunkingRule,
    store: StoreKind = "pgvector",
    half: bool = False,
) -> Collection:
    """The row alone: the place for its vectors is the store's to make (pgvector: in the same transaction).

    Raises:
        CollectionNameTaken
    """
    number = uuid4()
    try:
        async with connection.transaction():
            cursor = await connection.execute(
                "INSERT INTO collections (id, name, embedder, chunking, store, half, vectors)"
                f" VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLLECTION}",
                (
                    *(number, name, as_jsonb(embedder.model_dump()), as_jsonb(chunking.model_dump())),
                    *(store, half, number),
                ),
            )
    except psycopg.errors.UniqueViolation as error:
        raise CollectionNameTaken(name=name) from error
    return Collection.model_validate(await cursor.fetchone())


async def get_collection(connection: Connection, id_or_name: UUID | str) -> Collection:
    """
    Raises:
        CollectionNotFound
    """
    cursor = await connection.execute(
        f"SELECT {_COLLECTION} FROM collections WHERE id::text = %(given)s OR name = %(given)s",
        {"given": str(id_or_name)},
    )
    row = await cursor.fetchone()
    if row is None:
        raise CollectionNotFound(name=str(id_or_name))
    return Collection.model_validate(row)


async def list_collections(connection: Connection) -> list[CollectionEntry]:
    """The oldest first, each with what it holds."""
    cursor = await connection.execute(
        f"""
        SELECT {_COLLECTION},
            (SELECT count(*) FROM documents WHERE collection_id = collections.id) AS documents,
            (SELECT count(*) FROM documents
             WHERE collection_id = collections.id AND state = 'failed') AS failed,
            (SELECT count(*) FROM chunks WHERE collection_id = collections.id) AS chunks
        FROM collections ORDER BY created_at, id
        """
    )
    return [CollectionEntry.model_validate(row) for row in await cursor.fetchall()]


async def rename_collection(connection: Connection, collection: UUID, name: str) -> None:
    """
    Raises:
        CollectionNameTaken
    """
    try:
        async with connection.transaction():
            await connection.execute("UPDATE collections SET name = %s WHERE id = %s", (name, collection))
    except psycopg.errors.UniqueViolation as error:
        raise CollectionNameTaken(name=name) from error


async def change_embedder(
    connection: Connection,
    collection: UUID,
    embedder: EmbedderRecord,
    *,
    chunking: ChunkingRule,
    half: bool,
    vectors: UUID,
) -> None:
    """What makes its vectors from here on, and the place where all of them lie already.

    Raises:
        CollectionNotFound
    """
    cursor = await connection.execute(
        "UPDATE collections SET embedder = %s, chunking = %s, half = %s, vectors = %s WHERE id = %s",
        (as_jsonb(embedder.model_dump()), as_jsonb(chunking.model_dump()), half, vectors, collection),
    )
    if not cursor.rowcount:
        raise CollectionNotFound(name=str(collection))


async def delete_collection(connection: Connection, collection: UUID) -> None:
    """With its documents and chunks; its vectors are the store's to drop, before this."""
    await connection.execute("DELETE FROM collections WHERE id = %s", (collection,))


def check_embedder(collection: Collection, asked: EmbedderRecord) -> None:
    """
    Raises:
        OtherEmbedder: the collection's vectors were made by another one.
        OtherDimensions: by this one, when its vectors were of another length.
    """
    made_by = collection.embedder
    if made_by.id != asked.id:
        raise OtherEmbedder(name=collection.name, made_by=made_by.id, asked=asked.id)
    if made_by.dimensions != asked.dimensions:
        raise OtherDimensions(
            name=collection.name, embedder=asked.id, before=made_by.dimensions, now=asked.dimensions
        )
