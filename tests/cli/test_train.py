"""What `twotrack train` says when a run has ended."""

import pytest

from twotrack.cli.output import Output
from twotrack.cli.train import remind


def test_the_goal_is_shown_again_with_a_command_for_each_of_its_prompts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    goal = {"criteria": "[b]Short[/b]\x1b[2J.", "prompts": ["Who's the mayor?", "누구?"]}
    remind(Output(language="en"), goal, "mine")
    assert capsys.readouterr().out.splitlines() == [
        "The goal was: [b]Short[/b][2J.",
        """  try: twotrack chat 'Who'"'"'s the mayor?' --variant mine""",
        "  try: twotrack chat '누구?' --variant mine",
    ]


def test_a_goal_without_words_is_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    remind(Output(language="ko"), {"prompts": []}, "mine")
    assert capsys.readouterr().out == ""
