"""What `twotrack train` says when a run has ended."""

from pathlib import Path
from typing import Any, cast

import pytest

from twotrack.cli.client import ProblemError, StudioClient
from twotrack.cli.output import Output
from twotrack.cli.train import pause_run, read_source, read_sweep, remind, run_sweep
from twotrack.core.errors import InvalidInput


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


class _Studio:
    """Answers one request, and keeps what was asked."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.run = run
        self.asked: list[str] = []

    def post(self, path: str, body: Any = None) -> Any:
        self.asked.append(path)
        return self.run


@pytest.mark.parametrize(
    ("state", "paused", "said"),
    [
        ("running", False, "pausing; go on with: twotrack train --resume 17"),
        ("cancelled", True, "pausing; go on with: twotrack train --resume 17"),
        ("succeeded", False, "the run is over: succeeded"),
    ],
)
def test_a_pause_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], state: str, paused: bool, said: str
) -> None:
    client = _Studio({"job": {"id": "17", "state": state}, "paused": paused})
    pause_run(cast(StudioClient, client), Output(language="en"), "17")
    assert client.asked == ["/api/training/runs/17/pause"]
    assert capsys.readouterr().out.strip() == said


def test_a_run_is_named_by_one_part_of_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    client = _Studio({"job": {"id": "17", "state": "running"}, "paused": False})
    pause_run(cast(StudioClient, client), Output(language="en"), "../../jobs/17/cancel?")
    assert client.asked == ["/api/training/runs/..%2F..%2Fjobs%2F17%2Fcancel%3F/pause"]


def test_a_recipe_may_name_a_data_set_of_the_studio_instead_of_a_file(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("name: mine\ndata_id: 5f0c0de0-0000-4000-8000-000000000000\n")
    assert read_source(recipe) == (
        {"name": "mine", "data_id": "5f0c0de0-0000-4000-8000-000000000000"},
        None,
    )
    recipe.write_text("name: mine\n")
    assert read_source(recipe, data_id="5f0c") == ({"name": "mine"}, None)
    with pytest.raises(InvalidInput, match="names no data"):
        read_source(recipe)


def test_what_is_swept_over_comes_from_the_file_and_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text("boards:\n  upper: [freeze, freeze, train, train]\n  all: [train, train, train, train]\n")
    assert read_sweep(None, None) == {}
    assert read_sweep("0,7", None) == {"seeds": [0, 7]}
    over = read_sweep("1", file)
    assert over["seeds"] == [1]
    assert over["boards"]["upper"] == ["freeze", "freeze", "train", "train"]
    with pytest.raises(InvalidInput, match="whole numbers"):
        read_sweep("0,x", None)
    file.write_text("board: [train]\n")
    with pytest.raises(InvalidInput, match="boards, seeds, or both"):
        read_sweep(None, file)


class _Sweep:
    """Two runs: the first fails, the second ends well."""

    def post(self, path: str, body: Any) -> Any:
        assert path == "/api/training/sweeps"
        assert body["seeds"] == [0, 1]
        return [{"job": {"id": str(seed)}, "recipe": {"name": f"mine-{seed}"}} for seed in body["seeds"]]

    def events(self, method: str, path: str) -> Any:
        if path == "/api/jobs/0/events":
            yield "job", {"state": "failed", "progress": {}, "error": {"detail": "The loss ran away."}}
        else:
            yield (
                "job",
                {"state": "succeeded", "progress": {}, "result": {"name": "mine-1", "steps": 3, "loss": 1.5}},
            )

    def get(self, path: str) -> Any:
        return {}


def test_a_run_of_a_sweep_that_fails_leaves_the_others_to_be_followed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ProblemError, match="ran away"):
        run_sweep(
            cast(StudioClient, _Sweep()), Output(language="en"), {"name": "mine"}, "", {"seeds": [0, 1]}
        )
    said = capsys.readouterr().out
    assert "✗ mine-0: The loss ran away." in said
    assert "✓ variant mine-1: 3 steps" in said
