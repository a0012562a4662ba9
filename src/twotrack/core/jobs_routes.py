"""Jobs over HTTP: list, look at, cancel, and follow one to its end."""

from collections.abc import AsyncIterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from twotrack.core import jobs
from twotrack.core.access.roles import caller_of
from twotrack.core.jobs import Job, JobState
from twotrack.core.language import Language, from_accept_language

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


def _language(accept_language: Annotated[str | None, Header()] = None) -> Language:
    return from_accept_language(accept_language)


_InLanguage = Annotated[Language, Depends(_language)]


async def _job(request: Request, job_id: UUID, language: _InLanguage) -> Job:
    of = caller_of(request).confined_to
    return await jobs.fetch(request.app.state.database, job_id, of=of, language=language)


_FoundJob = Annotated[Job, Depends(_job)]


@router.get("")
async def list_jobs(
    request: Request,
    language: _InLanguage,
    kind: str | None = None,
    state: JobState | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[Job]:
    """The newest first; whoever is no admin sees their own. `before` is the id of a job: only older ones are
    listed."""
    return await jobs.list_jobs(
        request.app.state.database,
        of=caller_of(request).confined_to,
        kind=kind,
        state=state,
        before=before,
        limit=limit,
        language=language,
    )


@router.get("/{job_id}")
async def get_job(job: _FoundJob) -> Job:
    return job


@router.post("/{job_id}/cancel")
async def cancel_job(request: Request, job_id: UUID, language: _InLanguage) -> Job:
    """A queued job is cancelled at once, a running one when its worker has cleaned up: follow its events.

    A job that is over stays as it is.
    """
    return await jobs.cancel(request.app.state.database, job_id, by=caller_of(request), language=language)


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def follow_job(
    request: Request, job: _FoundJob, language: _InLanguage
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events "job", each the whole job: as it is now, then after each change, to its end.

    A browser's EventSource reconnects when the stream ends: close it when the state says that it is over.
    """
    async for snapshot in jobs.wait(request.app.state.database, job.id, language=language):
        yield ServerSentEvent(event="job", data=snapshot)
