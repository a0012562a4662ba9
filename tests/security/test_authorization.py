"""Every endpoint × role × somebody else's object, generated from the OpenAPI document.

After Open WebUI CVE-2026-45671, -45349, -44555 and AnythingLLM CVE-2026-32717. An endpoint that stands in no
line of the table below fails here by itself.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from twotrack.api import create_app
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.settings import Settings
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.schemas import RunArgs
from twotrack.openai_api.fine_tuning import tables as tuning
from twotrack.openai_api.ids import write_id
from twotrack.registry.layout import Layout

# To whom an endpoint answers. What has an object in its path: "own" is its owner's alone, for administrators
# too it is not there; "own job" is shown to administrators as well.
ANYBODY, EVERY_KEY, ADMIN, OWN, OWN_JOB = "anybody", "every key", "admin", "own", "own job"

ENDPOINTS = {
    "GET /api/health": ANYBODY,
    "GET /api/me": EVERY_KEY,
    "GET /api/admin/events": ADMIN,
    "GET /api/admin/keys": ADMIN,
    "POST /api/admin/keys": ADMIN,
    "PATCH /api/admin/keys/{key_id}": ADMIN,
    "DELETE /api/admin/keys/{key_id}": ADMIN,
    "POST /api/admin/keys/{key_id}/renew": ADMIN,
    "GET /api/admin/engines": ADMIN,
    "DELETE /api/admin/engines/{engine_id}": ADMIN,
    "GET /api/admin/settings": EVERY_KEY,
    "PUT /api/admin/settings": ADMIN,
    "POST /api/chat/invoke": EVERY_KEY,
    "POST /api/chat/batch": EVERY_KEY,
    "POST /api/chat/stream": EVERY_KEY,
    "GET /api/chat/sessions": EVERY_KEY,
    "POST /api/chat/sessions": EVERY_KEY,
    "GET /api/chat/sessions/{session_id}": OWN,
    "PATCH /api/chat/sessions/{session_id}": OWN,
    "DELETE /api/chat/sessions/{session_id}": OWN,
    "POST /api/chat/sessions/{session_id}/active": OWN,
    "GET /api/chat/feedback": EVERY_KEY,
    "PUT /api/chat/messages/{message_id}/feedback": OWN,
    "GET /api/collections": EVERY_KEY,
    "POST /api/collections": ADMIN,
    "GET /api/collections/{collection}": EVERY_KEY,
    "PATCH /api/collections/{collection}": ADMIN,
    "DELETE /api/collections/{collection}": ADMIN,
    "POST /api/collections/{collection}/embed": ADMIN,
    "GET /api/collections/{collection}/documents": EVERY_KEY,
    "GET /api/documents/{document_id}": EVERY_KEY,
    "DELETE /api/documents/{document_id}": ADMIN,
    "GET /api/documents/{document_id}/original": EVERY_KEY,
    "GET /api/data": EVERY_KEY,
    "POST /api/data": EVERY_KEY,
    "POST /api/data/feedback": EVERY_KEY,
    "POST /api/data/mixes": EVERY_KEY,
    "GET /api/data/{data_id}": OWN_JOB,
    "PATCH /api/data/{data_id}": OWN_JOB,
    "DELETE /api/data/{data_id}": OWN_JOB,
    "GET /api/data/{data_id}/file": OWN_JOB,
    "POST /api/data/{data_id}/check": OWN_JOB,
    "POST /api/data/{data_id}/shape": OWN_JOB,
    "POST /api/data/{data_id}/split": OWN_JOB,
    "POST /api/data/{data_id}/tokens": OWN_JOB,
    "POST /api/evaluation/effects": EVERY_KEY,
    "POST /api/evaluation/scores": EVERY_KEY,
    "POST /api/models/{variant}/export": ADMIN,
    "GET /api/exports": ADMIN,
    "GET /api/exports/{export_id}/archive": ADMIN,
    "DELETE /api/exports/{export_id}": ADMIN,
    "POST /api/ingest": EVERY_KEY,
    "POST /api/ingest/files": EVERY_KEY,
    "GET /api/ingest/formats": EVERY_KEY,
    "GET /api/ingest/watched": EVERY_KEY,
    "GET /api/ingest/{job_id}/files": OWN_JOB,
    "GET /api/jobs": EVERY_KEY,
    "GET /api/jobs/{job_id}": OWN_JOB,
    "POST /api/jobs/{job_id}/cancel": OWN_JOB,
    "GET /api/jobs/{job_id}/events": OWN_JOB,
    "GET /api/learn": EVERY_KEY,
    "POST /api/learn": EVERY_KEY,
    "PUT /api/learn/votes": EVERY_KEY,
    "GET /api/models": EVERY_KEY,
    "GET /api/models/{name}": EVERY_KEY,
    "GET /api/models/{name}/map": EVERY_KEY,
    "GET /api/models/{name}/map/norms": EVERY_KEY,
    "POST /api/models/{name}/map/sensitivity": EVERY_KEY,
    "PATCH /api/models/{name}": ADMIN,
    "DELETE /api/models/{name}": ADMIN,
    "POST /api/models/pull": ADMIN,
    "POST /api/models/variants": EVERY_KEY,
    "GET /api/rag/fields": EVERY_KEY,
    "POST /api/rag/batch": EVERY_KEY,
    "POST /api/rag/invoke": EVERY_KEY,
    "POST /api/rag/search": EVERY_KEY,
    "POST /api/rag/stream": EVERY_KEY,
    "GET /api/training/presets": EVERY_KEY,
    "GET /api/training/runs": EVERY_KEY,
    "POST /api/training/runs": EVERY_KEY,
    "POST /api/training/runs/estimate": EVERY_KEY,
    "POST /api/training/sweeps": EVERY_KEY,
    "GET /api/training/sweeps/{sweep_id}": OWN_JOB,
    "POST /api/training/sweeps/{sweep_id}/cancel": OWN_JOB,
    "GET /api/training/runs/{run_id}": OWN_JOB,
    "GET /api/training/runs/{run_id}/data": OWN_JOB,
    "DELETE /api/training/runs/{run_id}/checkpoints": OWN_JOB,
    "POST /api/training/runs/{run_id}/pause": OWN_JOB,
    "POST /api/training/runs/{run_id}/resume": OWN_JOB,
    "GET /v1/models": EVERY_KEY,
    "GET /v1/models/{name}": EVERY_KEY,
    "POST /v1/chat/completions": EVERY_KEY,
    "POST /v1/completions": EVERY_KEY,
    "POST /v1/embeddings": EVERY_KEY,
    "GET /v1/files": EVERY_KEY,
    "POST /v1/files": EVERY_KEY,
    "GET /v1/files/{file_id}": OWN_JOB,
    "DELETE /v1/files/{file_id}": OWN_JOB,
    "GET /v1/files/{file_id}/content": OWN_JOB,
    "GET /v1/fine_tuning/jobs": EVERY_KEY,
    "POST /v1/fine_tuning/jobs": EVERY_KEY,
    "GET /v1/fine_tuning/jobs/{fine_tuning_job_id}": OWN_JOB,
    "POST /v1/fine_tuning/jobs/{fine_tuning_job_id}/cancel": OWN_JOB,
    "POST /v1/fine_tuning/jobs/{fine_tuning_job_id}/pause": OWN_JOB,
    "POST /v1/fine_tuning/jobs/{fine_tuning_job_id}/resume": OWN_JOB,
    "GET /v1/fine_tuning/jobs/{fine_tuning_job_id}/events": OWN_JOB,
    "GET /v1/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints": OWN_JOB,
}

Ids = dict[str, str]


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    body: dict[str, Any] | None
    """The schema of the body, None where it takes none."""
    parameters: frozenset[str]
    schemas: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    async def ask(self, http: httpx.AsyncClient, ids: Ids, **more: Any) -> tuple[int, str]:
        """Status and text of the answer to a request that is in order and names these objects."""
        path = self.path
        for name in self.parameters:
            path = path.replace(f"{{{name}}}", ids.get(name, "nothing"))
        body = None if self.body is None else {**_example(self.body, self.schemas, ids), **more}
        async with http.stream(self.method, path, json=body) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return answer.status_code, await anext(answer.aiter_text(), "")
            return answer.status_code, (await answer.aread()).decode()

    @property
    def fields(self) -> tuple[str, ...]:
        """Of the body."""
        return () if self.body is None else tuple(_resolved(self.body, self.schemas).get("properties", ()))

    def optional_objects(self) -> Iterator[str]:
        """Fields of the body that name an object."""
        yield from (name for name in self.fields if name.endswith("_id"))


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _resolved(schema[choice][0], schemas)
    return schema


def _example(schema: dict[str, Any], schemas: dict[str, Any], ids: Ids) -> Any:
    """A small value that the schema takes."""
    schema = _resolved(schema, schemas)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {
                name: ids.get(name) or _example(properties[name], schemas, ids)
                for name in schema.get("required", ())
            }
        case "array":
            return [_example(schema["items"], schemas, ids)] * schema.get("minItems", 0)
        case "string":
            return str(uuid4()) if schema.get("format") == "uuid" else "x" * schema.get("minLength", 1)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return None


def _endpoints() -> Iterator[Endpoint]:
    document = create_app(Settings(), "postgresql://unused").openapi()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            parameters = frozenset(
                one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"
            )
            body = next(iter(content.values()))["schema"] if content else None
            yield Endpoint(method.upper(), path, body, parameters, schemas)


@pytest.fixture(scope="module")
def endpoints() -> list[Endpoint]:
    return list(_endpoints())


def of_kind(endpoints: list[Endpoint], *kinds: str) -> list[Endpoint]:
    return [one for one in endpoints if ENDPOINTS.get(one.name) in kinds]


@pytest.fixture
def belongings(studio: Any, studio_database: Database) -> Callable[..., Any]:
    """`await belongings(person)`: the ids of one object of each sort, all theirs."""

    async def make(person: Any) -> Ids:
        question = {"message": f"What does {person.name} know?", "max_tokens": 1, "temperature": 0}
        answer = (await person.http.post("/api/chat/invoke", json=question)).json()
        feedback = f"/api/chat/messages/{answer['answer_id']}/feedback"
        await person.http.put(feedback, json={"rating": 1, "correction": f"{person.name} knows"})
        turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
        sample = json.dumps({"messages": turns, "key": "a"})
        variant = (await person.http.get("/api/models")).json()["models"][0]["base"]["name"]
        score = {"variant": variant, "samples": sample}
        job = (await person.http.post("/api/evaluation/scores", json=score)).json()
        args = RunArgs(
            recipe={},
            base_id="0" * 64,
            samples=1,
            data_sha256=sha256(sample.encode()).hexdigest(),
            sweep=uuid4(),
        )
        run_id = await jobs.enqueue(studio_database, "train", args.model_dump(mode="json"), by=person.caller)
        folder = RunFolder(Layout(studio.home).job(run_id))
        folder.path.mkdir(parents=True)
        folder.data.write_text(sample)
        files = {"file": ("data.jsonl", sample)}
        data = (await person.http.post("/api/data", files=files)).json()
        async with studio_database.transaction() as connection:
            await tuning.insert(connection, run_id, training_file=UUID(data["id"]))
        return {
            "data_id": data["id"],
            "session_id": answer["session_id"],
            "message_id": answer["answer_id"],
            "question_id": answer["question_id"],
            "job_id": job["id"],
            "held_out_id": data["id"],
            "run_id": str(run_id),
            "sweep_id": str(args.sweep),
            "file_id": write_id("file", UUID(data["id"])),
            "fine_tuning_job_id": write_id("ftjob", run_id),
        }

    return make


def test_every_endpoint_stands_in_the_table(endpoints: list[Endpoint]) -> None:
    assert {one.name for one in endpoints} == set(ENDPOINTS), "say in ENDPOINTS to whom it answers"


def test_what_names_an_object_in_its_path_is_nobody_elses_by_default(endpoints: list[Endpoint]) -> None:
    """Whoever classifies an endpoint as open to every key has said that its object is everybody's."""
    shared = {"name", "collection", "document_id"}
    for endpoint in of_kind(endpoints, ANYBODY, EVERY_KEY):
        assert endpoint.parameters <= shared, endpoint.name


