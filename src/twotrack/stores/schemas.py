"""What is kept of documents: collections, documents, chunks, and what a search finds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

StoreKind = Literal["pgvector", "qdrant"]
Origin = Literal["folder", "upload", "url"]
DocumentState = Literal["reading", "ready", "failed"]
Leg = Literal["bigrams", "morphemes"]


class EmbedderRecord(BaseModel):
    """What made a collection's vectors. Vectors of different ids cannot be compared."""

    model_config = ConfigDict(frozen=True)

    id: str
    dimensions: int = Field(ge=1)


class ChunkingRule(BaseModel):
    """How documents were cut and their terms made; `version` counts the changes of the rule itself.

    Since 2 the lexical indexes hold the stems of English words.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int = Field(ge=16, le=8192, description="length of a chunk at most, in the embedder's tokens")
    overlap: int = Field(ge=0, description="tokens that a chunk repeats of the one before it")
    version: int = 1

    @property
    def stems(self) -> bool:
        return self.version >= 2


class Collection(BaseModel):
    id: UUID
    name: str
    embedder: EmbedderRecord
    chunking: ChunkingRule
    store: StoreKind
    half: bool = Field(description="vectors of 16-bit numbers: half the memory, nearly the same neighbours")
    vectors: UUID = Field(exclude=True)
    """Where they lie in the store; another place once the collection was embedded anew."""
    statistics: dict[str, Any] = Field(exclude=True)
    created_at: datetime


class CollectionEntry(Collection):
    """A collection with what it holds."""

    documents: int
    failed: int = Field(description="documents that could not be read")
    chunks: int


class Document(BaseModel):
    """Without its text, which may be long. `error` is a problem document in the language asked for."""

    id: UUID
    collection_id: UUID
    source: str
    origin: Origin
    title: str
    media_type: str
    sha256: str
    size: int
    language: str | None
    state: DocumentState
    error: dict[str, Any] | None
    characters: int
    chunks: int
    pages: list[int] | None = Field(description="where each page begins in the text; null without pages")
    headings: list[tuple[int, int, str]] = Field(description="[place in the text, level, title]")
    metadata: dict[str, str | int | float | bool]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class NewChunk:
    """A piece of a document's text from `start` to `stop`, in characters; `heading` is the path to it."""

    position: int
    start: int
    stop: int
    tokens: int
    text: str
    page: int | None = None
    heading: str = ""


def indexed_text(title: str, chunk: "NewChunk | Passage") -> str:
    """What of a chunk is embedded and indexed: with the title and the headings above it."""
    above = [part for part in (title, chunk.heading) if part]
    return "\n".join([" › ".join(above), chunk.text]) if above else chunk.text


@dataclass(frozen=True)
class Hit:
    """One chunk that a leg found; the score's unit is the leg's own (cosine, BM25)."""

    chunk_id: int
    document_id: UUID
    score: float


class Passage(BaseModel):
    """A chunk that was found, with why. Ranks count from 1; null where a leg did not find it."""

    model_config = ConfigDict(frozen=True)

    chunk_id: int
    document_id: UUID
    collection_id: UUID
    title: str
    source: str
    media_type: str
    page: int | None
    heading: str
    start: int
    stop: int
    text: str
    score: float = Field(description="both legs' standardised scores, weighed")
    dense_rank: int | None = None
    dense_score: float | None = Field(default=None, description="cosine similarity")
    lexical_rank: int | None = None
    lexical_score: float | None = Field(default=None, description="BM25")
    match: float | None = Field(
        default=None,
        description="how well the question's tokens find their like here, −1 to 1: the first passages are "
        "looked at so closely, and ordered by it",
    )
    also_in: tuple[str, ...] = Field(
        default=(), description="sources of other documents with the same text, such as a second copy"
    )
