import math
from typing import Any

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.equalizer.board import Board, check_gains, uniform
from twotrack.equalizer.grid import Grid

GRID = Grid.over(30, ("attn.qk", "attn.vo", "mlp.in", "mlp.out"))
ROWS = [[1.0, 0.5, 0.0, 2.0]] * 4
CURVE = [{"depth": 0.0, "gain": 1.0}, {"depth": 1.0, "gain": 0.5}]


def test_a_number_rows_and_a_board_are_gains() -> None:
    assert check_gains(1, GRID) == 1.0
    board = check_gains(ROWS, GRID)
    assert isinstance(board, Board)
    assert board.cells == tuple(map(tuple, ROWS))
    assert board.expansion == "step"
    assert check_gains({"cells": ROWS, "expansion": "smooth", "points": [CURVE] * 4}, GRID) != board
    assert check_gains(board, GRID) is board
    assert uniform(GRID, 0.5).shape == GRID.shape


def test_a_board_survives_json() -> None:
    board = check_gains({"cells": ROWS, "expansion": "smooth", "points": [CURVE] * 4}, GRID)
    assert isinstance(board, Board)
    assert Board.model_validate_json(board.model_dump_json()) == board


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (ROWS[:3], "3 × 4"),
        ([*ROWS[:3], [1.0, 1.0]], "4 × 2"),
        ([], "gains"),
        ([[]], "gains"),
        ([[math.nan] * 4] * 4, "nan"),
        ([[1e9] * 4] * 4, "1000000000"),
        ([["1"] * 4] * 4, "number"),
        ([[True] * 4] * 4, "number"),
        ([1.0] * 4, "gains"),
        ([[1.0] * 4] * 5_000, "5000"),
        ("loud", "number"),
        (math.inf, "inf"),
        ({"cells": ROWS, "expansion": "wild"}, "expansion"),
        ({"cells": ROWS, "extra": 1}, "extra"),
        ({"points": [CURVE] * 4}, "cells"),
        ({"cells": ROWS, "points": [CURVE]}, "1 curves"),
        ({"cells": ROWS, "points": [CURVE[::-1]] * 4}, "points"),
        ({"cells": ROWS, "points": [[{"depth": 0, "gain": 3}]] * 4}, "gain"),
        ({"cells": ROWS, "points": [[]] * 4}, "points"),
    ],
)
def test_what_is_no_board_is_refused_by_name(asked: Any, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_gains(asked, GRID)
    assert told in str(caught.value)
