"""/v1/fine_tuning/jobs over HTTP."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from twotrack.core.access.roles import caller_of
from twotrack.openai_api.files_routes import language_of
from twotrack.openai_api.fine_tuning.schemas import NewTuningJob
from twotrack.openai_api.fine_tuning.service import Tuning

router = APIRouter(prefix="/fine_tuning/jobs")

_METADATA = re.compile(r"metadata\[(.+)\]")
_Limit = Annotated[int, Query(ge=1, le=100)]
_ManyEvents = Annotated[int, Query(ge=1, le=1000)]


@router.post("")
async def create_job(request: Request, asked: NewTuningJob) -> dict[str, Any]:
    """Start a training run on a file; what can be refused at once is refused here."""
    return await _tuning(request).create(asked)


@router.get("")
async def list_jobs(request: Request, after: str | None = None, limit: _Limit = 20) -> dict[str, Any]:
    """One's own, the newest first; an administrator sees everybody's. `metadata[key]=value` narrows it."""
    given = request.query_params
    metadata = {found[1]: value for name, value in given.items() if (found := _METADATA.fullmatch(name))}
    without = given.get("metadata") == "null"
    return await _tuning(request).list_jobs(
        after=after, limit=limit, metadata=metadata, without_metadata=without
    )


@router.get("/{fine_tuning_job_id}")
async def retrieve_job(request: Request, fine_tuning_job_id: str) -> dict[str, Any]:
    return await _tuning(request).retrieve(fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/cancel")
async def cancel_job(request: Request, fine_tuning_job_id: str) -> dict[str, Any]:
    """End it for good, one that is paused too."""
    return await _tuning(request).cancel(fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/pause")
async def pause_job(request: Request, fine_tuning_job_id: str) -> dict[str, Any]:
    """Stop it so that it can go on later."""
    return await _tuning(request).pause(fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/resume")
async def resume_job(request: Request, fine_tuning_job_id: str) -> dict[str, Any]:
    """Go on where it was paused, or where it failed and has left a checkpoint."""
    return await _tuning(request).resume(fine_tuning_job_id)


@router.get("/{fine_tuning_job_id}/events")
async def list_job_events(
    request: Request, fine_tuning_job_id: str, after: str | None = None, limit: _ManyEvents = 20
) -> dict[str, Any]:
    """What happened and the loss of each step, the newest first."""
    return await _tuning(request).list_events(fine_tuning_job_id, after=after, limit=limit)


@router.get("/{fine_tuning_job_id}/checkpoints")
async def list_job_checkpoints(
    request: Request, fine_tuning_job_id: str, after: str | None = None, limit: _Limit = 10
) -> dict[str, Any]:
    """The models of the last epochs, the newest first."""
    return await _tuning(request).list_checkpoints(fine_tuning_job_id, after=after, limit=limit)


def _tuning(request: Request) -> Tuning:
    state = request.app.state
    return Tuning(state.database, state.layout, caller_of(request), language_of(request))
