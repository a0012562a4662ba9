"""Documents in PostgreSQL, with their extracted text and what became of the reading."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Language
from twotrack.stores.errors import DocumentNotFound
from twotrack.stores.schemas import Document, DocumentState, Origin

_DOCUMENT: LiteralString = (
    "id, collection_id, source, origin, title, media_type, sha256, size, language, state, error,"
    " char_length(text) AS characters, pages, headings, metadata, created_at, updated_at,"
    " (SELECT count(*) FROM chunks WHERE document_id = documents.id) AS chunks"
)


async def begin_document(
    connection: Connection,
    collection: UUID,
    source: str,
    *,
    origin: Origin,
    title: str,
    media_type: str,
    sha256: str,
    size: int,
) -> UUID:
    """A row for what is about to be read, or the row that this source has already, as it is until the
    reading has come to its end: a document that is read again can be searched meanwhile."""
    cursor = await connection.execute(
        "INSERT INTO documents (collection_id, source, origin, title, media_type, sha256, size, state)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, 'reading')"
        " ON CONFLICT (collection_id, source) DO UPDATE SET source = excluded.source RETURNING id",
        (collection, source, origin, title, media_type, sha256, size),
    )
    row = await cursor.fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


async def finish_document(
    connection: Connection,
    document: UUID,
    *,
    title: str,
    media_type: str,
    sha256: str,
    size: int,
    language: str | None,
    text: str,
    pages: Sequence[int] | None,
    headings: Sequence[tuple[int, int, str]],
    metadata: dict[str, Any],
) -> None:
    """What the reading gave; its chunks are replaced in the same transaction (stores/chunks.py)."""
    await connection.execute(
        "UPDATE documents SET title = %s, media_type = %s, sha256 = %s, size = %s, language = %s, text = %s,"
        " pages = %s, headings = %s, metadata = %s, state = 'ready', error = NULL, updated_at = now()"
        " WHERE id = %s",
        (
            *(title, media_type, sha256, size, language, text.replace("\0", "\ufffd")),
            *(None if pages is None else as_jsonb(pages), as_jsonb(headings), as_jsonb(metadata), document),
        ),
    )


async def fail_document(connection: Connection, document: UUID, sha256: str, error: TwotrackError) -> None:
    """It could not be read: it says why, and what an earlier reading had found goes."""
    await connection.execute("DELETE FROM chunks WHERE document_id = %s", (document,))
    problems = {"en": error.problem("en"), "ko": error.problem("ko")}
    await connection.execute(
        "UPDATE documents SET state = 'failed', sha256 = %s, error = %s, text = '', pages = NULL,"
        " headings = '[]', updated_at = now() WHERE id = %s",
        (sha256, as_jsonb(problems), document),
    )


async def get_document(database: Database, document: UUID, *, language: Language = "en") -> Document:
    """
    Raises:
        DocumentNotFound
    """
    row = await database.fetch_one(f"SELECT {_DOCUMENT} FROM documents WHERE id = %s", (document,))
    if row is None:
        raise DocumentNotFound(name=str(document))
    return _document(row, language)


async def list_documents(
    database: Database,
    collection: UUID,
    *,
    query: str | None = None,
    state: DocumentState | None = None,
    after: str | None = None,
    limit: int = 100,
    language: Language = "en",
) -> list[Document]:
    """In the order of their sources; `after` is the last source of the page before.

    `query` is looked for in sources and titles, as it is written but for case.
    """
    rows = await database.fetch_all(
        f"""
        SELECT {_DOCUMENT} FROM documents
        WHERE collection_id = %(collection)s
          AND (%(state)s::text IS NULL OR state = %(state)s)
          AND (%(after)s::text IS NULL OR source > %(after)s)
          AND (%(query)s::text IS NULL
               OR position(lower(%(query)s) IN lower(source)) > 0
               OR position(lower(%(query)s) IN lower(title)) > 0)
        ORDER BY source LIMIT %(limit)s
        """,
        {"collection": collection, "state": state, "after": after, "query": query, "limit": limit},
    )
    return [_document(row, language) for row in rows]


async def known_contents(connection: Connection, collection: UUID, *, origin: Origin) -> dict[str, str]:
    """Source → SHA-256 of what was read from it last, of documents that are over with."""
    cursor = await connection.execute(
        "SELECT source, sha256 FROM documents"
        " WHERE collection_id = %s AND origin = %s AND state <> 'reading'",
        (collection, origin),
    )
    return {row["source"]: row["sha256"] for row in await cursor.fetchall()}


async def read_text(
    database: Database, document: UUID, start: int = 0, stop: int | None = None
) -> tuple[str, int]:
    """A slice of the extracted text, in characters, and how long the whole is.

    Raises:
        DocumentNotFound
    """
    row = await database.fetch_one(
        "SELECT substr(text, %(start)s + 1, coalesce(%(stop)s, char_length(text)) - %(start)s) AS slice,"
        " char_length(text) AS length FROM documents WHERE id = %(id)s",
        {"id": document, "start": start, "stop": None if stop is None else max(start, stop)},
    )
    if row is None:
        raise DocumentNotFound(name=str(document))
    return row["slice"], row["length"]


async def delete_documents(connection: Connection, documents: Sequence[UUID]) -> int:
    """With their chunks, and the vectors that lie in PostgreSQL. Returns how many there were."""
    cursor = await connection.execute("DELETE FROM documents WHERE id = ANY(%s)", (list(documents),))
    return cursor.rowcount


def _document(row: dict[str, Any], language: Language) -> Document:
    return Document.model_validate({**row, "error": row["error"] and row["error"][language]})
