"""Fusion of several rankings into one, by their scores."""

from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev


def fuse_scores(
    rankings: Mapping[str, Sequence[tuple[int, float]]], *, weights: Mapping[str, float]
) -> dict[int, float]:
    """Item → convex combination of its standardised scores, the best first.

    Each ranking is (item, score), the best first. A score counts by its distance from the mean of its ranking
    in standard deviations, since cosines and BM25 share neither zero nor unit; an item that a ranking does
    not hold counts as its last. A ranking without items has no say. See Bruch, Gai and Ingber, "An Analysis
    of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023, section 4.

    Equal scores keep the order in which the items first appear, ranking by ranking.
    """
    held = {name: _standardised(ranking) for name, ranking in rankings.items() if ranking}
    total = sum(weights[name] for name in held)
    items = dict.fromkeys(item for scores, _ in held.values() for item in scores)
    fused = {
        item: sum(weights[name] / total * scores.get(item, last) for name, (scores, last) in held.items())
        for item in items
    }
    return dict(sorted(fused.items(), key=lambda entry: -entry[1]))


def _standardised(ranking: Sequence[tuple[int, float]]) -> tuple[dict[int, float], float]:
    """Item → standardised score, and what an item counts that is not there."""
    scores = [score for _, score in ranking]
    mean, spread = fmean(scores), pstdev(scores)
    if spread < 1e-9 * max(1.0, abs(mean)):
        # One alone, or all alike: being found is what it says.
        return {item: 1.0 for item, _ in ranking}, -1.0
    standardised = {item: (score - mean) / spread for item, score in ranking}
    return standardised, min(standardised.values())
