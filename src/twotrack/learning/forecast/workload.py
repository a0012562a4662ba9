"""What a recipe makes of its data: how many steps, how many passes of which size.

The order of the rows is drawn as training draws it, at random, so passes are as uneven as they will be.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.train.passes import TOKENS_PER_PASS, groups

# So many steps are drawn; what a longer run computes is their mean, times its steps.
_DRAWN_STEPS = 500


@dataclass(frozen=True)
class RowSize:
    """`tokens` that are computed (the last one predicts nothing), and of these `learned`, from `first` on."""

    tokens: int
    learned: int
    first: int

    @classmethod
    def of(cls, row: Row) -> "RowSize":
        learned = [at for at, label in enumerate(row.labels[1:]) if label != MASKED]
        return cls(len(row.input_ids) - 1, len(learned), learned[0] if learned else len(row.input_ids))

    def truncated(self, max_length: int) -> "RowSize":
        """As much as fits; what is learned stands at the end, as an answer does."""
        tokens = min(self.tokens, max_length - 1)
        learned = max(0, min(self.learned, tokens - self.first))
        return replace(self, tokens=tokens, learned=learned)


@dataclass(frozen=True)
class Load:
    """What passes through the model: sums over passes."""

    passes: float = 0
    tokens: float = 0
    square: float = 0
    """Sum of each row's tokens squared: what attention grows with."""
    learned: float = 0
    rows: float = 0

    def __mul__(self, factor: float) -> "Load":
        return Load(
            self.passes * factor,
            self.tokens * factor,
            self.square * factor,
            self.learned * factor,
            self.rows * factor,
        )


@dataclass(frozen=True)
class Workload:
    steps: int
    load: Load
    """Of the whole run."""
    widest: int
    """Tokens of the largest pass: it decides the memory."""
    widest_learned: int
    """Learned tokens of the pass that has the most of them."""
    longest: int
    """Tokens of the longest row."""
    kept_tokens: int
    """Tokens of all rows, which are held in memory."""


def workload(
    rows: Sequence[RowSize],
    *,
    batch_size: int,
    epochs: int,
    seed: int = 0,
    is_packed: bool = True,
) -> Workload:
    """Rows that have nothing to learn are not computed."""
    budget = TOKENS_PER_PASS if is_packed else 1
    steps = -(-len(rows) // batch_size) * epochs
    drawn = total = 0
    passes = tokens = square = learned = computed = 0
    widest = widest_learned = 0
    for batch in _batches(rows, batch_size, seed):
        kept = [row for row in batch if row.learned]
        for group in groups([row.tokens for row in kept], budget):
            of_pass = learned_of_pass = 0
            for index in group:
                of_pass += kept[index].tokens
                learned_of_pass += kept[index].learned
                square += kept[index].tokens ** 2
            passes += 1
            computed += len(group)
            tokens += of_pass
            learned += learned_of_pass
            widest = max(widest, of_pass)
            widest_learned = max(widest_learned, learned_of_pass)
        drawn += 1
        total += len(batch)
        if drawn >= min(steps, _DRAWN_STEPS):
            break
    load = Load(passes, tokens, square, learned, computed)
    return Workload(
        steps=steps,
        # By rows, not by steps: an epoch's last step may be a small one.
        load=load * (len(rows) * epochs / total),
        widest=widest,
        widest_learned=widest_learned,
        longest=max(row.tokens for row in rows) + 1,
        kept_tokens=sum(row.tokens + 1 for row in rows),
    )


def _batches(rows: Sequence[RowSize], batch_size: int, seed: int) -> Iterator[Sequence[RowSize]]:
    """Without end: epoch after epoch."""
    numbers = random.Random(seed)
    while True:
        epoch = list(rows)
        numbers.shuffle(epoch)
        for start in range(0, len(epoch), batch_size):
            yield epoch[start : start + batch_size]
