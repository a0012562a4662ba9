"""How well questions are answered from documents: measures over labelled questions, and paired intervals.

A question names its evidence as a document and words of it. A passage is a hit where its span overlaps those
words: what is cut elsewhere, or by another rule, is measured by the same labels.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text

K = 10
_RESAMPLES = 2000

Span = tuple[str, int, int]
"""(document, start, stop) in characters of the document's text."""


class BrokenQuestion(TwotrackError):
    """`line` counts from 1."""

    status = 422
    detail = Text("Line {line} of the questions: {why}", "질문 {line}번째 줄: {why}")
    remedy = Text(
        'Each line is one JSON object: {{"id", "question", "answerable", "evidence": '
        '[{{"document", "quote"}}]}}; samples/questions shows some.',
        '한 줄에 JSON 객체 하나씩입니다: {{"id", "question", "answerable", "evidence": '
        '[{{"document", "quote"}}]}}. samples/questions에 예가 있습니다.',
    )


class EvidenceMissing(TwotrackError):
    status = 422
    detail = Text(
        "The evidence of question {question} is not in the collection: {what}",
        "질문 {question}의 근거가 컬렉션에 없습니다: {what}",
    )
    remedy = Text(
        "Take the documents in first: `twotrack ingest samples/documents`.",
        "먼저 문서를 넣으세요: `twotrack ingest samples/documents`.",
    )


@dataclass(frozen=True)
class Labelled:
    id: str
    question: str
    answerable: bool
    evidence: tuple[tuple[str, str], ...]
    """(document, quote)"""


@dataclass(frozen=True)
class Outcome:
    """What became of one question under one setting."""

    answerable: bool
    ranks: tuple[int, ...]
    """For each piece of evidence the rank of the first passage that overlaps it; 0 where none does."""
    abstained: bool | None = None
    """None where no answer was asked for."""
    cited: tuple[bool, ...] = ()
    """Of each citation, whether it overlaps the evidence."""


def read_questions(text: str) -> list[Labelled]:
    """
    Raises:
        BrokenQuestion
    """
    questions = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            evidence = tuple((one["document"], one["quote"]) for one in row["evidence"] or ())
            questions.append(Labelled(str(row["id"]), row["question"], bool(row["answerable"]), evidence))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenQuestion(line=number, why=f"{type(error).__name__}: {error}") from error
        if questions[-1].answerable and not evidence:
            raise BrokenQuestion(line=number, why=Text("it names no evidence", "근거가 없습니다"))
    return questions


def source_of(document: str, sources: Iterable[str]) -> str | None:
    """The source that a label means: labels count from another folder than an ingestion may have."""
    return next(
        (one for one in sources if one == document or f"/{one}".endswith(f"/{document}")),
        next((one for one in sources if f"/{document}".endswith(f"/{one}")), None),
    )


def find_quote(text: str, quote: str) -> list[tuple[int, int]]:
    """Where the words stand in a text whose white space and table marks may be others.

    Case counts for nothing: some formats' readers write headings in capitals.
    """
    words = [re.escape(word) for word in quote.split()]
    if not words:
        return []
    pattern = re.compile(r"[\s|]*\s[\s|]*".join(words), re.IGNORECASE)
    return [found.span() for found in pattern.finditer(text)]


def overlaps(span: Span, spans: Iterable[Span]) -> bool:
    return any(span[0] == one[0] and span[1] < one[2] and one[1] < span[2] for one in spans)


def first_ranks(passages: Sequence[Span], evidence: Sequence[Sequence[Span]]) -> tuple[int, ...]:
    """See Outcome.ranks; each piece of evidence is given by all the places where its words stand."""
    return tuple(
        next((rank for rank, passage in enumerate(passages, start=1) if overlaps(passage, places)), 0)
        for places in evidence
    )


def hit(outcome: Outcome, k: int = K) -> float:
    return float(any(0 < rank <= k for rank in outcome.ranks))


def reciprocal_rank(outcome: Outcome) -> float:
    found = [rank for rank in outcome.ranks if 0 < rank <= K]
    return 1 / min(found) if found else 0.0


def ndcg(outcome: Outcome) -> float:
    """Järvelin and Kekäläinen 2002 with binary gain: each piece of evidence counts once, where it first
    comes. Of several that one passage holds the others count in the places after it."""
    taken: set[int] = set()
    gain = 0.0
    for rank in sorted(one for one in outcome.ranks if one):
        place = rank
        while place in taken:
            place += 1
        taken.add(place)
        if place <= K:
            gain += 1 / math.log2(place + 1)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(len(outcome.ranks), K) + 1))
    return gain / best if best else 0.0


MEASURES: dict[str, Callable[[Outcome], float]] = {
    "hit@1": lambda outcome: hit(outcome, 1),
    "hit@5": lambda outcome: hit(outcome, 5),
    "hit@10": hit,
    "MRR@10": reciprocal_rank,
    "nDCG@10": ndcg,
}


def measure(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Means over the answerable questions; then citations and abstention, where answers were asked for.

    `citation correctness` is the part of all citations under answerable questions that overlap the evidence.
    Abstention counts unanswerable questions as what is to be found. None where there is nothing to count.
    """
    answerable = [one for one in outcomes if one.answerable]
    report: dict[str, float | None] = {
        name: fmean(map(value, answerable)) if answerable else None for name, value in MEASURES.items()
    }
    answered = [one for one in outcomes if one.abstained is not None]
    if answered:
        cited = [right for one in answered if one.answerable for right in one.cited]
        declined = [one for one in answered if one.abstained]
        rightly = sum(not one.answerable for one in declined)
        hopeless = sum(not one.answerable for one in answered)
        report["citation correctness"] = fmean(cited) if cited else None
        report["abstention precision"] = rightly / len(declined) if declined else None
        report["abstention recall"] = rightly / hopeless if hopeless else None
    return report


def paired_interval(
    one: Sequence[Outcome], other: Sequence[Outcome], name: str, *, seed: int = 0
) -> tuple[float, float, float]:
    """Difference of the means (`other` − `one`) with its 95 % interval: questions are drawn anew in pairs
    (Efron and Tibshirani 1993, the percentile interval of 2,000 resamples)."""
    value = MEASURES[name]
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a.answerable]
    differences = np.array([value(b) - value(a) for a, b in pairs])
    if not len(differences):
        return 0.0, 0.0, 0.0
    drawn = np.random.default_rng(seed).integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


def compare(one: Sequence[Outcome], other: Sequence[Outcome]) -> Mapping[str, tuple[float, float, float]]:
    return {name: paired_interval(one, other, name) for name in MEASURES}
