"""`twotrack score` and `twotrack effect`: what they ask of whom, and the table of what was found."""

from pathlib import Path
from typing import Any, cast

import pytest

from twotrack.cli.client import StudioClient
from twotrack.cli.material import read_asked, set_named
from twotrack.cli.output import Output
from twotrack.cli.score import show
from twotrack.core.errors import InvalidInput

_ID = "5f0c0de0-0000-4000-8000-000000000000"


class _Studio:
    """Has three data sets, two of one name."""

    def get(self, path: str, **parameters: Any) -> Any:
        assert path == "/api/data"
        return [{"id": name * 3, "name": name} for name in ("facts", "twice", "twice")]


def test_a_data_set_is_named_by_its_id_or_by_a_name_that_is_one_sets_alone() -> None:
    client = cast(StudioClient, _Studio())
    assert set_named(client, None) is None
    assert set_named(client, _ID) == _ID
    assert set_named(client, "facts") == "factsfactsfacts"
    for name, why in (("twice", "several"), ("nobody", "no data set")):
        with pytest.raises(InvalidInput, match=why):
            set_named(client, name)


def test_a_file_or_a_data_set_is_asked_and_never_both(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text("{}")
    assert read_asked(file, None, None) == {"samples": "{}", "general": ""}
    assert read_asked(None, "facts", file) == {"samples": "", "general": "{}"}
    with pytest.raises(InvalidInput, match="--data"):
        read_asked(None, None, None)
    with pytest.raises(InvalidInput, match="besides"):
        read_asked(file, "facts", None)
    with pytest.raises(InvalidInput, match="not a file"):
        read_asked(tmp_path / "missing", None, None)


def test_each_setting_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    def scored(gain: float | None, **more: Any) -> dict[str, Any]:
        known = {
            "gain": gain,
            "board": None,
            "exact": 1,
            "total": 2,
            "exact_interval": (0.095, 0.905),
            "task_loss": 0.5,
            "learned": 1.5,
            "learned_interval": (1.25, 1.75),
            "forgetting": 0.25,
            "forgetting_interval": None,
        }
        return known | {"answers": [{"question": "Who?", "answer": "Nobody\x1b[2J."}]} | more

    show(
        Output(language="en"),
        [
            scored(0.0, exact=0, learned=0.0, learned_interval=(0.0, 0.0), forgetting=0.0),
            scored(None, board={"cells": [[0.0, 1.5], [1.0, 1.0]]}),
            scored(None, total=0, exact_interval=None, learned=None, learned_interval=None, forgetting=None),
        ],
        sample=True,
    )
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][-1] == "Who?"
    assert lines[1] == ["0", "0", "/", "2", "0.500", "+0.000", "+0.000", "Nobody[2J."]
    assert lines[2] == ["10%…90%"]
    assert lines[3] == ["board,", "0", "to", "1.5", "1", "/", "2", "0.500", "+1.500", "+0.250", "Nobody[2J."]
    assert lines[4] == ["10%…90%", "1.250…1.750"]
    assert lines[5] == ["as", "it", "is", "–", "0.500", "–", "–", "Nobody[2J."]
