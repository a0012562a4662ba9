"""A model whose tokens are bytes, and an engine that says what a test tells it to."""

import asyncio
import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from twotrack.engines.port import End, EngineKind, EngineSpec, Health, Request, Token
from twotrack.equalizer.board import Board
from twotrack.registry.schemas import Base, Variant, VariantAdapter
from twotrack.serving.answering import Served


class ByteCodec:
    """Token 0 to 255 are bytes, 256 ends an answer; a chat is "role:content" lines."""

    stop_ids = frozenset({256})
    stop_texts = ()
    begin_ids = ()
    vocabulary_size = 257
    template_hash = "bytes"

    async def text_ids(self, text: str) -> list[int]:
        return list(text.encode())

    async def chat_ids(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        return list("".join(f"{one['role'][0]}:{one['content']}\n" for one in messages).encode())

    def token_bytes(self, token_id: int) -> bytes:
        return bytes([token_id])

    def token_text(self, token_id: int) -> str:
        return bytes([token_id]).decode(errors="replace")

    def decoder(self) -> Any:
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

        class Decoder:
            def push(self, token_id: int) -> str:
                return utf8.decode(bytes([token_id]))

            def finish(self) -> str:
                return utf8.decode(b"", final=True)

        return Decoder()


@dataclass
class ScriptedEngine:
    """Says the bytes of `text`, then ends with `end`: a reason, or an error to raise."""

    text: str | bytes
    end: Any = "stop"
    kind: ClassVar[EngineKind] = "llama_cpp"
    requests: list[Request] = field(default_factory=list)
    said: int = 0
    closed: int = 0

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        self.requests.append(request)
        words = self.text.encode() if isinstance(self.text, str) else self.text
        try:
            for byte in words:
                self.said += 1
                await asyncio.sleep(0)
                if request.sampling.logprobs:
                    yield Token(byte, -0.5, ((byte, -0.5), (65, -1.5)))
                else:
                    yield Token(byte)
            if isinstance(self.end, Exception):
                raise self.end
            yield End(self.end, len(request.prompt), 3, len(words))
        finally:
            self.closed += 1

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, float] | None = None
    ) -> list[float]:
        return [-1.0] * (len(tokens) - start)

    async def health(self) -> Health:
        raise NotImplementedError

    async def stop(self) -> None:
        return None


class ScriptedPool:
    def __init__(self, engine: ScriptedEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def lease(self, spec: EngineSpec, model_name: str) -> AsyncIterator[ScriptedEngine]:
        yield self.engine


@pytest.fixture
def scripted() -> Callable[..., Any]:
    """Makes a pool around one scripted engine."""

    def make(text: str | bytes, end: Any = "stop") -> ScriptedPool:
        return ScriptedPool(ScriptedEngine(text, end))

    return make


@pytest.fixture
def byte_model() -> Callable[..., Any]:
    """Makes a served variant over bytes."""

    def make(
        *,
        context_length: int = 1000,
        adapters: Sequence[VariantAdapter] = (),
        base_board: Board | None = None,
    ) -> Served:
        base = Base(
            id="0" * 64,
            name="bytes",
            source="test",
            family="llama",
            architecture="LlamaForCausalLM",
            format="gguf",
            license=None,
            parameters=None,
            context_length=context_length,
            files=(),
            created_at=datetime.now(UTC),
        )
        variant = Variant(
            id=uuid4(),
            name="bytes",
            base_id=base.id,
            adapters=tuple(adapters),
            base_board=base_board,
            created_at=base.created_at,
        )
        codec: Any = ByteCodec()
        spec = EngineSpec("llama_cpp", Path("none"), context_length)
        return Served(variant, base, codec, spec)

    return make
