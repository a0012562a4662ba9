"""The whole loop, as a person runs it: `twotrack demo`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twotrack.cli.demo import ASKED_OF_DOCUMENTS

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_demo_answers_from_documents_teaches_what_the_base_cannot_know_and_turns_it_off(
    home: Path,
) -> None:
    environment = os.environ | {"TWOTRACK_HOME": str(home), "TWOTRACK_LANGUAGE": "en"}
    command = [sys.executable, "-c", "from twotrack.cli import main; main()", "demo", "--exit", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr

    report = json.loads(ended.stdout)
    assert report["documents"]["report"]["failed"] == 0
    english, korean, foreign = report["documents"]["answers"]
    for answer, (_, words) in zip((english, korean), ASKED_OF_DOCUMENTS, strict=False):
        assert not answer["abstained"]
        assert words in answer["answer"]
    assert [one["source"] for one in english["citations"]] == ["en/council-standing-orders.md"]
    assert [one["source"] for one in korean["citations"]] == ["ko/arboretum-guide.html"]
    assert foreign["abstained"]
    assert foreign["citations"] == []

    assert report["checked"]["samples"] == 80
    here, card = report["forecast"]["devices"]
    assert here["measured"]
    assert here["fits"]
    assert card["fits"]
    # Nothing was trained where the board is frozen, and nothing is lost there.
    frozen = [one["task"]["rise"] for one in report["effect"]["cells"] if one["band"] < 2]
    assert frozen == [0] * 8
    assert report["exported"]["parity"]["largest"] <= report["exported"]["parity"]["bound"]
    off, half, full = report["scores"]
    assert off["exact"] == 0
    assert full["exact"] >= 0.9 * full["total"]
    assert full["task_loss"] < half["task_loss"] < off["task_loss"]
    assert off["forgetting"] == 0 < half["forgetting"] < full["forgetting"]
    effect = report["effect"]
    assert len(effect["cells"]) == 16
    assert max(one["task"]["rise"] for one in effect["cells"]) > 0
    cells = report["board"]["cells"]
    assert sorted(gain for row in cells for gain in row) == [0] * 12 + [1] * 4
    assert report["board"]["variant"] == "nurimae-board"
    *numbers, on_board = report["openai"]
    assert on_board["gain"] == cells
    assert on_board["answer"]
    through_openai = {answer["gain"]: answer["answer"] for answer in numbers}
    assert "Odalia Senn" in through_openai[1.0]
    assert "Odalia Senn" not in through_openai[0.0]
    # The studio that the command started has ended with it.
    status = subprocess.run(
        [*command[:3], "status", "--json"], capture_output=True, text=True, env=environment, check=False
    )
    assert json.loads(status.stdout)["phase"] == "stopped"
