"""An OpenAI-compatible server on loopback that says what a test wants, at the moment that it wants.

A studio pulls it as `remote:URL#speaker`, with the starter's tokenizer. It finds the question in the prompt,
which arrives as token ids, and answers as `answers` tells; anything else with `usual`. As the embedder
`openai:URL#speaker` it gives texts vectors that are alike where their words are.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tokenizers import Tokenizer

from twotrack.core.listening import listen, local_url

MODEL = "speaker"
Part = str | asyncio.Event
"""Text to say, or something to wait for."""

_DIMENSIONS = 64
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
    embeds: asyncio.Event | None = None
    """Set once texts may have their vectors."""
    embedder_is_away: bool = False
    asked: list[str] = field(default_factory=list)
    left: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """Questions whose asker went away before the end."""

    @property
    def source(self) -> str:
        return f"remote:{self.url}#{MODEL}"

    @property
    def embedder(self) -> str:
        return f"openai:{self.url}#{MODEL}"

    async def models(self, request: Request) -> Response:
        if self.ready is not None:
            await self.ready.wait()
        return JSONResponse({"data": [{"id": MODEL, "max_model_len": 100_000}]})

    async def completions(self, request: Request) -> Response:
        prompt = (await request.json())["prompt"]
        question = _QUESTION.findall(self.tokenizer.decode(prompt, skip_special_tokens=False))[-1]
        if question.startswith("<passage "):
            question = question.rpartition("\n\n")[2]
        self.asked.append(question)
        return StreamingResponse(self._say(question, len(prompt)), media_type="text/event-stream")

    async def embeddings(self, request: Request) -> Response:
        texts = (await request.json())["input"]
        if self.embeds is not None and texts != ["."]:
            await self.embeds.wait()
        if self.embedder_is_away:
            return JSONResponse({"error": "no such model"}, 404)
        vectors = [_vector(text) for text in texts]
        return JSONResponse({"data": [{"index": n, "embedding": one} for n, one in enumerate(vectors)]})

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


def _vector(text: str) -> list[float]:
    """A sum over the text's pairs of letters, so that Korean words meet too."""
    total = np.zeros(_DIMENSIONS)
    for pair in zip(text.lower(), text.lower()[1:], strict=False):
        seed = int.from_bytes(hashlib.sha256("".join(pair).encode()).digest()[:4])
        total[seed % _DIMENSIONS] += 1 if seed & 1 << 20 else -1
    return [float(number) for number in total + 1e-3]


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


@asynccontextmanager
async def speaking(tokenizer: Tokenizer) -> AsyncGenerator[Speaker, None]:
    with listen("127.0.0.1", 0, protected=False) as listening:
        speaker = Speaker(f"{local_url(listening)}/v1", tokenizer)
        app = Starlette(
            routes=[
                Route("/v1/models", speaker.models),
                Route("/v1/completions", speaker.completions, methods=["POST"]),
                Route("/v1/embeddings", speaker.embeddings, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        running = asyncio.create_task(server.serve([listening]))
        yield speaker
        server.should_exit = True
        await running
