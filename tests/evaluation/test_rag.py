"""Measures of retrieval and answers against values worked out by hand."""

import json
import math
from pathlib import Path

import pytest

from twotrack.evaluation.rag import (
    BrokenQuestion,
    Outcome,
    find_quote,
    first_ranks,
    measure,
    ndcg,
    paired_interval,
    read_questions,
    source_of,
)


def test_ranks_are_of_the_first_passage_that_overlaps() -> None:
    passages = [("a", 0, 10), ("b", 5, 20), ("a", 10, 30)]
    evidence = [[("a", 10, 12)], [("b", 0, 6), ("a", 50, 60)], [("c", 0, 5)], [("b", 20, 25)]]
    assert first_ranks(passages, evidence) == (3, 2, 0, 0)


def test_measures_of_retrieval() -> None:
    outcomes = [Outcome(True, (1,)), Outcome(True, (0, 4)), Outcome(True, (0,)), Outcome(False, ())]
    report = measure(outcomes)
    assert report["hit@1"] == pytest.approx(1 / 3)
    assert report["hit@5"] == report["hit@10"] == pytest.approx(2 / 3)
    assert report["MRR@10"] == pytest.approx((1 + 1 / 4 + 0) / 3)
    half = (1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert report["nDCG@10"] == pytest.approx((1 + half) / 3)
    assert "abstention recall" not in report


def test_ndcg_is_one_at_best_and_counts_a_passage_with_two_pieces_of_evidence_twice() -> None:
    assert ndcg(Outcome(True, (1, 2))) == pytest.approx(1)
    assert ndcg(Outcome(True, (1, 1))) == pytest.approx(1)
    assert ndcg(Outcome(True, (11,))) == 0


def test_measures_of_answers() -> None:
    outcomes = [
        Outcome(True, (1,), abstained=False, cited=(True, False)),
        Outcome(True, (1,), abstained=True),
        Outcome(False, (), abstained=True),
        Outcome(False, (), abstained=False, cited=(False,)),
        Outcome(False, (), abstained=False),
    ]
    report = measure(outcomes)
    assert report["citation correctness"] == 0.5
    assert report["abstention precision"] == 0.5
    assert report["abstention recall"] == pytest.approx(1 / 3)
    assert measure([Outcome(False, (), abstained=False)])["abstention precision"] is None


def test_the_interval_is_of_the_pairs_not_of_the_means() -> None:
    worse = [Outcome(True, (2,))] * 30 + [Outcome(True, (0,))] * 30
    better = [Outcome(True, (1,))] * 30 + [Outcome(True, (0,))] * 30
    mean, low, high = paired_interval(worse, better, "MRR@10")
    assert mean == pytest.approx(0.25)
    assert 0.15 < low < mean < high < 0.35
    # Between questions they differ widely, in pairs always by the same.
    always = [Outcome(True, (1 if rank == 2 else 2,)) for rank in [2] * 60]
    assert paired_interval([Outcome(True, (2,))] * 60, always, "MRR@10") == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("one  two\nthree", "two three", "two\nthree"),
        ("Boat | Two posts", "boat two posts", "Boat | Two posts"),
        ("a.c abc", "a.c", "a.c"),
    ],
)
def test_quotes_are_found_whatever_the_white_space(text: str, quote: str, found: str) -> None:
    assert [text[start:stop] for start, stop in find_quote(text, quote)] == [found]


def test_a_label_names_a_document_from_another_folder() -> None:
    assert source_of("en/a.md", ["b.md", "a.md"]) == "a.md"
    assert source_of("en/a.md", ["samples/en/a.md", "a.md"]) == "samples/en/a.md"
    assert source_of("en/a.md", ["aa.md"]) is None


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_samples_are_read(language: str) -> None:
    text = (Path(__file__).parents[2] / "samples" / "questions" / f"{language}.jsonl").read_text("utf-8")
    questions = read_questions(text)
    assert len(questions) >= 150
    assert sum(not one.answerable for one in questions) >= 30


@pytest.mark.parametrize(
    "line", ["{", "[]", json.dumps({"id": 1, "question": "q", "answerable": True, "evidence": []})]
)
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(BrokenQuestion) as refused:
        read_questions("\n" + line)
    assert refused.value.values["line"] == 2
