"""Exports over HTTP: /api/models/{variant}/export and /api/exports. For admins: weights leave."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from twotrack.core import jobs
from twotrack.core.access.roles import admin_only, caller_of
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.registry import tables
from twotrack.registry.storage import in_thread
from twotrack.release import exports
from twotrack.release.job import start_export
from twotrack.release.schemas import ExportList, NewExport

router = APIRouter(prefix="/api", tags=["exports"], dependencies=[admin_only])


@router.post("/models/{variant}/export", status_code=202)
async def export(request: Request, variant: str, asked: NewExport) -> Job:
    """Export a variant; the job's id becomes the export's, and its result is an ExportReport."""
    state = request.app.state
    job_id = await start_export(state.database, state.layout, variant, asked, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(state.database, job_id, language=language)


@router.get("/exports")
async def list_exports(request: Request, variant: str | None = None) -> ExportList:
    """Of one variant or of all, the newest first."""
    state = request.app.state
    variant_id = None
    if variant is not None:
        async with state.database.transaction() as connection:
            variant_id = (await tables.get_variant(connection, variant)).id
    return ExportList(exports=tuple(await in_thread(exports.list_of, state.layout, variant_id)))


@router.get("/exports/{export_id}/archive", response_class=StreamingResponse)
async def download(request: Request, export_id: UUID) -> StreamingResponse:
    """The files of an export as one tar archive."""
    layout = request.app.state.layout
    report = await in_thread(exports.find, layout, export_id)
    headers = {
        # By id: a variant's name may hold anything.
        "Content-Disposition": f'attachment; filename="twotrack-{report.format}-{export_id}.tar"',
        "Content-Length": str(exports.archive_size(report)),
    }
    return StreamingResponse(exports.archive(layout, report), media_type="application/x-tar", headers=headers)


@router.delete("/exports/{export_id}", status_code=204)
async def remove(request: Request, export_id: UUID) -> None:
    await in_thread(exports.remove, request.app.state.layout, export_id)
