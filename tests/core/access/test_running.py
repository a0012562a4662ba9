"""Requests whose key ends while they run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from twotrack.core.access import keys
from twotrack.core.access.caller import OWNER
from twotrack.core.access.gate import AccessGate
from twotrack.core.access.guard import Guard
from twotrack.core.access.keyring import Rules
from twotrack.core.access.schemas import KeyChange, KeyWithSecret, NewKey
from twotrack.core.database import Database

Gate = Callable[..., Any]


@dataclass
class App:
    """Answers as `answer` says, and notes whether it was cancelled."""

    answer: Callable[[Receive, Send], Any]
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.answer(receive, send)
            self.begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            # What an app says in its last moment is not the client's any more.
            await send({"type": "http.response.body", "body": b"too late", "more_body": False})
            raise


@dataclass
class Asking:
    """One request through the gate."""

    sent: list[Any] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    async def end(self) -> list[Any]:
        assert self.task is not None
        async with asyncio.timeout(30):
            await self.task
        return self.sent


@pytest.fixture
def asked(database: Database) -> Gate:
    """`async with asked(app, secret) as (asking, guard)`: a request that has begun."""

    @asynccontextmanager
    async def ask(
        app: Any, secret: str, *, method: str = "GET", path: str = "/api/stream"
    ) -> AsyncIterator[tuple[Asking, Guard]]:
        async def no_rules(_: Database) -> Rules:
            return Rules()

        guard = Guard(owner_key=None, load_rules=no_rules)
        await guard.open(database)
        gate = AccessGate(
            app,
            guard=guard,
            allowed_hosts=(),
            refuse=lambda request, error: JSONResponse({"error": error.code}, error.status),
            last_frame=lambda request, error: f"event: error\ndata: {error.code}\n\n".encode(),
        )
        asking = Asking()

        async def send(message: Any) -> None:
            asking.sent.append(message)

        async def receive() -> Any:
            await asyncio.Event().wait()

        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        asking.task = asyncio.create_task(gate(scope, receive, send))
        async with asyncio.timeout(30):
            await app.begun.wait()
        yield asking, guard
        await guard.close()

    return ask


@pytest.fixture
async def made(database: Database) -> KeyWithSecret:
    return await keys.create_key(database, NewKey(name="kim"), OWNER)


async def events(receive: Receive, send: Send) -> None:
    head = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})


async def half_a_document(receive: Receive, send: Send) -> None:
    head = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"[1, ", "more_body": True})


async def nothing_yet(receive: Receive, send: Send) -> None:
    pass


async def _revoke(database: Database, made: KeyWithSecret) -> None:
    await keys.revoke_key(database, made.key.id, OWNER)


async def _renew(database: Database, made: KeyWithSecret) -> None:
    await keys.renew_key(database, made.key.id, OWNER)


async def _promote(database: Database, made: KeyWithSecret) -> None:
    await keys.change_key(database, made.key.id, KeyChange(role="admin"), OWNER)


@pytest.mark.parametrize("end", [_revoke, _renew, _promote])
async def test_a_stream_of_events_ends_at_once_with_the_reason_as_its_last(
    asked: Gate, database: Database, made: KeyWithSecret, end: Any
) -> None:
    app = App(events)
    async with asked(app, made.secret) as (asking, _):
        # By somebody else, in another process: the database alone tells.
        await end(database, made)
        sent = await asking.end()
    assert app.cancelled.is_set()
    assert sent[-1] == {
        "type": "http.response.body",
        "body": b"event: error\ndata: key-ended\n\n",
        "more_body": False,
    }
    assert b"too late" not in str(sent).encode()


async def test_a_request_without_an_answer_yet_gets_a_refusal(
    asked: Gate, database: Database, made: KeyWithSecret
) -> None:
    app = App(nothing_yet)
    async with asked(app, made.secret) as (asking, _):
        await _revoke(database, made)
        sent = await asking.end()
    assert app.cancelled.is_set()
    assert sent[0]["status"] == 401
    assert sent[1]["body"] == b'{"error":"key-ended"}'


async def test_half_a_document_is_not_made_to_look_whole(
    asked: Gate, database: Database, made: KeyWithSecret
) -> None:
    async with asked(App(half_a_document), made.secret) as (asking, _):
        await _revoke(database, made)
        sent = await asking.end()
    # The server closes the connection of an answer that was not completed.
    assert [message.get("more_body") for message in sent[1:]] == [True]


async def test_another_name_or_another_keys_end_disturbs_nobody(
    asked: Gate, database: Database, made: KeyWithSecret
) -> None:
    other = await keys.create_key(database, NewKey(name="lee"), OWNER)
    async with asked(App(events), made.secret) as (asking, guard):
        await keys.change_key(database, made.key.id, KeyChange(name="김"), OWNER)
        await _revoke(database, other)
        await guard.keyring.reread()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not asking.task.done()
        await _revoke(database, made)
        await asking.end()


async def test_a_stream_ends_when_its_keys_time_is_over_though_the_clock_jumped(
    asked: Gate, database: Database
) -> None:
    hour = timedelta(hours=1)
    made = await keys.create_key(database, NewKey(name="kim", expires_at=datetime.now(UTC) + hour), OWNER)
    async with asked(App(events), made.secret) as (asking, guard):
        # A laptop that slept: no timer of this process has run meanwhile.
        guard.keyring._clock = lambda: datetime.now(UTC) + 2 * hour
        sent = await asking.end()
    assert sent[-1]["body"] == b"event: error\ndata: key-expired\n\n"


async def test_who_revokes_the_key_that_the_request_came_with_still_gets_the_answer(
    asked: Gate, database: Database, made: KeyWithSecret
) -> None:
    app = App(nothing_yet)
    async with asked(app, made.secret, method="POST", path="/api/admin/keys/x/renew") as (asking, guard):
        await _revoke(database, made)
        await guard.keyring.reread()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not app.cancelled.is_set()
        asking.task.cancel()
        await asyncio.wait([asking.task])


async def test_a_request_that_is_over_is_forgotten(asked: Gate, made: KeyWithSecret) -> None:
    async with asked(App(events), made.secret) as (asking, guard):
        assert list(guard._running) == [made.key.id]
        asking.task.cancel()
        await asyncio.wait([asking.task])
        assert not guard._running
