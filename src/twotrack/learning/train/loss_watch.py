"""Notices a training run that will not come to anything: arithmetic only."""

import math
from collections import deque

from twotrack.learning.train.errors import LossDiverged

_WINDOW = 5


class LossWatch:
    """Looks at each step's loss, in nats a token.

    A model that knows nothing, and says so, has a loss of ln(vocabulary). Worse than that over five steps,
    and at least twice as bad as at the start, is a run that has diverged.
    """

    def __init__(self, vocabulary_size: int, learning_rate: float) -> None:
        self._guessing = math.log(vocabulary_size)
        self._learning_rate = learning_rate
        self._recent: deque[float] = deque(maxlen=_WINDOW)
        self._first: float | None = None
        self._finite = True
        self.last_calm = 0
        """The newest step whose loss was better than guessing, or than a bad start."""

    @property
    def is_calm(self) -> bool:
        """Whether the newest step was like that, with a gradient that is a number."""
        return not self._recent or (self._finite and self._recent[-1] <= self._limit)

    @property
    def _limit(self) -> float:
        return max(self._guessing, 2 * (self._first or 0.0))

    def see(self, step: int, loss: float, gradient_norm: float | None = None) -> None:
        """
        Raises:
            LossDiverged: not a number, infinite, or far worse than guessing.
        """
        self._first = loss if self._first is None else self._first
        self._recent.append(loss)
        self._finite = math.isfinite(loss) and (gradient_norm is None or math.isfinite(gradient_norm))
        if self.is_calm:
            self.last_calm = step
        full = len(self._recent) == _WINDOW
        if not self._finite or (full and sum(self._recent) / _WINDOW > self._limit):
            shown = (
                loss if not math.isfinite(loss) or self._finite else f"{loss:.3g}, gradient {gradient_norm}"
            )
            raise LossDiverged(
                step=step,
                loss=f"{shown:.3g}" if isinstance(shown, float) else shown,
                first=f"{self._first:.3g}",
                learning_rate=f"{self._learning_rate:g}",
            )
