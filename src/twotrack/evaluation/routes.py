"""Evaluation over HTTP: /api/evaluation."""

from fastapi import APIRouter, Request

from twotrack.core import jobs
from twotrack.core.access.roles import caller_of
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.evaluation import effect_job, job
from twotrack.evaluation.effect_schemas import NewEffect
from twotrack.evaluation.schemas import NewScore

router = APIRouter(prefix="/api/evaluation", tags=["evaluation"])


@router.post("/scores", status_code=202)
async def start_score(request: Request, asked: NewScore) -> Job:
    """Score a variant at several gains; the job's result is a ScoreReport."""
    state = request.app.state
    job_id = await job.start_score(state.database, state.layout, asked, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(state.database, job_id, language=language)


@router.post("/effects", status_code=202)
async def start_effect(request: Request, asked: NewEffect) -> Job:
    """Turn each cell of a variant's board by itself; the job's result is an EffectReport."""
    state = request.app.state
    job_id = await effect_job.start_effect(state.database, state.layout, asked, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(state.database, job_id, language=language)
