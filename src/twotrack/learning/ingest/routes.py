"""Collections, documents and their ingestion over HTTP."""

import asyncio
import shutil
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import TypeAdapter, ValidationError

from twotrack.core import events, jobs
from twotrack.core.access.caller import Caller
from twotrack.core.access.roles import admin_only, caller_of
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.jobs import Job
from twotrack.core.language import Language, Text, from_accept_language
from twotrack.learning.ingest import service
from twotrack.learning.ingest.errors import AddressRefused, NothingToIngest, PathMissing, PathRefused
from twotrack.learning.ingest.fetch import check_url
from twotrack.learning.ingest.formats import FORMATS, LARGEST_DOCUMENT, LARGEST_UPLOAD, MOST_FILES, MOST_URLS
from twotrack.learning.ingest.job import uploads_of
from twotrack.learning.ingest.originals import original
from twotrack.learning.ingest.readers import LONGEST_TEXT
from twotrack.learning.ingest.report import list_files
from twotrack.learning.ingest.schemas import (
    DEFAULT_COLLECTION,
    Accepted,
    AcceptedFormat,
    CollectionChange,
    CollectionName,
    Deleted,
    DocumentList,
    DocumentText,
    IngestArgs,
    IngestedFiles,
    Ingestion,
    NewCollection,
    NewEmbedder,
    Outcome,
    WatchedFolder,
)
from twotrack.learning.ingest.uploads import Uploads
from twotrack.learning.ingest.watching import folder as watched_folder
from twotrack.learning.ingest.watching import watched
from twotrack.registry.layout import Layout
from twotrack.registry.storage import require_space
from twotrack.stores import collections, documents
from twotrack.stores.errors import CollectionNotFound, DocumentNotFound
from twotrack.stores.schemas import Collection, CollectionEntry, DocumentState

router = APIRouter(prefix="/api", tags=["documents"])

_LONGEST_SLICE = 200_000
_UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "collection": {"type": "string", "default": DEFAULT_COLLECTION},
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


@router.get("/collections")
async def list_collections(request: Request) -> list[CollectionEntry]:
    """The oldest first, each with what it holds."""
    async with _database(request).transaction() as connection:
        return await collections.list_collections(connection)


@router.post("/collections", status_code=201, dependencies=[admin_only])
async def create_collection(request: Request, new: NewCollection) -> Collection:
    state = request.app.state
    collection = await service.create_collection(
        state.database.transaction,
        state.embedders,
        state.stores,
        new.name,
        embedder=new.embedder,
        half=new.half,
        store=new.store,
    )
    await _note(request, "collection.created", collection)
    return collection


@router.get("/collections/{collection}")
async def get_collection(request: Request, collection: str) -> CollectionEntry:
    """By its name or id."""
    found = await _collection(request, collection)
    async with _database(request).transaction() as connection:
        entries = await collections.list_collections(connection)
    for entry in entries:
        if entry.id == found.id:
            return entry
    raise CollectionNotFound(name=collection)


@router.patch("/collections/{collection}", dependencies=[admin_only])
async def change_collection(request: Request, collection: str, change: CollectionChange) -> Collection:
    found = await _collection(request, collection)
    async with _database(request).transaction() as connection:
        await collections.rename_collection(connection, found.id, change.name)
    return await _collection(request, str(found.id))


@router.delete("/collections/{collection}", dependencies=[admin_only])
async def delete_collection(request: Request, collection: str) -> Deleted:
    """With all its documents."""
    found = await _collection(request, collection)
    state = request.app.state
    count = await service.delete_collection(state.database, state.layout, state.stores, str(found.id))
    await _note(request, "collection.deleted", found)
    return Deleted(deleted=count)


@router.post("/collections/{collection}/embed", status_code=202, dependencies=[admin_only])
async def embed_collection(request: Request, collection: str, asked: NewEmbedder) -> Job:
    """Let another embedder make all its vectors anew; the answer is the job that does it."""
    found = await _collection(request, collection)
    args = {"collection": str(found.id), "embedder": asked.embedder, "half": asked.half}
    return await _enqueue(request, "embed", args)


