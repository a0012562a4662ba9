"""Bodies beyond the limit are refused, whether they announce their size or not."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from twotrack.core.body_limit import BodyLimit, BodyRefused
from twotrack.core.errors import TwotrackError


def refuse(_: Request, error: TwotrackError) -> Response:
    return JSONResponse(error.problem("en"), status_code=error.status)


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()

    @app.post("/")
    async def count(body: list[int]) -> int:
        return len(body)

    app.add_middleware(BodyLimit, refuse=refuse, largest=10)
    with TestClient(app, headers={"content-type": "application/json"}) as client:
        yield client


def test_a_body_within_the_limit_arrives(client: TestClient) -> None:
    assert client.post("/", content=b"[1, 2, 3 ]").json() == 3


def test_a_body_that_announces_too_much_is_refused_unread(client: TestClient) -> None:
    response = client.post("/", content=b"[1, 2, 3, 4]")
    assert response.status_code == 413
    assert response.json()["type"] == "urn:twotrack:error:body-too-large"


def test_a_body_that_announces_nothing_is_refused_when_it_grows_too_large(client: TestClient) -> None:
    response = client.post("/", content=iter([b"[1, 2", b", 3, 4]"]))
    assert response.status_code == 413


async def test_a_body_that_comes_too_slowly_is_refused_and_its_connection_closed() -> None:
    app = FastAPI()

    @app.post("/")
    async def count(body: list[int]) -> int:
        return len(body)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        assert isinstance(error, BodyRefused)
        return refuse(_, error.refusal)

    app.add_middleware(BodyLimit, refuse=refuse, seconds=0.05)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1, "
    )
    async with asyncio.timeout(30):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:twotrack:error:body-too-slow" in answer
    writer.close()
    server.should_exit = True
    await running


async def test_a_client_may_take_its_time_to_go_once_its_body_is_there() -> None:
    app_got: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        app_got.extend([(await receive())["type"], (await receive())["type"]])

    gone = asyncio.Event()
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        if message := next(messages, None):
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError("nothing is sent")

    limit = BodyLimit(app, refuse=refuse, seconds=0)
    asking = asyncio.create_task(limit({"type": "http", "headers": []}, receive, send))
    for _ in range(10):
        await asyncio.sleep(0.001)
    assert not asking.done()
    gone.set()
    await asking
    assert app_got == ["http.request", "http.disconnect"]
