"""Learning from the screen: whether corrected answers are given, in other words too, and at what cost.

Five answers are corrected in the chat and learned by one press, as a person does it. Then their facts are
asked for in the five phrasings that were never seen, and besides them what was not corrected: an answer there
that holds a corrected fact has leaked.
"""

import json
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measure import Row
from benchmarks.studio import MODEL, running_studio, wait_for_job
from twotrack.evaluation import intervals
from twotrack.evaluation.answers import contains_key

CORRECTED = 5
_SAMPLES = Path(__file__).parents[1] / "samples"
_NAME = "lessons"
_PARAGRAPH = 200


def run() -> list[Row]:
    held_out = _read("instructions/nurimae.en.heldout.jsonl")
    taught = _read("instructions/nurimae.en.train.jsonl")
    keys = {_answer(one): one["key"] for one in held_out}
    # The first phrasing of the first facts is what somebody asks, and corrects.
    corrected = taught[:CORRECTED]
    facts = [_answer(one) for one in corrected]
    otherwise = [
        {**one, "key": keys[_answer(one)]}
        for one in (*taught[CORRECTED:], *held_out)
        if _answer(one) in facts
    ]
    others = [one for one in held_out if _answer(one) not in facts]
    controls = [*others, *_read("instructions/nurimae.en.controls.jsonl")]
    with (
        running_studio() as studio,
        httpx.Client(base_url=studio.url, timeout=600, trust_env=False) as client,
    ):
        for one in corrected:
            _correct(client, one["messages"][0]["content"], _answer(one))
        lesson = _posted(client, "/api/learn", {"variant": MODEL, "name": "taught"})
        wait_for_job(client, lesson["job"]["id"])
        before, after = _scored(client, otherwise, _unseen())
        untouched = _scored(client, controls, "")
    told = [keys[fact] for fact in facts]
    leaks = [
        sum(any(contains_key(one["answer"], key) for key in told) for one in score["answers"])
        for score in untouched
    ]
    right = f"{before['exact']} → {_share(after['exact'], after['total'])}"
    return [
        Row(_NAME, f"{CORRECTED} corrections, asked otherwise: right", right),
        Row(
            _NAME,
            "other questions answered with a corrected fact",
            f"{leaks[0]} → {_share(leaks[1], len(controls))}",
        ),
        Row(_NAME, "text that was not learned along, nats a token worse", f"{after['forgetting']:+.3f}"),
    ]


def _share(hits: int, of: int) -> str:
    interval = intervals.of_share(hits, of)
    assert interval is not None
    low, high = (100 * bound for bound in interval)
    return f"{hits} of {of} (95 %: {low:.0f}–{high:.0f} %)"


def _unseen() -> str:
    """Paragraphs of the sample documents: general text is what a lesson learns along."""
    folder = _SAMPLES / "documents" / "en"
    files = sorted((*folder.glob("*.md"), *folder.glob("*.txt")))
    paragraphs = (
        " ".join(found.split()) for file in files for found in file.read_text("utf-8").split("\n\n")
    )
    return "\n".join(json.dumps({"text": one}) for one in paragraphs if len(one) >= _PARAGRAPH)


def _correct(client: httpx.Client, question: str, answer: str) -> None:
    asked = {"message": question, "variant": MODEL, "temperature": 0, "max_tokens": 24}
    given = _posted(client, "/api/chat/invoke", asked)
    feedback = f"/api/chat/messages/{given['answer_id']}/feedback"
    client.put(feedback, json={"correction": answer}).raise_for_status()


def _scored(client: httpx.Client, samples: list[dict[str, Any]], general: str) -> list[dict[str, Any]]:
    """At gain 0, which is the base, and as learned."""
    text = "\n".join(json.dumps(one) for one in samples)
    body = {"variant": "taught", "samples": text, "general": general, "gains": [0, 1], "max_tokens": 32}
    job = _posted(client, "/api/evaluation/scores", body)
    wait_for_job(client, job["id"])
    found: list[dict[str, Any]] = client.get(f"/api/jobs/{job['id']}").json()["result"]["gains"]
    return found


def _posted(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post(path, json=body)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def _read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def _answer(sample: dict[str, Any]) -> str:
    return str(sample["messages"][-1]["content"])