@pytest.mark.parametrize("key", [None, "wrong", "ttk-" + "x" * 43])
async def test_without_a_key_that_opens_something_no_endpoint_answers(
    studio: Any, endpoints: list[Endpoint], key: str | None
) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=studio.url, headers=headers, trust_env=False) as http:
        for endpoint in endpoints:
            status, text = await endpoint.ask(http, {})
            if ENDPOINTS[endpoint.name] == ANYBODY:
                assert status == 200, endpoint.name
            else:
                assert status == 401, f"{endpoint.name}: {status} {text}"
        for hidden in ("/api/openapi.json", "/api/nothing", "/v1/nothing", "/api", "/v1/"):
            assert (await http.get(hidden)).status_code == 401, hidden


async def test_a_user_is_refused_what_is_the_administrators(person: Any, endpoints: list[Endpoint]) -> None:
    user, admin = await person("user"), await person("admin", "admin")
    for endpoint in of_kind(endpoints, ADMIN):
        ids = {"key_id": str(uuid4())}
        status, text = await endpoint.ask(user.http, ids)
        assert status == 403, f"{endpoint.name}: {status} {text}"
        assert "'admin'" in text
        status, text = await endpoint.ask(admin.http, ids)
        assert status not in (401, 403), f"{endpoint.name}: {status} {text}"


