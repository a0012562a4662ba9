"""Forecasts over HTTP: /api/training/runs/estimate."""

from fastapi import APIRouter, Request

from twotrack.core import jobs
from twotrack.core.access.roles import caller_of
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.learning.forecast import service
from twotrack.learning.forecast.schemas import NewEstimate

router = APIRouter(prefix="/api/training", tags=["training"])


@router.post("/runs/estimate", status_code=202)
async def estimate_run(request: Request, asked: NewEstimate) -> Job:
    """What a run would take here and on other devices, before it is started; the job's result is a Forecast.

    This machine is measured for some seconds, once for each base and way of training."""
    state = request.app.state
    job_id = await service.start_estimate(state.database, state.layout, asked, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(state.database, job_id, language=language)
