"""U+0000 and halves of surrogate pairs: JSON carries them, no database holds them. Refused, never a 500."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

BAD = ("a\x00b", "a\ud800b")
SESSION = str(uuid4())


def requests(bad: str) -> list[tuple[str, str, Any]]:
    chat = {"messages": [{"role": "user", "content": "a"}], "model": "a"}
    samples = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
    return [
        *(
            ("POST", "/api/chat/invoke", body)
            for body in (
                {"message": bad},
                {"message": "a", "system": bad},
                {"message": "a", "variant": bad},
                {"message": "a", "stop": [bad]},
            )
        ),
        ("POST", "/api/chat/batch", {"messages": ["a", bad]}),
        ("POST", "/api/chat/stream", {"message": bad}),
        ("POST", "/api/chat/sessions", {"title": bad}),
        ("PATCH", f"/api/chat/sessions/{SESSION}", {"title": bad}),
        ("PUT", f"/api/chat/messages/{SESSION}/feedback", {"correction": bad}),
        ("PUT", "/api/admin/settings", {"system_prompt": bad}),
        ("PUT", "/api/admin/settings", {"default_variant": bad}),
        ("PUT", "/api/admin/settings", {"allowed_origins": [bad]}),
        ("POST", "/api/admin/keys", {"name": bad, "role": "user"}),
        ("POST", "/api/models/pull", {"source": bad}),
        ("POST", "/api/models/pull", {"source": "starter", "name": bad}),
        ("POST", "/api/models/variants", {"name": bad, "base": "a", "adapters": [{"adapter": "a"}]}),
        ("POST", "/api/models/variants", {"name": "a", "base": bad, "adapters": [{"adapter": "a"}]}),
        ("PATCH", "/api/models/a", {"name": bad}),
        ("POST", "/api/training/runs", {"recipe": {"base": bad, "name": "a"}, "data": samples}),
        ("POST", "/api/training/runs", {"recipe": {"base": "a", "name": bad}, "data": samples}),
        ("POST", "/api/training/runs", {"recipe": {"base": "a", "name": "b"}, "data": bad}),
        ("POST", "/api/evaluation/scores", {"variant": bad, "samples": samples}),
        ("POST", "/api/evaluation/scores", {"variant": "a", "samples": bad}),
        ("POST", "/v1/chat/completions", {**chat, "model": bad}),
        ("POST", "/v1/chat/completions", {**chat, "messages": [{"role": "user", "content": bad}]}),
        ("POST", "/v1/completions", {"model": bad, "prompt": "a"}),
        ("POST", "/v1/completions", {"model": "a", "prompt": bad}),
    ]


@pytest.mark.parametrize("bad", BAD, ids=["nul", "surrogate"])
async def test_text_that_no_database_holds_is_refused_everywhere(studio_url: str, bad: str) -> None:
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False, timeout=60) as client:
        for method, path, body in requests(bad):
            response = await client.request(
                method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            # What names a model may also be told that there is no such model.
            assert 400 <= response.status_code < 500, (path, body, response.text)
            response.json()


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/a%00b",
        "/v1/models/a%00b",
        "/api/chat/sessions?query=a%00b",
        "/api/chat/sessions?before=a%00b",
        "/api/chat/feedback?before=a%00b",
        "/api/admin/events?kind=a%00b",
    ],
)
async def test_a_nul_in_an_address_is_refused(studio_url: str, path: str) -> None:
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False) as client:
        response = await client.get(path)
        # OpenAI's clients know 400 for it.
        assert response.status_code == (400 if path.startswith("/v1") else 422), response.text
