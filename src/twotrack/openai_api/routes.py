"""The OpenAI-compatible API over HTTP. It goes through the same queue and settings as the native chat."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from twotrack.core.errors import TwotrackError
from twotrack.core.language import from_accept_language
from twotrack.openai_api import chat_completions, embeddings, files_routes, models, text_completions
from twotrack.openai_api.errors import error_body
from twotrack.openai_api.fine_tuning import routes as fine_tuning
from twotrack.openai_api.schemas import ChatRequest, CompletionRequest, EmbeddingRequest
from twotrack.serving.app_state import models_of, queue_of
from twotrack.serving.chat.schemas import ModelName
from twotrack.serving.connections import (
    client_key,
    event_frame,
    open_event_stream,
    while_connected,
)

router = APIRouter(prefix="/v1", tags=["openai"])


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    return await models.list_models(request.app.state.database)


@router.get("/models/{name:path}")
async def find_model(request: Request, name: ModelName) -> dict[str, Any]:
    return await models.find_model(request.app.state.database, name)


@router.post("/chat/completions", response_model=None)
async def chat_completion(request: Request, asked: ChatRequest) -> Response:
    where = models_of(request), queue_of(request), client_key(request)
    if asked.stream:
        return await open_event_stream(chat_completions.frames(*where, asked), _renderer(request))
    return JSONResponse(await while_connected(request, chat_completions.whole(*where, asked)))


@router.post("/completions", response_model=None)
async def completion(request: Request, asked: CompletionRequest) -> Response:
    where = models_of(request), queue_of(request), client_key(request)
    if asked.stream:
        return await open_event_stream(text_completions.frames(*where, asked), _renderer(request))
    return JSONResponse(await while_connected(request, text_completions.whole(*where, asked)))


@router.post("/embeddings")
async def embed(request: Request, asked: EmbeddingRequest) -> dict[str, Any]:
    state = request.app.state
    return await while_connected(request, embeddings.embeddings(state.database, state.embedders, asked))


router.include_router(files_routes.router)
router.include_router(fine_tuning.router)


def _renderer(request: Request) -> Callable[[TwotrackError], bytes]:
    language = from_accept_language(request.headers.get("accept-language"))

    def render(error: TwotrackError) -> bytes:
        return event_frame(None, error_body(error, language))

    return render
