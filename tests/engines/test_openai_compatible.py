"""What a remote server says, and what becomes of it: vLLM's answers, plain ones, and broken ones.

vLLM itself cannot run here: the server below answers in its words (and in others'), over real HTTP.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from twotrack.core.listening import listen, local_url
from twotrack.engines.openai_compatible import RemoteEngine
from twotrack.engines.port import (
    End,
    EngineDied,
    EngineFailed,
    EngineFailedToStart,
    EngineSpec,
    Request,
    Sampling,
    Token,
)

DONE = "[DONE]"
HANG = object()
BREAK = object()


@dataclass
class Server:
    """Answers /v1/completions with `events` (a stream), or `answer` (status and JSON)."""

    url: str = ""
    events: list[Any] = field(default_factory=list)
    answer: tuple[int, Any] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def models(self, request: HttpRequest) -> Response:
        self.keys.append(request.headers.get("authorization"))
        return JSONResponse({"object": "list", "data": [{"id": "served", "object": "model"}]})

    async def completions(self, request: HttpRequest) -> Response:
        self.asked.append(await request.json())
        if self.answer is not None:
            return JSONResponse(self.answer[1], status_code=self.answer[0])
        return StreamingResponse(self.stream(), media_type="text/event-stream")

    async def stream(self) -> AsyncIterator[str]:
        try:
            for event in self.events:
                if event is HANG:
                    await asyncio.Event().wait()
                if event is BREAK:
                    raise ConnectionAbortedError
                yield f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n"
        except asyncio.CancelledError:
            self.left.set()
            raise


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = Starlette(
        routes=[
            Route("/v1/models", made.models),
            Route("/v1/completions", made.completions, methods=["POST"]),
        ]
    )
    with listen("127.0.0.1", 0, protected=False) as listening:
        made.url = f"{local_url(listening)}/v1"
        http = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        running = asyncio.create_task(http.serve([listening]))
        yield made
        http.should_exit = True
        await running


@pytest.fixture
def spec(server: Server, tmp_path: Path) -> EngineSpec:
    """With a tokenizer whose 256 tokens are bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={one: i for i, one in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return EngineSpec("openai_compatible", tmp_path, 100, endpoint=server.url, endpoint_model="served")


@pytest.fixture
async def engine(spec: EngineSpec) -> AsyncIterator[RemoteEngine]:
    started = await RemoteEngine.start(spec, "far away")
    yield started
    await started.stop()


async def generate(engine: RemoteEngine, **sampling: Any) -> list[Token | End]:
    request = Request([1, 2, 3], Sampling(**{"temperature": 0.0, **sampling}))
    return [item async for item in engine.generate(request)]


def chunk(text: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": text, "finish_reason": reason, **more}]}


async def test_ids_come_from_a_server_that_tells_them(engine: RemoteEngine, server: Server) -> None:
    server.events = [
        chunk("ab", token_ids=[70, 71]),
        chunk("", token_ids=[72]),
        chunk("c", "length", token_ids=[73]),
        {"choices": [], "usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}},
        DONE,
    ]
    assert await generate(engine, max_tokens=4) == [
        Token(70), Token(71), Token(72), Token(73), End("length", 3, 2, 4)
    ]  # fmt: skip
    (asked,) = server.asked
    assert asked["prompt"] == [1, 2, 3]
    assert (asked["model"], asked["return_token_ids"], asked["stream"]) == ("served", True, True)


async def test_the_stop_id_that_vllm_includes_is_left_out(engine: RemoteEngine, server: Server) -> None:
    server.events = [chunk("a", token_ids=[70]), chunk("", "stop", token_ids=[9]), DONE]
    assert await generate(engine, stop_ids=frozenset({9})) == [Token(70), End("stop", 3, 0, 1)]
    assert server.asked[0]["stop_token_ids"] == [9]


async def test_logprobs_are_read_by_token_id(engine: RemoteEngine, server: Server) -> None:
    listed = {
        "tokens": ["token_id:70", "token_id:71"],
        "token_logprobs": [-0.5, -1.5],
        "top_logprobs": [
            {"token_id:70": -0.5, "token_id:90": -2.5},
            {"token_id:80": -0.25, "token_id:71": -1.5},
        ],
    }
    server.events = [chunk("ab", "stop", token_ids=[70, 71], logprobs=listed), DONE]
    assert await generate(engine, logprobs=2) == [
        Token(70, -0.5, ((70, -0.5), (90, -2.5))),
        Token(71, -1.5, ((80, -0.25), (71, -1.5))),
        End("stop", 3, 0, 2),
    ]
    # Not asked for by the caller: asked of the server for the ids, and not handed on.
    assert await generate(engine) == [Token(70), Token(71), End("stop", 3, 0, 2)]


async def test_text_alone_is_tokenized_here(engine: RemoteEngine, server: Server) -> None:
    server.events = [chunk("안 "), chunk("🙂", "stop"), DONE]
    (*tokens, end) = await generate(engine)
    tokenizer = Tokenizer.from_file(str(engine.spec.model / "tokenizer.json"))
    assert tokenizer.decode([one.id for one in tokens if isinstance(one, Token)]) == "안 🙂"
    assert end == End("stop", 3, 0, 8)


async def test_a_character_of_which_only_the_last_token_is_told_arrives_whole(
    engine: RemoteEngine, server: Server
) -> None:
    """llama.cpp's server: the text is whole, the ids are not."""
    last = {"content": [{"id": 5, "token": "", "bytes": [0x88], "logprob": -1.0, "top_logprobs": []}]}
    server.events = [chunk("안", "stop", logprobs=last), DONE]
    (*tokens, _) = await generate(engine)
    tokenizer = Tokenizer.from_file(str(engine.spec.model / "tokenizer.json"))
    assert tokenizer.decode([one.id for one in tokens if isinstance(one, Token)]) == "안"


async def test_scores_come_from_vllms_prompt_logprobs(engine: RemoteEngine, server: Server) -> None:
    entry = {"rank": 1, "decoded_token": "x"}
    server.answer = (
        200,
        {
            "choices": [
                {
                    "text": "",
                    "prompt_logprobs": [
                        None,
                        {"8": {"logprob": -0.5, **entry}},
                        {"9": {"logprob": -1.5, **entry}},
                    ],
                }
            ]
        },
    )
    assert await engine.score([7, 8, 9], 1) == [-0.5, -1.5]
    assert await engine.score([7, 8, 9], 2) == [-1.5]


@pytest.mark.parametrize(
    ("events", "error", "words"),
    [
        ([chunk("a", token_ids=[1]), BREAK], EngineDied, "127.0.0.1"),
        ([chunk("a", token_ids=[1])], EngineDied, "broke off"),
        ([{"error": {"message": "out of memory", "code": 500}}, DONE], EngineFailed, "out of memory"),
        (["no json", DONE], EngineFailed, "no json"),
        (["[1, 2]", DONE], EngineFailed, "no JSON"),
        (["x" * 5_000_000, DONE], EngineFailed, "endless"),
    ],
)
async def test_a_broken_answer_is_an_error_of_that_request(
    engine: RemoteEngine, server: Server, events: list[Any], error: type[Exception], words: str
) -> None:
    server.events = events
    with pytest.raises(error, match=words):
        await generate(engine)
    server.events = [chunk("a", "stop", token_ids=[1]), DONE]
    assert await generate(engine) == [Token(1), End("stop", 3, 0, 1)]


async def test_a_refusal_gives_the_servers_reason(engine: RemoteEngine, server: Server) -> None:
    server.answer = 400, {"error": {"message": "max_model_len is 17", "type": "BadRequestError"}}
    with pytest.raises(EngineFailed, match="400: max_model_len is 17"):
        await generate(engine)


async def test_closing_the_answer_closes_the_connection(engine: RemoteEngine, server: Server) -> None:
    server.events = [chunk("a", token_ids=[1]), HANG]
    async with aclosing(engine.generate(Request([1], Sampling()))) as stream:
        assert await anext(stream) == Token(1)
    async with asyncio.timeout(20):
        await server.left.wait()


async def test_stopping_ends_the_answers_in_flight(engine: RemoteEngine, server: Server) -> None:
    server.events = [chunk("a", token_ids=[1]), HANG]
    stream = engine.generate(Request([1], Sampling()))
    assert await anext(stream) == Token(1)
    following = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await engine.stop()
    async with asyncio.timeout(20):
        with pytest.raises(EngineDied, match="stopped"):
            await following
    with pytest.raises(EngineDied):
        await generate(engine)


async def test_the_key_is_sent(spec: EngineSpec, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOTRACK_REMOTE_KEY", "secret")
    await (await RemoteEngine.start(spec, "far away")).stop()
    assert server.keys == ["Bearer secret"]


async def test_a_server_without_the_model_fails_the_start(spec: EngineSpec, server: Server) -> None:
    from dataclasses import replace

    with pytest.raises(EngineFailedToStart, match="has no model other"):
        await RemoteEngine.start(replace(spec, endpoint_model="other"), "far away")
