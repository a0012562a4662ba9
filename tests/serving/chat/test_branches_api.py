"""Edits, answers given again, switching, feedback and search, through the whole studio."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

GREEDY = {"temperature": 0, "max_tokens": 6}


async def ask(client: httpx.AsyncClient, **question: Any) -> dict[str, Any]:
    response = await client.post("/api/chat/invoke", json={**GREEDY, **question})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def shown(client: httpx.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    response = await client.get(f"/api/chat/sessions/{session_id}")
    found: list[dict[str, Any]] = response.json()["messages"]
    assert [message["position"] for message in found] == list(range(len(found)))
    return found


def questions(messages: list[dict[str, Any]]) -> list[str]:
    return [message["content"] for message in messages if message["role"] == "user"]


async def test_an_edited_question_begins_a_branch_and_the_old_one_is_kept(client: httpx.AsyncClient) -> None:
    first = await ask(client, message="Name a colour.")
    session_id = first["session_id"]
    await ask(client, message="Why that one?", session_id=session_id)
    edited = await ask(
        client, message="Name an animal.", session_id=session_id, replaces=first["question_id"]
    )
    messages = await shown(client, session_id)
    assert questions(messages) == ["Name an animal."]
    assert messages[0]["siblings"] == [first["question_id"], edited["question_id"]]
    assert messages[1]["siblings"] == [edited["answer_id"]]

    response = await client.post(
        f"/api/chat/sessions/{session_id}/active", json={"message_id": first["question_id"]}
    )
    assert questions(response.json()["messages"]) == ["Name a colour.", "Why that one?"]
    assert questions(await shown(client, session_id)) == ["Name a colour.", "Why that one?"]


async def test_an_answer_given_again_is_a_sibling_of_the_first(client: httpx.AsyncClient) -> None:
    first = await ask(client, message="Name a colour.", seed=1)
    session_id = first["session_id"]
    again = await ask(client, again=first["answer_id"], session_id=session_id, system="Be terse.")
    assert again["question_id"] == first["question_id"]
    messages = await shown(client, session_id)
    assert [message["id"] for message in messages] == [first["question_id"], again["answer_id"]]
    assert messages[1]["siblings"] == [first["answer_id"], again["answer_id"]]
    assert messages[1]["details"]["by"]["system"] == "Be terse."


async def test_a_question_can_be_answered_again_without_a_trace(client: httpx.AsyncClient) -> None:
    first = await ask(client, message="Name a colour.")
    session_id = first["session_id"]
    other = await ask(client, again=first["answer_id"], session_id=session_id, keep=False)
    assert (other["text"], other["usage"]["prompt_tokens"]) == (
        first["text"],
        first["usage"]["prompt_tokens"],
    )
    assert other["answer_id"] is None
    assert [message["id"] for message in await shown(client, session_id)] == [
        first["question_id"],
        first["answer_id"],
    ]


async def test_what_is_on_another_branch_is_not_continued(client: httpx.AsyncClient) -> None:
    first = await ask(client, message="Name a colour.")
    session_id = first["session_id"]
    await ask(client, message="Name an animal.", session_id=session_id, replaces=first["question_id"])
    for stale in ({"message": "!", "replaces": first["question_id"]}, {"again": first["answer_id"]}):
        response = await client.post("/api/chat/invoke", json={"session_id": session_id, **stale})
        assert response.status_code == 409
        assert response.json()["type"] == "urn:twotrack:error:session-changed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": None},
        {"message": "a", "again": str(uuid4()), "session_id": str(uuid4())},
        {"again": str(uuid4()), "replaces": str(uuid4()), "session_id": str(uuid4())},
        {"again": str(uuid4())},
        {"message": "a", "replaces": str(uuid4())},
    ],
)
async def test_a_question_that_contradicts_itself_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    response = await client.post("/api/chat/invoke", json=body)
    assert response.status_code == 422, response.text


async def test_only_answers_are_given_again_and_only_questions_replaced(client: httpx.AsyncClient) -> None:
    first = await ask(client, message="Name a colour.")
    mistakes = {
        422: [{"message": "!", "replaces": first["answer_id"]}, {"again": first["question_id"]}],
        404: [{"message": "!", "replaces": str(uuid4())}, {"again": str(uuid4())}],
    }
    for status, bodies in mistakes.items():
        for body in bodies:
            response = await client.post("/api/chat/invoke", json={"session_id": first["session_id"], **body})
            assert response.status_code == status, response.text


async def test_feedback_is_kept_shown_listed_and_taken_back(client: httpx.AsyncClient) -> None:
    answer = await ask(client, message="Name a colour.")
    address = f"/api/chat/messages/{answer['answer_id']}/feedback"
    assert (await client.put(address, json={"rating": -1})).json()["rating"] == -1
    given = (await client.put(address, json={"rating": 1, "correction": "초록."})).json()
    assert (given["rating"], given["correction"]) == (1, "초록.")
    assert (await shown(client, answer["session_id"]))[1]["feedback"] == given
    assert (await shown(client, answer["session_id"]))[0]["feedback"] is None

    listed = (await client.get("/api/chat/feedback", params={"corrected": True, "rating": 1})).json()
    assert listed["feedback"][0] == {
        **given,
        "message_id": answer["answer_id"],
        "session_id": answer["session_id"],
        "variant": answer["by"]["variant"],
        "question": "Name a colour.",
        "answer": answer["text"],
    }
    for params in ({"corrected": False}, {"rating": -1}):
        others = (await client.get("/api/chat/feedback", params=params)).json()["feedback"]
        assert answer["answer_id"] not in [entry["message_id"] for entry in others]

    assert (await client.put(address, json={})).json() is None
    assert (await shown(client, answer["session_id"]))[1]["feedback"] is None


async def test_search_finds_titles_and_words_and_shows_where(client: httpx.AsyncClient) -> None:
    answer = await ask(client, message=f"앞말 {'가' * 80} 파란 바다는 왜 짠가요? {'나' * 150}")
    (hit,) = (await client.get("/api/chat/sessions", params={"query": " 바다는 왜 "})).json()["sessions"]
    assert hit["id"] == answer["session_id"]
    assert hit["match"] == {
        "message_id": answer["question_id"],
        "position": 0,
        "before": "…" + "가" * 56 + " 파란 ",
        "match": "바다는 왜",
        "after": " 짠가요? " + "나" * 114 + "…",
    }
