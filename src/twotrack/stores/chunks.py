"""Chunks in PostgreSQL: those of a document come and go together."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from twotrack.core.database import Connection
from twotrack.stores.lexical import vector_literal
from twotrack.stores.schemas import NewChunk

_COLUMNS: LiteralString = (
    "document_id, collection_id, position, start, stop, page, heading, tokens, text,"
    " bigrams, bigrams_length, morphemes, morphemes_length"
)


async def replace_chunks(
    connection: Connection,
    collection: UUID,
    document: UUID,
    chunks: Sequence[NewChunk],
    bigrams: Sequence[Sequence[str]],
    morphemes: Sequence[Sequence[str]] | None,
) -> list[int]:
    """The document's chunks are these from here on; their ids in the order given.

    `bigrams` and `morphemes` are the terms of each chunk (stores/lexical.py). Old chunks go with their
    vectors in PostgreSQL; in another store they stay until `remove`, and no search shows them.
    """
    await connection.execute("DELETE FROM chunks WHERE document_id = %s", (document,))
    async with connection.cursor().copy(f"COPY chunks ({_COLUMNS}) FROM STDIN") as copy:
        for index, chunk in enumerate(chunks):
            words = None if morphemes is None else morphemes[index]
            await copy.write_row(
                (
                    *(document, collection, chunk.position, chunk.start, chunk.stop, chunk.page),
                    *(chunk.heading, chunk.tokens, chunk.text.replace("\0", "\ufffd")),
                    *(vector_literal(bigrams[index]), len(bigrams[index])),
                    *((None, None) if words is None else (vector_literal(words), len(words))),
                )
            )
    cursor = await connection.execute(
        "SELECT id FROM chunks WHERE document_id = %s ORDER BY position", (document,)
    )
    return [row["id"] for row in await cursor.fetchall()]


async def set_morphemes(
    connection: Connection, chunk_ids: Sequence[int], morphemes: Sequence[Sequence[str]]
) -> None:
    """For chunks that were indexed on an installation without the morpheme analyser."""
    await connection.execute(
        "UPDATE chunks SET morphemes = arrived.terms::tsvector, morphemes_length = arrived.length"
        " FROM unnest(%s::bigint[], %s::text[], %s::integer[]) AS arrived (id, terms, length)"
        " WHERE chunks.id = arrived.id",
        (
            list(chunk_ids),
            [vector_literal(terms) for terms in morphemes],
            [len(terms) for terms in morphemes],
        ),
    )
