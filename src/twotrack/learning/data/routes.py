"""Training data over HTTP: /api/data."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from twotrack.core import jobs
from twotrack.core.access.roles import caller_of
from twotrack.core.database import Database
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.learning.data import service, tables
from twotrack.learning.data.schemas import (
    DataSet,
    DataSetChange,
    DataSetEntry,
    NewCheck,
    NewMix,
    NewShape,
    NewSplit,
    TokensAsked,
)
from twotrack.learning.data.token_view import SeenRow
from twotrack.learning.data.uploading import announced_length, take_in_upload

router = APIRouter(prefix="/api/data", tags=["data"])

_UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("", status_code=201, openapi_extra=_UPLOAD_FORM)
async def upload(request: Request) -> DataSetEntry:
    """Bring a file (multipart: `file`). What it is, its content says; where its columns are not clear, the
    answer has no format, and the columns are to be mapped."""
    return await take_in_upload(
        _database(request),
        request.app.state.layout,
        request.stream(),
        content_type=request.headers.get("content-type", ""),
        announced=announced_length(request.headers.get("content-length")),
        by=caller_of(request),
    )


@router.get("")
async def list_data(
    request: Request, before: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[DataSet]:
    """The newest first, without their reports; whoever is no admin sees their own. `before` is the id of a
    set: only older ones are listed."""
    async with _database(request).transaction() as connection:
        of = caller_of(request).confined_to
        return await tables.list_all(connection, of=of, before=before, limit=limit)


@router.post("/mixes", status_code=202)
async def mix(request: Request, asked: NewMix) -> Job:
    """Mix several sets by weight, with guarantees; the job's result names the new one."""
    return await _job(request, await service.start_mix(_database(request), asked, by=caller_of(request)))


@router.get("/{data_id}")
async def get_data_set(request: Request, data_id: UUID) -> DataSetEntry:
    """One set with what the last check found."""
    async with _database(request).transaction() as connection:
        return await tables.get(connection, data_id, of=caller_of(request).confined_to)


@router.patch("/{data_id}")
async def change_data_set(request: Request, data_id: UUID, asked: DataSetChange) -> DataSetEntry:
    """Another name, or what its columns mean."""
    of = caller_of(request).confined_to
    return await service.change(_database(request), request.app.state.layout, data_id, asked, of=of)


@router.delete("/{data_id}", status_code=204)
async def delete_data_set(request: Request, data_id: UUID) -> None:
    of = caller_of(request).confined_to
    await service.delete(_database(request), request.app.state.layout, data_id, of=of)


@router.get("/{data_id}/file", response_class=FileResponse)
async def get_file(request: Request, data_id: UUID) -> FileResponse:
    """The bytes, for saving: a browser shows and runs nothing of them."""
    async with _database(request).transaction() as connection:
        found = await tables.get(connection, data_id, of=caller_of(request).confined_to)
    return FileResponse(
        tables.file_of(request.app.state.layout, data_id),
        media_type="application/octet-stream",
        filename=found.name,
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-cache",
        },
    )


@router.post("/{data_id}/check", status_code=202)
async def check(request: Request, data_id: UUID, asked: NewCheck) -> Job:
    """Look it through; the report is the job's result, and stays with the set."""
    return await _start(request, "check", data_id, asked)


@router.post("/{data_id}/shape", status_code=202)
async def shape(request: Request, data_id: UUID, asked: NewShape) -> Job:
    """Write what is worth learning to a new set, which the job's result names."""
    return await _start(request, "shape", data_id, asked)


@router.post("/{data_id}/split", status_code=202)
async def split(request: Request, data_id: UUID, asked: NewSplit) -> Job:
    """Split it by fact into new sets, which the job's result names in the order of the parts."""
    return await _start(request, "split", data_id, asked)


@router.post("/{data_id}/tokens")
async def show_tokens(request: Request, data_id: UUID, asked: TokensAsked) -> list[SeenRow]:
    """Token by token, what is prompt and what is trained, by the code that training uses."""
    state = request.app.state
    of = caller_of(request).confined_to
    return await service.show_tokens(_database(request), state.layout, state.prompts, data_id, asked, of=of)


async def _start(
    request: Request,
    action: service.Action,
    data_id: UUID,
    asked: NewCheck | NewShape | NewSplit,
) -> Job:
    job_id = await service.start(_database(request), action, data_id, asked, by=caller_of(request))
    return await _job(request, job_id)


async def _job(request: Request, job_id: UUID) -> Job:
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(_database(request), job_id, language=language)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
