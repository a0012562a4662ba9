"""The suggested board: as large as the uniform one, never larger, and more rank where more is to be done."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.equalizer.suggested import LARGEST_RANK, LARGEST_RATIO, SensedCell, suggest

_SQUARES = st.one_of(
    st.just(0.0), st.floats(min_value=1e-12, max_value=1e12), st.sampled_from([1.0, 2.0, 1e-30, 1e30])
)
_CELLS = st.builds(
    SensedCell,
    square=_SQUARES,
    per_rank=st.integers(min_value=2, max_value=1_000_000),
    largest=st.integers(min_value=1, max_value=4096),
)


@st.composite
def _boards(draw: st.DrawFn) -> list[list[SensedCell | None]]:
    bands, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rows = [[draw(st.none() | _CELLS) for _ in range(columns)] for _ in range(bands)]
    if all(cell is None for row in rows for cell in row):
        rows[0][0] = draw(_CELLS)
    return rows


@given(_boards(), st.integers(1, LARGEST_RANK), st.floats(0, 1), st.floats(0.5, 256))
def test_it_has_as_many_parameters_as_the_uniform_board_and_no_more(
    cells: list[list[SensedCell | None]], rank: int, freeze_below: float, alpha: float
) -> None:
    made = suggest(cells, rank=rank, alpha=alpha, freeze_below=freeze_below)
    held = [cell for row in cells for cell in row if cell]
    possible = min(rank, *(cell.largest for cell in held))
    assert made.uniform == possible * sum(cell.per_rank for cell in held)
    pairs = [
        (cell, given)
        for row, learned in zip(cells, made.board, strict=True)
        for cell, given in zip(row, learned, strict=True)
    ]
    spent = sum(cell.per_rank * (given.rank or 0) for cell, given in pairs if cell and given.train)
    assert spent == made.parameters
    assert made.parameters <= made.uniform
    # What is left would not pay for one more rank in the dearest cell.
    assert made.uniform - made.parameters < max(cell.per_rank for cell in held)
    limit = min(LARGEST_RANK, *(cell.largest for cell in held))
    for cell, learned in pairs:
        if cell is None:
            assert not learned.train
        elif learned.train:
            assert learned.rank is not None
            assert 1 <= learned.rank <= limit
            assert learned.alpha == pytest.approx(min(4096.0, alpha * learned.rank / possible))


@given(_boards(), st.integers(1, 64), st.floats(0, 1))
def test_more_sensitive_for_each_parameter_never_means_less_rank(
    cells: list[list[SensedCell | None]], rank: int, freeze_below: float
) -> None:
    made = suggest(cells, rank=rank, alpha=2.0, freeze_below=freeze_below)
    ranked = sorted(
        (cell.square / cell.per_rank, learned.rank if learned.train else 0)
        for row, cells_learned in zip(cells, made.board, strict=True)
        for cell, learned in zip(row, cells_learned, strict=True)
        if cell
    )
    for (density, given_), (other, more) in zip(ranked, ranked[1:], strict=False):
        assert density == other or (given_ or 0) <= (more or 0)


def test_equally_sensitive_cells_get_the_uniform_board() -> None:
    cells = [[SensedCell(square=3.0 * weight, per_rank=weight, largest=64) for weight in (10, 40)]] * 3
    made = suggest(cells, rank=8, alpha=16.0)
    assert {(cell.rank, cell.alpha) for row in made.board for cell in row} == {(8, 16.0)}
    assert made.parameters == made.uniform


def test_ranks_follow_the_root_of_the_sensitivity() -> None:
    # Four times the square for as many parameters: twice the gradient.
    cells = [[SensedCell(square, 100, 512) for square in (1.0, 4.0, 4.0, 1.0)]]
    made = suggest(cells, rank=12, alpha=24.0)
    assert [cell.rank for cell in made.board[0]] == [8, 16, 16, 8]
    # Each is as loud as on the uniform board.
    assert [cell.alpha for cell in made.board[0]] == [16.0, 32.0, 32.0, 16.0]


def test_a_cell_with_next_to_nothing_to_do_is_frozen() -> None:
    cells = [[SensedCell(square, 100, 512) for square in (1.0, 0.01, 1.0, 1.0)]]
    assert [cell.train for cell in suggest(cells, rank=4, alpha=8.0).board[0]] == [True, False, True, True]
    kept = suggest(cells, rank=16, alpha=32.0, freeze_below=0.0).board[0]
    assert all(cell.train for cell in kept)
    assert kept[1].rank == 2


def test_no_cell_takes_all_where_others_can_take_their_share() -> None:
    cells = [[SensedCell(1e6, 100, 4096), *[SensedCell(1.0, 100, 4096)] * 7]]
    made = suggest(cells, rank=8, alpha=16.0, freeze_below=0.0)
    assert made.board[0][0].rank == LARGEST_RATIO * 8
    assert all(cell.train for cell in made.board[0])
    # With the others frozen it is all that is left, as far as a matrix holds it.
    assert suggest(cells, rank=8, alpha=16.0).board[0][0].rank == 64


@pytest.mark.parametrize("square", [-1.0, math.nan, math.inf])
def test_what_is_no_figure_makes_no_board(square: float) -> None:
    with pytest.raises(ValueError, match="no board"):
        suggest([[SensedCell(square, 10, 10)]], rank=4, alpha=8.0)
    with pytest.raises(ValueError, match="no board"):
        suggest([[None]], rank=4, alpha=8.0)
