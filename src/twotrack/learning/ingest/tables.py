"""What ingestion asks of the database beyond stores/: what is known already, and copies of a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from twotrack.core.database import Connection, as_jsonb
from twotrack.stores.schemas import NewChunk, Origin, indexed_text

_COPIED: LiteralString = (
    "collection_id, position, start, stop, page, heading, tokens, text,"
    " bigrams, bigrams_length, morphemes, morphemes_length"
)
_INDEXED: LiteralString = (
    "chunks.id, document_id, title, position, start, stop, tokens, page, heading, chunks.text"
)


@dataclass(frozen=True)
class Known:
    id: UUID
    origin: Origin
    sha256: str
    ready: bool
    folder_id: str | None


async def known_documents(connection: Connection, collection: UUID) -> dict[str, Known]:
    """By their sources."""
    cursor = await connection.execute(
        "SELECT source, id, origin, sha256, state = 'ready' AS ready, metadata->>'folder_id' AS folder_id"
        " FROM documents WHERE collection_id = %s",
        (collection,),
    )
    return {row.pop("source"): Known(**row) for row in await cursor.fetchall()}


async def find_twin(
    connection: Connection, collection: UUID, sha256: str, *, other_than: str, ending: str
) -> UUID | None:
    """A document of the same bytes that was read as the same kind of file."""
    cursor = await connection.execute(
        "SELECT id FROM documents WHERE collection_id = %s AND sha256 = %s AND state = 'ready'"
        " AND source <> %s AND lower(source) LIKE %s ORDER BY created_at, id LIMIT 1",
        (collection, sha256, other_than, "%" + ending.replace("\\", "").replace("%", "").replace("_", "\\_")),
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def copy_reading(connection: Connection, twin: UUID, document: UUID) -> int:
    """Give a document the text and the chunks of its twin; how many chunks that are.

    What was indexed carries the twin's title: the vectors are worth more than a title made of a file's name.
    """
    await connection.execute(
        "UPDATE documents SET media_type = twin.media_type, language = twin.language, text = twin.text,"
        " pages = twin.pages, headings = twin.headings, metadata = twin.metadata - %s::text[],"
        " sha256 = twin.sha256, size = twin.size,"
        " state = 'ready', error = NULL, updated_at = now()"
        " FROM documents AS twin WHERE twin.id = %s AND documents.id = %s",
        # Whose folder the twin lies in is its own affair.
        (["folder", "folder_id"], twin, document),
    )
    await connection.execute("DELETE FROM chunks WHERE document_id = %s", (document,))
    cursor = await connection.execute(
        f"INSERT INTO chunks (document_id, {_COPIED})"
        f" SELECT %s, {_COPIED} FROM chunks WHERE document_id = %s ORDER BY position",
        (document, twin),
    )
    return cursor.rowcount


async def chunk_ids(connection: Connection, documents: Sequence[UUID]) -> list[int]:
    cursor = await connection.execute(
        "SELECT id FROM chunks WHERE document_id = ANY(%s) ORDER BY id", (list(documents),)
    )
    return [row["id"] for row in await cursor.fetchall()]


async def gone_chunks(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Those of the ids that no chunk bears any more."""
    cursor = await connection.execute(
        "SELECT id FROM unnest(%s::bigint[]) AS asked (id)"
        " WHERE NOT EXISTS (SELECT FROM chunks WHERE chunks.id = asked.id) ORDER BY id",
        (list(ids),),
    )
    return [row["id"] for row in await cursor.fetchall()]


async def set_metadata(
    connection: Connection, document: UUID, title: str, metadata: Mapping[str, str]
) -> None:
    await connection.execute(
        "UPDATE documents SET title = %s, metadata = metadata || %s WHERE id = %s",
        (title, as_jsonb(dict(metadata)), document),
    )


@dataclass(frozen=True)
class IndexedChunk:
    id: int
    document_id: UUID
    indexed: str
    """What was embedded of it."""
    text: str


async def indexed_chunks(
    connection: Connection, collection: UUID, after: int, limit: int
) -> list[IndexedChunk]:
    """The next chunks of a collection after an id, in the order of their ids."""
    cursor = await connection.execute(
        f"SELECT {_INDEXED} FROM chunks JOIN documents ON documents.id = document_id"
        " WHERE chunks.collection_id = %s AND chunks.id > %s ORDER BY chunks.id LIMIT %s",
        (collection, after, limit),
    )
    return [_indexed(row) for row in await cursor.fetchall()]


async def chunks_of(connection: Connection, document: UUID) -> list[IndexedChunk]:
    """A document's chunks in their order."""
    cursor = await connection.execute(
        f"SELECT {_INDEXED} FROM chunks JOIN documents ON documents.id = document_id"
        " WHERE document_id = %s ORDER BY position",
        (document,),
    )
    return [_indexed(row) for row in await cursor.fetchall()]


def _indexed(row: dict[str, Any]) -> IndexedChunk:
    number, document, title = row.pop("id"), row.pop("document_id"), row.pop("title")
    chunk = NewChunk(**row)
    return IndexedChunk(number, document, indexed_text(title, chunk), chunk.text)
