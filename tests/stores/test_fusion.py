from twotrack.stores.fusion import reciprocal_ranks


def test_what_both_rankings_hold_comes_before_what_leads_one() -> None:
    fused = reciprocal_ranks({"dense": [1, 2], "lexical": [3, 2]})
    assert list(fused) == [2, 1, 3]
    assert fused[2] == 1 / 62 + 1 / 62
    assert fused[1] == fused[3] == 1 / 61


def test_a_weight_favours_a_ranking() -> None:
    assert list(reciprocal_ranks({"dense": [1], "lexical": [3]}, weights={"lexical": 2.0})) == [3, 1]


def test_nothing_fuses_to_nothing() -> None:
    assert reciprocal_ranks({"dense": [], "lexical": []}) == {}
