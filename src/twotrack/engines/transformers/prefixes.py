"""What recent prompts left in memory, so that the next one that begins alike need not compute it again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twotrack.engines.port import AdapterGain
from twotrack.engines.transformers.forward import State

Gains = tuple[AdapterGain, ...]
"""One for each adapter, then that of the base's own branches."""


@dataclass(frozen=True, eq=False)
class Remembered:
    """A sequence that went through the model with these gains; `tokens` may be longer than its state."""

    gains: Gains
    tokens: Sequence[int]
    state: State

    def shared(self, gains: Gains, tokens: Sequence[int]) -> int:
        """How many of `tokens` this sequence begins with, computed with the same gains."""
        if gains != self.gains:
            return 0
        most = min(self.state.length, len(tokens))
        for index in range(most):
            if self.tokens[index] != tokens[index]:
                return index
        return most


class Prefixes:
    """Sequences within `budget` bytes; the least recently used give way."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: list[Remembered] = []

    @property
    def nbytes(self) -> int:
        return sum(one.state.nbytes for one in self._kept)

    def find(self, gains: Gains, tokens: Sequence[int], running: Iterable[Remembered] = ()) -> State | None:
        """A new state of the longest beginning of `tokens` that a kept or running sequence has, or None."""
        candidates = [(one.shared(gains, tokens), one) for one in (*self._kept, *running)]
        for length, one in sorted(candidates, key=lambda pair: -pair[0]):
            if length == 0:
                break
            if (state := one.state.prefix(length)) is not None:
                if one in self._kept:
                    self._kept.remove(one)
                    self._kept.append(one)
                return state
        return None

    def keep(self, one: Remembered) -> None:
        """Remember a finished sequence. Of two where one continues the other, only the longer stays."""
        known = any(other.shared(one.gains, one.tokens) >= one.state.length for other in self._kept)
        if known or one.state.nbytes > self._budget:
            return
        self._kept = [
            other for other in self._kept if one.shared(other.gains, other.tokens) < other.state.length
        ]
        self._kept.append(one)
        while self.nbytes > self._budget:
            self._kept.pop(0)

    def clear(self) -> None:
        self._kept.clear()
