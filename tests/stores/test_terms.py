"""What the lexical indexes make of terms, and what of a question is looked for."""

import pytest

from twotrack.stores.lexical import bigram_terms
from twotrack.stores.schemas import Leg
from twotrack.stores.terms import stemmed, telling


def test_english_words_meet_in_their_stem_and_all_else_stays() -> None:
    assert stemmed(["borrowed", "borrowing", "borrow"]) == ["borrow"] * 3
    kept = ["등대", "2026", "4a", "käse", "fees", "has", "é"]
    assert stemmed(kept) == [*kept[:4], "fee", "has", "é"]


@pytest.mark.parametrize(
    ("question", "leg", "left"),
    [
        ("How much does a catamaran pay in May?", "bigrams", ["catamaran", "pay", "may"]),
        ("정기권은 얼마인가요?", "bigrams", ["정기", "기권", "권은"]),
    ],
)
def test_of_a_question_its_matter_is_looked_for(question: str, leg: Leg, left: list[str]) -> None:
    assert telling(bigram_terms(question), leg) == left


def test_asking_words_are_no_morphemes_to_look_for() -> None:
    assert telling(["등대", "언제", "몇", "시"], "morphemes") == ["등대", "시"]


def test_a_question_of_nothing_else_keeps_its_words() -> None:
    assert telling(["who", "are", "you"], "bigrams") == ["who", "are", "you"]
