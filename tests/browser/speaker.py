"""An OpenAI-compatible server on loopback that says what a test wants, at the moment that it wants.

A studio pulls it as `remote:URL#speaker`, with the starter's tokenizer. It finds the question in the prompt,
which arrives as token ids, and answers as `answers` tells; anything else with `usual`.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tokenizers import Tokenizer

MODEL = "speaker"
Part = str | asyncio.Event
"""Text to say, or something to wait for."""

_QUESTION = re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.DOTALL)


@dataclass
class Speaker:
    url: str
    tokenizer: Tokenizer
    usual: Sequence[Part] = ("Tarnith is the capital of Velmora.",)
    answers: dict[str, Sequence[Part]] = field(default_factory=dict)
    """Question → parts of its answer."""
    ready: asyncio.Event | None = None
    """Set once its models may be told."""
    asked: list[str] = field(default_factory=list)
    left: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """Questions whose asker went away before the end."""

    @property
    def source(self) -> str:
        return f"remote:{self.url}#{MODEL}"

    async def models(self, request: Request) -> Response:
        if self.ready is not None:
            await self.ready.wait()
        return JSONResponse({"data": [{"id": MODEL, "max_model_len": 100_000}]})

    async def completions(self, request: Request) -> Response:
        prompt = (await request.json())["prompt"]
        question = _QUESTION.findall(self.tokenizer.decode(prompt, skip_special_tokens=False))[-1]
        self.asked.append(question)
        return StreamingResponse(self._say(question, len(prompt)), media_type="text/event-stream")

    async def _say(self, question: str, prompt_tokens: int) -> AsyncIterator[str]:
        try:
            for part in self.answers.get(question, self.usual):
                if isinstance(part, str):
                    yield _event({"choices": [{"index": 0, "text": part, "finish_reason": None}]})
                else:
                    await part.wait()
            yield _event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
            yield _event({"choices": [], "usage": {"prompt_tokens": prompt_tokens}})
            yield "data: [DONE]\n\n"
        except (asyncio.CancelledError, GeneratorExit):
            self.left.put_nowait(question)
            raise


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


@asynccontextmanager
async def speaking(tokenizer: Tokenizer) -> AsyncGenerator[Speaker, None]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        speaker = Speaker(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", tokenizer)
        app = Starlette(
            routes=[
                Route("/v1/models", speaker.models),
                Route("/v1/completions", speaker.completions, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        running = asyncio.create_task(server.serve([listening]))
        yield speaker
        server.should_exit = True
        await running
