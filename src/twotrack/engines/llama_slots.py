"""Which of llama.cpp's sequences a request runs in, and how much of its prompt is already there.

Every sequence ("slot") has a key/value cache of its own, for one whole context. What a request leaves in it
stays until another request needs the slot, so a later prompt that begins alike skips that beginning, provided
that it has the same gains: keys and values computed with other gains are other numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twotrack.engines.port import AdapterGain

BLOCK = 64
"""Tokens of a prompt that are computed in one step. Blocks begin at multiples of it, and only whole blocks
are reused: then a prompt goes through the same steps whether its beginning was cached or not, and gets the
same logits to the last bit. (A quantized model turns the smallest difference in rounding into differences of
whole tenths in a logit.)"""

Gains = tuple[AdapterGain, ...]
"""One for each adapter."""


@dataclass(eq=False)
class Slot:
    """One sequence: the tokens whose keys and values it holds, and the gains they were computed with."""

    number: int
    tokens: list[int] = field(default_factory=list)
    gains: Gains = ()
    busy: bool = False
    last_used: int = 0


@dataclass(frozen=True)
class Placement:
    """Run in `slot`, whose first `reused` tokens stay; if `source` is set, copy it into `slot` first."""

    slot: Slot
    reused: int
    source: Slot | None = None


def shared_blocks(cached: Sequence[int], prompt: Sequence[int]) -> int:
    """Length of the common beginning in whole blocks, in tokens; at least one token of `prompt` stays out."""
    # Comparing slices runs in C; a prompt of 8,000 tokens is 125 comparisons.
    limit = min(len(cached), len(prompt) - 1) // BLOCK * BLOCK
    for start in range(0, limit, BLOCK):
        if cached[start : start + BLOCK] != prompt[start : start + BLOCK]:
            return start
    return limit


def place(slots: Sequence[Slot], prompt: list[int], gains: Gains, *, reuse: bool = True) -> Placement | None:
    """Where to run `prompt`, or None while every slot is busy.

    The slot with the longest common beginning is taken over when that makes up most of what it holds.
    Otherwise (another request runs in it, or it holds a long conversation that only began alike) its
    content is copied into the slot that nobody used for the longest time.
    """
    free = [slot for slot in slots if not slot.busy]
    if not free:
        return None
    # An empty slot first, then the one that was unused for the longest time.
    oldest = min(free, key=lambda slot: (bool(slot.tokens), slot.last_used))
    if not reuse:
        return Placement(oldest, 0)
    shared, best = max(
        ((shared_blocks(slot.tokens, prompt), slot) for slot in slots if slot.gains == gains),
        key=lambda pair: (pair[0], not pair[1].busy),
        default=(0, None),
    )
    if best is None or shared == 0:
        return Placement(oldest, 0)
    if best is oldest or (not best.busy and shared * 2 >= len(best.tokens)):
        return Placement(best, shared)
    return Placement(oldest, shared, source=best)
