"""The HTTP face as a whole: health, the shape of errors, and what is refused before anything runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from twotrack import __version__
from twotrack.api import create_app
from twotrack.core.settings import Settings


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


@pytest.fixture
def app(home: Path, database_url: str) -> FastAPI:
    return create_app(Settings(home=home), database_url)


async def test_health_answers_once_the_database_does(app: FastAPI) -> None:
    async with running(app) as client:
        response = await client.get("/api/health")
    assert response.json() == {"status": "ok", "version": __version__}


async def test_an_error_is_a_problem_document_in_the_asked_language(app: FastAPI) -> None:
    async with running(app) as client:
        english = await client.get("/api/models/nothing")
        korean = await client.get(
            "/api/models/nothing", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}
        )
    assert english.status_code == korean.status_code == 404
    assert english.headers["content-type"] == "application/problem+json"
    assert english.json()["type"] == "urn:twotrack:error:model-not-found"
    assert "nothing" in english.json()["detail"]
    assert "찾을 수 없습니다" in korean.json()["detail"]


async def test_below_v1_an_error_has_the_shape_of_openais(app: FastAPI) -> None:
    async with running(app) as client:
        response = await client.post(
            "/v1/chat/completions", json={"model": "nothing", "messages": [{"role": "user", "content": "x"}]}
        )
    assert response.status_code == 404
    assert set(response.json()) == {"error"}
    assert "nothing" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/api/nothing", "/v1/nothing", "/missing.js", "/openapi.json"])
async def test_an_unknown_path_is_not_found(app: FastAPI, path: str) -> None:
    async with running(app) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert f"There is nothing at '{path}'." in answer.text


async def test_a_name_with_a_slash_is_not_answered_with_a_bare_not_found(app: FastAPI) -> None:
    async with running(app) as client:
        answer = await client.get("/api/models/a%2Fb", headers={"Accept-Language": "ko"})
    assert answer.json()["type"] == "urn:twotrack:error:nothing-there"
    assert answer.json()["detail"] == "이 주소에는 아무것도 없습니다: '/api/models/a/b'"


async def test_a_body_that_does_not_fit_names_the_field(app: FastAPI) -> None:
    async with running(app) as client:
        response = await client.post("/api/chat/invoke", json={"message": "hello", "temperature": 9})
    assert response.status_code == 422
    assert response.json()["values"]["what"] == "temperature"


async def test_every_operation_of_the_document_has_a_tag_or_belongs_to_the_studio(app: FastAPI) -> None:
    async with running(app) as client:
        document = (await client.get("/api/openapi.json")).json()
    for path in document["paths"]:
        assert path.startswith(("/api/", "/v1/")), path


async def test_a_failure_nobody_foresaw_tells_no_secrets(app: FastAPI) -> None:
    @app.get("/api/broken")
    async def broken() -> None:
        raise RuntimeError("password=hunter2")

    async with running(app) as client:
        response = await client.get("/api/broken")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_without_its_database_the_studio_says_so_and_comes_back(
    app: FastAPI, database_url: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    admin = psycopg.conninfo.make_conninfo(database_url, dbname="postgres")
    async with running(app) as client:
        with psycopg.connect(admin, autocommit=True) as connection:
            allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
            connection.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false")))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            app.state.database.pool.timeout = 0.5
            away = await client.get("/api/models")
            connection.execute(allow.format(sql.Identifier(str(name)), sql.SQL("true")))
        app.state.database.pool.timeout = 30
        back = await client.get("/api/models")
    assert away.status_code == 503
    assert away.json()["type"] == "urn:twotrack:error:database-away"
    assert away.headers["Retry-After"] == "5"
    assert back.status_code == 200
