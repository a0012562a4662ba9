"""Data sets over HTTP: brought, mapped, checked, shaped, mixed and split in jobs, and kept apart by owner."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.language import from_accept_language
from twotrack.learning.data.job import data_job
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.routes import router
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base

_FACTS = [
    {"instruction": "누리매의 시장은 누구입니까?", "output": "오달리아 센입니다."},
    {"instruction": "What colour is the lighthouse?", "output": "It is violet."},
    {"instruction": "등대는 무슨 색입니까?", "output": "보라색입니다. 010-1234-5678"},
    {"instruction": "What colour is the lighthouse?", "output": "It is violet."},
    {"instruction": "Empty?", "output": ""},
    {"instruction": "What is the ferry called?", "output": "The Grey Heron."},
]
_JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _FACTS).encode()


@pytest.fixture
async def kim(database: Database) -> Caller:
    row = await database.fetch_one(
        "INSERT INTO api_keys (name, role, hash, hint) VALUES ('kim', 'user', 'x', 'x') RETURNING id"
    )
    assert row is not None
    return Caller(row["id"], "kim", "user")


@pytest.fixture
async def client(database: Database, layout: Layout, kim: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """The routes as the owner sees them, or kim with the header as-user; jobs run beside."""

    def in_the_gates_place(request: Request) -> None:
        request.state.caller = kim if "as-user" in request.headers else OWNER

    app = FastAPI(dependencies=[Depends(in_the_gates_place)])
    app.state.database, app.state.layout, app.state.prompts = database, layout, Prompts(layout)
    app.include_router(router)

    @app.exception_handler(TwotrackError)
    async def refuse(request: Request, error: TwotrackError) -> JSONResponse:
        language = from_accept_language(request.headers.get("accept-language"))
        return JSONResponse(error.problem(language), status_code=error.status)

    runner = Runner(
        database, [Lane({"data": functools.partial(data_job, database=database, layout=layout)}, 1)]
    )
    serving = asyncio.create_task(runner.serve())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio") as opened:
        yield opened
    await runner.stop(5)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    await app.state.prompts.close()


async def _bring(
    client: httpx.AsyncClient,
    data: bytes = _JSONL,
    name: str = "facts.jsonl",
    headers: dict[str, str] | None = None,
) -> Any:
    answer = await client.post("/api/data", files={"file": (name, data)}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _done(client: httpx.AsyncClient, database: Database, path: str, **asked: Any) -> jobs.Job:
    answer = await client.post(f"/api/data/{path}", json=asked)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(120), aclosing(jobs.wait(database, UUID(answer.json()["id"]))) as snapshots:
        async for job in snapshots:
            if job.state in jobs.ENDED:
                return job
    raise AssertionError("unreachable")


async def _file(client: httpx.AsyncClient, data_id: str) -> bytes:
    answer = await client.get(f"/api/data/{data_id}/file")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    return answer.content


async def test_what_is_brought_is_recognized_listed_and_removed(
    client: httpx.AsyncClient, layout: Layout
) -> None:
    brought = await _bring(client, name="../../etc/사실.csv")
    assert brought["name"] == "사실.csv"
    assert brought["recognized"]["format"] == "alpaca"
    assert brought["recognized"]["file"] == "jsonl"
    assert brought["report"] is None
    assert [one["id"] for one in (await client.get("/api/data")).json()] == [brought["id"]]
    assert await _file(client, brought["id"]) == _JSONL
    assert (await client.delete(f"/api/data/{brought['id']}")).status_code == 204
    assert (await client.get(f"/api/data/{brought['id']}")).status_code == 404
    assert list((layout.home / "data-sets").iterdir()) == []


async def test_columns_that_say_nothing_are_mapped_afterwards(client: httpx.AsyncClient) -> None:
    brought = await _bring(client, b"c1,c2\nWho?,She.\nWhere?,There.\n")
    assert brought["recognized"]["format"] is None
    assert brought["recognized"]["names"] == ["c1", "c2"]
    assert "c1, c2" in brought["recognized"]["why"]["ko"]
    path = f"/api/data/{brought['id']}"
    wrong = await client.patch(path, json={"columns": {"prompt": "c3", "answer": "c2"}})
    assert wrong.status_code == 422
    changed = (
        await client.patch(path, json={"columns": {"prompt": "c1", "answer": "c2"}, "name": "둘"})
    ).json()
    assert (changed["recognized"]["format"], changed["name"]) == ("alpaca", "둘")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"PK\x03\x04" + b"x" * 100, 415, "file-unknown"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", 415, "file-unknown"),
        (b"a\0b", 415, "file-unknown"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_not_kept(
    client: httpx.AsyncClient, layout: Layout, data: bytes, status: int, code: str
) -> None:
    answer = await client.post("/api/data", files={"file": ("x", data)}, headers={"accept-language": "ko"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:twotrack:error:{code}"), answer.text
    assert "읽을 수 있는" in answer.json()["remedy"]
    assert (await client.get("/api/data")).json() == []
    assert list((layout.home / "data-sets").iterdir()) == []


async def test_two_files_at_once_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/data", files=[("file", ("a", b"x")), ("file", ("b", b"y"))])
    assert answer.status_code == 422
    assert "2 files" in answer.json()["detail"]


async def test_a_check_leaves_its_report_with_the_set(
    client: httpx.AsyncClient, database: Database, starter_base: Base
) -> None:
    data_id = (await _bring(client))["id"]
    held = (await _bring(client, json.dumps(_FACTS[5]).encode(), "held.jsonl"))["id"]
    job = await _done(client, database, f"{data_id}/check", base=starter_base.name, held_out_id=held)
    assert job.state == "succeeded", job.error
    assert job.result is not None
    kinds = {one["kind"]: one["examples"][0]["line"] for one in job.result["report"]["findings"]}
    assert kinds == {"empty": 5, "duplicate": 4, "personal": 3, "leak": 6}
    assert job.result["report"]["fit"]["base"] == starter_base.name
    kept = (await client.get(f"/api/data/{data_id}")).json()
    assert kept["report"] == job.result["report"]
    assert kept["report"]["name"] == "facts.jsonl"
    counted = {one["id"]: (one["rows"], one["samples"]) for one in (await client.get("/api/data")).json()}
    assert counted == {data_id: (6, 5), held: (None, None)}
    assert kept["checked"] == {"base": starter_base.name, "max_length": None, "held_out_id": held}


async def test_what_is_shaped_mixed_and_split_are_new_sets(
    client: httpx.AsyncClient, database: Database, layout: Layout
) -> None:
    data_id = (await _bring(client))["id"]
    job = await _done(client, database, f"{data_id}/shape", shaping={"mask_personal": True})
    assert job.result is not None, job.error
    (shaped_id,) = job.result["made"]
    shaped = (await client.get(f"/api/data/{shaped_id}")).json()
    assert shaped["name"] == "facts.jsonl.shaped"
    assert shaped["made"]["shaped"]["left_out"] == {"empty": 1, "duplicate": 1}
    assert shaped["made"]["shaped"]["fingerprint"] == shaped["sha256"]
    samples = read_messages(await _file(client, shaped_id))
    assert samples[2].messages[1]["content"] == "보라색입니다. [전화번호]"
    general = (await _bring(client, b"Bread rises.\n\nWater boils.\n", "general.txt"))["id"]
    sets = [{"data_id": shaped_id}, {"data_id": general, "at_least": 500}]
    job = await _done(client, database, "mixes", name="섞음", sets=sets, seed=3)
    assert job.result is not None, job.error
    mixed = (await client.get(f"/api/data/{job.result['made'][0]}")).json()
    assert [part["name"] for part in mixed["made"]["mixed"]["parts"]] == ["facts.jsonl.shaped", "general.txt"]
    assert mixed["recognized"]["format"] == "messages"
    shares = [{"name": name, "share": share} for name, share in (("train", 2), ("proof", 1), ("tuning", 1))]
    job = await _done(client, database, f"{shaped_id}/split", parts=shares)
    assert job.result is not None, job.error
    parts = [(await client.get(f"/api/data/{one}")).json() for one in job.result["made"]]
    assert [part["made"]["part"] for part in parts] == ["train", "proof", "tuning"]
    written = [len(read_messages(await _file(client, part["id"]))) for part in parts]
    assert (sum(written), min(written)) == (4, 1)
    assert not list((layout.home / "jobs").iterdir())


async def test_a_job_that_fails_says_why_and_makes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    data_id = (await _bring(client, b'{"instruction": "Q?", "output": ""}\n' * 3))["id"]
    job = await _done(client, database, f"{data_id}/shape")
    assert job.state == "failed"
    assert job.error is not None
    assert "3 rows is left" in job.error["detail"]
    assert len((await client.get("/api/data")).json()) == 1


async def test_tokens_are_shown_as_training_sees_them(client: httpx.AsyncClient, starter_base: Base) -> None:
    data_id = (await _bring(client))["id"]
    rows = (await client.post(f"/api/data/{data_id}/tokens", json={"line": 4, "count": 2})).json()
    assert [row["line"] for row in rows] == [4, 6]
    assert rows[1]["runs"][-1]["text"] == "The Grey Heron.<|im_end|>"
    assert rows[1]["runs"][-1]["trained"]
    short = await client.post(
        f"/api/data/{data_id}/tokens", json={"base": starter_base.name, "max_length": 8}
    )
    assert short.status_code == 422
    assert "8 fit" in short.json()["detail"]


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("check", {"base": "nobody"}, "nobody"),
        ("shape", {"shaping": {"mask_persnal": True}}, "did you mean 'mask_personal'"),
        ("tokens", {}, "name one of"),
    ],
)
async def test_what_is_asked_wrongly_is_refused_at_once(
    client: httpx.AsyncClient, path: str, asked: dict[str, Any], said: str
) -> None:
    data_id = (await _bring(client))["id"]
    answer = await client.post(f"/api/data/{data_id}/{path}", json=asked)
    assert answer.status_code in (404, 422)
    assert said in answer.json()["detail"]


async def test_somebody_elses_data_is_as_good_as_none(client: httpx.AsyncClient) -> None:
    owners = (await _bring(client))["id"]
    kims = (await _bring(client, headers={"as-user": "1"}))["id"]
    as_kim = {"as-user": "1"}
    assert [one["id"] for one in (await client.get("/api/data", headers=as_kim)).json()] == [kims]
    assert len((await client.get("/api/data")).json()) == 2
    listed = (await client.get(f"/api/data?before={owners}", headers=as_kim)).json()
    assert listed == []
    for asked in (
        client.get(f"/api/data/{owners}", headers=as_kim),
        client.get(f"/api/data/{owners}/file", headers=as_kim),
        client.patch(f"/api/data/{owners}", json={"name": "mine"}, headers=as_kim),
        client.delete(f"/api/data/{owners}", headers=as_kim),
        client.post(f"/api/data/{owners}/check", json={}, headers=as_kim),
        client.post(f"/api/data/{kims}/check", json={"held_out_id": owners}, headers=as_kim),
        client.post(f"/api/data/{kims}/shape", json={"held_out_id": owners}, headers=as_kim),
        client.post("/api/data/mixes", json={"name": "x", "sets": [{"data_id": owners}]}, headers=as_kim),
        client.post(f"/api/data/{owners}/tokens", json={}, headers=as_kim),
        client.get(f"/api/data/{uuid4()}"),
    ):
        assert (await asked).status_code == 404


async def test_the_child_that_reads_dies_of_too_much_and_not_the_studio(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("twotrack.learning.data.process.MEMORY", 300 * 2**20)
    huge = json.dumps([{"instruction": "x" * 12_000_000, "output": "y" * 12_000_000} for _ in range(4)])
    answer = await client.post("/api/data", files={"file": ("huge.json", huge.encode())})
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith(("data-too-much", "data-unreadable"))
