"""Chat through the whole studio: HTTP, queue, the starter's engine, PostgreSQL."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest
from psycopg.rows import dict_row

Events = Callable[[str], list[tuple[str, Any]]]

GREEDY = {"temperature": 0, "max_tokens": 8}


@pytest.fixture
def rows(studio_database_url: str) -> Callable[..., list[dict[str, Any]]]:
    """Rows of the studio's database."""

    def fetch(query: Any, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(studio_database_url, row_factory=dict_row) as connection:
            return connection.execute(query, parameters).fetchall()

    return fetch


async def ask(client: httpx.AsyncClient, message: str, **choices: Any) -> dict[str, Any]:
    response = await client.post("/api/chat/invoke", json={"message": message, **GREEDY, **choices})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def messages(client: httpx.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    session: dict[str, Any] = (await client.get(f"/api/chat/sessions/{session_id}")).json()
    found: list[dict[str, Any]] = session["messages"]
    return found


async def last_state(client: httpx.AsyncClient, session_id: str) -> dict[str, Any]:
    """The newest message, once it is not streaming any more."""
    async with asyncio.timeout(30):
        while True:
            last = (await messages(client, session_id))[-1]
            if last["state"] != "streaming":
                return last


class Opened:
    """A stream that was read up to its first token."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.parts = response.aiter_text()
        self.text = ""

    async def until(self, word: str) -> None:
        while word not in self.text:
            self.text += await anext(self.parts)

    @property
    def start(self) -> Any:
        return json.loads(self.text.split("event: start\ndata: ")[1].split("\n")[0])


LONG = {"message": "Tell me a long story about the sea.", "temperature": 0, "max_tokens": 2000}


async def test_an_answer_says_what_answered_and_how(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "What is the capital of France?")
    assert answer["text"]
    assert answer["finish_reason"] in ("stop", "length")
    assert answer["usage"]["prompt_tokens"] > 5
    assert 0 < answer["usage"]["completion_tokens"] <= 8
    assert answer["by"]["temperature"] == 0
    assert answer["by"]["engine"] == "llama_cpp"
    assert answer["by"]["left_out"] == 0
    assert answer["timing"]["seconds"] > 0


async def test_a_greedy_answer_is_the_same_again(client: httpx.AsyncClient) -> None:
    first, second = [await ask(client, "Name a colour.", keep=False) for _ in range(2)]
    assert first["text"] == second["text"]


async def test_a_seed_that_was_drawn_gives_the_answer_again(client: httpx.AsyncClient) -> None:
    choices = {"temperature": 1.5, "keep": False}
    drawn = await ask(client, "Name three animals.", **choices)
    again = await ask(client, "Name three animals.", seed=drawn["by"]["seed"], **choices)
    assert again["text"] == drawn["text"]


async def test_question_and_answer_are_kept_with_their_details(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "서울은 어디에 있나요?\n자세히")
    session = (await client.get(f"/api/chat/sessions/{answer['session_id']}")).json()
    assert session["title"] == "서울은 어디에 있나요?"
    question, kept = session["messages"]
    assert (question["role"], question["content"]) == ("user", "서울은 어디에 있나요?\n자세히")
    assert (kept["id"], kept["content"], kept["state"]) == (answer["answer_id"], answer["text"], "complete")
    assert kept["details"]["by"] == answer["by"]
    assert kept["details"]["usage"] == answer["usage"]


async def test_a_session_goes_on_with_what_was_said(client: httpx.AsyncClient) -> None:
    first = await ask(client, "My name is Kim. " * 20)
    second = await ask(client, "What is my name?", session_id=first["session_id"])
    assert second["session_id"] == first["session_id"]
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    assert second["usage"]["cached_tokens"] > 0
    assert [one["role"] for one in await messages(client, first["session_id"])] == ["user", "assistant"] * 2


async def test_nothing_is_kept_where_nothing_shall_be(client: httpx.AsyncClient) -> None:
    before = (await client.get("/api/chat/sessions")).json()
    answer = await ask(client, "Hello", keep=False)
    assert answer["session_id"] is answer["answer_id"] is None
    assert (await client.get("/api/chat/sessions")).json() == before


async def test_a_stream_starts_tells_its_tokens_and_ends_with_the_whole_answer(
    client: httpx.AsyncClient, events_of: Events
) -> None:
    response = await client.post("/api/chat/stream", json={"message": "Name a colour.", **GREEDY})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    names = [name for name, _ in events]
    assert names == ["start", *["token"] * (len(events) - 2), "end"]
    start, end = events[0][1], events[-1][1]
    assert "".join(data["text"] for _, data in events[1:-1]) == end["text"] != ""
    assert start["session_id"] == end["session_id"]
    assert (await messages(client, end["session_id"]))[-1]["content"] == end["text"]


async def test_the_question_and_an_empty_answer_are_there_before_the_first_token(
    client: httpx.AsyncClient,
) -> None:
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        stream = Opened(response)
        await stream.until("event: start")
        question, answer = await messages(client, stream.start["session_id"])
        assert question["content"] == LONG["message"]
        assert answer["state"] == "streaming"


async def test_an_answer_whose_client_goes_away_is_kept_as_cut_off(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        stream = Opened(response)
        await stream.until("event: token")
    answer = await last_state(client, stream.start["session_id"])
    assert answer["state"] == "cut_off"
    assert answer["content"]
    assert answer["details"]["cut_off"] == "cancelled"


async def test_a_plain_answer_whose_client_goes_away_is_kept_as_cut_off(client: httpx.AsyncClient) -> None:
    session_id = (await client.post("/api/chat/sessions", json={"title": ""})).json()["id"]
    asking = asyncio.create_task(client.post("/api/chat/invoke", json={**LONG, "session_id": session_id}))
    async with asyncio.timeout(30):
        while not await messages(client, session_id):
            pass
    asking.cancel()
    assert (await last_state(client, session_id))["state"] == "cut_off"


async def test_a_session_that_is_answering_refuses_a_second_question(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        stream = Opened(response)
        await stream.until("event: token")
        session_id = stream.start["session_id"]
        second = await client.post("/api/chat/invoke", json={"message": "?", "session_id": session_id})
    assert second.status_code == 409
    assert second.json()["type"] == "urn:twotrack:error:session-busy"
    await last_state(client, session_id)
    assert len(await messages(client, session_id)) == 2


async def test_of_two_questions_at_the_same_moment_one_is_refused_and_none_is_lost(
    client: httpx.AsyncClient,
) -> None:
    session_id = (await client.post("/api/chat/sessions", json={"title": ""})).json()["id"]
    body = {"message": "Hi", **GREEDY, "session_id": session_id}
    answers = await asyncio.gather(*(client.post("/api/chat/invoke", json=body) for _ in range(2)))
    codes = sorted(answer.status_code for answer in answers)
    kept = await messages(client, session_id)
    assert codes in ([200, 200], [200, 409])
    assert len(kept) == 2 * codes.count(200)


async def test_a_killed_engine_ends_the_stream_with_an_error_and_the_next_answer_comes(
    client: httpx.AsyncClient, events_of: Events
) -> None:
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        stream = Opened(response)
        await stream.until("event: token")
        for child in psutil.Process().children(recursive=True):
            if "twotrack.engines.child" in " ".join(child.cmdline()):
                child.kill()
        await stream.until("event: error")
    name, problem = events_of(stream.text)[-1]
    assert name == "error"
    assert problem["type"] == "urn:twotrack:error:engine-died"
    answer = await last_state(client, stream.start["session_id"])
    assert answer["state"] == "cut_off"
    assert answer["content"]
    assert answer["details"]["cut_off"] == "engine-died"
    assert (await ask(client, "Still there?", session_id=stream.start["session_id"]))["text"]


async def test_a_batch_answers_in_order_with_each_error_at_its_place(client: httpx.AsyncClient) -> None:
    questions = ["Hi.", "word " * 40_000, "What is the capital of France?", "Name a colour."]
    response = await client.post("/api/chat/batch", json={"messages": questions, **GREEDY})
    assert response.status_code == 200, response.text
    results = response.json()
    assert len(results) == 4
    assert results[1]["answer"] is None
    assert results[1]["error"]["type"] == "urn:twotrack:error:prompt-too-long"
    answers = [results[index]["answer"] for index in (0, 2, 3)]
    assert all(answer["text"] for answer in answers)
    shortest, longest, middle = (answer["usage"]["prompt_tokens"] for answer in answers)
    assert shortest < middle < longest


async def test_stop_strings_end_an_answer(client: httpx.AsyncClient) -> None:
    whole = await ask(client, "Count from one to ten.", max_tokens=30, keep=False)
    word = whole["text"].split()[2]
    cut = await ask(client, "Count from one to ten.", max_tokens=30, keep=False, stop=[word])
    assert cut["text"] == whole["text"].split(word)[0]
    assert cut["finish_reason"] == "stop"


@pytest.mark.usefixtures("fresh_settings")
async def test_settings_act_at_once_and_are_recorded_with_the_answer(client: httpx.AsyncClient) -> None:
    plain = await ask(client, "Hello", keep=False)
    changed = await client.put(
        "/api/admin/settings", json={"system_prompt": "Answer in Korean.", "temperature": 0, "max_tokens": 2}
    )
    assert changed.status_code == 200
    response = await client.post("/api/chat/invoke", json={"message": "Hello", "keep": False})
    answer = response.json()
    assert answer["usage"]["completion_tokens"] <= 2
    assert answer["by"]["settings_revision"] == changed.json()["revision"] != plain["by"]["settings_revision"]
    assert answer["by"]["system"] == "Answer in Korean."
    assert answer["usage"]["prompt_tokens"] != plain["usage"]["prompt_tokens"]
    assert (await client.get("/api/admin/settings")).json() == changed.json()


@pytest.mark.parametrize(
    "change",
    [{"temperature": 2.1}, {"temperature": "hot"}, {"top_p": 0}, {"concurrency": 0}, {"tempreature": 1}],
)
async def test_settings_out_of_range_are_refused(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    before = (await client.get("/api/admin/settings")).json()
    assert (await client.put("/api/admin/settings", json=change)).status_code == 422
    assert (await client.get("/api/admin/settings")).json() == before


@pytest.mark.usefixtures("fresh_settings")
@pytest.mark.parametrize("path", ["/api/chat/invoke", "/api/chat/stream", "/api/chat/batch"])
async def test_a_full_queue_is_429_with_a_time_to_come_back_and_keeps_nothing(
    client: httpx.AsyncClient, path: str
) -> None:
    await client.put("/api/admin/settings", json={"concurrency": 1, "queue_length": 0})
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        stream = Opened(response)
        await stream.until("event: token")
        before = (await client.get("/api/chat/sessions")).json()
        refused = await client.post(path, json={"message": "?"} if path[-1] != "h" else {"messages": ["?"]})
        assert (await client.get("/api/chat/sessions")).json() == before
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    await last_state(client, stream.start["session_id"])
    assert (await ask(client, "Now?", keep=False))["text"]


async def test_many_clients_at_once_are_all_answered_with_their_own_answer(client: httpx.AsyncClient) -> None:
    words = ["red", "blue", "seven", "dog"]
    alone = [await ask(client, f"Say {word}.", max_tokens=4, keep=False) for word in words]
    together = await asyncio.gather(
        *(ask(client, f"Say {word}.", max_tokens=4, keep=False) for word in words * 3)
    )
    assert [one["usage"]["prompt_tokens"] for one in together] == [
        one["usage"]["prompt_tokens"] for one in alone
    ] * 3
    assert all(one["text"] for one in together)


async def test_a_waiting_client_that_goes_away_leaves_the_queue(
    client: httpx.AsyncClient, fresh_settings: None
) -> None:
    await client.put("/api/admin/settings", json={"concurrency": 1, "queue_length": 1})
    async with client.stream("POST", "/api/chat/stream", json=LONG) as response:
        first = Opened(response)
        await first.until("event: token")
        async with client.stream("POST", "/api/chat/stream", json=LONG) as waiting:
            second = Opened(waiting)
            await second.until("event: start")
        gone = await last_state(client, second.start["session_id"])
        assert (gone["state"], gone["content"]) == ("cut_off", "")
        async with client.stream("POST", "/api/chat/stream", json=LONG) as third:
            assert third.status_code == 200
            await Opened(third).until("event: start")


BAD_BODIES: list[tuple[bytes, int]] = [
    (b'{"message": "\xff\xfe"}', 400),
    (b'{"message": ', 422),
    (b"[" * 100_000, 400),
    (json.dumps({"message": ""}).encode(), 422),
    (json.dumps({"message": "a\x00b"}).encode(), 422),
    (b'{"message": "\\ud800"}', 422),
    (json.dumps({"message": "a", "temperature": 3}).encode(), 422),
    (b'{"message": "a", "temperature": NaN}', 422),
    (json.dumps({"message": "a", "tempreature": 1}).encode(), 422),
    (json.dumps({"message": "a", "gains": [[1, 0]]}).encode(), 422),
    (json.dumps({"message": "a", "gains": 0.5}).encode(), 422),
    (json.dumps({"message": "a", "variant": "nobody"}).encode(), 404),
    (json.dumps({"message": "a", "session_id": str(uuid4())}).encode(), 404),
    (json.dumps({"message": "a", "session_id": "../../etc"}).encode(), 422),
    (json.dumps({"message": "word " * 100_000}).encode(), 400),
    (json.dumps({"message": "word " * 1_000_000}).encode(), 422),
    (json.dumps({"message": "word " * 4_000_000}).encode(), 413),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=[str(n) for n in range(len(BAD_BODIES))])
async def test_bad_input_is_refused_with_a_problem_document(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    before = (await client.get("/api/chat/sessions")).json()
    for path in ("/api/chat/invoke", "/api/chat/stream"):
        response = await client.post(path, content=body, headers={"content-type": "application/json"})
        assert response.status_code == status, response.text
        problem = response.json()
        assert problem["status"] == status
        assert problem["detail"]
    assert (await client.get("/api/chat/sessions")).json() == before


async def test_errors_come_in_korean_to_those_who_prefer_it(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/api/chat/invoke",
        json={"message": "a", "session_id": str(uuid4())},
        headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"},
    )
    assert "대화를 찾을 수 없습니다" in response.json()["detail"]


async def test_sessions_are_listed_opened_renamed_and_deleted(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/chat/sessions", json={"title": "첫 대화"})).json()
    page = (await client.get("/api/chat/sessions", params={"limit": 1})).json()
    assert page["sessions"] == [{**made, "match": None}]
    renamed = await client.patch(f"/api/chat/sessions/{made['id']}", json={"title": "새 이름"})
    assert renamed.json()["title"] == "새 이름"
    assert (await client.delete(f"/api/chat/sessions/{made['id']}")).status_code == 204
    assert (await client.get(f"/api/chat/sessions/{made['id']}")).status_code == 404


async def test_pages_of_sessions_follow_each_other(client: httpx.AsyncClient) -> None:
    made = [(await client.post("/api/chat/sessions", json={"title": ""})).json()["id"] for _ in range(3)]
    first = (await client.get("/api/chat/sessions", params={"limit": 2})).json()
    second = (await client.get("/api/chat/sessions", params={"limit": 2, "before": first["next"]})).json()
    seen = [session["id"] for session in first["sessions"] + second["sessions"]]
    assert seen[:3] == made[::-1]


async def test_a_long_session_leaves_its_oldest_messages_out_and_says_how_many(
    client: httpx.AsyncClient, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    session_id = (await client.post("/api/chat/sessions", json={"title": ""})).json()["id"]
    rows(
        "INSERT INTO chat_messages (session_id, position, role, content)"
        " SELECT %s, n, CASE n %% 2 WHEN 0 THEN 'user' ELSE 'assistant' END,"
        " CASE WHEN n < 2 THEN repeat('word ', 100000) ELSE 'short' END"
        " FROM generate_series(0, 3) AS n RETURNING id",
        session_id,
    )
    answer = await ask(client, "And now?", session_id=session_id)
    assert answer["by"]["left_out"] == 2
    assert (await messages(client, session_id))[-1]["position"] == 5