@router.get("/collections/{collection}/documents")
async def list_documents(
    request: Request,
    collection: str,
    query: Annotated[str | None, Query(max_length=200)] = None,
    state: DocumentState | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DocumentList:
    """In the order of their sources; `query` is looked for in sources and titles."""
    found = await _collection(request, collection)
    listed = await documents.list_documents(
        _database(request),
        found.id,
        query=query,
        state=state,
        after=after,
        limit=limit,
        language=_language(request),
    )
    return DocumentList(documents=listed, next=listed[-1].source if len(listed) == limit else None)


@router.get("/documents/{document_id}")
async def get_document(
    request: Request,
    document_id: UUID,
    start: Annotated[int, Query(ge=0, le=2**31)] = 0,
    stop: Annotated[int | None, Query(ge=0, le=2**31)] = None,
) -> DocumentText:
    """What is known of it, and its text from `start` to `stop`, in characters; 200,000 at a time."""
    end = min(start + _LONGEST_SLICE, 2**31 - 1) if stop is None else min(stop, start + _LONGEST_SLICE)
    document = await documents.get_document(_database(request), document_id, language=_language(request))
    text, _ = await documents.read_text(_database(request), document_id, start, end)
    return DocumentText(document=document, start=start, text=text)


@router.get("/documents/{document_id}/original", response_class=FileResponse)
async def get_original(request: Request, document_id: UUID) -> FileResponse:
    """The bytes as they came, for saving: a browser shows and runs nothing of them."""
    document = await documents.get_document(_database(request), document_id)
    path = original(request.app.state.layout, document_id, document.sha256)
    if not document.sha256 or not path.is_file():
        raise DocumentNotFound(name=str(document_id))
    return FileResponse(
        path,
        media_type=document.media_type or "application/octet-stream",
        filename=document.source.rstrip("/").rpartition("/")[2] or "document",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-cache",
        },
    )


@router.delete("/documents/{document_id}", dependencies=[admin_only])
async def delete_document(request: Request, document_id: UUID) -> Deleted:
    state = request.app.state
    await service.delete_document(state.database, state.layout, state.stores, document_id)
    return Deleted(deleted=1)


@router.post("/ingest", status_code=202)
async def ingest(request: Request, asked: Ingestion) -> Job:
    """Take in URLs, or a folder or file on the studio's machine; the answer is the job that does it."""
    name = await _collection_to_fill(request, asked.collection)
    _some_can_be_fetched(asked.urls)
    path = None if asked.path is None else await asyncio.to_thread(_path, request, asked.path)
    args = IngestArgs(collection=name, urls=asked.urls, path=None if path is None else str(path))
    return await _enqueue(request, "ingest", args.model_dump())


@router.post("/ingest/files", status_code=202, openapi_extra=_UPLOAD_FORM)
async def ingest_files(request: Request) -> Job:
    """Take in uploaded files (multipart: `files`, and perhaps `collection`)."""
    layout: Layout = request.app.state.layout
    job_id = uuid4()
    folder = uploads_of(layout.job(job_id))
    uploads = Uploads(folder, request.headers.get("content-type", ""), largest=LARGEST_DOCUMENT)
    announced = request.headers.get("content-length", "")
    require_space(layout.home, int(announced) if announced.isdecimal() else 0, "an upload")
    folder.mkdir(parents=True)
    try:
        await uploads.receive(request.stream())
        if not uploads.names:
            raise NothingToIngest(why=Text("there is no file in the request", "요청에 파일이 없습니다"))
        name = await _collection_to_fill(request, _name(uploads.fields.get("collection")))
        args = IngestArgs(collection=name, uploads=uploads.names)
        return await _enqueue(request, "ingest", args.model_dump(), job_id=job_id)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


