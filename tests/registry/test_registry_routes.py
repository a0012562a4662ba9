"""/api/models over HTTP."""

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.registry.layout import Layout
from twotrack.registry.routes import router
from twotrack.registry.schemas import Base
from twotrack.registry.sources.local import Local


def _as_owner(request: Request) -> None:
    """In the gate's place."""
    request.state.caller = OWNER


@pytest.fixture
async def client(database: Database, layout: Layout) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(dependencies=[Depends(_as_owner)])
    app.state.database, app.state.layout = database, layout
    app.include_router(router)

    @app.exception_handler(TwotrackError)
    async def refuse(request: Request, error: TwotrackError) -> JSONResponse:
        return JSONResponse(error.problem("en"), status_code=error.status)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio") as opened:
        yield opened


@pytest.fixture
async def base(
    pull_from: Callable[..., Coroutine[Any, Any, Base]],
    write_files: Callable[[dict[str, bytes]], Path],
    gguf: bytes,
) -> Base:
    return await pull_from(Local(write_files({"tiny.gguf": gguf})), name="작은:모델")


async def test_a_pull_is_queued_and_its_job_returned(client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post("/api/models/pull", json={"source": "starter", "name": "my-starter"})
    assert answer.status_code == 202
    job = await jobs.fetch(database, UUID(answer.json()["id"]))
    assert (job.kind, job.state, job.args) == ("pull", "queued", {"source": "starter", "name": "my-starter"})


@pytest.mark.parametrize(
    "body",
    [
        *(
            {"source": "nowhere"},
            {"source": "hf:../x"},
            {"source": ""},
            {},
            {"source": "starter", "name": "a/b"},
        ),
        {"source": "starter", "tokenizer": "/tmp"},
        {"source": "starter", "what": "else"},
    ],
)
async def test_what_no_job_could_do_is_refused_at_once(
    client: httpx.AsyncClient, database: Database, body: dict[str, str]
) -> None:
    assert (await client.post("/api/models/pull", json=body)).status_code == 422
    assert await jobs.list_jobs(database) == []


async def test_models_are_listed_by_base(client: httpx.AsyncClient, base: Base) -> None:
    (entry,) = (await client.get("/api/models")).json()["models"]
    assert entry["base"]["id"] == base.id
    assert [variant["name"] for variant in entry["variants"]] == ["작은:모델"]
    assert entry["adapters"] == []


async def test_a_model_is_renamed_and_removed(client: httpx.AsyncClient, base: Base, layout: Layout) -> None:
    assert (await client.patch("/api/models/작은:모델", json={"name": "new"})).json()["name"] == "new"
    assert (await client.delete("/api/models/new")).json()["bases"] == ["new"]
    assert not layout.base(base.id).exists()
    assert (await client.delete("/api/models/new")).status_code == 404


@pytest.mark.usefixtures("base")
async def test_a_variant_of_unknown_adapters_is_refused(client: httpx.AsyncClient) -> None:
    body = {"name": "mix", "base": "작은:모델", "adapters": [{"adapter": "nobody", "gain": 0.5}]}
    assert (await client.post("/api/models/variants", json=body)).status_code == 404
    assert (await client.post("/api/models/variants", json=body | {"adapters": []})).status_code == 422
