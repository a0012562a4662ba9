"""Answers word for word out of the documents, for models that are too small to be trusted with writing."""

from collections.abc import Sequence

import numpy as np

from twotrack.serving.rag.citing import Cited, Part, citation, parts_of
from twotrack.serving.rag.confidence import covered
from twotrack.serving.rag.retrieving import Found, Library, terms_of_texts
from twotrack.serving.rag.schemas import Sentence

# The sentence may come from one of so many passages: where it stands counts, and what it says counts more.
_PASSAGES = 3
_SENTENCES = 48
# So many sentences are quoted, the best one among them: which one holds the answer is not told for certain.
_QUOTED = 3
# Weight of meaning against words, and what a passage further down loses for each rank. Found on the frozen
# English questions together with _QUOTED: half of the quotes hold the labelled words, one sentence alone 0.42
# of them, and the whole first passage, four times as long, 0.53.
_MEANING = 0.7
_RANK_LOSS = 0.2


async def quote(library: Library, found: Found) -> tuple[str, Cited]:
    """The best sentence with those beside it, and where they stand."""
    parts = parts_of(found.passages[:_PASSAGES])[:_SENTENCES]
    if not parts:
        return "", Cited([], [])
    scores = await _scores(library, found, parts)
    best = max(range(len(parts)), key=lambda index: scores[index])
    first, last = _window(parts, scores, best)
    one = citation(parts[first], parts[last], min(1.0, max(0.0, scores[best])))
    return one.text, Cited([Sentence(start=0, end=len(one.text), citations=[0])], [one])


async def _scores(library: Library, found: Found, parts: Sequence[Part]) -> list[float]:
    """By meaning and by words, each between 0 and 1; less in a later passage."""
    embedder = await library.embedders.get(found.collection.embedder.id)
    vectors = await embedder.embed([part.text for part in parts], kind="passage")
    near = vectors @ found.vector
    # Of this embedder's cosines only their order and their distances among themselves mean something.
    near = (near - near.min()) / max(1e-6, float(np.ptp(near)))
    held = await terms_of_texts(library, found.collection, [part.text for part in parts], found.leg)
    alike = [covered(found.rarities, set(terms)) for terms in held]
    top = max(alike) or 1.0
    ranks = {passage.chunk_id: rank for rank, passage in enumerate(found.passages)}
    return [
        (_MEANING * float(one) + (1 - _MEANING) * two / top) * (1 - _RANK_LOSS * ranks[part.passage.chunk_id])
        for part, one, two in zip(parts, near, alike, strict=True)
    ]


def _window(parts: Sequence[Part], scores: Sequence[float], best: int) -> tuple[int, int]:
    """First and last of the run of sentences in one passage, the best among them, that scores most."""
    mine = [index for index, part in enumerate(parts) if part.passage is parts[best].passage]
    low, high = mine[0], mine[-1]
    runs = [
        (max(low, start), min(high, start + _QUOTED - 1)) for start in range(best - _QUOTED + 1, best + 1)
    ]
    return max(runs, key=lambda run: sum(scores[run[0] : run[1] + 1]))
