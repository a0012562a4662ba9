"""From a variant and a prompt to text: the one way that chat, /v1 and everything else takes to an answer.

Templates are rendered and tokenized by the registry's prompt codec; the engine sees token ids only.
"""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import EnginePool
from twotrack.engines.port import (
    BASE,
    AdapterGain,
    End,
    Engine,
    EngineSpec,
    PromptTooLong,
    Request,
    Sampling,
    Token,
)
from twotrack.equalizer.board import Gains
from twotrack.registry.boards import grid_of, own_grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.schemas import Base, Variant
from twotrack.registry.tables import get_base, get_variant, list_adapters
from twotrack.serving.gains import Boards, gains_for
from twotrack.serving.stops import StopStrings
from twotrack.serving.time_limit import within

# A text with more characters than this for each token of the context is looked at from its beginning only.
_CHARACTERS_A_TOKEN = 16

_EMPTY = Text("it has no tokens", "토큰이 하나도 없습니다")


def _outside(size: int) -> Text:
    return Text(f"token ids lie between 0 and {size - 1}", f"토큰 번호는 0부터 {size - 1}까지입니다")


@dataclass(frozen=True)
class Models:
    """All that turns a variant's name into answers."""

    database: Database
    layout: Layout
    prompts: Prompts
    engines: EnginePool
    threads: int | None = None


@dataclass(frozen=True)
class Served:
    """A variant, ready to be asked."""

    variant: Variant
    base: Base
    codec: PromptCodec
    spec: EngineSpec
    gains: Mapping[str, Gains] = field(default_factory=dict)
    """What the request asks for, or the variant's own (gains.gains_for)."""

    @property
    def context_length(self) -> int:
        return self.spec.context_length

    def expanded(self, gains: Mapping[str, Gains]) -> dict[str, AdapterGain]:
        """As the engine takes them: a board as the gain of every layer and column."""
        grid = self.spec.grid
        return Boards(grid, grid and grid.branches).expanded(gains)


@dataclass(frozen=True)
class Options:
    """How to answer. `gains` maps an adapter's id to its gain or its board; see `gains.gains_for`."""

    gains: Mapping[str, Gains]
    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int | None = None
    stop: tuple[str, ...] = ()
    seconds: float | None = None
    """How long it may take, from the slot in the engine on."""
    logprobs: int | None = None
    """How many alternatives to report for every token; None reports no log-probabilities at all."""


@dataclass(frozen=True)
class TokenText:
    """One token of an answer, or an alternative to it. Half a character reads as U+FFFD in `text`."""

    text: str
    raw: bytes
    logprob: float
    top: tuple["TokenText", ...] = ()


@dataclass(frozen=True)
class Piece:
    """Text that goes out now, never half a character; with log-probabilities its tokens too."""

    text: str
    tokens: tuple[TokenText, ...] = ()


@dataclass(frozen=True)
class Final:
    """The end of an answer. Times are in seconds, from the call on."""

    reason: Literal["stop", "length"]
    stop_string: str | None
    prompt_tokens: int
    cached_tokens: int
    """0 when a stop string ended the answer: the engine tells it at its own end only."""
    completion_tokens: int
    first_token_seconds: float | None
    seconds: float
    tokens_per_second: float | None
    """While decoding: without the first token and the time before it. None below two tokens."""


async def find_served(models: Models, name: str, gains: object = None) -> Served:
    """The variant of that name or id, for a request that asks for these gains.

    Raises:
        ModelNotFound: there is none.
        BaseAltered: the base's files are not what they were.
        InvalidInput: the gains are none, or not for this variant.
        BranchesUnsupported: they turn the base's own branches, and transformers is not installed.
    """
    async with models.database.transaction() as connection:
        variant = await get_variant(connection, name)
        base = await get_base(connection, variant.base_id)
        adapters = await list_adapters(connection, base.id)
    found = gains_for(variant, Boards(grid_of(base), own_grid_of(base)), gains)
    # All adapters of the base are loaded together: variants that differ in gains only share one engine.
    spec = await spec_for(
        variant, base, adapters, models.layout, threads=models.threads, branches=BASE in found
    )
    return Served(variant, base, await models.prompts.for_base(base), spec, found)


