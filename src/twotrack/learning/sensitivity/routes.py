"""Sensitivity over HTTP: /api/models/{name}/map/sensitivity."""

from fastapi import APIRouter, Request

from twotrack.core import jobs
from twotrack.core.access.roles import caller_of
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.learning.sensitivity import service
from twotrack.learning.sensitivity.schemas import NewSensitivity

router = APIRouter(prefix="/api/models", tags=["models"])


@router.post("/{name}/map/sensitivity", status_code=202)
async def start_sensitivity(request: Request, name: str, asked: NewSensitivity) -> Job:
    """How sensitive the loss on samples is to each cell of a model's base, and a board for training that
    follows from it; the job's result is a SensitivityReport. What is known of a sample is not measured again.
    """
    state = request.app.state
    job_id = await service.start_sensitivity(state.database, state.layout, name, asked, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(state.database, job_id, language=language)