async def test_a_user_may_do_everything_else(person: Any, endpoints: list[Endpoint]) -> None:
    user = await person("user")
    for endpoint in of_kind(endpoints, EVERY_KEY):
        status, text = await endpoint.ask(user.http, {})
        assert status not in (401, 403), f"{endpoint.name}: {status} {text}"


async def test_somebody_elses_object_is_as_good_as_none(
    person: Any, owner: Any, endpoints: list[Endpoint], belongings: Any, studio_database: Database
) -> None:
    kim, lee, admin = await person("kim"), await person("lee"), await person("admin", "admin")
    kims = await belongings(kim)
    admins = await belongings(admin)
    owners = await belongings(owner)
    before = await _everything(studio_database)
    for endpoint in of_kind(endpoints, OWN, OWN_JOB):
        cases = [(lee, kims), (lee, admins), (lee, owners)]
        if ENDPOINTS[endpoint.name] == OWN:
            cases += [(admin, kims), (owner, kims), (admin, owners), (owner, admins)]
        for stranger, theirs in cases:
            status, text = await endpoint.ask(stranger.http, theirs)
            assert status == 404, f"{endpoint.name} as {stranger.name}: {status} {text}"
            nothing = dict.fromkeys(theirs, str(uuid4()))
            _, unknown = await endpoint.ask(stranger.http, nothing)
            # Not even that it exists is told.
            assert _without(text, theirs) == _without(unknown, nothing), endpoint.name
    assert await _everything(studio_database) == before