async def chat_prompt(served: Served, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """The token ids that ask for the answer to `messages`, by the base's chat template.

    Raises:
        PromptTooLong: they leave no room for an answer.
    """
    await _refuse_endless(served, "\n".join(message["content"] for message in messages))
    return _fitting(served, await served.codec.chat_ids(messages))


async def text_prompt(served: Served, text: str) -> list[int]:
    """The token ids of a plain text to be continued.

    Raises:
        PromptTooLong: it leaves no room for an answer.
    """
    await _refuse_endless(served, text)
    return _fitting(served, [*served.codec.begin_ids, *await served.codec.text_ids(text)])


def ids_prompt(served: Served, ids: Sequence[int]) -> list[int]:
    """Token ids as they were sent.

    Raises:
        InvalidInput: an id outside the vocabulary, or none at all.
        PromptTooLong: they leave no room for an answer.
    """
    size = served.codec.vocabulary_size
    if wrong := next((one for one in ids if not 0 <= one < size), None):
        raise InvalidInput(what="prompt", value=wrong, why=_outside(size))
    return _fitting(served, list(ids))


def _fitting(served: Served, ids: list[int]) -> list[int]:
    if not ids:
        raise InvalidInput(what="prompt", value="", why=_EMPTY)
    if len(ids) >= served.context_length:
        raise PromptTooLong(prompt_tokens=len(ids), context_length=served.context_length)
    return ids


async def _refuse_endless(served: Served, text: str) -> None:
    """A million tokens need not be counted to be too many: the beginning is enough."""
    enough = _CHARACTERS_A_TOKEN * served.context_length
    if len(text) > enough:
        tokens = len(await served.codec.text_ids(text[:enough]))
        if tokens >= served.context_length:
            raise PromptTooLong(prompt_tokens=f"≥ {tokens}", context_length=served.context_length)


async def stream_answer(
    engines: EnginePool, served: Served, prompt: Sequence[int], options: Options
) -> AsyncGenerator[Piece | Final, None]:
    """Pieces of text as they come, then one `Final`. Closing the generator cancels the generation.

    Raises:
        EngineDied, AnswerTooLong: in the middle, after the pieces that were already yielded.
    """
    began = time.monotonic()
    async with engines.lease(served.spec, served.variant.name) as engine:
        async with aclosing(_generate(engine, served, prompt, options, began)) as pieces:
            async for piece in pieces:
                yield piece


async def score_prompt(
    engines: EnginePool, served: Served, prompt: Sequence[int], gains: Mapping[str, Gains]
) -> list[float]:
    """Natural log-probability of every token of the prompt but the first, given those before it."""
    async with engines.lease(served.spec, served.variant.name) as engine:
        return await engine.score(prompt, 1, served.expanded(gains))


async def _generate(
    engine: Engine, served: Served, prompt: Sequence[int], options: Options, began: float
) -> AsyncGenerator[Piece | Final, None]:
    codec = served.codec
    sampling = Sampling(
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
        max_tokens=options.max_tokens,
        stop_ids=codec.stop_ids,
        # The port reports the chosen token's own value only where it reports an alternative.
        logprobs=0 if options.logprobs is None else max(1, options.logprobs),
    )
    text = _Text(codec, options)
    first = last = began
    end: End | None = None
    async with (
        aclosing(engine.generate(Request(prompt, sampling, served.expanded(options.gains)))) as tokens,
        aclosing(within(options.seconds, tokens)) as in_time,
    ):
        async for token in in_time:
            if isinstance(token, End):
                end = token
                break
            last = time.monotonic()
            if not text.count:
                first = last
            if piece := text.push(token):
                yield piece
            if text.stops.found is not None:
                break
    if end is not None and (piece := text.finish()):
        yield piece
    stopped = text.stops.found is not None
    count = text.count if end is None else end.completion_tokens
    yield Final(
        reason="length" if end is not None and end.reason == "length" and not stopped else "stop",
        stop_string=text.stops.found,
        prompt_tokens=len(prompt),
        cached_tokens=end.cached_tokens if end else 0,
        completion_tokens=count,
        first_token_seconds=first - began if text.count else None,
        seconds=time.monotonic() - began,
        tokens_per_second=(text.count - 1) / (last - first) if text.count > 1 and last > first else None,
    )


class _Text:
    """Tokens in, pieces out: whole characters, nothing of a stop string."""

    def __init__(self, codec: PromptCodec, options: Options) -> None:
        self.count = 0
        self.stops = StopStrings(options.stop)
        self._codec = codec
        self._decoder = codec.decoder()
        self._logprobs = options.logprobs
        self._decoded = 0
        self._released = 0
        # Tokens whose text is not out yet, each with the place where it begins in the whole text.
        self._tokens: list[tuple[int, TokenText]] = []

    def push(self, token: Token) -> Piece | None:
        self.count += 1
        if self._logprobs is not None:
            self._tokens.append((self._decoded, self._described(token)))
        decoded = self._decoder.push(token.id)
        self._decoded += len(decoded)
        return self._piece(self.stops.push(decoded))

    def finish(self) -> Piece | None:
        return self._piece(self.stops.push(self._decoder.finish()) + self.stops.finish(), last=True)

    def _piece(self, text: str, *, last: bool = False) -> Piece | None:
        self._released += len(text)
        tokens: tuple[TokenText, ...] = ()
        if self._tokens:
            # A token goes out with the first character of its text; what a stop string cut off never does.
            everything = last and self.stops.found is None
            ready = [one for begin, one in self._tokens if everything or begin < self._released]
            self._tokens = self._tokens[len(ready) :]
            tokens = tuple(ready)
        return Piece(text, tokens) if text or tokens else None

    def _described(self, token: Token) -> TokenText:
        alternatives = token.top[: self._logprobs or 0]
        return self._spelled(
            token.id,
            0.0 if token.logprob is None else token.logprob,
            tuple(self._spelled(one, logprob) for one, logprob in alternatives),
        )

    def _spelled(self, token_id: int, logprob: float, top: tuple[TokenText, ...] = ()) -> TokenText:
        text = self._codec.token_text(token_id)
        return TokenText(text, self._codec.token_bytes(token_id) or text.encode(), logprob, top)
