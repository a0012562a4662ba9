"""Steps and passes are those that training would make."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.forecast.workload import RowSize, workload
from twotrack.learning.train.passes import TOKENS_PER_PASS


def test_a_row_counts_what_is_computed_and_where_it_is_learned() -> None:
    row = Row(1, (5, 6, 7, 8, 9), (MASKED, MASKED, 7, 8, MASKED))
    size = RowSize.of(row)
    assert size == RowSize(tokens=4, learned=2, first=1)
    assert size.truncated(4) == RowSize(tokens=3, learned=2, first=1)
    assert size.truncated(3).learned == 1
    assert size.truncated(2).learned == 0


def test_one_batch_is_one_pass_where_it_fits_and_several_where_it_does_not() -> None:
    rows = [RowSize(200, 10, 190)] * 4
    work = workload(rows, batch_size=4, epochs=3)
    assert (work.steps, work.load.passes, work.load.rows) == (3, 6, 12)
    assert work.widest == 400
    assert work.load.square == 12 * 200**2
    assert (work.longest, work.kept_tokens) == (201, 4 * 201)


def test_an_architecture_that_cannot_pack_takes_row_by_row() -> None:
    work = workload([RowSize(20, 5, 15)] * 6, batch_size=3, epochs=1, is_packed=False)
    assert (work.steps, work.load.passes, work.widest) == (2, 6, 20)


def test_rows_without_an_answer_are_not_computed() -> None:
    work = workload([RowSize(50, 0, 51), RowSize(30, 5, 25)], batch_size=2, epochs=1)
    assert (work.load.tokens, work.load.rows) == (30, 1)


@given(
    st.lists(st.integers(2, 900), min_size=1, max_size=60),
    st.integers(1, 16),
    st.integers(1, 1_000),
)
def test_a_run_of_any_length_sees_every_row_in_every_epoch(
    lengths: list[int], batch_size: int, epochs: int
) -> None:
    rows = [RowSize(length, 1, length - 1) for length in lengths]
    work = workload(rows, batch_size=batch_size, epochs=epochs)
    assert work.steps == -(-len(rows) // batch_size) * epochs
    # Long runs are drawn in part; whole epochs are exact.
    if work.steps <= 500:
        assert work.load.tokens == pytest.approx(sum(lengths) * epochs)
        assert work.load.rows == pytest.approx(len(rows) * epochs)
    assert work.widest <= max(TOKENS_PER_PASS, max(lengths))


def test_a_thousand_epochs_of_a_hundred_thousand_rows_are_counted_at_once() -> None:
    rows: Any = [RowSize(100, 20, 80)] * 100_000
    work = workload(rows, batch_size=1, epochs=1_000)
    assert work.steps == 100_000_000
    assert work.load.tokens == pytest.approx(100 * 1e8)
