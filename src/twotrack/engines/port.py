"""The engine port: token ids in, a stream of tokens out, with sampling and gains per request.

Everything above it (templates, text, stop words, sessions) is ours and the same for every engine.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import Grid

EngineKind = Literal["llama_cpp", "transformers", "openai_compatible"]
Precision = Literal["auto", "fp32", "bf16", "nf4"]
AdapterGain = float | Table
"""How strongly an adapter acts: one number everywhere, or one for every layer and column of the board."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Temperature 0 is greedy, whatever the rest says."""

    temperature: float = 0.7
    top_p: float = 1.0
    seed: int | None = None
    max_tokens: int = 512
    stop_ids: frozenset[int] = frozenset()
    """A generated id from this set ends the generation and is not part of the answer."""
    logprobs: int = 0
    """How many alternatives to report for every token; the chosen token's own is always reported then."""


@dataclass(frozen=True)
class Request:
    """One generation. `gains` maps an adapter's id to its gain, or to a table of gains, layers × columns of
    the engine's grid; an adapter not named has gain 0. Modules of the adapter that lie in no cell, such as
    the output matrix, act with the mean of the table."""

    prompt: Sequence[int]
    sampling: Sampling = field(default_factory=Sampling)
    gains: Mapping[str, AdapterGain] = field(default_factory=dict)


@dataclass(frozen=True)
class Token:
    """One generated token. Log-probabilities are natural, of the model before temperature and top-p."""

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class End:
    """The last item of every stream that was not broken off by an error."""

    reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens came from the prefix cache."""
    completion_tokens: int
    prompt_began: float | None = field(default=None, compare=False)
    """When the prompt's first pass began, its gains in place: seconds of `time.monotonic()`, which processes
    of one machine share. None where the engine does not tell, or never came to it."""


@dataclass(frozen=True)
class Health:
    kind: EngineKind
    precision: str
    context_length: int
    pid: int | None
    adapters: tuple[str, ...]
    memory_bytes: int
    """Proportional set size of the child, where the system tells it; else its resident set."""


@dataclass(frozen=True)
class AdapterFile:
    """An adapter as an engine loads it: a PEFT folder for transformers, a folder of GGUF files for llama.cpp
    (the whole adapter and its parts, registry/conversion/adapter_gguf.py)."""

    id: str
    path: Path


@dataclass(frozen=True)
class EngineSpec:
    """All that it takes to start an engine: plain values, so that it can travel to a child process."""

    kind: EngineKind
    model: Path
    """A GGUF file, or a folder of safetensors; for openai_compatible the folder with the tokenizer."""
    context_length: int
    adapters: tuple[AdapterFile, ...] = ()
    precision: Precision = "auto"
    threads: int | None = None
    parallel: int = 4
    """How many requests are decoded at the same time; `context_length` is for each of them."""
    exact: bool = False
    """F32 key/value cache and no flash attention: for parity checks."""
    endpoint: str | None = None
    """openai_compatible only: the server's URL up to and including /v1."""
    endpoint_model: str | None = None
    grid: Grid | None = None
    """Of the boards that requests may bring; without it a gain is one number."""
    kinds: tuple[tuple[str, str], ...] = ()
    """The family's ends of module names, and the column of each (registry/families.py)."""


class Engine(Protocol):
    """One loaded model. All methods may be called from many tasks at once."""

    @property
    def kind(self) -> EngineKind: ...

    @property
    def alive(self) -> bool:
        """Whether it can still take requests: false once its child has ended, or after `stop`."""
        ...

    def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        """Tokens as they come, then one `End`. Closing the generator cancels the request.

        `max_tokens` is clipped to what the context has left after the prompt.

        Raises:
            PromptTooLong: the prompt leaves no room for an answer; nothing was computed.
            InvalidInput: an empty prompt, an id outside the vocabulary, a gain that is none, an adapter that
                this engine has not loaded.
            EngineFailed: this one request failed; the engine goes on.
            EngineDied: the child ended before the request did.
        """
        ...

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        """Natural log-probability of each of tokens[start:], given all tokens before it; start ≥ 1.

        Raises as `generate` does.
        """
        ...

    async def health(self) -> Health: ...

    async def stop(self) -> None:
        """End the child and give all its memory back. Requests in flight get EngineDied."""
        ...


class PromptTooLong(TwotrackError):
    status = 400
    detail = Text(
        "The prompt has {prompt_tokens} tokens, and the model's context holds {context_length}.",
        "프롬프트가 {prompt_tokens} 토큰인데 모델의 컨텍스트는 {context_length} 토큰입니다.",
    )
    remedy = Text("Shorten the prompt, or start a new session.", "프롬프트를 줄이거나 새 대화를 시작하세요.")


class EngineDied(TwotrackError):
    status = 503
    detail = Text(
        "The engine of {model} ended in the middle of this request: {why}.",
        "요청을 처리하던 중 엔진이 종료되었습니다({model}): {why}.",
    )
    remedy = Text(
        "Send the request again: the engine starts anew by itself. If it keeps dying, run `twotrack doctor`.",
        "다시 요청하면 엔진이 새로 시작됩니다. 반복되면 `twotrack doctor`를 확인하세요.",
    )


class EngineFailedToStart(TwotrackError):
    status = 503
    detail = Text("The engine of {model} did not start: {why}", "엔진이 시작되지 않았습니다({model}): {why}")


class OutOfMemoryBudget(TwotrackError):
    status = 503
    detail = Text(
        "{model} needs about {needed_mib} MiB, and the memory budget is {budget_mib} MiB.",
        "{model}에는 약 {needed_mib} MiB가 필요한데 메모리 한도는 {budget_mib} MiB입니다.",
    )
    remedy = Text(
        "Choose a smaller model or a stronger quantization, "
        "or raise `memory_budget_mib` in the admin settings.",
        "더 작은 모델이나 더 강한 양자화를 고르거나 관리자 설정의 `memory_budget_mib`를 올리세요.",
    )


class EngineFailed(TwotrackError):
    status = 500
    detail = Text(
        "The engine of {model} could not answer this request: {why}",
        "엔진이 이 요청을 처리하지 못했습니다({model}): {why}",
    )
