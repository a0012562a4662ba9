"""Documents with their vectors in Qdrant: made, taken in, searched, asked, removed through the API."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.conftest import PlaceStarter
from tests.learning.ingest.conftest import ended
from tests.serving.rag.conftest import TOWN, lend_embedder
from twotrack.api import create_app
from twotrack.core.database import Database
from twotrack.core.job_runner import Runner
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout
from twotrack.worker import Resources, lanes


@pytest.fixture
async def studio(
    home: Path, database: Database, database_url: str, embedder_layout: Layout, place_starter: PlaceStarter
) -> AsyncIterator[httpx.AsyncClient]:
    """API and worker in one process, since Qdrant's local mode is this process's memory."""
    lend_embedder(embedder_layout, home)
    await place_starter(Layout(home), database)
    app = create_app(Settings(home=home, threads=1, qdrant_url=":memory:"), database_url)
    async with app.router.lifespan_context(app):
        state = app.state
        resources = Resources(state.database, state.layout, state.embedders, state.stores)
        runner = Runner(database, lanes(resources))
        serving = asyncio.create_task(runner.serve())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
            yield client
        await runner.stop(2)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def test_documents_in_qdrant_answer(
    studio: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "town"
    for source, text in TOWN.items():
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(text)
    made = await studio.post("/api/collections", json={"name": "town", "store": "qdrant"})
    assert made.status_code == 201, made.text

    async def job(path: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = await studio.post(path, json=body)
        assert asked.status_code == 202, asked.text
        over = await ended(database, UUID(asked.json()["id"]))
        assert over.state == "succeeded", over.error
        assert over.result is not None
        return over.result

    report = await job("/api/ingest", {"collection": "town", "path": str(folder)})
    assert (report["added"], report["failed"]) == (4, 0)
    assert (await database.fetch_all("SELECT to_regclass(%s) AS t", (_table(made),)))[0]["t"] is None

    question = {"question": "What does a bicycle cost on the ferry?", "collection": "town"}
    found = (await studio.post("/api/rag/search", json=question)).json()["passages"]
    assert (found[0]["source"], found[0]["dense_rank"]) == ("en/ferry.txt", 1)
    narrowed = {**question, "filters": {"source": ["ko/salt.txt", "en/library.txt"]}}
    among = (await studio.post("/api/rag/search", json=narrowed)).json()["passages"]
    assert {one["source"] for one in among} == {"ko/salt.txt", "en/library.txt"}
    answer = (await studio.post("/api/rag/invoke", json=question)).json()
    assert answer["citations"][0]["source"] == "en/ferry.txt"

    (folder / "en/ferry.txt").write_text("The ferry leaves at nine. A bicycle costs 4 tarn extra.")
    (folder / "en/orders.txt").unlink()
    report = await job("/api/ingest", {"collection": "town", "path": str(folder)})
    assert (report["updated"], report["deleted"], report["unchanged"]) == (1, 1, 2)
    answer = (await studio.post("/api/rag/invoke", json=question)).json()
    assert "4 tarn" in answer["answer"]

    report = await job("/api/collections/town/embed", {"half": True})
    assert report["chunks"] == 3
    answer = (await studio.post("/api/rag/invoke", json=question)).json()
    assert "4 tarn" in answer["answer"]

    assert (await studio.delete("/api/collections/town")).json() == {"deleted": 3}
    assert (await studio.post("/api/rag/search", json=question)).status_code == 404


def _table(made: httpx.Response) -> str:
    return f"vectors_{UUID(made.json()['id']).hex}"
