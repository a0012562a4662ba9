"""Questions to passages, and the signal for: it is not there."""

from dataclasses import replace

import pytest

from tests.serving.rag.conftest import TOWN, Fill
from twotrack.serving.rag.confidence import THRESHOLD, Evidence, confidence, covered
from twotrack.serving.rag.errors import NoCollection
from twotrack.serving.rag.retrieving import Library, find
from twotrack.stores.errors import CollectionNotFound


async def test_both_legs_find_the_passage_in_either_language(library: Library, fill: Fill) -> None:
    await fill("town", TOWN)
    for question, source in (
        ("What does a bicycle cost on the ferry?", "en/ferry.txt"),
        ("가입비는 얼마인가요?", "ko/salt.txt"),
    ):
        found = await find(library, question, k=2)
        assert found.passages[0].source == source
        assert found.passages[0].dense_rank == found.passages[0].lexical_rank == 1
        assert len(found.passages) == 2
        assert found.confidence > THRESHOLD
        assert found.leg == "bigrams"


async def test_one_leg_alone_where_it_is_asked_for(library: Library, fill: Fill) -> None:
    await fill("town", TOWN)
    dense = await find(library, "When does the boat go?", legs="dense")
    assert dense.passages[0].source == "en/ferry.txt"
    assert {passage.lexical_rank for passage in dense.passages} == {None}
    lexical = await find(library, "bicycle", legs="lexical")
    assert [passage.dense_rank for passage in lexical.passages] == [None]


async def test_the_first_passages_are_ordered_by_how_well_they_match(library: Library, fill: Fill) -> None:
    await fill("town", TOWN)
    found = await find(library, "Do dogs pay on the boat?")
    matches = [one.match for one in found.passages]
    assert None not in matches
    assert matches == sorted(matches, key=lambda match: -(match or 0))
    assert found.passages[0].source == "en/ferry.txt"
    alone = await find(library, "Do dogs pay on the boat?", legs="dense")
    assert {one.match for one in alone.passages} == {None}


async def test_filters_keep_the_search_to_documents(library: Library, fill: Fill) -> None:
    await fill("town", TOWN)
    found = await find(library, "bicycle on the ferry", filters={"language": "ko"})
    assert {passage.source for passage in found.passages} == {"ko/salt.txt"}
    assert (await find(library, "bicycle", filters={"sentences": 99})).passages == ()


async def test_a_question_that_shares_no_word_with_the_collection_is_not_trusted(
    library: Library, fill: Fill
) -> None:
    await fill("town", TOWN)
    found = await find(library, "Quantum chromodynamics?")
    assert (found.evidence.coverage, found.evidence.lexical) == (0.0, 0.0)
    assert found.confidence < THRESHOLD


async def test_without_a_name_the_oldest_collection_answers(library: Library, fill: Fill) -> None:
    with pytest.raises(NoCollection):
        await find(library, "bicycle")
    first = await fill("first", TOWN)
    await fill("second", {"en/other.txt": "A bicycle is a bicycle."})
    assert (await find(library, "bicycle")).collection.id == first.id
    assert (await find(library, "bicycle", collection="second")).collection.name == "second"
    with pytest.raises(CollectionNotFound, match="third"):
        await find(library, "bicycle", collection="third")


def test_rare_terms_count_for_more() -> None:
    assert covered({"the": 0.1, "quorum": 3.9}, {"quorum"}) == pytest.approx(0.975)
    assert covered({}, {"x"}) == 0.0


@pytest.mark.parametrize("lead", [None, 0.02])
def test_confidence_grows_with_each_signal(lead: float | None) -> None:
    assert confidence(Evidence()) == 0
    little = Evidence(coverage=0.4, dense=0.5, lexical=0.2, lead=lead)
    for more in (replace(little, dense=1.0), replace(little, lexical=1.0)):
        assert confidence(more) > confidence(little)
    more = replace(little, coverage=0.9) if lead is None else replace(little, lead=0.04)
    assert confidence(more) > confidence(little)


def test_a_lead_among_passages_that_share_no_word_with_the_question_says_nothing() -> None:
    assert confidence(Evidence(coverage=0.0, dense=1.0, lead=0.1)) < THRESHOLD
