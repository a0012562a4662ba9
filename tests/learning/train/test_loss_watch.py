"""When a run counts as diverged."""

import math

import pytest

from twotrack.learning.train.errors import LossDiverged
from twotrack.learning.train.loss_watch import LossWatch


def _see(*losses: float, first_step: int = 1) -> None:
    watch = LossWatch(vocabulary_size=1000, learning_rate=0.5)
    for step, loss in enumerate(losses, first_step):
        watch.see(step, loss, 1.0)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_at_once(loss: float) -> None:
    with pytest.raises(LossDiverged, match="step 3") as caught:
        _see(2.0, 1.5, loss)
    assert "0.5" in (caught.value.advise("en") or "")


def test_a_gradient_that_is_no_number_stops_at_once() -> None:
    with pytest.raises(LossDiverged, match="gradient nan"):
        LossWatch(1000, 0.1).see(1, 2.0, math.nan)


def test_five_steps_that_are_worse_than_guessing_on_average_stop() -> None:
    with pytest.raises(LossDiverged, match="step 5"):
        _see(2.0, 9.0, 9.0, 9.0, 9.0, 9.0)


def test_one_bad_step_does_not_stop() -> None:
    _see(2.0, 20.0, 2.0, 2.0, 2.0, 2.0, 2.0)


def test_a_run_that_begins_badly_may_go_on() -> None:
    _see(9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0)


def test_the_last_calm_step_is_the_one_before_the_loss_ran_off() -> None:
    watch = LossWatch(vocabulary_size=1000, learning_rate=0.5)
    for step, loss in enumerate((2.0, 9.0, 3.0, 8.0), 1):
        watch.see(step, loss)
        assert watch.is_calm == (loss < 7)
    with pytest.raises(LossDiverged):
        watch.see(5, 2.0, math.inf)
    assert watch.last_calm == 3
