import pytest

from twotrack.stores.fusion import fuse_scores

HALVES = {"dense": 0.5, "lexical": 0.5}


def test_scores_of_any_unit_and_zero_count_alike() -> None:
    dense = [(1, 0.86), (2, 0.84), (3, 0.82)]
    lexical = [(3, 30.0), (2, 20.0), (1, 10.0)]
    fused = fuse_scores({"dense": dense, "lexical": lexical}, weights=HALVES)
    assert fused == pytest.approx({1: 0, 2: 0, 3: 0})
    twice = [(item, 2 * score + 7) for item, score in lexical]
    assert fuse_scores({"dense": dense, "lexical": twice}, weights=HALVES) == pytest.approx(fused)


def test_a_lead_in_score_counts_and_not_only_the_rank() -> None:
    dense = [(1, 0.9), (2, 0.81), (3, 0.80)]
    lexical = [(2, 5.1), (1, 5.0), (3, 1.0)]
    assert list(fuse_scores({"dense": dense, "lexical": lexical}, weights=HALVES)) == [1, 2, 3]


def test_what_a_ranking_does_not_hold_counts_as_its_last() -> None:
    dense = [(1, 0.9), (2, 0.8)]
    fused = fuse_scores({"dense": dense, "lexical": [(3, 9.0), (2, 3.0)]}, weights=HALVES)
    assert fused == pytest.approx({1: 0.0, 3: 0.0, 2: -1.0})


def test_a_weight_favours_a_ranking() -> None:
    rankings = {"dense": [(1, 0.9), (3, 0.8)], "lexical": [(3, 9.0), (1, 1.0)]}
    assert next(iter(fuse_scores(rankings, weights={"dense": 0.7, "lexical": 0.3}))) == 1
    assert next(iter(fuse_scores(rankings, weights={"dense": 0.3, "lexical": 0.7}))) == 3


def test_a_ranking_without_items_has_no_say() -> None:
    rankings = {"dense": [], "lexical": [(4, 2.0), (5, 1.0)]}
    alone = fuse_scores(rankings, weights={"dense": 0.9, "lexical": 0.1})
    assert alone == pytest.approx({4: 1.0, 5: -1.0})
    assert fuse_scores({"dense": [], "lexical": []}, weights=HALVES) == {}


def test_of_one_item_or_equal_scores_it_counts_that_they_were_found() -> None:
    assert fuse_scores({"dense": [(1, 0.9)], "lexical": []}, weights=HALVES) == {1: 1.0}
    rankings = {"dense": [(1, 0.9), (2, 0.85), (3, 0.8)], "lexical": [(3, 4.0)]}
    assert next(iter(fuse_scores(rankings, weights=HALVES))) == 1
    assert next(iter(fuse_scores(rankings, weights={"dense": 0.4, "lexical": 0.6}))) == 3
