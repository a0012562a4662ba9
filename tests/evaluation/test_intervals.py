import numpy as np
import pytest

from twotrack.evaluation.intervals import of_mean, of_share


@pytest.mark.parametrize(
    ("right", "total", "interval"),
    # As R's prop.test without correction gives them.
    [(8, 10, (0.4902, 0.9433)), (0, 16, (0.0, 0.1936)), (16, 16, (0.8064, 1.0)), (1, 2, (0.0945, 0.9055))],
)
def test_a_share_has_wilsons_interval(right: int, total: int, interval: tuple[float, float]) -> None:
    assert of_share(right, total) == pytest.approx(interval, abs=1e-4)


def test_of_nothing_there_is_no_interval() -> None:
    assert of_share(0, 0) is None
    assert of_mean([], []) is None
    assert of_mean([1.5], [3]) is None


def test_equal_texts_leave_no_doubt_and_long_ones_weigh_more() -> None:
    assert of_mean([2.0, 2.0, 2.0], [4, 4, 4]) == pytest.approx((0.5, 0.5))
    low, high = of_mean([10.0, 0.0, 0.0], [100, 1, 1]) or (0, 0)
    assert (low, high) == pytest.approx((0, 0.1))


def test_the_same_figures_have_the_same_interval() -> None:
    sums, counts = [0.3, -0.1, 0.7, 0.2], [3, 5, 2, 8]
    assert of_mean(sums, counts) == of_mean(sums, counts)


def test_nineteen_of_twenty_intervals_hold_the_mean_of_what_was_drawn_from() -> None:
    numbers = np.random.default_rng(7)
    held = 0
    for _ in range(150):
        counts = numbers.integers(5, 40, size=40)
        sums = counts * (0.2 + numbers.normal(0, 0.5, size=40))
        low, high = of_mean(sums.tolist(), counts.tolist()) or (0, 0)
        held += low <= 0.2 <= high
    assert 0.88 <= held / 150 <= 0.99
