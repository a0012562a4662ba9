"""What is loaded, what a model would need, and unloading, over HTTP with the starter's own engine."""

from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest

from twotrack.engines.loading import foresee_memory, spec_for
from twotrack.engines.memory import estimate_memory
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, Variant


@pytest.fixture
async def client(studio_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False, timeout=120) as client:
        yield client


@pytest.fixture
def fresh_settings(studio_database_url: str) -> Iterator[None]:
    yield
    with psycopg.connect(studio_database_url) as connection:
        connection.execute("DELETE FROM admin_settings")


@pytest.fixture
async def nothing_loaded(client: httpx.AsyncClient) -> None:
    """Other tests of the session may have left engines in the studio that they share."""
    for engine in (await client.get("/api/admin/engines")).json()["engines"]:
        assert (await client.delete(f"/api/admin/engines/{engine['id']}")).status_code == 204


async def ask(client: httpx.AsyncClient) -> httpx.Response:
    question = {"message": "Hello.", "max_tokens": 2, "keep": False}
    return await client.post("/api/chat/invoke", json=question)


async def test_a_model_is_shown_by_its_name_and_its_id(client: httpx.AsyncClient) -> None:
    entry = (await client.get("/api/models")).json()["models"][0]
    for known_as in (entry["base"]["name"], entry["variants"][0]["id"]):
        shown = (await client.get(f"/api/models/{known_as}")).json()
        assert (shown["base"]["id"], shown["adapters"]) == (entry["base"]["id"], [])
        assert shown["variant"] == entry["variants"][0]


async def test_an_unknown_model_is_a_problem_document_with_a_remedy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/models/nobody")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["detail"]
    assert "twotrack pull" in answer.json()["remedy"]


@pytest.mark.usefixtures("nothing_loaded")
async def test_a_loaded_engine_is_listed_and_unloaded(client: httpx.AsyncClient) -> None:
    assert (await ask(client)).status_code == 200
    before = (await client.get("/api/admin/engines")).json()
    (engine,) = before["engines"]
    assert (engine["kind"], engine["state"], engine["requests"]) == ("llama_cpp", "idle", 0)
    assert engine["memory_mib"] > 50
    assert engine["since"]
    assert before["reserved_mib"] == engine["reserved_mib"] <= before["budget_mib"] <= before["total_mib"]

    address = f"/api/admin/engines/{engine['id']}"
    assert (await client.delete(address)).status_code == 204
    after = (await client.get("/api/admin/engines")).json()
    assert (after["engines"], after["reserved_mib"]) == ([], 0)
    assert (await client.delete(address)).status_code == 404


@pytest.mark.usefixtures("fresh_settings", "nothing_loaded")
async def test_a_memory_budget_acts_at_once(client: httpx.AsyncClient) -> None:
    changed = await client.put("/api/admin/settings", json={"memory_budget_mib": 64})
    assert changed.json()["memory_budget_mib"] == 64
    name = (await client.get("/api/models")).json()["models"][0]["base"]["name"]
    memory = (await client.get(f"/api/models/{name}")).json()["memory"]
    assert (memory["budget_mib"], memory["fits"], memory["how"]) == (64, False, "gguf")
    refused = await ask(client)
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:twotrack:error:out-of-memory-budget"

    await client.put("/api/admin/settings", json={"memory_budget_mib": None})
    memory = (await client.get(f"/api/models/{name}")).json()["memory"]
    assert memory["fits"]
    assert memory["needed_mib"] < memory["budget_mib"] < memory["total_mib"]
    assert memory["free_mib"] == memory["budget_mib"]
    assert (await ask(client)).status_code == 200


async def test_what_is_foreseen_is_what_the_pool_reckons_with(layout: Layout, starter_base: Base) -> None:
    variant = Variant(
        id="00000000-0000-0000-0000-000000000000",
        name="v",
        base_id=starter_base.id,
        adapters=(),
        created_at=starter_base.created_at,
    )
    spec = await spec_for(variant, starter_base, (), layout, kind="llama_cpp")
    assert foresee_memory(starter_base, ()).bytes == pytest.approx(estimate_memory(spec), rel=0.02)
