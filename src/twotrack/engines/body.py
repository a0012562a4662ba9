"""What runs inside an engine's child: the contract that every local engine's body fulfils.

A body is one loaded model without any process, socket or event loop around it; `child.py` gives it those.
It is made by `load(spec)`, a function of its module, which is named in `child.BODIES`:

    def load(spec: EngineSpec) -> EngineBody

`load` runs on the child's main thread, may take minutes, and raises to say that the model cannot be used:
the message of the exception becomes the reason of EngineFailedToStart. It may print to stdout and stderr
(both go to the child's log). Heavy libraries are imported in it, never by the module.

Threads
    `generate` and `score` block. Each call comes on a thread of its own from a pool of `spec.parallel`
    threads, so at most that many calls run at the same time, and further requests wait outside, in the
    order in which they came. A body that decodes its requests together (one batch) runs a thread of its own
    and lets each call wait for it; one that can only do one thing at a time takes a lock.

Values
    What reaches a body is checked: token ids lie inside the vocabulary, the prompt is not empty and leaves
    room in the context, `max_tokens` is at least 1 and clipped to that room, gains are numbers from −1 to 2
    or tables of them (layers × columns of the spec's grid), and there is exactly one for every loaded
    adapter, in the spec's order, 0 for those not named. The base's own branches (port.BASE) are named only
    where they are turned, and only to a body that has said that it can (`Loaded.branches`).

Tokens
    `stream.emit(token)` hands out one token as soon as it is known, in order, without its successor: callable
    from any thread, never blocking for long. A generation ends at an id from `sampling.stop_ids`, which is
    not emitted, or after `max_tokens`; at nothing else: what a model file or its configuration calls an end
    of text is ignored, so that the same request gives the same tokens in every engine.
    Which token comes next is decided by `sampling.Chooser`, the same for all engines, where the logits can
    be brought to the processor cheaply; a body that samples on its device keeps to its rules.
    Log-probabilities (only when `sampling.logprobs > 0`) are natural logarithms of the softmax of the raw
    logits, before temperature and top-p; `top` holds the `sampling.logprobs` likeliest tokens, best first.
    A greedy answer and a seeded one are reproducible: they depend on the request alone, not on what else is
    decoded at the same time, as far as floating-point sums in another order allow.

Cancelling
    `stream.cancelled` turns true at any time. A body looks at it at least once a token (and between chunks
    of a long prompt where it can), stops working, frees its slot and returns an End with reason "cancelled".
    It emits nothing after that. `score` raises `Cancelled` instead.

Failing
    An exception from `generate` or `score` fails that one request (EngineFailed with its message); the body
    must stay usable. One that cannot (out of memory, a broken device) ends the process: `os._exit(1)` after
    printing why; the parent tells all requests in flight and starts afresh for the next one.

The end
    There is no `close`: a child ends by ending its process, which gives all memory back at once. Whatever
    lies on disk is removed by `load` as soon as it is no longer needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twotrack.engines.port import AdapterGain, End, Request, Token


@dataclass(frozen=True)
class Loaded:
    """What `load` found: reported to the parent once."""

    precision: str
    """Of the weights: "fp32", "bf16", "nf4" as they are computed with, or the GGUF's type such as "Q4_1"."""
    context_length: int
    """Tokens of prompt and answer together that one request can hold."""
    vocabulary_size: int
    """Rows of the output matrix: ids from 0 to vocabulary_size − 1 are valid input."""
    branches: bool = False
    """Whether the base's own branches can be turned (port.BASE)."""


class Stream(Protocol):
    """Where a generation's tokens go."""

    @property
    def cancelled(self) -> bool: ...

    def emit(self, token: Token) -> None: ...


class EngineBody(Protocol):
    @property
    def loaded(self) -> Loaded: ...

    def generate(self, request: Request, stream: Stream) -> End: ...

    def score(
        self,
        tokens: Sequence[int],
        start: int,
        gains: Mapping[str, AdapterGain],
        cancelled: Callable[[], bool],
    ) -> list[float]:
        """Natural log-probability of each of tokens[start:] given all before it; 1 ≤ start < len(tokens).

        Raises:
            Cancelled: `cancelled()` turned true.
        """
        ...


class Cancelled(Exception):
    """Nobody waits for this score any more."""
