"""Answers from documents over HTTP: /api/rag/invoke, /batch, /stream, and /search."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request, Response

from twotrack.core.access.roles import caller_of
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Language, from_accept_language
from twotrack.serving.answering import Piece
from twotrack.serving.app_state import models_of, queue_of
from twotrack.serving.connections import (
    EventStream,
    client_key,
    event_frame,
    open_event_stream,
    while_connected,
)
from twotrack.serving.rag import service
from twotrack.serving.rag.answers import Item, Rag
from twotrack.serving.rag.retrieving import Library
from twotrack.serving.rag.schemas import (
    CollectionName,
    FilterField,
    Passages,
    RagAnswer,
    RagBatch,
    RagBatchAnswer,
    RagQuestion,
    RagStarted,
    Search,
)

router = APIRouter(tags=["rag"])


@router.post("/api/rag/search")
async def search(request: Request, asked: Search) -> Passages:
    """Passages for a question, each with why it came; no model is asked."""
    return await while_connected(request, service.search(library_of(request), asked))


@router.get("/api/rag/fields")
async def filter_fields(request: Request, collection: CollectionName | None = None) -> list[FilterField]:
    """What a collection's documents can be filtered by."""
    return await service.filter_fields(library_of(request), collection)


@router.post("/api/rag/invoke")
async def invoke(request: Request, question: RagQuestion) -> RagAnswer:
    """One question, answered from the documents, with citations."""

    async def whole() -> RagAnswer:
        async with aclosing(_answer(request, question)) as items:
            async for item in items:
                if isinstance(item, RagAnswer):
                    return item
        raise TwotrackError

    return await while_connected(request, whole())


@router.post("/api/rag/batch")
async def batch(request: Request, questions: RagBatch) -> list[RagBatchAnswer]:
    """Many independent questions, answered side by side as far as the queue allows; nothing is kept."""
    results = await while_connected(
        request, service.answer_all(_rag(request), client_key(request), questions)
    )
    language = _language(request)
    return [
        RagBatchAnswer(answer=result)
        if isinstance(result, RagAnswer)
        else RagBatchAnswer(error=result.problem(language))
        for result in results
    ]


_EVENTS = """Server-sent events: one `start` (see RagStarted), then `token` with `{"text": …}` for each piece
of text, then `end` (see RagAnswer); or `error` with a problem document. Comments keep the connection
alive."""


@router.post(
    "/api/rag/stream",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": _EVENTS}
    },
)
async def stream(request: Request, question: RagQuestion) -> Response:
    """One question, its passages and its answer as they come. Closing the connection cancels."""
    language = _language(request)

    async def frames() -> AsyncGenerator[bytes, None]:
        async with aclosing(_answer(request, question)) as items:
            async for item in items:
                match item:
                    case Piece():
                        yield event_frame("token", {"text": item.text})
                    case RagStarted():
                        yield event_frame("start", item.model_dump(mode="json"))
                    case RagAnswer():
                        yield event_frame("end", item.model_dump(mode="json"))

    return await open_event_stream(frames(), lambda error: event_frame("error", error.problem(language)))


def library_of(request: Request) -> Library:
    state = request.app.state
    return Library(state.database, state.stores, state.embedders)


def _rag(request: Request) -> Rag:
    return Rag(models_of(request), library_of(request), queue_of(request))


def _answer(request: Request, question: RagQuestion) -> AsyncGenerator[Item, None]:
    owner = caller_of(request).key_id
    return service.answer(_rag(request), client_key(request), question, owner=owner)


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language"))
