"""Rows become figures of cells, layers and modules, and a sample counts once however many rows it has."""

import pytest

from twotrack.equalizer.grid import Grid
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.child import SensedModule
from twotrack.learning.sensitivity.kept import MeasuredRow
from twotrack.learning.sensitivity.service import drawn
from twotrack.learning.sensitivity.summary import Summary

_GRID = Grid.over(2, ("attn.qk", "mlp.in", "mlp.out"), 2)
_MODULES = [
    SensedModule(name="layers.0.q_proj", layer=0, column="attn.qk", outputs=4, inputs=6),
    SensedModule(name="layers.0.k_proj", layer=0, column="attn.qk", outputs=2, inputs=6),
    SensedModule(name="layers.0.up_proj", layer=0, column="mlp.in", outputs=12, inputs=6),
    SensedModule(name="layers.1.q_proj", layer=1, column="attn.qk", outputs=4, inputs=6),
    # The model has a layer that its board does not know of.
    SensedModule(name="layers.2.q_proj", layer=2, column="attn.qk", outputs=4, inputs=6),
]


def _summary(*rows: tuple[int, float, tuple[float, ...]]) -> Summary:
    measured = {
        str(at): MeasuredRow(row=str(at), loss=loss, squares=squares)
        for at, (_, loss, squares) in enumerate(rows)
    }
    made = [Row(line, (1, 2), (1, 2)) for line, _, _ in rows]
    return Summary(_GRID, _MODULES, made, list(measured), measured)


def test_a_cell_is_the_sum_of_its_modules_with_the_noise_of_that_sum() -> None:
    found = _summary((1, 1.0, (1, 2, 4, 8, 99)), (2, 3.0, (3, 2, 4, 0, 99)))
    cells = {(one.band, one.column): one for one in found.cells()}
    # The second column has nothing in the second band, the third nothing at all.
    assert list(cells) == [(0, "attn.qk"), (0, "mlp.in"), (1, "attn.qk")]
    assert found.loss == 2.0
    assert found.square == pytest.approx((15 + 9) / 2)
    queries = cells[0, "attn.qk"]
    assert (queries.square, queries.parameters) == (4.0, 10 + 8)
    # 3 and 5: s = √2, over √2.
    assert queries.error == pytest.approx(1.0)
    assert cells[0, "mlp.in"].error == 0.0
    # Against the whole, for each parameter: all of it is 12 over 46.
    assert queries.relative == pytest.approx(4 / 18 / (12 / 46))
    assert queries.relative_error == pytest.approx(1 / 18 / (12 / 46))
    weights = sum(one.relative * one.parameters for one in cells.values())
    assert weights / 46 == pytest.approx(1)


def test_layers_and_modules_are_told_apart() -> None:
    found = _summary((1, 1.0, (1, 2, 4, 8, 99)))
    assert [(one.layer, one.column, one.square) for one in found.layers()] == [
        (0, "attn.qk", 3.0),
        (0, "mlp.in", 4.0),
        (1, "attn.qk", 8.0),
    ]
    assert [(one.name, one.square, one.error) for one in found.modules()] == [
        ("layers.0.q_proj", 1.0, None),
        ("layers.0.k_proj", 2.0, None),
        ("layers.0.up_proj", 4.0, None),
        ("layers.1.q_proj", 8.0, None),
    ]


def test_a_sample_of_several_rows_counts_once() -> None:
    found = _summary((1, 1.0, (2, 0, 0, 0, 0)), (1, 2.0, (4, 0, 0, 0, 0)), (2, 4.5, (7, 0, 0, 0, 0)))
    assert found.samples == 2
    assert found.loss == pytest.approx(3.0)
    assert found.modules()[0].square == pytest.approx(5.0)
    assert found.modules()[0].error == pytest.approx(2.0)


def test_the_suggested_board_has_its_cells_where_the_grid_has_them() -> None:
    found = _summary((1, 1.0, (1, 2, 16, 8, 0))).suggested(rank=2, alpha=4.0, freeze_below=0.0)
    assert [len(row) for row in found.board] == [3, 3]
    assert found.board[0][2] == found.board[1][1] == {"train": False}
    assert found.parameters <= found.uniform_parameters == 2 * 46


def test_a_base_that_nothing_moves_has_no_sensitive_place() -> None:
    found = _summary((1, 0.0, (0, 0, 0, 0, 0)), (2, 0.0, (0, 0, 0, 0, 0)))
    assert {one.relative for one in found.cells()} == {0.0}
    board = found.suggested(rank=2, alpha=4.0, freeze_below=0.1).board
    assert board[0][0] == {"rank": 2, "alpha": 4.0}


def test_the_same_seed_draws_the_same_samples_in_their_order() -> None:
    samples = [Sample(line, ()) for line in range(1, 41)]
    first = drawn(samples, 10, 5)
    assert first == drawn(samples, 10, 5)
    assert [one.line for one in first] == sorted({one.line for one in first})
    assert first != drawn(samples, 10, 6)
    assert drawn(samples, 40, 5) == samples
