"""`twotrack eq`: what is typed for a cell, and what is refused."""

import json
from pathlib import Path

import pytest

from twotrack.cli.eq import gains_from, with_cell
from twotrack.core.errors import FileUnusable, InvalidInput
from twotrack.equalizer.board import uniform
from twotrack.equalizer.grid import Grid

GRID = Grid.over(8, ("attn.qk", "mlp.in"))


def test_a_cell_a_row_and_a_column_are_set() -> None:
    board = with_cell(uniform(GRID, 1), GRID, "2,mlp.in=0.3")
    assert board.cells == ((1, 1), (1, 0.3), (1, 1), (1, 1))
    board = with_cell(board, GRID, "*,attn.qk=-0.5")
    board = with_cell(board, GRID, "4,*=0")
    assert board.cells == ((-0.5, 1), (-0.5, 0.3), (-0.5, 1), (0, 0))


@pytest.mark.parametrize(
    "asked", ["", "5,mlp.in=1", "0,mlp.in=1", "1,mlp=1", "1,mlp.in", "1,mlp.in=loud", "1,mlp.in=9", "1,*=nan"]
)
def test_what_is_no_cell_is_refused(asked: str) -> None:
    with pytest.raises(InvalidInput):
        with_cell(uniform(GRID, 1), GRID, asked)


def test_gains_are_a_number_json_or_a_file(tmp_path: Path) -> None:
    assert gains_from("0.5") == 0.5
    assert gains_from("[[1, 0]]") == [[1, 0]]
    file = tmp_path / "setting.json"
    file.write_text(json.dumps({"format": "twotrack-board/1", "board": {"cells": [[1]]}}))
    assert gains_from(str(file)) == {"cells": [[1]]}
    file.write_text(json.dumps({"columns": ["attn", "mlp"], "board": {"cells": [[1, 0]]}}))
    assert gains_from(str(file)) == {"base": {"cells": [[1, 0]]}}
    assert gains_from('{"base": 0.5}') == {"base": 0.5}
    for wrong in ("[1", str(tmp_path), str(tmp_path / "missing"), "no such file"):
        with pytest.raises(FileUnusable):
            gains_from(wrong)
