"""Answers word for word out of the documents, for models that are too small to be trusted with writing."""

from collections.abc import Sequence

import numpy as np

from twotrack.serving.rag.citing import Cited, Part, citation, parts_of
from twotrack.serving.rag.confidence import covered
from twotrack.serving.rag.retrieving import Found, Library, terms_of_texts
from twotrack.serving.rag.schemas import Sentence
from twotrack.serving.rag.sentences import width

# How wide a quote is at most, in half-width characters: some six lines. Which sentence of a passage answers
# is not told for certain: on the frozen questions 0.66 and 0.55 of such quotes hold the labelled words, 0.59
# and 0.48 of three sentences, 0.46 and 0.36 of one, 0.67 and 0.59 of whole passages.
_WIDEST = 480
# Weight of meaning against words when the sentences of a longer passage are compared.
_MEANING = 0.7


async def quote(library: Library, found: Found) -> tuple[str, Cited]:
    """The first passage, or as many of its sentences around the best one as a reader takes in at a glance."""
    parts = parts_of(found.passages[:1])
    if not parts:
        return "", Cited([], [])
    first, last = 0, len(parts) - 1
    if _width(parts, first, last) > _WIDEST:
        first, last = _window(parts, await _scores(library, found, parts))
    one = citation(parts[first], parts[last], 1.0)
    return one.text, Cited([Sentence(start=0, end=len(one.text), citations=[0])], [one])


async def _scores(library: Library, found: Found, parts: Sequence[Part]) -> list[float]:
    """By meaning and by words, each between 0 and 1."""
    embedder = await library.embedders.get(found.collection.embedder.id)
    texts = [part.text for part in parts]
    near = await embedder.embed(texts, kind="passage") @ found.vector
    # Of this embedder's cosines only their order and their distances among themselves mean something.
    near = (near - near.min()) / max(1e-6, float(np.ptp(near)))
    held = await terms_of_texts(library, found.collection, texts, found.leg)
    alike = [covered(found.rarities, set(terms)) for terms in held]
    top = max(alike) or 1.0
    return [_MEANING * float(one) + (1 - _MEANING) * two / top for one, two in zip(near, alike, strict=True)]


def _window(parts: Sequence[Part], scores: Sequence[float]) -> tuple[int, int]:
    """First and last of the sentences around the best one: neighbour by neighbour, the better side first,
    while the quote is not too wide."""
    first = last = max(range(len(parts)), key=lambda index: scores[index])
    while True:
        sides = [
            (scores[low if low < first else high], low, high)
            for low, high in ((first - 1, last), (first, last + 1))
            if low >= 0 and high < len(parts) and _width(parts, low, high) <= _WIDEST
        ]
        if not sides:
            return first, last
        _, first, last = max(sides)


def _width(parts: Sequence[Part], first: int, last: int) -> int:
    return width(parts[first].passage.text[parts[first].start : parts[last].stop])
