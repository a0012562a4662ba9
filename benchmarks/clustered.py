"""A collection made from a seed: vectors, texts and questions as those of real documents lie.

Uniform noise would say little: its neighbours are all about equally far, which no embedder's are. Here a
collection has topics (some large, most small), a topic has documents, a document has chunks, and each level
moves a vector along the same directions of falling weight. The numbers were fitted to 2,500 paragraphs of
Python docstrings out of 114 files, embedded by multilingual-e5-small:

                                            docstrings   made here
    mean cosine of two passages                  0.831       0.830
    its standard deviation                       0.021       0.021
    directions with half of the variance            44          38
    directions with nine tenths of it              203         207
    share of the variance within documents        0.76        0.75
    local dimension among 20 neighbours           15.9        16.4

`python -m benchmarks.clustered FILE.npz` compares other vectors (an array `v` in the file) with these.
"""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Integers = NDArray[np.int64]

DIMENSIONS = 384
CHUNKS_OF_DOCUMENT = 50
_CHUNKS_OF_SECTION = 5
_TOPICS = 250
# Of the variance around the common direction: between topics, the documents of a topic, the sections of a
# document (every five chunks), the chunks of a section.
_TOPIC, _DOCUMENT, _SECTION, _CHUNK = 0.15, 0.10, 0.25, 0.50
# Length of the common direction against the spread: what makes e5's cosines lie at 0.8.
_COMMON = 2.2
# The variance along the i-th direction is in proportion to 1 / (i + 8).
_OFFSET = 8

_WORDS = 40_000
_WORDS_OF_TOPIC = 400
_LENGTH = 60
_LENGTH_OF_QUESTION = 7


@dataclass(frozen=True)
class World:
    vectors: Vectors
    """[chunks, DIMENSIONS], of unit length; chunk i belongs to document i // CHUNKS_OF_DOCUMENT."""
    questions: Vectors
    """[questions, DIMENSIONS], of unit length."""
    topics: Integers
    """Of each document."""
    about: Integers
    """The document that each question is about."""


def world(chunks: int, questions: int, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    spectrum = (np.arange(DIMENSIONS) + _OFFSET) ** -0.5
    spectrum /= np.linalg.norm(spectrum)
    turn = np.linalg.qr(rng.standard_normal((DIMENSIONS, DIMENSIONS)))[0]
    common = _COMMON * turn[:, -1]

    def moves(count: int, variance: float) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = np.sqrt(variance) * rng.standard_normal((count, DIMENSIONS)) * spectrum
        return moved

    documents = chunks // CHUNKS_OF_DOCUMENT
    sizes = 1 / np.arange(1, _TOPICS + 1)
    topics = rng.choice(_TOPICS, documents, p=sizes / sizes.sum())
    centres = moves(_TOPICS, _TOPIC)[topics] + moves(documents, _DOCUMENT)
    sections = -(-chunks // _CHUNKS_OF_SECTION)
    near = np.repeat(moves(sections, _SECTION), _CHUNKS_OF_SECTION, axis=0)[:chunks]
    near += np.repeat(centres, CHUNKS_OF_DOCUMENT, axis=0)
    vectors = near + moves(chunks, _CHUNK)
    of_chunk = rng.integers(0, chunks, questions)
    # A question is about a section, said in other words than any chunk of it.
    asked = near[of_chunk] + moves(questions, _CHUNK)
    return World(
        vectors=_unit(vectors @ turn.T + common),
        questions=_unit(asked @ turn.T + common),
        topics=topics,
        about=of_chunk // CHUNKS_OF_DOCUMENT,
    )


def texts(world: World, seed: int = 0) -> tuple[list[str], list[str]]:
    """A text of some 60 invented Korean words for each chunk, and a question for each of the world's.

    Words are as frequent as Zipf's law has them; half of a text's come from the few hundred of its topic.
    """
    rng = np.random.default_rng(seed + 1)
    words = _words(rng)
    of_topic = rng.integers(0, _WORDS, (_TOPICS, _WORDS_OF_TOPIC))

    def written(topics: Integers, length: int) -> list[str]:
        shape = (len(topics), length)
        near = of_topic[topics[:, None], _zipf(rng, _WORDS_OF_TOPIC, shape)]
        chosen = np.where(rng.random(shape) < 0.5, near, _zipf(rng, _WORDS, shape))
        return [" ".join(row) for row in words[chosen].tolist()]

    chunks = written(np.repeat(world.topics, CHUNKS_OF_DOCUMENT), _LENGTH)
    return chunks, written(world.topics[world.about], _LENGTH_OF_QUESTION)


def _words(rng: np.random.Generator) -> NDArray[np.object_]:
    """Distinct words of one to four Hangul syllables, the most frequent first."""
    tails = (0, 4, 21, 8, 16, 1, 17)
    letters = [
        chr(0xAC00 + (lead * 21 + vowel) * 28 + tail)
        for tail in tails
        for vowel in range(21)
        for lead in range(19)
    ]
    syllables = np.array(letters, dtype=object)[rng.permutation(len(letters))]
    found: dict[str, None] = {}
    while len(found) < _WORDS:
        lengths = rng.choice([1, 2, 3, 4], 1000, p=[0.05, 0.45, 0.35, 0.15])
        rows = syllables[_zipf(rng, len(syllables), (1000, 4))].tolist()
        found |= {"".join(row[:length]): None for row, length in zip(rows, lengths, strict=True)}
    return np.array(list(found)[:_WORDS], dtype=object)


def _zipf(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> Integers:
    """Ranks from 0 to `count`, each as frequent as 1 / (rank + 1)."""
    shares = np.cumsum(1 / np.arange(1, count + 1))
    found: Integers = np.searchsorted(shares, rng.random(shape) * shares[-1])
    return found


def _unit(rows: NDArray[np.float64]) -> Vectors:
    result: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return result


def describe(vectors: Vectors) -> dict[str, float]:
    """What says how hard a search is: how the cosines lie, and how many directions the variance takes."""
    cosines = vectors @ vectors.T
    apart = cosines[~np.eye(len(vectors), dtype=bool)]
    # Levina and Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", 2004, equation 8, k = 20.
    distances = np.sort(np.sqrt(np.maximum(0, 2 - 2 * cosines)), axis=1)[:, 1:21]
    distances = distances[distances[:, 0] > 1e-3]
    local = 1 / np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)
    variance = np.linalg.eigvalsh(np.cov(vectors.T))[::-1]
    share = np.cumsum(variance) / variance.sum()
    return {
        "mean cosine of two passages": float(apart.mean()),
        "its standard deviation": float(apart.std()),
        "directions with half of the variance": float(np.searchsorted(share, 0.5) + 1),
        "directions with nine tenths of it": float(np.searchsorted(share, 0.9) + 1),
        "local dimension among 20 neighbours": float(np.median(local)),
    }


def compare(path: str) -> None:
    real = np.load(path)["v"]
    made = world(40_000, 1).vectors
    # As few of many documents as the real ones are.
    some = np.random.default_rng(0).choice(len(made), min(len(real), len(made)), replace=False)
    columns = describe(real), describe(made[some])
    for name in columns[0]:
        sys.stdout.write(f"{name:40} {columns[0][name]:8.3f} {columns[1][name]:8.3f}\n")


if __name__ == "__main__":
    compare(sys.argv[1])
