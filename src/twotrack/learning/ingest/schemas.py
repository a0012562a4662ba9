"""What goes in and out of ingestion: requests, a job's arguments, and its report."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from twotrack.stores.schemas import Document, StoreKind

DEFAULT_COLLECTION = "documents"

CollectionName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f/\\]+$")
]
Address = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class NewCollection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: CollectionName
    embedder: str | None = Field(
        default=None, description="what makes its vectors; by default the studio's own, multilingual-e5-small"
    )
    half: bool = Field(default=False, description="vectors of 16-bit numbers: half the memory")
    store: StoreKind = "pgvector"


class CollectionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: CollectionName


class NewEmbedder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    embedder: str | None = Field(default=None, description="what is to make its vectors from here on")
    half: bool = False


class Ingestion(BaseModel):
    """Either `urls`, or the `path` of a folder or file on the studio's machine."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    urls: list[Address] = Field(default=[], max_length=200)
    path: Address | None = Field(
        default=None, description="below the folder `data`; for the studio's owner on its machine, any"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.urls) == (self.path is not None):
            raise ValueError("give either urls or a path")
        return self


class IngestArgs(BaseModel):
    """Arguments of a job of the kind "ingest"."""

    collection: str
    path: str | None = None
    urls: list[str] = []
    uploads: list[str] = Field(default=[], description="names of the files in the job's folder, in order")


class Refusal(BaseModel):
    source: str
    en: str
    ko: str


class IngestReport(BaseModel):
    """Result of a job of the kind "ingest"."""

    collection: str
    collection_id: UUID
    documents: int = Field(description="that were looked at")
    added: int
    updated: int
    unchanged: int
    copied: int = Field(description="of those added and updated: the same bytes were known by another name")
    deleted: int = Field(description="that are not in the folder any more")
    failed: int
    skipped: int = Field(description="files of kinds that are no documents")
    chunks: int
    tokens: int
    failures: list[Refusal] = Field(description="the first hundred, each with what is wrong")


class DocumentText(BaseModel):
    """A document and a slice of its extracted text."""

    document: Document
    start: int
    text: str


class DocumentList(BaseModel):
    documents: list[Document]
    next: str | None = Field(description="`after` of the next page; null at the end")


class Deleted(BaseModel):
    deleted: int
