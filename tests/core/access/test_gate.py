"""The gate before everything: foreign hosts, foreign origins, keys that open nothing."""

from typing import Any

import httpx
import pytest

from twotrack.core.access.caller import OWNER
from twotrack.core.access.gate import is_loopback
from twotrack.core.access.keyring import Rules
from twotrack.core.access.keys import create_key, list_keys, renew_key, revoke_key
from twotrack.core.access.schemas import NewKey
from twotrack.core.database import Database

STATIC_HOST = "https://page.example"
LISTED = Rules(allowed_origins=frozenset({STATIC_HOST}))


async def a_key(database: Database, **choices: Any) -> tuple[dict[str, str], Any]:
    """Headers with a new key, and the key."""
    made = await create_key(database, NewKey(**{"name": "kim", **choices}), OWNER)
    return {"Authorization": f"Bearer {made.secret}"}, made.key


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "localhost", "LOCALHOST"])
async def test_loopback_names_are_answered_without_a_login(gated: Any, host: str) -> None:
    async with gated() as (http, _):
        answer = await http.get("/api/chat", headers={"Host": host})
    assert answer.json() == {"key_id": "None", "name": "owner"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "", "169.254.169.254"],
)
async def test_a_foreign_host_name_is_refused_so_that_rebinding_dns_gains_nothing(
    gated: Any, host: str
) -> None:
    async with gated() as (http, _):
        for path in ("/api/chat", "/v1/models", "/chat", "/api/health"):
            response = await http.get(path, headers={"Host": host})
            assert response.status_code == 421
            assert response.json()["values"]["host"] == host


