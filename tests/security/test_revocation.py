"""A key that ends while it is used, over real sockets: after AnythingLLM CVE-2026-32717."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from twotrack.core import jobs
from twotrack.core.database import Database

STORY = "Tell me a long story about the sea."
LONG = {"message": STORY, "temperature": 0, "max_tokens": 2000}
LONG_V1 = {
    "messages": [{"role": "user", "content": STORY}],
    "temperature": 0,
    "max_tokens": 2000,
    "stream": True,
}


class Stream:
    """A stream as far as it was read."""

    def __init__(self, response: httpx.Response) -> None:
        self.text = ""
        self._parts = response.aiter_text()

    async def until(self, words: str) -> None:
        async with asyncio.timeout(60):
            while words not in self.text:
                self.text += await anext(self._parts)

    async def to_its_end(self) -> str:
        async with asyncio.timeout(60):
            async for part in self._parts:
                self.text += part
        return self.text

    def data_of(self, event: str) -> Any:
        """The data of the last such event, where it is the last of all."""
        block = self.text.rstrip("\n").rpartition("\n\n")[2]
        head, _, data = block.partition("\n")
        assert head == f"event: {event}", block
        return json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def streaming(http: httpx.AsyncClient, path: str, body: Any = None) -> AsyncIterator[Stream]:
    method = "GET" if body is None else "POST"
    async with http.stream(method, path, json=body) as response:
        assert response.status_code == 200
        yield Stream(response)


async def test_an_answer_ends_at_once_and_what_was_said_is_kept_as_cut_off(
    person: Any, owner: Any, studio_database: Database
) -> None:
    kim, lee = await person("kim"), await person("lee")
    async with (
        streaming(kim.http, "/api/chat/stream", LONG) as kims,
        streaming(lee.http, "/api/chat/stream", LONG | {"max_tokens": 200}) as lees,
    ):
        await kims.until("event: token")
        await lees.until("event: token")
        answer = await owner.http.delete(f"/api/admin/keys/{kim.caller.key_id}")
        assert answer.status_code == 204
        await kims.to_its_end()
        problem = kims.data_of("error")
        assert (problem["status"], problem["type"]) == (401, "urn:twotrack:error:key-ended")
        # Somebody else's goes on to its own end.
        await lees.to_its_end()
        assert lees.data_of("end")["text"]
    start = json.loads(kims.text.split("event: start\ndata: ")[1].split("\n")[0])
    kept = await _last_state(studio_database, start["answer_id"])
    assert kept["state"] == "cut_off"
    said = "".join(
        json.loads(block.partition("data: ")[2])["text"]
        for block in kims.text.split("\n\n")
        if block.startswith("event: token")
    )
    assert said
    assert kept["content"].startswith(said)
    assert (await kim.http.get("/api/me")).status_code == 401


async def test_below_v1_the_stream_ends_in_that_apis_shape(person: Any, owner: Any) -> None:
    kim = await person("kim")
    model = (await kim.http.get("/v1/models")).json()["data"][0]["id"]
    async with streaming(kim.http, "/v1/chat/completions", LONG_V1 | {"model": model}) as stream:
        await stream.until('"content":"')
        await owner.http.delete(f"/api/admin/keys/{kim.caller.key_id}")
        await stream.to_its_end()
    last = stream.text.rstrip("\n").rpartition("\n\n")[2]
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["type"] == "authentication_error"
    assert "[DONE]" not in stream.text


async def test_an_answer_that_comes_whole_is_refused(
    person: Any, owner: Any, studio_database: Database
) -> None:
    kim = await person("kim")
    asking = asyncio.create_task(kim.http.post("/api/chat/invoke", json=LONG))
    while not await studio_database.fetch_all("SELECT FROM chat_messages WHERE state = 'streaming'"):
        assert not asking.done()
    await owner.http.delete(f"/api/admin/keys/{kim.caller.key_id}")
    refused = await asking
    assert refused.status_code == 401
    assert refused.json()["type"] == "urn:twotrack:error:key-ended"


async def test_following_a_job_ends_too(person: Any, owner: Any, studio_database: Database) -> None:
    kim = await person("kim")
    job_id = await jobs.enqueue(studio_database, "score", {}, by=kim.caller)
    async with streaming(kim.http, f"/api/jobs/{job_id}/events") as stream:
        await stream.until("event: job")
        await owner.http.delete(f"/api/admin/keys/{kim.caller.key_id}")
        await stream.to_its_end()
    assert stream.data_of("error")["type"] == "urn:twotrack:error:key-ended"
    await jobs.cancel(studio_database, job_id)


async def test_another_process_may_revoke_it_as_well(person: Any, studio_database: Database) -> None:
    kim = await person("kim")
    async with streaming(kim.http, "/api/chat/stream", LONG) as stream:
        await stream.until("event: token")
        await studio_database.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE id = %s", [kim.caller.key_id]
        )
        await stream.to_its_end()
    assert stream.data_of("error")["type"] == "urn:twotrack:error:key-ended"


async def test_who_renews_their_own_key_gets_the_secret_and_their_streams_end(
    person: Any, studio_database: Database
) -> None:
    admin = await person("admin", "admin")
    async with streaming(admin.http, "/api/chat/stream", LONG) as stream:
        await stream.until("event: token")
        renewed = await admin.http.post(f"/api/admin/keys/{admin.caller.key_id}/renew")
        assert renewed.status_code == 200
        await stream.to_its_end()
    assert stream.data_of("error")["type"] == "urn:twotrack:error:key-ended"
    headers = {"Authorization": f"Bearer {renewed.json()['secret']}"}
    me = (await admin.http.get("/api/me", headers=headers)).json()
    assert me == {"name": "admin", "role": "admin", "key_id": str(admin.caller.key_id), "login": True}


@pytest.mark.parametrize("how", ["revoke", "demote"])
async def test_an_administrator_who_is_none_any_more_can_do_nothing_more(
    person: Any, owner: Any, how: str
) -> None:
    admin = await person("admin", "admin")
    key = f"/api/admin/keys/{admin.caller.key_id}"
    assert (await admin.http.get("/api/admin/keys")).status_code == 200
    if how == "revoke":
        await owner.http.delete(key)
    else:
        await owner.http.patch(key, json={"role": "user"})
    # By the very next request.
    assert (await admin.http.get("/api/admin/keys")).status_code == (401 if how == "revoke" else 403)
    assert (await admin.http.patch(key, json={"role": "admin"})).status_code in (401, 403)


async def _last_state(database: Database, answer_id: str) -> dict[str, Any]:
    """The answer's row, once nobody writes it any more."""
    async with asyncio.timeout(30):
        while True:
            row = await database.fetch_one("SELECT * FROM chat_messages WHERE id = %s", [UUID(answer_id)])
            assert row is not None
            if row["state"] != "streaming":
                return row
