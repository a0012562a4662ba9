"""95 % confidence intervals of what a score finds, over its questions or texts."""

import math
from collections.abc import Sequence

import numpy as np

Interval = tuple[float, float]

_Z = 1.959964
_RESAMPLES = 4_000
_AT_ONCE = 2**22
"""Numbers of a resample that are held together."""


def of_share(right: int, total: int) -> Interval | None:
    """Wilson's score interval (1927, JASA 22) of a share: within 0 and 1, and not empty where all or none are
    right. None of nothing."""
    if total == 0:
        return None
    share, z2 = right / total, _Z**2 / total
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z / (1 + z2) * math.sqrt(share * (1 - share) / total + z2 / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_mean(sums: Sequence[float], counts: Sequence[int]) -> Interval | None:
    """Of Σ sums / Σ counts, a mean over tokens, with whole texts as what was drawn: the percentile bootstrap
    over them (Efron and Tibshirani 1993, chapter 13), the same for the same figures. None of fewer than two.

    For a difference between two settings the sums are the texts' own differences: paired, as in Koehn 2004,
    "Statistical significance tests for machine translation evaluation".
    """
    texts = len(sums)
    if texts < 2:
        return None
    total, weight = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    numbers = np.random.default_rng(0)
    at_once = max(1, _AT_ONCE // texts)
    means: list[float] = []
    for begin in range(0, _RESAMPLES, at_once):
        drawn = numbers.integers(texts, size=(min(at_once, _RESAMPLES - begin), texts))
        means += (total[drawn].sum(axis=1) / weight[drawn].sum(axis=1)).tolist()
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high
