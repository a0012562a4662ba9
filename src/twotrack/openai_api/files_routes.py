"""/v1/files over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from twotrack.core.access.roles import caller_of
from twotrack.core.language import Language, from_accept_language
from twotrack.learning.data import tables
from twotrack.learning.data.uploading import announced_length
from twotrack.openai_api import files
from twotrack.openai_api.fine_tuning import results
from twotrack.registry.storage import in_thread

router = APIRouter(prefix="/files")

# A browser shows and runs nothing of what is in a file.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
}

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": [files.PURPOSE]},
                    },
                }
            }
        },
    }
}


@router.post("", openapi_extra=_FORM)
async def create_file(request: Request) -> dict[str, Any]:
    """Bring training data (multipart: `file`, `purpose`); it becomes a data set of the studio."""
    state = request.app.state
    return await files.create(
        state.database,
        state.layout,
        request.stream(),
        content_type=request.headers.get("content-type", ""),
        announced=announced_length(request.headers.get("content-length")),
        by=caller_of(request),
        language=language_of(request),
    )


@router.get("")
async def list_files(
    request: Request,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> dict[str, Any]:
    """One's own data sets; an administrator sees everybody's."""
    return await files.list_files(
        request.app.state.database,
        of=caller_of(request).confined_to,
        after=after,
        limit=limit,
        order=order,
        purpose=purpose,
        language=language_of(request),
    )


@router.get("/{file_id}")
async def retrieve_file(request: Request, file_id: str) -> dict[str, Any]:
    state = request.app.state
    of = caller_of(request).confined_to
    return await files.retrieve(state.database, state.layout, file_id, of=of, language=language_of(request))


@router.get("/{file_id}/content", response_class=FileResponse)
async def retrieve_file_content(request: Request, file_id: str) -> Response:
    """The bytes as they came; of a fine-tuning job's metrics, CSV."""
    state = request.app.state
    of = caller_of(request).confined_to
    if (job := await files.find_results(state.database, file_id, of=of)) is not None:
        metrics = await in_thread(results.metrics_of, state.layout, job)
        disposition = {"Content-Disposition": f'attachment; filename="{results.NAME}"'}
        return Response(metrics, media_type="application/octet-stream", headers={**_SAFE, **disposition})
    found = await files.find(state.database, file_id, of=of)
    return FileResponse(
        tables.file_of(state.layout, found.id),
        media_type="application/octet-stream",
        filename=found.name,
        headers=_SAFE,
    )


@router.delete("/{file_id}")
async def delete_file(request: Request, file_id: str) -> dict[str, Any]:
    """A run that learns from it has a copy and goes on."""
    state = request.app.state
    return await files.delete(state.database, state.layout, file_id, of=caller_of(request).confined_to)


def language_of(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language"))
