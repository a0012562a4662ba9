"""A collection with documents whose chunks are plain sentences, as ingestion would leave them."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest

from twotrack.core.database import Database
from twotrack.stores import chunks, collections, documents, lexical
from twotrack.stores.schemas import ChunkingRule, Collection, EmbedderRecord, NewChunk

MakeCollection = Callable[[str], Awaitable[Collection]]
AddDocument = Callable[[Collection, str, Sequence[str]], Awaitable[tuple[UUID, list[int]]]]


@pytest.fixture
def make_collection(database: Database) -> MakeCollection:
    async def make(name: str) -> Collection:
        async with database.transaction() as connection:
            return await collections.insert_collection(
                connection,
                name,
                embedder=EmbedderRecord(id="test", dimensions=3),
                chunking=ChunkingRule(tokens=64, overlap=0),
            )

    return make


@pytest.fixture
def add_document(database: Database) -> AddDocument:
    """Adds one with a chunk for each text; statistics are brought up to date."""

    async def add(collection: Collection, source: str, texts: Sequence[str]) -> tuple[UUID, list[int]]:
        whole = "\n".join(texts)
        places: list[NewChunk] = []
        start = 0
        for position, text in enumerate(texts):
            places.append(NewChunk(position, start, start + len(text), len(text.split()), text))
            start += len(text) + 1
        terms = [lexical.bigram_terms(text) for text in texts]
        async with database.transaction() as connection:
            document = await documents.begin_document(
                connection,
                collection.id,
                source,
                origin="upload",
                title=source,
                media_type="text/plain",
                sha256=source,
                size=len(whole),
            )
            await documents.finish_document(
                connection,
                document,
                title=source,
                media_type="text/plain",
                sha256=source,
                size=len(whole),
                language=None,
                text=whole,
                pages=None,
                headings=[],
                metadata={},
            )
            ids = await chunks.replace_chunks(connection, collection.id, document, places, terms, terms)
            await lexical.refresh_statistics(connection, collection.id)
        return document, ids

    return add