async def test_a_listed_host_name_is_answered_but_to_a_key_only(gated: Any, database: Database) -> None:
    headers, _ = await a_key(database)
    async with gated(allowed_hosts=("Studio.Example",)) as (http, _):
        name = {"Host": "studio.example:443"}
        assert (await http.get("/api/chat", headers=name)).status_code == 401
        assert (await http.get("/api/chat", headers={**name, **headers})).json()["name"] == "kim"


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("10.0.0.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}),
        ("127.0.0.1", {"X-Forwarded-Host": "studio.example"}),
    ],
)
async def test_what_comes_through_a_proxy_is_not_taken_for_loopback(
    gated: Any, address: str, headers: dict[str, str]
) -> None:
    async with gated(address=address) as (http, _):
        assert (await http.get("/api/chat", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "http://localhost:8321",
        "http://127.0.0.1:8321.evil.example",
        "file://127.0.0.1:8321",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/api/chat", "/v1/models"])
async def test_a_page_from_elsewhere_is_refused(gated: Any, origin: str, path: str) -> None:
    async with gated(rules=LISTED) as (http, _):
        for method in ("GET", "POST"):
            response = await http.request(method, path, headers={"Origin": origin})
            assert response.status_code == 403
            assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_a_foreign_page_embeds_is_refused_though_it_has_no_origin(gated: Any, site: str) -> None:
    async with gated() as (http, _):
        assert (await http.get("/api/chat", headers={"Sec-Fetch-Site": site})).status_code == 403
        assert (await http.get("/api/chat", headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
        # A link to the page is only a link.
        assert (await http.get("/chat", headers={"Sec-Fetch-Site": site})).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8321", "https://127.0.0.1:8321"])
async def test_the_studios_own_page_is_answered_behind_tls_too(gated: Any, origin: str) -> None:
    async with gated() as (http, _):
        assert (await http.post("/api/chat", headers={"Origin": origin})).status_code == 200


async def test_a_default_port_is_the_same_origin_with_and_without_it(gated: Any, database: Database) -> None:
    headers, _ = await a_key(database)
    async with gated(allowed_hosts=("studio.example",)) as (http, _):
        headers |= {"Host": "studio.example:443"}
        own = await http.get("/api/chat", headers={**headers, "Origin": "https://studio.example"})
        other = await http.get("/api/chat", headers={**headers, "Origin": "http://studio.example"})
    assert (own.status_code, other.status_code) == (200, 403)


async def test_a_page_of_a_listed_origin_is_answered_to_a_key_only(gated: Any, database: Database) -> None:
    headers, _ = await a_key(database)
    async with gated(rules=LISTED) as (http, _):
        refused = await http.get("/api/chat", headers={"Origin": STATIC_HOST})
        answered = await http.get("/api/chat", headers={"Origin": STATIC_HOST, **headers})
    assert (refused.status_code, answered.status_code) == (401, 200)
    for response in (refused, answered):
        # The page must be able to read why it was refused.
        assert response.headers["Access-Control-Allow-Origin"] == STATIC_HOST
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_preflight_is_answered_for_listed_origins_only(gated: Any) -> None:
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    async with gated(key="secret", rules=LISTED) as (http, _):
        listed = await http.options("/api/chat", headers={"Origin": STATIC_HOST, **asking})
        foreign = await http.options("/api/chat", headers={"Origin": "https://evil.example", **asking})
        own = await http.options("/api/chat", headers={"Origin": "http://127.0.0.1:8321", **asking})
    assert listed.status_code == 204
    assert listed.headers["Access-Control-Allow-Origin"] == STATIC_HOST
    assert "POST" in listed.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in listed.headers["Access-Control-Allow-Headers"]
    assert listed.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "*" not in str(listed.headers)
    assert foreign.status_code == 403
    assert own.status_code == 401
    for other in (foreign, own):
        assert not [name for name in other.headers if name.startswith("access-control")]


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ttk-wrong", "Bearer 비밀", "bearer  ttk-"])
@pytest.mark.parametrize("key", ["secret", None])
async def test_a_wrong_key_is_refused_even_where_none_is_needed(
    gated: Any, header: str, key: str | None
) -> None:
    if key is None and "ttk-" not in header:
        return
    async with gated(key=key) as (http, _):
        response = await http.get("/api/chat", headers=[(b"Authorization", header.encode())])
    assert response.status_code == 401
    assert response.json()["type"] == "urn:twotrack:error:key-unknown"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "secret" not in response.text


@pytest.mark.parametrize("header", [None, "Basic secret", "Bearer", "Bearer ", "secret"])
async def test_without_a_key_nothing_is_answered_where_one_is_needed(gated: Any, header: str | None) -> None:
    async with gated(key="secret") as (http, _):
        response = await http.get("/api/chat", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.json()["type"] == "urn:twotrack:error:key-required"


async def test_openais_clients_may_send_any_bearer_where_no_key_is_needed(gated: Any) -> None:
    async with gated() as (http, _):
        answer = await http.get("/v1/models", headers={"Authorization": "Bearer none"})
    assert answer.json()["name"] == "owner"


@pytest.mark.parametrize("key", ["secret", "ttk-chosen-by-a-person"])
async def test_the_key_of_the_environment_is_the_owners(gated: Any, key: str) -> None:
    async with gated(key=key) as (http, _):
        answer = await http.get("/api/chat", headers={"Authorization": f"Bearer {key}"})
    assert answer.json() == {"key_id": "None", "name": "owner"}


async def test_a_key_acts_as_itself_whether_or_not_one_is_needed(gated: Any, database: Database) -> None:
    headers, key = await a_key(database)
    for needed in (None, "secret"):
        async with gated(key=needed) as (http, _):
            answer = await http.get("/api/chat", headers=headers)
            assert answer.json() == {"key_id": str(key.id), "name": "kim"}


async def test_the_pages_files_and_health_need_no_key(gated: Any) -> None:
    async with gated(key="secret") as (http, _):
        assert (await http.get("/api/health")).status_code == 200
        assert (await http.get("/chat")).status_code == 200


async def test_a_key_that_was_made_renewed_or_revoked_elsewhere_is_known_at_once(
    gated: Any, database: Database
) -> None:
    # Elsewhere: nothing tells this process but the database.
    async def status(http: httpx.AsyncClient, headers: dict[str, str], wanted: int) -> bool:
        return (await http.get("/api/chat", headers=headers)).status_code == wanted

    async with gated(key="secret") as (http, _):
        assert await status(http, {"Authorization": "Bearer ttk-none"}, 401)
        first, key = await a_key(database)
        while not await status(http, first, 200):
            pass
        renewed = await renew_key(database, key.id, OWNER)
        while not await status(http, first, 401):
            pass
        second = {"Authorization": f"Bearer {renewed.secret}"}
        assert await status(http, second, 200)
        await revoke_key(database, key.id, OWNER)
        while not await status(http, second, 401):
            pass


async def test_the_use_of_a_key_is_written_down_and_its_secret_is_not(gated: Any, database: Database) -> None:
    headers, _ = await a_key(database)
    async with gated() as (http, _):
        await http.get("/api/chat", headers=headers)
    (key,) = await list_keys(database)
    assert key.last_used_at is not None
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert secret.endswith(key.hint)
    stored = await database.fetch_all(
        "SELECT to_jsonb(api_keys)::text AS text FROM api_keys UNION ALL SELECT details::text FROM events"
    )
    assert secret not in "".join(row["text"] for row in stored)
    assert len(key.hint) == 4


async def test_a_websocket_is_closed_before_anything_looks_at_it(gated: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody asked")

    async with gated() as (http, _):
        gate = http._transport.app
        await gate({"type": "websocket", "path": "/api/chat", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
