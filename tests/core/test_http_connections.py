"""Connections of the API process: bounded in number, and none kept that leads to no request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from twotrack.core.http_connections import Connection, most_connections, uvicorn_options

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Hasty(Connection):
    idle_seconds = 0.1
    stalled_seconds = 0.1


@asynccontextmanager
async def serving(
    *, most: int = 50, http: type[Connection] = Connection, body: bytes = b"ok", endless: bool = False
) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that opens a connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})

        async def until_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        gone = asyncio.create_task(until_gone())
        while endless and not gone.done():
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": body})

    options = uvicorn_options() | {"limit_concurrency": most, "http": http}
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1, **options)
    )
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[Streams] = []

    async def connect() -> Streams:
        opened.append(await asyncio.open_connection("127.0.0.1", port))
        return opened[-1]

    try:
        yield connect
    finally:
        for _, writer in opened:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        server.should_exit = True
        await running


async def _answer(streams: Streams) -> bytes:
    reader, writer = streams
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    while not (await reader.readline()).startswith(b"0"):
        pass
    await reader.readline()
    return head


async def test_sockets_beyond_the_limit_are_refused_at_once_and_the_others_go_on() -> None:
    async with asyncio.timeout(60), serving(most=50) as connect:
        inside = [await connect() for _ in range(50)]
        for _ in range(3):
            # Ever more of them, all at once, which say nothing.
            crowd = await asyncio.gather(*(connect() for _ in range(200)))
            for reader, writer in crowd:
                refusal = await reader.read()
                assert refusal.startswith(b"HTTP/1.1 503 ")
                assert b"Retry-After" in refusal
                assert b"urn:twotrack:error:too-many-connections" in refusal
                writer.close()
        for streams in inside:
            assert (await _answer(streams)).startswith(b"HTTP/1.1 200 ")
        for _, writer in inside[:10]:
            writer.close()
        while True:
            # A place that was given up is given again, once the server has noticed.
            reader, writer = await connect()
            writer.write(REQUEST)
            if (await reader.readline()).startswith(b"HTTP/1.1 200 "):
                break


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
async def test_a_connection_that_leads_to_no_request_is_closed(said: bytes) -> None:
    async with asyncio.timeout(60), serving(http=Hasty) as connect:
        reader, writer = await connect()
        writer.write(said)
        await _until_closed(reader)


async def test_a_byte_now_and_then_is_no_request() -> None:
    async with asyncio.timeout(60), serving(http=Hasty) as connect:
        reader, writer = await connect()
        await _answer((reader, writer))
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        dribbling = asyncio.create_task(_dribble(writer))
        await _until_closed(reader)
        dribbling.cancel()


async def test_a_client_that_does_not_read_its_answer_is_let_go() -> None:
    async with asyncio.timeout(60), serving(http=Hasty, body=b"x" * 2**20, endless=True) as connect:
        _, writer = await connect()
        writer.write(REQUEST)
        # Nothing is read; the server ends by itself, which `serving` waits for below.
        while not writer.transport.is_closing():
            await asyncio.sleep(0.01)
            writer.write(b" ")


def test_the_process_asks_for_the_descriptors_that_its_connections_take() -> None:
    assert 50 <= most_connections() <= 1000


async def _dribble(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.01)
        writer.write(b"x")


async def _until_closed(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
