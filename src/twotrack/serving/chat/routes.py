"""Chat over HTTP: /api/chat/invoke, /batch, /stream, /sessions, /feedback, and /api/admin/settings."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from twotrack.core.access.roles import admin_only, caller_of
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Language, from_accept_language
from twotrack.serving.answering import Piece
from twotrack.serving.app_state import models_of, queue_of
from twotrack.serving.chat import admin, branches, feedback, service, sessions
from twotrack.serving.chat.schemas import (
    Answer,
    Batch,
    BatchAnswer,
    Branch,
    Feedback,
    FeedbackPage,
    NewFeedback,
    Question,
    Session,
    SessionPage,
    SessionWithMessages,
    Started,
    StoredText,
    Title,
)
from twotrack.serving.connections import (
    EventStream,
    client_key,
    event_frame,
    open_event_stream,
    while_connected,
)

router = APIRouter(tags=["chat"])

EarlierPage = Annotated[str | None, Query(max_length=100, description="an earlier page's `next`")]


@router.post("/api/chat/invoke")
async def invoke(request: Request, question: Question) -> Answer:
    """One question, one answer."""

    async def whole() -> Answer:
        async with aclosing(_answer(request, question)) as items:
            async for item in items:
                if isinstance(item, Answer):
                    return item
        raise TwotrackError

    return await while_connected(request, whole())


@router.post("/api/chat/batch")
async def batch(request: Request, questions: Batch) -> list[BatchAnswer]:
    """Many independent questions, answered side by side as far as the queue allows; nothing is kept."""
    results = await while_connected(
        request, service.answer_all(models_of(request), queue_of(request), client_key(request), questions)
    )
    language = _language(request)
    return [
        BatchAnswer(answer=result)
        if isinstance(result, Answer)
        else BatchAnswer(error=result.problem(language))
        for result in results
    ]


_EVENTS = """Server-sent events: one `start` (see Started), then `token` with `{"text": …}` for each piece of
text, then `end` (see Answer); or `error` with a problem document. Comments keep the connection alive."""


@router.post(
    "/api/chat/stream",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": _EVENTS}
    },
)
async def stream(request: Request, question: Question) -> Response:
    """One question, its answer as it comes. Closing the connection cancels."""
    language = _language(request)

    async def frames() -> AsyncGenerator[bytes, None]:
        async with aclosing(_answer(request, question)) as items:
            async for item in items:
                match item:
                    case Piece():
                        yield event_frame("token", {"text": item.text})
                    case Started():
                        yield event_frame("start", item.model_dump(mode="json"))
                    case Answer():
                        yield event_frame("end", item.model_dump(mode="json"))

    return await open_event_stream(frames(), lambda error: event_frame("error", error.problem(language)))


@router.get("/api/chat/sessions")
async def list_sessions(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: EarlierPage = None,
    query: Annotated[
        StoredText | None, Query(max_length=200, description="words that the title or a message has")
    ] = None,
) -> SessionPage:
    """The last used first."""
    return await sessions.list_sessions(
        _database(request), owner=_owner(request), limit=limit, before=before, query=query
    )


@router.post("/api/chat/sessions", status_code=201)
async def create_session(request: Request, title: Title) -> Session:
    return await sessions.create_session(_database(request), title.title, owner=_owner(request))


@router.get("/api/chat/sessions/{session_id}")
async def open_session(
    request: Request,
    session_id: UUID,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    before: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="a message's position")] = None,
) -> SessionWithMessages:
    """The session with its newest messages; `before` pages back."""
    return await sessions.open_session(
        _database(request), session_id, owner=_owner(request), limit=limit, before=before
    )


@router.patch("/api/chat/sessions/{session_id}")
async def rename_session(request: Request, session_id: UUID, title: Title) -> Session:
    return await sessions.rename_session(_database(request), session_id, title.title, owner=_owner(request))


@router.delete("/api/chat/sessions/{session_id}", status_code=204)
async def delete_session(request: Request, session_id: UUID) -> None:
    await sessions.delete_session(_database(request), session_id, owner=_owner(request))


@router.post("/api/chat/sessions/{session_id}/active")
async def show_branch(request: Request, session_id: UUID, branch: Branch) -> SessionWithMessages:
    """Show the branch of this message, and below it the newest one; the answer is its newest page."""
    database, owner = _database(request), _owner(request)
    await branches.show_branch(database, session_id, branch.message_id, owner=owner)
    return await sessions.open_session(database, session_id, owner=owner, limit=200, before=None)


@router.put("/api/chat/messages/{message_id}/feedback")
async def give_feedback(request: Request, message_id: UUID, new: NewFeedback) -> Feedback | None:
    """Replaces all that was said of this answer; null when nothing is left."""
    return await feedback.give_feedback(_database(request), message_id, new, owner=_owner(request))


@router.get("/api/chat/feedback")
async def list_feedback(
    request: Request,
    corrected: Annotated[bool | None, Query(description="with a correction, or without")] = None,
    rating: Annotated[Literal[-1, 1], BeforeValidator(int)] | None = None,
    before: EarlierPage = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> FeedbackPage:
    """Feedback with its question and answer, the newest first."""
    return await feedback.list_feedback(
        _database(request),
        owner=_owner(request),
        corrected=corrected,
        rating=rating,
        before=before,
        limit=limit,
    )


@router.get("/api/admin/settings", tags=["admin"])
async def read_settings(request: Request) -> admin.SettingsRevision:
    return await admin.load_settings(_database(request))


@router.put("/api/admin/settings", tags=["admin"], dependencies=[admin_only])
async def change_settings(request: Request, change: admin.SettingsRevision) -> admin.SettingsRevision:
    """Acts at once. Fields that are left out stay as they are; a `revision` that is outdated is refused."""
    changed = await admin.change_settings(_database(request), change, by=caller_of(request))
    admin.apply_limits(queue_of(request), request.app.state.engines, changed)
    await request.app.state.access.keyring.reread()
    return changed


def _answer(request: Request, question: Question) -> AsyncGenerator[Started | Piece | Answer, None]:
    return service.answer(
        models_of(request), queue_of(request), client_key(request), question, owner=_owner(request)
    )


def _owner(request: Request) -> UUID | None:
    return caller_of(request).key_id


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language"))
