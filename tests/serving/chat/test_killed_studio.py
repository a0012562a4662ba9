"""kill -9 of the API in the middle of an answer: what was said is kept, and the next start marks it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from twotrack.core.listening import listen, local_url

PROGRAM = """
import sys, uvicorn
from pathlib import Path
from twotrack.api import create_app
from twotrack.core.settings import Settings
uvicorn.run(create_app(Settings(home=Path(sys.argv[1])), sys.argv[2]), fd=int(sys.argv[3]), log_config=None)
"""


@contextmanager
def api_process(home: Path, database_url: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    with listen("127.0.0.1", 0, protected=False) as listening:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(home), database_url, str(listening.fileno())],
            pass_fds=[listening.fileno()],
        )
        url = local_url(listening)
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.usefixtures("studio_url")
@pytest.mark.parametrize("on_a_branch", [False, True])
def test_an_answer_of_a_killed_studio_keeps_its_text_as_cut_off(
    studio_home: Path, studio_database_url: str, on_a_branch: bool
) -> None:
    def answer() -> dict[str, Any]:
        with psycopg.connect(studio_database_url, row_factory=dict_row) as connection:
            row = connection.execute(
                "SELECT content, state, details FROM chat_messages"
                " WHERE session_id = %s AND active AND position = 1",
                [session_id],
            ).fetchone()
        assert row is not None
        return row

    with api_process(studio_home, studio_database_url) as (process, client):
        session_id = client.post("/api/chat/sessions", json={"title": ""}).json()["id"]
        replaced: dict[str, Any] = {}
        if on_a_branch:
            first = client.post(
                "/api/chat/invoke", json={"message": "Hello.", "session_id": session_id, "max_tokens": 4}
            ).json()
            replaced = {"replaces": first["question_id"]}
        body = {
            **replaced,
            # The likeliest words count on and on; a story may be over before the kill.
            "message": "Write the numbers from 1 to 2000, one a line.",
            "session_id": session_id,
            "max_tokens": 4000,
            "temperature": 0,
        }
        with client.stream("POST", "/api/chat/stream", json=body) as response:
            for _ in response.iter_lines():
                if answer()["content"]:
                    break
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        said = answer()
        assert said["state"] == "streaming"
        assert said["content"]
    with api_process(studio_home, studio_database_url) as (_, client):
        assert client.get("/api/health").status_code == 200
        kept = answer()
        if on_a_branch:
            other = client.post(
                f"/api/chat/sessions/{session_id}/active", json={"message_id": first["question_id"]}
            ).json()
            assert [one["state"] for one in other["messages"]] == ["complete", "complete"]
            assert other["messages"][1]["content"] == first["text"]
    assert kept["state"] == "cut_off"
    assert kept["content"] == said["content"]
    assert kept["details"]["cut_off"] == "studio-stopped"
