"""/api/rag over HTTP, with the starter and the default embedder."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import PlaceStarter, Serve
from tests.serving.rag.conftest import TOWN, Fill, lend_embedder
from twotrack.core.database import Database
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout

QUESTION = "What does a bicycle cost on the ferry?"


@pytest.fixture
async def http(
    home: Path,
    database: Database,
    database_url: str,
    embedder_layout: Layout,
    fill: Fill,
    place_starter: PlaceStarter,
    serve: Serve,
) -> AsyncIterator[httpx.AsyncClient]:
    """A studio with the town in it."""
    lend_embedder(embedder_layout, home)
    await place_starter(Layout(home), database)
    await fill("town", TOWN)
    with serve(Settings(home=home, threads=1), database_url) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as client:
            yield client


async def test_questions_over_http(http: httpx.AsyncClient) -> None:
    found = (await http.post("/api/rag/search", json={"question": QUESTION, "k": 2})).json()
    assert [found["collection"], found["leg"], len(found["passages"])] == ["town", "bigrams", 2]
    assert set(found["rarities"]) == set(found["terms"])
    assert found["rarities"]["bicycle"] > 0
    assert found["forms"] == {}, "this collection was made before there were stems"
    first = found["passages"][0]
    assert [first["source"], first["dense_rank"], first["lexical_rank"]] == ["en/ferry.txt", 1, 1]

    whole = (await http.post("/api/rag/invoke", json={"question": QUESTION})).json()
    assert whole["mode"] == "quote", "the starter is too small to write"
    (citation,) = whole["citations"]
    assert citation["document"] == first["document_id"]
    assert TOWN["en/ferry.txt"][citation["start"] : citation["end"]] == citation["text"] == whole["answer"]

    only = {"question": QUESTION, "filters": {"language": "ko"}}
    assert {one["source"] for one in (await http.post("/api/rag/search", json=only)).json()["passages"]} == {
        "ko/salt.txt"
    }

    fields = (await http.get("/api/rag/fields", params={"collection": "town"})).json()
    assert [one["field"] for one in fields] == ["language", "media_type", "sentences"]
    assert fields[0]["values"] == [{"value": "en", "documents": 3}, {"value": "ko", "documents": 1}]
    assert (await http.get("/api/rag/fields", params={"collection": "none"})).status_code == 404

    several = {"questions": [QUESTION, "가입비는 얼마인가요?"], "collection": "town"}
    answers = (await http.post("/api/rag/batch", json=several)).json()
    assert ["3 tarn" in answers[0]["answer"]["answer"], "20,000탄" in answers[1]["answer"]["answer"]] == [
        True,
        True,
    ]
    lost = (await http.post("/api/rag/batch", json={"questions": ["x"], "collection": "none"})).json()
    assert lost[0]["error"]["status"] == 404


async def test_a_stream_begins_with_what_was_found_and_ends_with_citations(http: httpx.AsyncClient) -> None:
    body = {"question": QUESTION, "mode": "write", "max_tokens": 12, "keep": True}
    async with http.stream("POST", "/api/rag/stream", json=body) as response:
        frames = [line async for line in response.aiter_lines() if line]
    events = [line.removeprefix("event: ") for line in frames if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in frames if line.startswith("data: ")]
    assert events == ["start", *["token"] * (len(events) - 2), "end"]
    assert data[0]["passages"][0]["source"] == "en/ferry.txt"
    assert data[-1]["mode"] == "write"
    assert data[-1]["answer"] == "".join(one["text"] for one in data[1:-1])
    covered = [data[-1]["answer"][one["start"] : one["end"]] for one in data[-1]["sentences"]]
    assert "".join("".join(covered).split()) == "".join(data[-1]["answer"].split())

    session = (await http.get(f"/api/chat/sessions/{data[-1]['session_id']}")).json()
    assert [one["content"] for one in session["messages"]] == [QUESTION, data[-1]["answer"]]
    assert session["messages"][1]["details"]["rag"]["collection"] == "town"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": ""}, 422),
        ({"question": "x", "unknown": 1}, 422),
        ({"question": "x", "again": str(uuid4()), "session_id": str(uuid4())}, 422),
        ({"again": str(uuid4())}, 422),
        ({"question": "x", "replaces": str(uuid4())}, 422),
        ({"question": "x", "filters": {"year": {"gt": 1}}}, 422),
        ({"question": "x", "filters": {"ye\0ar": 1}}, 422),
        ({"question": "x", "collection": "none"}, 404),
        ({"question": "x", "variant": "none"}, 404),
        ({"question": "x", "session_id": str(uuid4())}, 404),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    http: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    for path in ("/api/rag/invoke", "/api/rag/stream"):
        refused = await http.post(path, json=body)
        assert refused.status_code == status, refused.text
        assert refused.headers["content-type"] == "application/problem+json"
