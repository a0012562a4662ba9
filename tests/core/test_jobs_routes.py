"""Jobs over HTTP, with server-sent events from a real server."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from twotrack.core import jobs, jobs_routes
from twotrack.core.access.caller import OWNER
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError


def _as_owner(request: Request) -> None:
    """In the gate's place."""
    request.state.caller = OWNER


def _app(database: Database) -> FastAPI:
    app = FastAPI(dependencies=[Depends(_as_owner)])
    app.state.database = database
    app.include_router(jobs_routes.router)

    @app.exception_handler(TwotrackError)
    async def known(request: Request, error: TwotrackError) -> JSONResponse:
        return JSONResponse(error.problem("en"), status_code=error.status)

    return app


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(_app(database), log_level="error", ws="none", lifespan="off"))
        serving = asyncio.create_task(server.serve([listening]))
        port = listening.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
        server.should_exit = True
        await serving


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            assert line == "event: job"
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_jobs_are_listed_with_filters(client: httpx.AsyncClient, database: Database) -> None:
    pull = await jobs.enqueue(database, "pull", {"source": "starter"})
    train = await jobs.enqueue(database, "train", {})
    listed = (await client.get("/api/jobs")).json()
    assert [job["id"] for job in listed] == [str(train), str(pull)]
    assert [job["id"] for job in (await client.get("/api/jobs?kind=pull&state=queued")).json()] == [str(pull)]
    assert [job["id"] for job in (await client.get(f"/api/jobs?before={train}&limit=1")).json()] == [
        str(pull)
    ]


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=501", "before=yesterday"])
async def test_a_filter_that_means_nothing_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/api/jobs?{query}")).status_code == 422


async def test_a_job_is_shown_and_cancelled(client: httpx.AsyncClient, database: Database) -> None:
    job_id = await jobs.enqueue(database, "pull", {"source": "starter"})
    shown = (await client.get(f"/api/jobs/{job_id}")).json()
    assert (shown["state"], shown["args"]) == ("queued", {"source": "starter"})
    assert (await client.post(f"/api/jobs/{job_id}/cancel")).json()["state"] == "cancelled"


@pytest.mark.parametrize("path", ["", "/events", "/cancel"])
async def test_an_unknown_job_is_not_found_before_anything_streams(
    client: httpx.AsyncClient, path: str
) -> None:
    method = "POST" if path == "/cancel" else "GET"
    answer = await client.request(method, f"/api/jobs/{uuid4()}{path}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:twotrack:error:not-found"


async def test_a_failure_is_told_in_the_readers_language(
    client: httpx.AsyncClient, database: Database
) -> None:
    job_id = await jobs.enqueue(database, "pull", {})
    await database.execute(
        """
        UPDATE jobs SET state = 'failed', error = '{"en": {"detail": "No."}, "ko": {"detail": "아니요."}}'
        WHERE id = %s
        """,
        (job_id,),
    )
    korean = {"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"}
    assert (await client.get(f"/api/jobs/{job_id}", headers=korean)).json()["error"]["detail"] == "아니요."
    assert (await client.get("/api/jobs", headers=korean)).json()[0]["error"]["detail"] == "아니요."
    async with client.stream("GET", f"/api/jobs/{job_id}/events", headers=korean) as response:
        assert [event["error"]["detail"] async for event in _events(response)] == ["아니요."]


async def test_a_job_is_followed_as_it_changes_and_to_its_end(
    client: httpx.AsyncClient, database: Database
) -> None:
    job_id = await jobs.enqueue(database, "pull", {})
    async with asyncio.timeout(30), client.stream("GET", f"/api/jobs/{job_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = _events(response)
        # Each change is made only once the one before it has arrived: nothing waits for the stream's end.
        assert (await anext(events))["state"] == "queued"
        await database.execute(
            "UPDATE jobs SET state = 'running', progress = '{\"fraction\": 0.5}' WHERE id = %s", (job_id,)
        )
        assert (await anext(events))["progress"] == {"fraction": 0.5}
        await database.execute("UPDATE jobs SET state = 'succeeded', result = '{}' WHERE id = %s", (job_id,))
        assert (await anext(events))["state"] == "succeeded"
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_many_followers_share_one_listening_connection(
    client: httpx.AsyncClient, database: Database
) -> None:
    job_id = await jobs.enqueue(database, "pull", {})

    async def follow(first: asyncio.Event) -> list[str]:
        states = []
        async with client.stream("GET", f"/api/jobs/{job_id}/events") as response:
            async for event in _events(response):
                states.append(event["state"])
                first.set()
        return states

    seen_first = [asyncio.Event() for _ in range(20)]
    async with asyncio.timeout(30):
        followers = [asyncio.create_task(follow(first)) for first in seen_first]
        for first in seen_first:
            await first.wait()
        listening = await database.fetch_all(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
        assert len(listening) == 1
        await jobs.cancel(database, job_id)
        assert await asyncio.gather(*followers) == [["queued", "cancelled"]] * 20


async def test_a_follower_that_leaves_is_forgotten(client: httpx.AsyncClient, database: Database) -> None:
    job_id = await jobs.enqueue(database, "pull", {})
    async with asyncio.timeout(30):
        async with client.stream("GET", f"/api/jobs/{job_id}/events") as response:
            await anext(_events(response))
            assert database.notifications.topics() == {f"job:{job_id}"}
        while database.notifications.topics():
            # The server learns of the closed connection in its own time.
            await asyncio.sleep(0)
