"""Reciprocal rank fusion: several rankings into one, without comparing their scores."""

from collections.abc import Mapping, Sequence

K = 60
"""Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
Methods", SIGIR 2009: their constant, which softens the lead of the first ranks."""


def reciprocal_ranks(
    rankings: Mapping[str, Sequence[int]], *, weights: Mapping[str, float] | None = None, k: int = K
) -> dict[int, float]:
    """Item → Σ weight / (k + rank) over the rankings that hold it, the best first; ranks count from 1.

    Equal scores keep the order in which the items first appear, ranking by ranking.
    """
    scores: dict[int, float] = {}
    for name, ranking in rankings.items():
        weight = 1.0 if weights is None else weights.get(name, 1.0)
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    return dict(sorted(scores.items(), key=lambda entry: -entry[1]))