@router.get("/ingest/formats")
async def accepted(request: Request) -> Accepted:
    """What is taken in, and how large it may be."""
    language = _language(request)
    return Accepted(
        formats=[
            AcceptedFormat(name=one.name.show(language), media_type=one.media_type, endings=list(one.endings))
            for one in FORMATS
        ],
        largest_file=LARGEST_DOCUMENT,
        largest_upload=LARGEST_UPLOAD,
        most_files=MOST_FILES,
        most_urls=MOST_URLS,
        longest_text=LONGEST_TEXT,
    )


@router.get("/ingest/watched")
async def watched_state(request: Request) -> WatchedFolder:
    """The folder whose documents are taken in by themselves, as the worker saw it last."""
    return await asyncio.to_thread(watched, request.app.state.layout, language=_language(request))


@router.get("/ingest/{job_id}/files")
async def ingested_files(
    request: Request,
    job_id: UUID,
    outcome: Annotated[list[Outcome] | None, Query()] = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> IngestedFiles:
    """What became of each file of a job so far, in the order of their sources; also of one that failed or
    was cancelled. The counts are the job's result, an IngestReport."""
    database, language = _database(request), _language(request)
    await jobs.fetch(database, job_id, of=caller_of(request).confined_to)
    files = await list_files(
        database, job_id, outcomes=outcome or (), after=after, limit=limit, language=language
    )
    return IngestedFiles(files=files, next=files[-1].source if len(files) == limit else None)


def _some_can_be_fetched(urls: list[str]) -> None:
    """The job tells which are refused; where all are, there is no need of one.

    Raises:
        AddressRefused
    """
    refusal: AddressRefused | None = None
    for url in urls:
        try:
            check_url(url)
            return
        except AddressRefused as error:
            refusal = refusal or error
    if refusal is not None:
        raise refusal


def _name(given: str | None) -> str:
    try:
        return TypeAdapter(CollectionName).validate_python(given or DEFAULT_COLLECTION)
    except ValidationError as error:
        raise InvalidInput(what="collection", value=given, why=error.errors()[0]["msg"]) from error


async def _collection_to_fill(request: Request, name: str) -> str:
    """The id of the collection, or a name that the job may make one of: the usual name, or any an
    administrator chooses."""
    try:
        return str((await _collection(request, name)).id)
    except CollectionNotFound:
        if name != DEFAULT_COLLECTION and caller_of(request).role != "admin":
            raise
        return name


def _path(request: Request, given: str) -> Path:
    """
    Raises:
        PathRefused: not below the folder `data`, and not asked for by the owner at the machine itself.
    """
    layout: Layout = request.app.state.layout
    data = watched_folder(layout).resolve()
    if "\0" in given:
        raise PathRefused(path=given, why=Text("it is no path", "경로가 아닙니다"))
    path = (data / given).resolve()
    if not path.is_relative_to(data) and not _is_owner_here(request, caller_of(request)):
        raise PathRefused(path=given, why=Text(f"it does not lie below {data}", f"{data} 폴더 밖에 있습니다"))
    if not path.exists():
        raise PathMissing(path=given)
    return path


def _is_owner_here(request: Request, caller: Caller) -> bool:
    if caller.key_id is not None or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _collection(request: Request, name: str) -> Collection:
    async with _database(request).transaction() as connection:
        return await collections.get_collection(connection, name)


async def _enqueue(request: Request, kind: str, args: dict[str, Any], *, job_id: UUID | None = None) -> Job:
    number = await jobs.enqueue(_database(request), kind, args, by=caller_of(request), job_id=job_id)
    return await jobs.fetch(_database(request), number, language=_language(request))


async def _note(request: Request, event: str, collection: Collection) -> None:
    async with _database(request).transaction() as connection:
        details = {"collection": collection.id, "name": collection.name}
        await events.append(connection, event, by=caller_of(request).details(), **details)


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language"))


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
