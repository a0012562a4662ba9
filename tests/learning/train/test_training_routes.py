"""Training over HTTP, in a studio without a worker: runs are taken, refused, listed."""

import json
from importlib.util import find_spec
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")


@pytest.fixture
def recipe(studio_url: str) -> dict[str, object]:
    models = httpx.get(f"{studio_url}/api/models").json()["models"]
    return {"base": models[0]["base"]["name"], "name": f"run-{uuid4().hex[:8]}"}


def _start(studio_url: str, recipe: dict[str, object], data: str, language: str = "en") -> httpx.Response:
    return httpx.post(
        f"{studio_url}/api/training/runs",
        content=json.dumps({"recipe": recipe, "data": data}),
        headers={"Content-Type": "application/json", "Accept-Language": language},
        timeout=30,
    )


def test_a_run_is_taken_and_can_be_looked_at(
    studio_url: str, recipe: dict[str, object], facts: bytes
) -> None:
    answer = _start(studio_url, recipe, facts.decode())
    assert answer.status_code == 202, answer.text
    run = answer.json()
    job_id = run["job"]["id"]
    assert (run["job"]["kind"], run["job"]["state"], run["samples"]) == ("train", "queued", 4)
    assert httpx.get(f"{studio_url}/api/training/runs/{job_id}").json()["recipe"]["rank"] == 16
    listed = httpx.get(f"{studio_url}/api/training/runs").json()
    assert job_id in [one["job"]["id"] for one in listed]
    cancelled = httpx.post(f"{studio_url}/api/jobs/{job_id}/cancel").json()
    assert cancelled["state"] == "cancelled"


def test_a_run_is_paused_and_goes_on(studio_url: str, recipe: dict[str, object], facts: bytes) -> None:
    goal = {"prompts": ["누구?"], "criteria": "한 문장."}
    run = _start(studio_url, recipe | {"goal": goal}, facts.decode()).json()
    assert run["recipe"]["goal"] == goal
    address = f"{studio_url}/api/training/runs/{run['job']['id']}"
    paused = httpx.post(f"{address}/pause").json()
    assert (paused["job"]["state"], paused["paused"], paused["can_resume"]) == ("cancelled", True, True)
    resumed = httpx.post(f"{address}/resume")
    assert (resumed.status_code, resumed.json()["job"]["state"]) == (202, "queued")
    httpx.post(f"{studio_url}/api/jobs/{run['job']['id']}/cancel")
    refused = httpx.post(f"{address}/resume")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:twotrack:error:nothing-to-resume")


def test_a_sweep_is_taken_as_runs_that_are_found_again(
    studio_url: str, recipe: dict[str, object], facts: bytes
) -> None:
    body = {
        "id": str(uuid4()),
        "recipe": recipe,
        "data": facts.decode(),
        "seeds": [3, 4],
        "boards": {"upper": ["freeze", "freeze", "train", "train"]},
    }
    address = f"{studio_url}/api/training/sweeps"
    taken = httpx.post(address, json=body, timeout=30)
    assert taken.status_code == 202, taken.text
    runs = taken.json()
    assert [run["recipe"]["name"] for run in runs] == [f"{recipe['name']}-upper-{seed}" for seed in (3, 4)]
    assert {run["sweep"] for run in runs} == {body["id"]}
    again = httpx.post(address, json=body, timeout=30).json()
    assert [run["job"]["id"] for run in again] == [run["job"]["id"] for run in runs]
    for run in runs:
        httpx.post(f"{studio_url}/api/jobs/{run['job']['id']}/cancel")
    refused = httpx.post(address, json={**body, "seeds": [3, 3]}, headers={"Accept-Language": "ko"})
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "레시피의 seeds: 같은 시드가 두 번 나옵니다.",
    )


def test_a_base_may_be_named_by_its_id(studio_url: str, recipe: dict[str, object], facts: bytes) -> None:
    base = httpx.get(f"{studio_url}/api/models").json()["models"][0]["base"]
    answer = _start(studio_url, recipe | {"base": base["id"]}, facts.decode())
    assert answer.status_code == 202, answer.text
    assert answer.json()["base_id"] == base["id"]
    httpx.post(f"{studio_url}/api/jobs/{answer.json()['job']['id']}/cancel")
    unknown = _start(studio_url, recipe | {"base": "0" * 64}, facts.decode())
    assert unknown.status_code == 404


def test_a_runs_data_is_given_back_as_it_was(studio_url: str, recipe: dict[str, object]) -> None:
    messages = '[{"role": "user", "content": "누구?"}, {"role": "assistant", "content": "그\u2028"}]'
    data = f'\n{{"messages": {messages}}}\r\n'
    job_id = _start(studio_url, recipe, data).json()["job"]["id"]
    httpx.post(f"{studio_url}/api/jobs/{job_id}/cancel")
    assert httpx.get(f"{studio_url}/api/training/runs/{job_id}/data").json() == {"data": data}


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        ("", 422, "no line"),
        ('{"messages": [', 422, "Line 1 of the data: not JSON"),
        ('{"messages": [{"role": "usr", "content": "x"}]}', 422, "did you mean 'user'?"),
        ("\ud800", 422, "not UTF-8"),
        ("x" * (17 * 2**20), 413, "MiB"),
    ],
)
def test_broken_data_is_refused_with_its_line(
    studio_url: str, recipe: dict[str, object], data: str, status: int, said: str
) -> None:
    answer = _start(studio_url, recipe, data)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_the_refusal_is_in_korean_for_those_who_read_it(studio_url: str, recipe: dict[str, object]) -> None:
    problem = _start(studio_url, recipe, '{"messages": [', "ko").json()
    assert problem["detail"].startswith("데이터 1번째 줄")
    assert "UTF-8 JSON 객체" in problem["remedy"]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"lr": 1}, 422, "recipe-invalid"),
        ({"name": "$(reboot)"}, 422, "invalid-input"),
        ({"name": "../up"}, 422, "invalid-input"),
        ({"base": "nobody"}, 404, "model-not-found"),
        ({"base": "\ud800"}, 422, "recipe-invalid"),
        ({"base": {"$ne": 1}}, 422, "recipe-invalid"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(
    studio_url: str,
    recipe: dict[str, object],
    facts: bytes,
    changed: dict[str, object],
    status: int,
    code: str,
) -> None:
    answer = _start(studio_url, {**recipe, **changed}, facts.decode())
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:twotrack:error:{code}")


def test_an_unknown_run_is_not_found(studio_url: str) -> None:
    assert httpx.get(f"{studio_url}/api/training/runs/{uuid4()}").status_code == 404
    assert httpx.get(f"{studio_url}/api/training/runs/{uuid4()}/data").status_code == 404
    for verb in ("pause", "resume"):
        assert httpx.post(f"{studio_url}/api/training/runs/{uuid4()}/{verb}").status_code == 404
