"""Chunks that are to take the place of others: made beside them, and exchanged all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from twotrack.core.database import Connection, Database
from twotrack.learning.ingest.extracted import Block, BlockKind, Extracted
from twotrack.learning.ingest.tables import IndexedChunk
from twotrack.stores.lexical import vector_literal
from twotrack.stores.schemas import NewChunk, indexed_text

_COLUMNS: LiteralString = (
    "id, document_id, position, start, stop, page, heading, tokens, text,"
    " bigrams, bigrams_length, morphemes, morphemes_length"
)


@dataclass(frozen=True)
class Unfinished:
    """A document whose vectors are to be made anew."""

    id: UUID
    source: str
    title: str
    media_type: str
    sha256: str


async def documents_after(
    database: Database, collection: UUID, after: UUID | None, limit: int
) -> list[Unfinished]:
    rows = await database.fetch_all(
        "SELECT id, source, title, media_type, sha256 FROM documents WHERE collection_id = %(collection)s"
        " AND state = 'ready' AND (%(after)s::uuid IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s",
        {"collection": collection, "after": after, "limit": limit},
    )
    return [Unfinished(**row) for row in rows]


async def text_of(database: Database, document: Unfinished) -> Extracted:
    """What was read of it then, with its headings and paragraphs; a table is one of lines."""
    row = await database.fetch_one(
        "SELECT text, pages, headings FROM documents WHERE id = %s", (document.id,)
    )
    if row is None:
        return Extracted("", ())
    text: str = row["text"]
    levels = {start: level for start, level, _ in row["headings"]}
    blocks: list[Block] = []
    start = 0
    for part in text.split("\n\n"):
        if part.strip():
            level = levels.get(start)
            kind: BlockKind = "paragraph" if level is None else "heading"
            blocks.append(Block(kind, start, start + len(part), level or 0))
        start += len(part) + 2
    pages = None if row["pages"] is None else tuple(row["pages"])
    return Extracted(text, tuple(blocks), pages=pages)


async def forget_changed(connection: Connection, place: UUID) -> None:
    """Chunks of documents that were read anew since they were staged."""
    await connection.execute(
        "DELETE FROM staged_chunks USING documents WHERE place = %s AND documents.id = document_id"
        " AND documents.updated_at > staged_at",
        (place,),
    )


async def staged_chunks(connection: Connection, place: UUID, document: Unfinished) -> list[IndexedChunk]:
    cursor = await connection.execute(
        "SELECT id, position, start, stop, page, heading, tokens, text FROM staged_chunks"
        " WHERE place = %s AND document_id = %s ORDER BY position",
        (place, document.id),
    )
    found = []
    for row in await cursor.fetchall():
        number = row.pop("id")
        chunk = NewChunk(**row)
        found.append(IndexedChunk(number, document.id, indexed_text(document.title, chunk), chunk.text))
    return found


async def stage(
    connection: Connection,
    place: UUID,
    document: Unfinished,
    chunks: Sequence[NewChunk],
    bigrams: Sequence[Sequence[str]],
    morphemes: Sequence[Sequence[str]] | None,
) -> None:
    cursor = await connection.execute(
        "SELECT nextval(pg_get_serial_sequence('chunks', 'id')) AS id FROM generate_series(1, %s)",
        (len(chunks),),
    )
    ids = [row["id"] for row in await cursor.fetchall()]
    async with connection.cursor().copy(f"COPY staged_chunks (place, {_COLUMNS}) FROM STDIN") as copy:
        for index, (number, chunk) in enumerate(zip(ids, chunks, strict=True)):
            words = None if morphemes is None else morphemes[index]
            await copy.write_row(
                (
                    *(place, number, document.id, chunk.position, chunk.start, chunk.stop, chunk.page),
                    *(chunk.heading, chunk.tokens, chunk.text.replace("\0", "\ufffd")),
                    *(vector_literal(bigrams[index]), len(bigrams[index])),
                    *((None, None) if words is None else (vector_literal(words), len(words))),
                )
            )


async def unstage(connection: Connection, place: UUID, collection: UUID) -> dict[str, UUID]:
    """The staged chunks are the documents' from here on; which documents that are, by their sources."""
    cursor = await connection.execute(
        "SELECT source, id FROM documents WHERE id IN"
        " (SELECT document_id FROM staged_chunks WHERE place = %s)",
        (place,),
    )
    documents = {row["source"]: row["id"] for row in await cursor.fetchall()}
    await connection.execute("DELETE FROM chunks WHERE document_id = ANY(%s)", (list(documents.values()),))
    await connection.execute(
        f"INSERT INTO chunks (collection_id, {_COLUMNS}) OVERRIDING SYSTEM VALUE"
        f" SELECT %s, {_COLUMNS} FROM staged_chunks WHERE place = %s",
        (collection, place),
    )
    await connection.execute("DELETE FROM staged_chunks WHERE place = %s", (place,))
    return documents
