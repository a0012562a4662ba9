"""Killed at random moments, a run ends with the bytes of one that was left alone."""

import random
from pathlib import Path

import pytest

pytest.importorskip("trl")

from tests.learning.train.killing import STEPS, runs

pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    numbers = random.Random(11)
    with runs(tmp_path) as made:
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
        for number in range(3):
            found, moments = made.killed(number, numbers)
            assert found == expected, moments
            assert made.answers == answers, moments
