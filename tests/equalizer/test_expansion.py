from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from twotrack.equalizer.board import Board, Point, uniform
from twotrack.equalizer.expansion import expand, middle_of, monotone
from twotrack.equalizer.grid import Grid

COLUMNS = ("attn.qk", "attn.vo", "mlp.in", "mlp.out")
gains = st.floats(-1, 2)
layers = st.integers(1, 80)


@st.composite
def boards(draw: st.DrawFn) -> tuple[Board, Grid]:
    grid = Grid.over(draw(layers), COLUMNS)
    cells = draw(st.tuples(*[st.tuples(*[gains] * 4)] * grid.bands))
    return Board(cells=cells, expansion=draw(st.sampled_from(("step", "smooth")))), grid


@given(gain=gains, layers=layers)
def test_one_gain_is_the_same_everywhere_in_every_form(gain: float, layers: int) -> None:
    grid = Grid.over(layers, COLUMNS)
    everywhere = ((gain,) * 4,) * layers
    assert expand(gain, grid) == everywhere
    for expansion in ("step", "smooth"):
        board = uniform(grid, gain).model_copy(update={"expansion": expansion})
        assert expand(board, grid) == everywhere


@given(boards())
def test_a_layer_never_gets_a_gain_outside_its_column(given_: tuple[Board, Grid]) -> None:
    board, grid = given_
    table = expand(board, grid)
    assert len(table) == grid.layers
    for column in range(4):
        cells = [row[column] for row in board.cells]
        assert all(min(cells) <= row[column] <= max(cells) for row in table)


@given(boards())
def test_steps_take_the_gain_of_their_band(given_: tuple[Board, Grid]) -> None:
    board, grid = given_
    table = expand(board.model_copy(update={"expansion": "step"}), grid)
    assert all(
        table[layer] == board.cells[band] for band in range(grid.bands) for layer in grid.layers_of(band)
    )


@given(ys=st.lists(gains, min_size=2, max_size=8), at=st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=50))
def test_between_two_points_a_curve_only_rises_or_only_falls(ys: list[float], at: list[float]) -> None:
    xs = [number / (len(ys) - 1) for number in range(len(ys))]
    at = sorted(at)
    found = monotone(xs, ys, at)
    for (x, y), (after, following) in pairwise(zip(at, found, strict=True)):
        for low, high, first, last in zip(xs, xs[1:], ys, ys[1:], strict=False):
            if low <= x and after <= high:
                assert (following - y) * (last - first) >= -1e-12
    assert monotone(xs, ys, xs) == ys


def test_dragged_points_lead_the_curve() -> None:
    grid = Grid.over(5, ("a",))
    curve = (Point(depth=0, gain=0), Point(depth=0.5, gain=1), Point(depth=1, gain=0))
    board = Board(cells=((0,), (0,), (0,), (0,)), expansion="smooth", points=(curve,))
    table = [row[0] for row in expand(board, grid)]
    assert table[0] == table[4] == 0
    assert table[2] == 1
    assert table[1] == table[3] == 0.625
    assert middle_of(grid, 0) == 0.125
