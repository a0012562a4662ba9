import json

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.equalizer.board import Board, Point
from twotrack.equalizer.grid import Grid
from twotrack.equalizer.presets import PresetUnusable, read_preset, write_preset

GRID = Grid.over(8, ("attn", "mlp"))
BOARD = Board(
    cells=((1, 0), (0.5, 1), (1, 1), (2, -1)),
    expansion="smooth",
    points=((Point(depth=0, gain=1), Point(depth=1, gain=0)), (Point(depth=0.5, gain=1),)),
)


def test_a_preset_comes_back_as_it_was() -> None:
    text = write_preset(BOARD, GRID, base_id="a1", base_name="바탕")
    assert read_preset(text, GRID, base_id="a1") == BOARD
    assert "바탕" in text


def test_a_preset_of_another_base_is_refused_with_its_name() -> None:
    text = write_preset(BOARD, GRID, base_id="a1", base_name="other")
    with pytest.raises(PresetUnusable, match="other"):
        read_preset(text, GRID, base_id="b2")


def test_a_preset_of_the_bases_own_board_fits_no_other() -> None:
    own = Grid.over(8, ("attn.qk", "mlp.in")).branches
    text = write_preset(BOARD, own, base_id="a1", base_name="b")
    assert read_preset(text, own, base_id="a1") == BOARD
    with pytest.raises(PresetUnusable, match=r"attn, mlp.*attn\.qk, mlp\.in"):
        read_preset(text, Grid.over(8, ("attn.qk", "mlp.in")), base_id="a1")


@pytest.mark.parametrize(
    "change", [{"format": "twotrack-board/9"}, {"more": 1}, {"base": None}, {"board": 1}]
)
def test_what_is_no_preset_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(write_preset(BOARD, GRID, base_id="a1", base_name="b")) | change
    with pytest.raises(PresetUnusable):
        read_preset(json.dumps(fields), GRID, base_id="a1")
    for wrong in ("", "[]", "{" * 100_000, "x" * 300_000):
        with pytest.raises(PresetUnusable):
            read_preset(wrong, GRID, base_id="a1")


def test_gains_that_are_none_or_fit_elsewhere_are_refused() -> None:
    text = write_preset(BOARD, GRID, base_id="a1", base_name="b")
    with pytest.raises(InvalidInput, match="2 columns"):
        read_preset(text, Grid.over(8, ("attn", "mlp"), 2), base_id="a1")
    with pytest.raises(InvalidInput):
        read_preset(text.replace("-1.0", "1e9"), GRID, base_id="a1")
