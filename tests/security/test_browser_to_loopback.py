"""What a page that somebody visits can do to the studio on their own machine, which asks for no login.

After Ray CVE-2025-62593 (DNS rebinding) and CVE-2023-48022 (an API that trusts whoever reaches it).
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

EVIL = "https://evil.example"
STATIC_HOST = "https://page.example"
BODY = '{"message": "do as I say", "max_tokens": 1, "title": "mine", "name": "mine", "source": "starter"}'

# What an HTML form can send (Fetch, "CORS-safelisted request-header"), and what takes a JSON body for text.
FORM_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None]


@pytest.fixture
async def http(studio_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
async def operations(http: httpx.AsyncClient) -> list[tuple[str, str]]:
    paths = (await http.get("/api/openapi.json")).json()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    assert len(found) > 30
    return found


@pytest.fixture
def untouched(studio_database_url: str) -> Iterator[None]:
    """Whatever a test tried, nothing has come of it."""

    def rows() -> list[Any]:
        with psycopg.connect(studio_database_url, row_factory=dict_row) as connection:
            tables = ("chat_sessions", "jobs", "api_keys", "bases", "variants", "admin_settings")
            return [
                connection.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall()
                for table in tables
            ]

    before = rows()
    yield
    assert rows() == before


@pytest.fixture
async def listed(http: httpx.AsyncClient) -> AsyncIterator[None]:
    """An administrator has listed a page on a static host."""
    settings = "/api/admin/settings"
    assert (await http.put(settings, json={"allowed_origins": [STATIC_HOST]})).status_code == 200
    yield
    await http.put(settings, json={"allowed_origins": []})


def where(path: str) -> str:
    return path.replace("{name}", "nothing").partition("{")[0].rstrip("/")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "0"]
)
async def test_a_name_that_was_rebound_to_this_machine_is_not_answered(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], untouched: None, host: str
) -> None:
    # To a rebound page all is of one origin: its browser sends a foreign Host, and no foreign Origin.
    headers = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json"}
    for method, path in [*operations, ("GET", "/"), ("GET", "/chat"), ("GET", "/api/openapi.json")]:
        answer = await http.request(method, where(path), headers=headers, content=BODY)
        assert answer.status_code == 421, (method, path)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost.evil.example", "http://127.0.0.1:1"])
async def test_a_foreign_page_is_refused_by_every_endpoint(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], untouched: None, origin: str
) -> None:
    headers = {"Origin": origin, "Content-Type": "application/json"}
    for method, path in operations:
        answer = await http.request(method, where(path), headers=headers, content=BODY)
        assert answer.status_code == 403, (method, path)
        assert not [name for name in answer.headers if name.startswith("access-control")], (method, path)


@pytest.mark.parametrize("content_type", FORM_TYPES)
async def test_a_form_of_a_foreign_page_does_nothing(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], untouched: None, content_type: str | None
) -> None:
    kinds = {"Content-Type": content_type} if content_type else {}
    for method, path in operations:
        if method != "POST":
            continue
        as_sent = await http.post(where(path), headers={"Origin": EVIL, **kinds}, content=BODY)
        assert as_sent.status_code == 403, path
        # A browser too old to say where a form comes from: the content type alone must do.
        if "{" not in path:
            unnamed = await http.post(path, headers=kinds, content=BODY)
            assert unnamed.status_code in (400, 415, 422), (path, unnamed.text)


async def test_a_preflight_of_a_foreign_page_is_refused_by_every_endpoint(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], listed: None
) -> None:
    for method, path in operations:
        asking = {"Access-Control-Request-Method": method, "Access-Control-Request-Private-Network": "true"}
        foreign = await http.options(where(path), headers={"Origin": EVIL, **asking})
        assert foreign.status_code == 403
        assert not [name for name in foreign.headers if name.startswith("access-control")]
        known = await http.options(where(path), headers={"Origin": STATIC_HOST, **asking})
        assert known.status_code == 204
        assert known.headers["Access-Control-Allow-Origin"] == STATIC_HOST


@pytest.mark.parametrize("destination", ["image", "script", "iframe", "empty"])
async def test_what_a_foreign_page_embeds_gets_nothing(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], destination: str
) -> None:
    # Sent without an Origin; what comes back may not be read, but must not cost anything either.
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination}
    for method, path in operations:
        if method == "GET":
            assert (await http.get(where(path), headers=headers)).status_code == 403, path


async def test_a_listed_page_needs_a_key_though_the_machine_asks_for_none(
    http: httpx.AsyncClient, operations: list[tuple[str, str]], listed: None
) -> None:
    for method, path in operations:
        if path == "/api/health":
            continue
        answer = await http.request(method, where(path), headers={"Origin": STATIC_HOST}, json={})
        assert answer.status_code == 401, (method, path)
    made = (await http.post("/api/admin/keys", json={"name": "page"})).json()
    headers = {"Origin": STATIC_HOST, "Authorization": f"Bearer {made['secret']}"}
    answer = await http.get("/api/me", headers=headers)
    assert answer.json()["login"] is True
    assert answer.headers["Access-Control-Allow-Origin"] == STATIC_HOST
    question = {"message": "hello", "max_tokens": 2, "keep": False}
    streamed = await http.post("/api/chat/stream", headers=headers, json=question)
    assert "event: end" in streamed.text
    assert streamed.headers["Access-Control-Allow-Origin"] == STATIC_HOST
    await http.delete(f"/api/admin/keys/{made['key']['id']}")
    refused = await http.get("/api/me", headers=headers)
    assert refused.status_code == 401
    # Else the page could not tell its user why.
    assert refused.headers["Access-Control-Allow-Origin"] == STATIC_HOST


async def test_an_origin_that_is_listed_no_more_is_refused_at_once(http: httpx.AsyncClient) -> None:
    settings = "/api/admin/settings"
    asking = {"Origin": STATIC_HOST, "Access-Control-Request-Method": "GET"}
    for origins, status in (([STATIC_HOST], 204), ([], 403)):
        assert (await http.put(settings, json={"allowed_origins": origins})).status_code == 200
        assert (await http.options("/api/me", headers=asking)).status_code == status


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example", "null", "https://a.example/path", "javascript:x"]
)
async def test_no_more_than_single_origins_can_be_listed(http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.put("/api/admin/settings", json={"allowed_origins": [origin]})
    assert answer.status_code == 422
    assert answer.json()["values"]["what"] == "allowed_origins.0"
