"""Streams and work over real connections: they end when the client goes, and say what went wrong."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.listening import listen, local_url
from twotrack.serving import connections
from twotrack.serving.connections import event_frame, open_event_stream, while_connected


class Broken(TwotrackError):
    status = 418
    detail = Text("Broken.", "고장.")


class Source:
    """Yields what it is told to, and notes how it ended."""

    def __init__(self, *items: Any) -> None:
        self.items = items
        self.cleaned_up = asyncio.Event()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        try:
            for item in self.items:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, asyncio.Event):
                    await item.wait()
                else:
                    yield event_frame("token", {"text": item})
        finally:
            # What is written down at the end takes several turns of the loop.
            for _ in range(5):
                await asyncio.sleep(0)
            self.cleaned_up.set()


@asynccontextmanager
async def served(source: Source) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    async def stream(_: Request) -> Response:
        return await open_event_stream(source.frames(), lambda error: event_frame("error", error.code))

    async def whole(request: Request) -> Response:
        async def collect() -> str:
            return "".join([frame.decode() async for frame in source.frames()])

        return Response(await while_connected(request, collect()))

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, TwotrackError)
        return Response(error.code, status_code=error.status)

    app.add_api_route("/stream", stream)
    app.add_api_route("/whole", whole)
    app.add_exception_handler(TwotrackError, refused)
    with listen("127.0.0.1", 0, protected=False) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=local_url(listening), trust_env=False) as client:
            yield client
        server.should_exit = True
        await running


async def test_a_stream_carries_every_frame_in_order_as_json_on_one_line() -> None:
    async with served(Source("가\n나", "\u2028", '"')) as client:
        response = await client.get("/stream")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    events = response.text.split("\n\n")[:-1]
    assert [event.split("\n", 1)[0] for event in events] == ["event: token"] * 3
    assert [json.loads(event.split("data: ")[1])["text"] for event in events] == ["가\n나", "\u2028", '"']


async def test_an_error_before_the_first_frame_has_its_own_status() -> None:
    async with served(Source(Broken())) as client:
        response = await client.get("/stream")
    assert (response.status_code, response.text) == (418, "broken")


async def test_an_error_after_the_first_frame_is_the_last_event() -> None:
    async with served(Source("a", Broken(), "b")) as client:
        response = await client.get("/stream")
    assert response.text == 'event: token\ndata: {"text":"a"}\n\nevent: error\ndata: "broken"\n\n'


async def test_an_unforeseen_error_in_a_stream_is_reported_without_its_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(Source("a", ValueError("secret"))) as client:
        response = await client.get("/stream")
    assert response.text.endswith('event: error\ndata: "twotrack"\n\n')
    assert "secret" not in response.text
    assert "secret" in caplog.text


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.01)
    go = asyncio.Event()
    async with served(Source("a", go, "b")) as client, client.stream("GET", "/stream") as response:
        text = ""
        async for part in response.aiter_text():
            text += part
            if ": waiting" in text:
                go.set()
    assert text.startswith("event: token")
    assert text.endswith('data: {"text":"b"}\n\n')


async def test_a_stream_whose_first_frame_takes_long_starts_with_a_comment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_PATIENCE_SECONDS", 0.01)
    go = asyncio.Event()
    async with served(Source(go, "a")) as client, client.stream("GET", "/stream") as response:
        assert response.status_code == 200
        text = ""
        async for part in response.aiter_text():
            text += part
            go.set()
    assert text.startswith(": waiting\n\n")
    assert '{"text":"a"}' in text


async def test_a_client_that_goes_away_ends_the_work_behind_the_stream() -> None:
    source = Source("a", asyncio.Event())
    async with served(source) as client:
        async with client.stream("GET", "/stream") as response:
            async for _ in response.aiter_text():
                break
        await asyncio.wait_for(source.cleaned_up.wait(), 10)


async def test_a_client_that_goes_away_ends_the_work_behind_a_plain_answer() -> None:
    source = Source("a", asyncio.Event())
    async with served(source) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/whole", timeout=0.2)
        await asyncio.wait_for(source.cleaned_up.wait(), 10)


async def test_a_plain_answer_arrives_when_the_client_stays() -> None:
    async with served(Source("a")) as client:
        response = await client.get("/whole")
    assert response.text == 'event: token\ndata: {"text":"a"}\n\n'


async def test_an_empty_stream_is_an_empty_answer() -> None:
    async with served(Source()) as client:
        response = await client.get("/stream")
    assert (response.status_code, response.text) == (200, "")
