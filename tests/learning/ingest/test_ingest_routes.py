"""Collections, documents and uploads over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse

from tests.learning.ingest.conftest import WordEmbedders, ended
from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.job_runner import Runner
from twotrack.core.language import from_accept_language
from twotrack.learning.ingest.readers import READERS
from twotrack.learning.ingest.routes import router
from twotrack.learning.ingest.watching import Watch
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores

USER = Caller(UUID(int=1), "kim", "user")


@pytest.fixture
async def client(
    database: Database, layout: Layout, embedders: WordEmbedders, stores: Stores
) -> AsyncIterator[httpx.AsyncClient]:
    def in_the_gates_place(request: Request) -> None:
        request.state.caller = USER if "as-user" in request.headers else OWNER

    app = FastAPI(dependencies=[Depends(in_the_gates_place)])
    app.state.database, app.state.layout = database, layout
    app.state.embedders, app.state.stores = embedders, stores
    app.include_router(router)

    @app.exception_handler(TwotrackError)
    async def refuse(request: Request, error: TwotrackError) -> JSONResponse:
        language = from_accept_language(request.headers.get("accept-language"))
        return JSONResponse(error.problem(language), status_code=error.status)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio") as opened:
        yield opened


async def filled(client: httpx.AsyncClient, database: Database, folder: Path) -> dict[str, dict[str, object]]:
    """The documents of a collection made of the folder, by their sources."""
    answer = await client.post("/api/ingest", json={"path": str(folder)})
    assert answer.status_code == 202, answer.text
    assert (await ended(database, UUID(answer.json()["id"]))).state == "succeeded"
    listed = (await client.get("/api/collections/documents/documents")).json()
    return {one["source"]: one for one in listed["documents"]}


async def test_a_collection_is_made_shown_renamed_and_removed(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/collections", json={"name": "규정"})).json()
    assert made["embedder"] == {"id": "multilingual-e5-small", "dimensions": 384}
    again = await client.post("/api/collections", json={"name": "규정"})
    assert again.status_code == 409
    shown = (await client.get("/api/collections/규정")).json()
    assert (shown["id"], shown["documents"], shown["chunks"]) == (made["id"], 0, 0)
    renamed = await client.patch(f"/api/collections/{made['id']}", json={"name": "rules"})
    assert renamed.json()["name"] == "rules"
    assert (await client.delete("/api/collections/rules")).json() == {"deleted": 0}
    assert (await client.get("/api/collections")).json() == []
    assert (await client.get("/api/collections/rules")).status_code == 404


async def test_what_cannot_be_a_collection_is_refused(client: httpx.AsyncClient) -> None:
    for body in ({"name": " "}, {"name": "a/b"}, {"name": "x" * 101}, {"name": "x", "colour": "red"}):
        assert (await client.post("/api/collections", json=body)).status_code == 422, body
    unknown = await client.post("/api/collections", json={"name": "x", "embedder": "nobody"})
    assert unknown.json()["type"] == "urn:twotrack:error:embedder-unknown"
    elsewhere = await client.post("/api/collections", json={"name": "x", "store": "qdrant"})
    assert elsewhere.json()["type"] == "urn:twotrack:error:store-unknown"
    assert (await client.get("/api/collections")).json() == []


async def test_documents_are_listed_searched_paged_and_read(
    client: httpx.AsyncClient, database: Database, folder: Path, working: Runner
) -> None:
    found = await filled(client, database, folder)
    assert list(found) == ["harbour.md", "rules/fees.csv", "rules/leave.txt"]
    path = "/api/collections/documents/documents"
    page = (await client.get(path, params={"limit": 2})).json()
    assert page["next"] == "rules/fees.csv"
    rest = (await client.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert [one["source"] for one in rest["documents"]] == ["rules/leave.txt"]
    assert rest["next"] is None
    searched = (await client.get(path, params={"query": "HARB"})).json()["documents"]
    assert [one["source"] for one in searched] == ["harbour.md"]
    document = found["harbour.md"]
    slice_ = (await client.get(f"/api/documents/{document['id']}", params={"start": 9, "stop": 17})).json()
    assert slice_["text"] == "The pier"
    whole = (await client.get(f"/api/documents/{document['id']}")).json()
    assert len(whole["text"]) == slice_["document"]["characters"]


async def test_an_original_is_for_saving_and_runs_nowhere(
    client: httpx.AsyncClient, database: Database, tmp_path: Path, working: Runner
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    page = "<html><script>alert(1)</script><p>부두는 아홉 시에 연다.</p></html>"
    (folder / "부두.html").write_text(page)
    found = await filled(client, database, folder)
    answer = await client.get(f"/api/documents/{found['부두.html']['id']}/original")
    assert answer.text == page
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_document_is_removed_with_its_original(
    client: httpx.AsyncClient, database: Database, folder: Path, working: Runner
) -> None:
    document = (await filled(client, database, folder))["harbour.md"]["id"]
    assert (await client.delete(f"/api/documents/{document}")).json() == {"deleted": 1}
    assert (await client.delete(f"/api/documents/{document}")).status_code == 404
    assert (await client.get(f"/api/documents/{document}/original")).status_code == 404


async def test_a_job_tells_what_became_of_each_file_in_the_readers_language(
    client: httpx.AsyncClient, database: Database, folder: Path, working: Runner
) -> None:
    async def files(**query: str | int) -> list[dict[str, Any]]:
        asked = await client.post("/api/ingest", json={"path": str(folder)})
        job = await ended(database, UUID(asked.json()["id"]))
        assert job.state == "succeeded", job.error
        answer = await client.get(f"/api/ingest/{job.id}/files", params=query)
        found: list[dict[str, Any]] = answer.json()["files"]
        return found

    assert {one["source"]: one["outcome"] for one in await files()} == {
        "harbour.md": "added",
        "rules/fees.csv": "added",
        "rules/leave.txt": "added",
    }
    (folder / "empty.txt").touch()
    (folder / "harbour.md").write_text("# Harbour\n\nThe pier opens at ten.")
    (folder / "rules/fees.csv").unlink()
    client.headers["accept-language"] = "ko"
    told = await files()
    assert [(one["source"], one["outcome"]) for one in told] == [
        ("empty.txt", "failed"),
        ("harbour.md", "updated"),
        ("rules/fees.csv", "deleted"),
        ("rules/leave.txt", "unchanged"),
    ]
    assert told[0]["error"]["detail"] == "글이 없는 문서입니다: 'empty.txt'"
    assert told[0]["error"]["remedy"]
    listed = (await client.get("/api/collections/documents/documents")).json()["documents"]
    assert {one["source"]: one["document_id"] for one in told if one["outcome"] != "deleted"} == {
        one["source"]: one["id"] for one in listed
    }
    assert [one["source"] for one in await files(outcome="failed", limit=1)] == ["empty.txt"]


async def test_a_job_has_no_files_to_show_to_whoever_did_not_start_it(
    client: httpx.AsyncClient, database: Database, folder: Path, working: Runner
) -> None:
    asked = await client.post("/api/ingest", json={"path": str(folder)})
    job = await ended(database, UUID(asked.json()["id"]))
    refused = await client.get(f"/api/ingest/{job.id}/files", headers={"as-user": "1"})
    assert refused.status_code == 404


async def test_what_is_accepted_is_what_the_readers_read(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/ingest/formats", headers={"accept-language": "ko"})).json()
    assert {one["media_type"] for one in told["formats"]} == set(READERS)
    assert "일반 텍스트" in [one["name"] for one in told["formats"]]
    assert told["largest_file"] < told["largest_upload"]


async def test_the_watched_folder_tells_its_state(
    client: httpx.AsyncClient, database: Database, layout: Layout
) -> None:
    async def state() -> tuple[str, int]:
        told = (await client.get("/api/ingest/watched")).json()
        assert told["path"] == str(layout.home / "data")
        return told["state"], told["files"]

    watch = Watch(database, layout)
    assert await state() == ("absent", 0)
    (layout.home / "data").mkdir()
    await watch.look()
    assert await state() == ("empty", 0)
    (layout.home / "data/tide.md").write_text("# Tide")
    await watch.look()
    assert await state() == ("changing", 1)
    await watch.look()
    assert await state() == ("taken_in", 1)
    (job,) = await jobs.list_jobs(database)
    assert (await client.get("/api/ingest/watched")).json()["job_id"] == str(job.id)


async def test_uploads_become_documents(
    client: httpx.AsyncClient, database: Database, working: Runner
) -> None:
    answer = await client.post(
        "/api/ingest/files",
        data={"collection": "notes"},
        files=[
            ("files", ("club/밀물.md", "# 밀물\n\n여섯 시에 찬다.".encode())),
            ("files", ("pier.txt", b"The pier opens at nine.")),
        ],
    )
    assert answer.status_code == 202, answer.text
    job = await ended(database, UUID(answer.json()["id"]))
    assert job.result is not None, job.error
    assert job.result["added"] == 2
    listed = (await client.get("/api/collections/notes/documents")).json()["documents"]
    assert {one["source"]: one["origin"] for one in listed} == {
        "club/밀물.md": "upload",
        "pier.txt": "upload",
    }


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422),
        (b"--b\r\nContent-Disposition: form-data; name=files; filename=x\r\n\r\nhalf", None, 400),
        (b"{}", "application/json", 400),
        (b"nonsense", "multipart/form-data; boundary=b", 400),
        (b"", "multipart/form-data", 400),
    ],
)
async def test_a_broken_upload_leaves_nothing(
    client: httpx.AsyncClient, layout: Layout, content: bytes, kind: str | None, status: int
) -> None:
    headers = {"content-type": kind or "multipart/form-data; boundary=b"}
    answer = await client.post("/api/ingest/files", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert not list(layout.home.glob("jobs/*"))
    assert (await client.get("/api/collections")).json() == []


async def test_a_file_beyond_the_limit_is_refused_while_it_arrives(
    client: httpx.AsyncClient, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twotrack.learning.ingest.routes.LARGEST_DOCUMENT", 1000)
    answer = await client.post("/api/ingest/files", files=[("files", ("long.txt", b"x" * 1001))])
    assert answer.status_code == 413
    assert "long.txt" in answer.json()["detail"]
    assert not list(layout.home.glob("jobs/*"))


async def test_whoever_is_no_administrator_fills_collections_that_are_there(
    client: httpx.AsyncClient, layout: Layout
) -> None:
    (layout.home / "data").mkdir()
    client.headers["as-user"] = "1"
    body = {"path": "."}
    assert (await client.post("/api/ingest", json=body | {"collection": "mine"})).status_code == 404
    unclear_ones: list[dict[str, object]] = [{}, {"path": ".", "urls": ["http://x.example"]}, {"urls": []}]
    for unclear in unclear_ones:
        assert (await client.post("/api/ingest", json=unclear)).status_code == 422
