"""Learning from the screen over HTTP: /api/learn, and what people said as data: /api/data/feedback."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from twotrack.core.access.roles import caller_of
from twotrack.core.language import from_accept_language
from twotrack.learning.data.schemas import DataSetEntry
from twotrack.lessons import export, service
from twotrack.lessons.schemas import FeedbackExport, LearnStatus, LessonRun, NewLesson, NewVote, Vote
from twotrack.lessons.service import Lessons
from twotrack.serving.chat.schemas import ModelName

router = APIRouter(tags=["learn"])


@router.get("/api/learn")
async def look(
    request: Request,
    variant: Annotated[ModelName | None, Query(description="by default the one that answers")] = None,
    everybody: Annotated[bool, Query(description="everybody's feedback, where that is allowed")] = False,
) -> LearnStatus:
    """What of one's feedback in the chat could be learned now, and what became of the last time."""
    return await service.look(
        _lessons(request),
        variant=variant,
        everybody=everybody,
        by=caller_of(request),
        language=from_accept_language(request.headers.get("accept-language")),
    )


@router.post("/api/learn", status_code=202)
async def learn(request: Request, asked: NewLesson) -> LessonRun:
    """Start a training run over the feedback as it is now; follow its job. A new variant comes of it."""
    language = from_accept_language(request.headers.get("accept-language"))
    return await service.learn(_lessons(request), asked, by=caller_of(request), language=language)


@router.put("/api/learn/votes")
async def vote(request: Request, asked: NewVote) -> Vote | None:
    """Which of two answers side by side was better: kept as a preference. Null when it is taken back."""
    return await service.vote(request.app.state.database, asked, owner=_owner(request))


@router.post("/api/data/feedback", status_code=201)
async def export_feedback(request: Request, asked: FeedbackExport) -> DataSetEntry:
    """Make a data set of the feedback in the chat: samples as they would be learned, or preferences."""
    state = request.app.state
    return await export.export_feedback(state.database, state.layout, asked, by=caller_of(request))


def _lessons(request: Request) -> Lessons:
    state = request.app.state
    return Lessons(state.database, state.layout, state.prompts)


def _owner(request: Request) -> UUID | None:
    return caller_of(request).key_id
