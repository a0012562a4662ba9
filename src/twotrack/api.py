"""The API process: `python -m twotrack.api`, started by the supervisor or by `twotrack serve`."""

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from twotrack import __version__, page
from twotrack.core.access.gate import AccessGate
from twotrack.core.access.guard import Guard
from twotrack.core.body_limit import Allowance, BodyLimit, BodyRefused
from twotrack.core.database import Database, DatabaseAway, DatabaseUnknown
from twotrack.core.errors import InvalidInput, NotFound, TwotrackError
from twotrack.core.language import Text, from_accept_language, from_environment
from twotrack.core.listening import inherited_socket, listen
from twotrack.core.processes import watch_lifeline
from twotrack.core.settings import Settings
from twotrack.learning.ingest.formats import LARGEST_UPLOAD

log = logging.getLogger(__name__)

# Uploads go to the disk as they come; each file has a limit of its own.
_ALLOWANCES = {
    "/api/ingest/files": Allowance(largest=LARGEST_UPLOAD, seconds=3600),
    "/api/data": Allowance(largest=LARGEST_UPLOAD, seconds=3600),
    "/v1/files": Allowance(largest=LARGEST_UPLOAD, seconds=3600),
}

_UNSTORABLE = Text(
    "it contains U+0000 or half of a surrogate pair, which no text in a database can hold",
    "데이터베이스에 담을 수 없는 문자(U+0000 또는 서로게이트 반쪽)가 있습니다",
)


class RoutingError(TwotrackError):
    """What the router itself refuses, such as a method that the path does not have."""

    detail = Text("{why}", "{why}")

    def __init__(self, *, code: int, why: str) -> None:
        super().__init__(why=why)
        self.status = code  # type: ignore[misc]  # the router decides it for each error


class NothingThere(NotFound):
    """No route has this path: often a name with a slash in it, which no thing of a studio has."""

    detail = Text("There is nothing at {path!r}.", "이 주소에는 아무것도 없습니다: {path!r}")


def create_app(settings: Settings, database_url: str) -> FastAPI:
    """The whole HTTP face of a studio over a migrated database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        database = Database(database_url)
        await database.open()
        try:
            async with _serving(app, settings, database):
                yield
        finally:
            await database.close()

    app = FastAPI(
        title="Twotrack",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's own pages load their scripts from elsewhere; the document that they show stays.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.settings = settings
    app.state.access = _guard(settings)
    _include_routers(app)
    _describe_results(app)
    _handle_errors(app)
    app.add_middleware(BodyLimit, refuse=render_error, allowances=_ALLOWANCES)
    app.add_middleware(
        AccessGate,
        guard=app.state.access,
        allowed_hosts=settings.allowed_hosts,
        refuse=render_error,
        last_frame=render_last_frame,
    )
    return app


def _guard(settings: Settings) -> Guard:
    from twotrack.serving.chat.admin import load_rules

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return Guard(owner_key=key, load_rules=load_rules)


@asynccontextmanager
async def _serving(app: FastAPI, settings: Settings, database: Database) -> AsyncGenerator[None, None]:
    """What the routes find on app.state, opened in the order of need and closed in reverse."""
    from twotrack.embedders.service import Embedders
    from twotrack.engines.pool import EnginePool
    from twotrack.learning.data.strays import sweep
    from twotrack.registry.layout import Layout
    from twotrack.registry.prompts import Prompts
    from twotrack.release.exports import clear_left
    from twotrack.serving.chat.admin import apply_limits, load_settings
    from twotrack.serving.chat.queue import AdmissionQueue
    from twotrack.serving.chat.service import close_broken_answers
    from twotrack.stores.choice import Stores

    state = app.state
    state.database = database
    state.layout = Layout(settings.home)
    state.prompts = Prompts(state.layout)
    state.engines = EnginePool(_memory_budget(settings))
    qdrant_key = settings.qdrant_key.get_secret_value() if settings.qdrant_key else None
    state.stores = Stores(database, qdrant_url=settings.qdrant_url, qdrant_key=qdrant_key)
    embedder_key = settings.embedder_key.get_secret_value() if settings.embedder_key else None
    state.embedders = Embedders(state.layout, threads=settings.threads, key=embedder_key)
    state.queue = AdmissionQueue()
    apply_limits(state.queue, state.engines, await load_settings(database))
    await close_broken_answers(database)
    await sweep(database, state.layout)
    await clear_left(database, state.layout)
    await state.access.open(database)
    try:
        yield
    finally:
        await state.access.close()
        # Answers in flight are cut off and kept, while there is a database to keep them in.
        await state.queue.close()
        await state.engines.close()
        await state.embedders.close()
        await state.stores.close()
        await state.prompts.close()


def _memory_budget(settings: Settings) -> int:
    """Bytes for loaded models: what is set, or 70 % of what this machine or container has."""
    from twotrack.engines.machine import usable_memory

    if settings.memory_budget_mib is not None:
        return settings.memory_budget_mib * 2**20
    return int(usable_memory() * 0.7)


def _include_routers(app: FastAPI) -> None:
    from twotrack.core import jobs_routes
    from twotrack.core.access import routes as access
    from twotrack.engines import routes as engines
    from twotrack.evaluation import routes as evaluation
    from twotrack.learning.data import routes as data
    from twotrack.learning.forecast import routes as forecast
    from twotrack.learning.ingest import routes as documents
    from twotrack.learning.mapping import routes as maps
    from twotrack.learning.sensitivity import routes as sensitivity
    from twotrack.learning.train import routes as training
    from twotrack.lessons import routes as lessons
    from twotrack.openai_api import routes as openai_api
    from twotrack.registry import routes as models
    from twotrack.release import routes as exports
    from twotrack.serving.chat import routes as chat
    from twotrack.serving.rag import routes as rag

    for feature in (
        *(access, chat, rag, documents, data, models, engines, training, forecast, lessons, evaluation),
        *(maps, sensitivity, jobs_routes, openai_api, exports),
    ):
        app.include_router(feature.router)

    if page.FOLDER.is_dir():
        # Not mounted at "/", which would take the router's word that a path has no such method.
        app.router.default = page.served()

    @app.get("/api/health")
    async def health(request: Request) -> dict[str, Any]:
        await request.app.state.database.fetch_one("SELECT 1")
        return {"status": "ok", "version": __version__}


def _describe_results(app: FastAPI) -> None:
    """Into the OpenAPI document, what jobs give back in their `result`, which no route names."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        from twotrack.evaluation.schemas import ScoreReport
        from twotrack.learning.data.schemas import DataResult
        from twotrack.learning.forecast.schemas import Forecast
        from twotrack.learning.ingest.schemas import EmbedReport, IngestReport
        from twotrack.learning.sensitivity.schemas import SensitivityReport

        document = describe()
        results = (ScoreReport, DataResult, IngestReport, EmbedReport, Forecast, SensitivityReport)
        for result in results:
            schema = result.model_json_schema(
                ref_template="#/components/schemas/{model}", mode="serialization"
            )
            found = {**schema.pop("$defs", {}), result.__name__: schema}
            # What routes name as well is there already, in the form in which it may be sent, too.
            document["components"]["schemas"] = found | document["components"]["schemas"]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def render_error(request: Request, error: TwotrackError) -> Response:
    """The one place where an error becomes a response: RFC 9457, or OpenAI's shape below /v1."""
    language = from_accept_language(request.headers.get("accept-language"))
    if request.url.path.startswith("/v1/"):
        from twotrack.openai_api.errors import error_response

        return error_response(error, language)
    return JSONResponse(
        error.problem(language),
        status_code=error.status,
        media_type="application/problem+json",
        headers=error.headers(),
    )


