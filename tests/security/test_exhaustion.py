"""Whoever asks for too much gets less, and everybody else goes on: after OWASP LLM10:2025.

Sockets and slow bodies by the thousand: tests/core/test_http_connections.py and test_body_limit.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from twotrack.api import create_app
from twotrack.core.access import keys
from twotrack.core.access.caller import OWNER
from twotrack.core.access.schemas import NewKey
from twotrack.core.database import Database
from twotrack.core.settings import Settings


@pytest.fixture
def app(home: Path, database_url: str) -> FastAPI:
    return create_app(Settings(home=home, api_key=SecretStr("correct horse")), database_url)


@asynccontextmanager
async def calling(app: FastAPI, address: str = "10.0.0.7") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_guessing_keys_is_slowed_down_and_neighbours_go_on(app: FastAPI, database: Database) -> None:
    async with app.router.lifespan_context(app), calling(app) as guesser, calling(app, "10.0.0.8") as other:
        made = await keys.create_key(database, NewKey(name="kim"), OWNER)
        await app.state.access.keyring.reread()
        refused = [await guesser.get("/api/me", headers=bearer(f"guess {n}")) for n in range(12)]
        assert [answer.status_code for answer in refused] == [401] * 10 + [429] * 2
        assert 0 < int(refused[-1].headers["Retry-After"]) <= 60
        # Even the right one is not looked at now, when it is one that a person may have chosen badly.
        assert (await guesser.get("/api/me", headers=bearer("correct horse"))).status_code == 429
        # Neighbours behind the same address, whose keys nobody guesses, and everybody else.
        assert (await guesser.get("/api/me", headers=bearer(made.secret))).status_code == 200
        assert (await other.get("/api/me", headers=bearer("correct horse"))).status_code == 200
        log: list[dict[str, Any]] = []
        # Written beside the refusals, which wait for no log.
        async with asyncio.timeout(30):
            while len(log) < 2:
                told = await other.get("/api/admin/events?kind=access", headers=bearer("correct horse"))
                log = told.json()
    # A line for each kind of refusal, not for each refusal; and no key in it.
    assert {event["details"]["reason"] for event in log} == {"key-unknown", "too-many-wrong-keys"}
    assert len(log) == 2
    assert "guess" not in json.dumps(log)


async def test_so_many_requests_a_minute_of_one_key_and_no_more(app: FastAPI, database: Database) -> None:
    async with app.router.lifespan_context(app), calling(app) as client:
        owner = bearer("correct horse")
        kim = bearer((await keys.create_key(database, NewKey(name="kim"), OWNER)).secret)
        lee = bearer((await keys.create_key(database, NewKey(name="lee"), OWNER)).secret)
        changed = await client.put("/api/admin/settings", json={"requests_per_minute": 5}, headers=owner)
        assert changed.status_code == 200
        answers = [await client.get("/v1/models", headers=kim) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert answers[-1].json()["error"]["type"] == "rate_limit_error"
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert (await client.get("/v1/models", headers=lee)).status_code == 200
        # A balancer's question is nobody's request.
        assert [(await client.get("/api/health")).status_code for _ in range(20)] == [200] * 20


async def test_an_answer_without_end_is_cut_off_in_time_and_kept(person: Any, owner: Any) -> None:
    kim = await person("kim")
    await owner.http.put("/api/admin/settings", json={"answer_seconds": 1})
    question = {"message": "Tell me a long story.", "max_tokens": 8000, "temperature": 0}
    try:
        streamed = (await kim.http.post("/api/chat/stream", json=question)).text
        whole = await kim.http.post("/api/chat/invoke", json={**question, "keep": False})
    finally:
        await owner.http.put("/api/admin/settings", json={"answer_seconds": 600})
    assert "event: token" in streamed
    assert "event: end" not in streamed
    last = streamed.rstrip("\n").rpartition("\n\n")[2]
    assert last.startswith("event: error\n")
    assert json.loads(last.partition("data: ")[2])["type"] == "urn:twotrack:error:answer-too-long"
    assert (whole.status_code, whole.json()["status"]) == (504, 504)
    start = json.loads(streamed.split("event: start\ndata: ")[1].split("\n")[0])
    session = (await kim.http.get(f"/api/chat/sessions/{start['session_id']}")).json()
    assert session["messages"][-1]["state"] == "cut_off"
    assert session["messages"][-1]["content"]
    assert session["messages"][-1]["details"]["cut_off"] == "answer-too-long"


async def test_a_body_beyond_all_reason_is_refused(person: Any) -> None:
    kim = await person("kim")
    answer = await kim.http.post("/api/chat/invoke", content=b"x" * (16 * 2**20 + 1))
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:twotrack:error:body-too-large"
