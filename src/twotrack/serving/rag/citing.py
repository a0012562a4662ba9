"""Which words of which passage each sentence of an answer rests on, decided by code.

A model that is asked for its sources names some, and nothing says that they are the ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.serving.rag.confidence import covered
from twotrack.serving.rag.retrieving import Found, Library, terms_of_texts
from twotrack.serving.rag.schemas import Citation, Sentence
from twotrack.serving.rag.sentences import sentence_spans
from twotrack.stores import lexical
from twotrack.stores.lexical import normalized
from twotrack.stores.schemas import Passage

# So much of a sentence, weighed by the rarity of its terms, stands in what it is said to rest on.
_ENOUGH = 0.5
# Sentences of a passage that one citation holds at most.
_WIDEST = 3
_NUMBER = re.compile(r"\d+(?:[.:,]\d+)*")


@dataclass(frozen=True)
class Cited:
    sentences: list[Sentence]
    citations: list[Citation]


@dataclass(frozen=True)
class Part:
    """A sentence of a passage; `start` and `stop` in characters of the passage's text."""

    passage: Passage
    start: int
    stop: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.stop]


def parts_of(passages: Sequence[Passage]) -> list[Part]:
    return [
        Part(passage, start, stop) for passage in passages for start, stop in sentence_spans(passage.text)
    ]


def citation(first: Part, last: Part, score: float) -> Citation:
    """Of what stands in a passage from one of its sentences to another."""
    passage = first.passage
    return Citation(
        document=passage.document_id,
        title=passage.title,
        source=passage.source,
        page=passage.page,
        heading=passage.heading,
        start=passage.start + first.start,
        end=passage.start + last.stop,
        text=passage.text[first.start : last.stop],
        score=round(score, 4),
    )


async def cite(library: Library, found: Found, answer: str, passages: Sequence[Passage]) -> Cited:
    """Every number of a sentence must stand in the words it rests on, and most of its other terms."""
    spans = sentence_spans(answer)
    parts = parts_of(passages)
    texts = [answer[start:stop] for start, stop in spans]
    said = await terms_of_texts(library, found.collection, texts, found.leg)
    held = await terms_of_texts(library, found.collection, [part.text for part in parts], found.leg)
    rarities = await lexical.rarities(
        library.database,
        found.collection.id,
        found.collection.statistics,
        [term for terms in said for term in terms],
        leg=found.leg,
    )
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    for (start, stop), text, terms in zip(spans, texts, said, strict=True):
        weights = {term: rarities.get(term, 0.0) for term in terms}
        best = _best_window(weights, _numbers(text), parts, held)
        mine: list[int] = []
        if best is not None:
            if best not in citations:
                citations.append(best)
            mine = [citations.index(best)]
        sentences.append(Sentence(start=start, end=stop, citations=mine))
    return Cited(sentences, citations)


def _best_window(
    weights: dict[str, float], numbers: set[str], parts: Sequence[Part], held: Sequence[Sequence[str]]
) -> Citation | None:
    """The run of sentences that covers the most; of equals the shortest, then the one of the best passage."""
    best: tuple[float, Citation] | None = None
    for first in range(len(parts)):
        terms: set[str] = set()
        for last in range(first, min(first + _WIDEST, len(parts))):
            if parts[last].passage is not parts[first].passage:
                break
            terms.update(held[last])
            share = covered(weights, terms)
            if share < _ENOUGH:
                continue
            # A wider citation must earn its width.
            worth = share - 0.1 * (last - first)
            if best is None or worth > best[0] + 1e-9:
                one = citation(parts[first], parts[last], share)
                if numbers <= _numbers(one.text):
                    best = worth, one
    return best and best[1]


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(normalized(text)))
