"""What goes in and out of ingestion: requests, a job's arguments, and its report."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from twotrack.learning.ingest.formats import MOST_URLS
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
    urls: list[Address] = Field(default=[], max_length=MOST_URLS)
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


Outcome = Literal["added", "updated", "unchanged", "deleted", "failed"]


class Refusal(BaseModel):
    """A file that could not be taken in: what is wrong with it and what to do, in both languages."""

    source: str
    en: str
    ko: str


class IngestReport(BaseModel):
    """Result of a job of the kind "ingest": counts of files, those of attempts that were broken off included.

    File by file it is at `/api/ingest/{job_id}/files`.
    """

    collection: str
    collection_id: UUID
    documents: int = Field(description="that were looked at: added, updated, unchanged and failed ones")
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


class EmbedReport(BaseModel):
    """Result of a job of the kind "embed"."""

    collection: str
    collection_id: UUID
    embedder: str
    chunks: int
    cut_anew: int = Field(
        description="documents whose chunks were cut anew, since the embedder's tokens or limits are others"
    )


class IngestedFile(BaseModel):
    """What became of one file of a job."""

    source: str
    outcome: Outcome
    document_id: UUID | None = Field(description="null for what was deleted")
    copied: bool = Field(description="the same bytes were known by another name")
    chunks: int = Field(description="that were written; 0 for what has not changed")
    error: dict[str, Any] | None = Field(description="a problem document in the language asked for")


class IngestedFiles(BaseModel):
    files: list[IngestedFile]
    next: str | None = Field(description="`after` of the next page; null at the end")


class AcceptedFormat(BaseModel):
    name: str
    media_type: str
    endings: list[str] = Field(description="of file names, with their dots, in lower case")


class Accepted(BaseModel):
    """What can be taken in. What a file is, its content decides; endings choose what of a folder is read."""

    formats: list[AcceptedFormat]
    largest_file: int = Field(description="bytes")
    largest_upload: int = Field(description="bytes of one request with all its files")
    most_files: int = Field(description="of one upload")
    most_urls: int = Field(description="of one request")
    longest_text: int = Field(description="characters that one document may come to")


WatchState = Literal["absent", "empty", "changing", "taken_in", "unreadable"]


class WatchedFolder(BaseModel):
    """The folder of the studio's machine whose documents are taken in by themselves.

    `changing`: they are taken in once the folder stays the same for some seconds. `taken_in`: as they are
    now, they were handed to a job.
    """

    path: str
    collection: str = Field(description="where its documents go")
    state: WatchState
    files: int = Field(description="documents in it, as last looked at")
    job_id: UUID | None = Field(description="the job that they were handed to last")
    problem: str | None = Field(description="why the folder cannot be read")


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
