"""Killed at random moments, a run ends with the bytes of one that was left alone."""

import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from tests.learning.train.killing import STEPS, runs

pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


@pytest.mark.parametrize(
    ("board", "kills"),
    [
        pytest.param(None, 3, id="all alike"),
        # Its optimizer has a group of parameters for each learning rate.
        pytest.param(
            [
                ["freeze", {"rank": 2, "learning_rate": 0.5}, "train"],
                [{"learning_rate": 3}, "train", "freeze"],
            ],
            2,
            id="board",
        ),
    ],
)
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bytes(
    tmp_path: Path, board: Any, kills: int
) -> None:
    numbers = random.Random(11)
    with runs(tmp_path, board) as made:
        expected = made.unbroken(asks=False)
        assert "adapter_model.safetensors" in expected
        assert made.answers == []
        # Whoever is asked on the way learns the same.
        assert made.unbroken() == expected
        answers = made.answers
        assert [(one.step, one.prompt) for one in answers] == [
            (step, prompt) for step in (5, 10, STEPS) for prompt in ("who", "what")
        ]
        assert all(one.answer for one in answers)
        for number in range(kills):
            found, moments = made.killed(number, numbers)
            assert found == expected, moments
            assert made.answers == answers, moments