async def _make_ready(endpoint: Endpoint, person: Any, things: Any) -> None:
    """What a run holds can be discarded only once it has ended."""
    if endpoint.name.startswith("DELETE /api/training/runs/"):
        (await person.http.post(f"/api/jobs/{things['run_id']}/cancel")).raise_for_status()


def _after(endpoint: Endpoint, things: Ids) -> Ids:
    """What is left of them; nothing where the endpoint may have changed them."""
    return things if endpoint.method == "GET" else {}


async def test_ones_own_object_is_there(person: Any, endpoints: list[Endpoint], belongings: Any) -> None:
    kim = await person("kim")
    kims: Ids = {}
    for endpoint in of_kind(endpoints, OWN, OWN_JOB):
        kims = kims or await belongings(kim)
        await _make_ready(endpoint, kim, kims)
        status, text = await endpoint.ask(kim.http, kims)
        assert status < 300, f"{endpoint.name}: {status} {text}"
        kims = _after(endpoint, kims)


async def test_an_administrator_sees_everybodys_jobs_and_runs(
    person: Any, owner: Any, endpoints: list[Endpoint], belongings: Any
) -> None:
    kim, admin = await person("kim"), await person("admin", "admin")
    kims: Ids = {}
    for endpoint in of_kind(endpoints, OWN_JOB):
        for one in (admin, owner):
            kims = kims or await belongings(kim)
            await _make_ready(endpoint, kim, kims)
            status, text = await endpoint.ask(one.http, kims)
            assert status < 300, f"{endpoint.name}: {status} {text}"
            kims = _after(endpoint, kims)


async def test_no_list_shows_what_is_somebody_elses(
    person: Any, owner: Any, endpoints: list[Endpoint], belongings: Any
) -> None:
    kim, lee, admin = await person("kim"), await person("lee"), await person("admin", "admin")
    kims = await belongings(kim)
    jobs_of_kim = {
        kims[one] for one in ("job_id", "run_id", "sweep_id", "data_id", "file_id", "fine_tuning_job_id")
    }
    for endpoint in of_kind(endpoints, EVERY_KEY):
        if endpoint.method != "GET" or endpoint.parameters:
            continue
        for query in ({}, {"query": "kim"}, {"before": kims["job_id"]}):
            for stranger in (lee, admin, owner):
                answer = await stranger.http.get(endpoint.path, params=query)
                # A refusal repeats what it was asked.
                text = "" if answer.status_code == 422 else answer.text
                hidden = set(kims.values()) - (set() if stranger is lee else jobs_of_kim)
                assert not [one for one in hidden if one in text], f"{endpoint.name} as {stranger.name}"
                assert "kim knows" not in text
    assert kims["job_id"] in (await admin.http.get("/api/jobs")).text
    assert kims["session_id"] in (await kim.http.get("/api/chat/sessions?query=kim")).text
    assert "kim knows" in (await kim.http.get("/api/chat/feedback")).text


