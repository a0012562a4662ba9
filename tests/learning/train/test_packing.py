"""How rows are put into passes, and that a pass keeps them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.learning.train.passes import groups

torch = pytest.importorskip("torch")

from twotrack.learning.train.packing import attend_by_row, lay_out  # noqa: E402  # it needs torch

pytestmark = pytest.mark.torch


@given(st.lists(st.integers(1, 900), max_size=40), st.integers(1, 600))
def test_each_row_is_in_one_group_and_a_group_holds_no_more_than_it_may(
    lengths: list[int], budget: int
) -> None:
    found = groups(lengths, budget)
    assert sorted(index for group in found for index in group) == list(range(len(lengths)))
    for group in found:
        assert len(group) == 1 or sum(lengths[index] for index in group) <= budget


def test_a_pass_holds_the_rows_without_their_last_tokens_and_where_to_look() -> None:
    ids = torch.tensor([11, 12, 13, 21, 22, 23, 24])
    labels = torch.tensor([-100, -100, 13, -100, 22, -100, 24])
    (one,) = lay_out(ids, labels, [3, 4], 100)
    assert one.input_ids.tolist() == [[11, 12, 21, 22, 23]]
    assert one.position_ids.tolist() == [[0, 1, 0, 1, 2]]
    assert one.lengths == (2, 3)
    assert (one.learned.tolist(), one.targets.tolist()) == ([1, 2, 4], [13, 22, 24])


def test_a_row_with_nothing_to_learn_is_not_computed() -> None:
    ids = torch.tensor([1, 2, 3, 4])
    # The first token of a row follows nothing: it cannot be learned.
    (one,) = lay_out(ids, torch.tensor([1, -100, -100, 4]), [2, 2], 100)
    assert one.input_ids.tolist() == [[3]]


def test_several_sequences_without_lengths_are_refused() -> None:
    state = torch.zeros(2, 1, 3, 4)
    with pytest.raises(ValueError, match="several sequences"):
        attend_by_row(None, state, state, state, None)