def render_last_frame(request: Request, error: TwotrackError) -> bytes:
    """The event that ends a stream which the gate breaks off."""
    from twotrack.serving.connections import event_frame

    language = from_accept_language(request.headers.get("accept-language"))
    if request.url.path.startswith("/v1/"):
        from twotrack.openai_api.errors import error_body

        return event_frame(None, error_body(error, language))
    return event_frame("error", error.problem(language))


def _handle_errors(app: FastAPI) -> None:
    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, TwotrackError)
        return render_error(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return render_error(
            request,
            InvalidInput(what=where or "body", value=str(first.get("input"))[:200], why=first["msg"]),
        )

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error, BodyRefused):
            return render_error(request, error.refusal)
        if error.status_code == 404:
            return render_error(request, NothingThere(path=request.url.path))
        return render_error(request, RoutingError(code=error.status_code, why=error.detail))

    async def unstorable(request: Request, error: Exception) -> Response:
        # With a state, it is the server that refused what we sent it, which is our mistake.
        if isinstance(error, psycopg.DataError) and error.sqlstate is not None:
            return await unforeseen(request, error)
        return render_error(request, InvalidInput(what="text", value=request.url.path, why=_UNSTORABLE))

    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error at %s", request.url.path, exc_info=error)
        return render_error(request, TwotrackError())

    async def database_away(request: Request, error: Exception) -> Response:
        log.warning("the database does not answer at %s: %s", request.url.path, error)
        return render_error(request, DatabaseAway())

    app.add_exception_handler(TwotrackError, known)
    app.add_exception_handler(psycopg.OperationalError, database_away)
    app.add_exception_handler(psycopg.DataError, unstorable)
    app.add_exception_handler(UnicodeEncodeError, unstorable)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


def main() -> None:
    """Serve until SIGTERM or SIGINT, on the socket that the supervisor handed over or on one of our own."""
    watch_lifeline()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(Settings())
    except TwotrackError as error:
        language = from_environment()
        sys.exit(" ".join(filter(None, (error.explain(language), error.advise(language)))))


def serve(settings: Settings) -> None:
    """
    Raises:
        DatabaseUnknown: the settings name no database.
        KeyMissing, PortTaken: from core.listening.
    """
    import uvicorn

    from twotrack.core.http_connections import uvicorn_options

    if not settings.database_url:
        raise DatabaseUnknown()
    listening = inherited_socket() or listen(
        settings.host, settings.port, protected=settings.api_key is not None
    )
    config = uvicorn.Config(
        create_app(settings, settings.database_url),
        log_config=None,
        access_log=False,
        server_header=False,
        # What the supervisor grants is longer: streams that are cut off then are kept as cut off.
        timeout_graceful_shutdown=5,
        **uvicorn_options(),
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