async def test_no_request_reaches_somebody_elses_object_through_its_body(
    person: Any, owner: Any, endpoints: list[Endpoint], belongings: Any, studio_database: Database
) -> None:
    kim, lee = await person("kim"), await person("lee")
    kims, lees = await belongings(kim), await belongings(lee)
    before = await _everything(studio_database)
    tried = []
    for endpoint in of_kind(endpoints, EVERY_KEY, OWN):
        for name in endpoint.optional_objects():
            # The object in the path is one's own; the one in the body is not.
            more = {name: kims[name]} | {
                text: "x" for text in ("message", "question") if text in endpoint.fields
            }
            if "seeds" in endpoint.fields:
                more["seeds"] = [0]
            tried.append(endpoint.name)
            status, text = await endpoint.ask(lee.http, lees, **more)
            assert status == 404, f"{endpoint.name} with {more}: {status} {text}"
            status, text = await endpoint.ask(owner.http, lees, **more)
            assert status == 404, f"{endpoint.name} with {more}: {status} {text}"
    streams = {f"POST /api/{track}/{way}" for track in ("chat", "rag") for way in ("invoke", "stream")}
    assert streams <= set(tried)
    for field_, named in (("again", kims["message_id"]), ("replaces", kims["question_id"])):
        body = {"session_id": lees["session_id"], field_: named, "max_tokens": 1}
        for track, text in (("chat", "message"), ("rag", "question")):
            asked = body | ({text: "x"} if field_ == "replaces" else {})
            for way in ("invoke", "stream"):
                assert (await lee.http.post(f"/api/{track}/{way}", json=asked)).status_code == 404, asked
    assert await _everything(studio_database) == before


async def test_nobody_trains_on_somebody_elses_file(
    person: Any, belongings: Any, studio_database: Database
) -> None:
    kim, lee = await person("kim"), await person("lee")
    kims, lees = await belongings(kim), await belongings(lee)
    model = (await lee.http.get("/v1/models")).json()["data"][0]["id"]
    before = await _everything(studio_database)
    for files in (
        {"training_file": kims["file_id"]},
        {"training_file": lees["file_id"], "validation_file": kims["file_id"]},
    ):
        answer = await lee.http.post("/v1/fine_tuning/jobs", json={"model": model, **files})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, list(files)[-1])
    for query in ({"after": kims["fine_tuning_job_id"]}, {"limit": 100}):
        answer = await lee.http.get("/v1/fine_tuning/jobs", params=query)
        assert kims["run_id"].replace("-", "") not in answer.text.replace(query.get("after", "-"), "")
    for sets in ({"data_id": kims["data_id"]}, {"data": "x", "held_out_id": kims["data_id"]}):
        asked = {"recipe": {"base": model, "name": "stolen"}, **sets}
        assert (await lee.http.post("/api/training/runs", json=asked)).status_code in (404, 422)
    assert await _everything(studio_database) == before


async def test_what_a_key_made_stays_its_own_when_it_is_renewed(
    person: Any, owner: Any, belongings: Any
) -> None:
    kim = await person("kim")
    kims = await belongings(kim)
    renewed = (await owner.http.post(f"/api/admin/keys/{kim.caller.key_id}/renew")).json()
    session = f"/api/chat/sessions/{kims['session_id']}"
    assert (await kim.http.get(session)).status_code == 401
    kim.http.headers["Authorization"] = f"Bearer {renewed['secret']}"
    assert (await kim.http.get(session)).status_code == 200
    # A revoked key's things are nobody's, not the next one's of that name.
    await owner.http.delete(f"/api/admin/keys/{kim.caller.key_id}")
    again = await person("kim")
    assert (await again.http.get(session)).status_code == 404


async def _everything(database: Database) -> list[Any]:
    """The rows that belong to somebody, as they are."""
    rows = await database.fetch_all(
        """
        SELECT to_jsonb(s)::text AS row FROM chat_sessions s UNION ALL
        SELECT to_jsonb(m)::text FROM chat_messages m UNION ALL
        SELECT to_jsonb(f)::text FROM feedback f UNION ALL
        SELECT to_jsonb(v)::text FROM votes v UNION ALL
        SELECT to_jsonb(d)::text FROM data_sets d UNION ALL
        SELECT to_jsonb(t)::text FROM fine_tuning_jobs t UNION ALL
        SELECT to_jsonb(j)::text FROM jobs j ORDER BY 1
        """
    )
    return [row["row"] for row in rows]


def _without(text: str, ids: Ids) -> str:
    for one in ids.values():
        text = text.replace(one, "ID")
    return text
