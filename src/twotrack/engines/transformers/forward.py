"""One forward pass for several sequences: packed end to end, or one after another where a model needs it."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twotrack.engines.port import AdapterGain
from twotrack.engines.transformers.attention import KeyValues, Span
from twotrack.engines.transformers.gains import Adapters

_ROWS = 4


class State(Protocol):
    """What a model remembers of one sequence."""

    @property
    def length(self) -> int:
        """Tokens that have gone through the model."""
        ...

    @property
    def nbytes(self) -> int: ...

    def prefix(self, length: int) -> "State | None":
        """A copy that remembers the first `length` tokens only; None where a model cannot go back to them."""
        ...


@dataclass(frozen=True)
class Segment:
    """The next tokens of one sequence, and for how many of the last of them logits are wanted."""

    state: State
    tokens: Sequence[int]
    gains: Sequence[AdapterGain]
    """One for each adapter, in their order."""
    keep: int


class Forward(Protocol):
    together: bool
    """Whether segments share their pass. Where not, a request's numbers cannot depend on its neighbours."""

    began: float
    """When the newest pass began, its gains in place: seconds of `time.monotonic()`."""

    def start(self) -> State: ...

    def run(self, segments: Sequence[Segment]) -> list[Any]:
        """fp32 logits [keep, vocabulary] for each segment; every state moves on by its segment's tokens."""
        ...


class PackedForward:
    """All segments in one row [1, tokens], for models whose attention can be replaced."""

    def __init__(self, model: Any, adapters: Adapters, *, together: bool, lone_rows: bool) -> None:
        self.together = together
        self.began = 0.0
        self._model = model
        self._adapters = adapters
        embedding = model.get_input_embeddings().weight
        self._device = embedding.device
        self._lone_rows = lone_rows and self._device.type == "cpu" and embedding.element_size() == 4

    def start(self) -> KeyValues:
        return KeyValues()

    def run(self, segments: Sequence[Segment]) -> list[Any]:
        if self.together:
            return self._run(segments)
        return [logits for one in segments for logits in self._run([one])]

    def _run(self, segments: Sequence[Segment]) -> list[Any]:
        import torch

        spans: list[Span] = []
        tokens: list[int] = []
        positions: list[int] = []
        gains: list[tuple[Sequence[AdapterGain], int]] = []
        kept: list[int] = []
        for one in segments:
            assert isinstance(one.state, KeyValues)
            count = len(one.tokens)
            spans.append(Span(one.state, count))
            tokens += one.tokens
            positions += range(one.state.length, one.state.length + count)
            gains.append((one.gains, count))
            kept += range(len(tokens) - one.keep, len(tokens))
        padding = self._padding(len(tokens))
        # Always an index and never "the last n": of a slice, linear() copies the whole output matrix.
        keep = torch.tensor(kept + [0] * self._padding(len(kept)), dtype=torch.long, device=self._device)
        self._adapters.act([*gains, (gains[0][0], padding)], keep)
        self.began = time.monotonic()
        logits = self._model(
            input_ids=torch.tensor([tokens + [0] * padding], device=self._device),
            position_ids=torch.tensor([positions + [0] * padding], device=self._device),
            use_cache=False,
            logits_to_keep=keep,
            spans=spans,
        ).logits[0]
        for span in spans:
            span.past.length += span.count
        return list(logits[: len(kept)].float().split([one.keep for one in segments]))

    def _padding(self, tokens: int) -> int:
        """Rows to add to a pass, so that a request's numbers do not depend on how many share it.

        Whatever the number of rows in a product, each comes out the same to the last bit, as long as they are
        a multiple of four (measured on processors for fp32, bf16 and nf4); a single row or an odd end is
        summed in another order. In bf16 that would change the words of most greedy answers; in fp32 it is
        some 1e-6, and a lone row is 1.5 times as fast, so there it keeps its speed.
        """
        if tokens == 1 and self._lone_rows:
            return 0
        return -tokens % _ROWS


class PlainState:
    """transformers' own cache of one sequence."""

    def __init__(self, cache: Any) -> None:
        self.length = 0
        self.cache = cache

    @property
    def nbytes(self) -> int:
        import torch

        held = (value for layer in self.cache.layers for value in vars(layer).values())
        return sum(int(one.nbytes) for one in held if isinstance(one, torch.Tensor))

    def prefix(self, length: int) -> "PlainState | None":
        from transformers.cache_utils import DynamicLayer

        # A sliding window or a recurrent state has forgotten what came before: it can only be taken whole.
        if length != self.length and any(type(layer) is not DynamicLayer for layer in self.cache.layers):
            return None
        other = PlainState(copy.deepcopy(self.cache))
        if length < self.length:
            other.cache.crop(length - self.length)
        other.length = length
        return other


class PlainForward:
    """One segment after another, with the model's own attention and cache: works for every causal model."""

    together = False

    def __init__(self, model: Any, adapters: Adapters) -> None:
        self.began = 0.0
        self._model = model
        self._adapters = adapters
        self._device = model.get_input_embeddings().weight.device

    def start(self) -> PlainState:
        from transformers import DynamicCache

        return PlainState(DynamicCache(config=self._model.config))

    def run(self, segments: Sequence[Segment]) -> list[Any]:
        return [self._run(one) for one in segments]

    def _run(self, one: Segment) -> Any:
        import torch

        assert isinstance(one.state, PlainState)
        count = len(one.tokens)
        keep = torch.arange(count - one.keep, count, device=self._device)
        self._adapters.act([(one.gains, count)], keep)
        self.began = time.monotonic()
        logits = self._model(
            input_ids=torch.tensor([list(one.tokens)], device=self._device),
            past_key_values=one.state.cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits[0]
        one.state.length += count
        return logits.float()
