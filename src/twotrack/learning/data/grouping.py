"""Which samples say the same: duplicates, near-duplicates, and the phrasings of one fact."""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twotrack.learning.data.canonical import answer_of, canonical_line, content_hash, text_of
from twotrack.learning.data.conversion import tidied
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.similarity import Clusters, Index, normal, signatures

# An answer that so large a part of all samples has is a label ("yes", "positive"), not a fact.
_LABEL_SHARE, _LABEL_LEAST = 0.05, 20
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Repeated:
    """(row, the row that is kept of those that say the same)."""

    duplicates: list[tuple[int, int]]
    near: list[tuple[int, int]]


class Grouping:
    """Collects what is compared at the end: some 40 bytes of memory and 192 of disk for a sample."""

    def __init__(self) -> None:
        self._index = Index()
        self._rows = array("q")
        self._contents = array("Q")
        self._answers = array("Q")
        self._numbers = array("Q")
        self._named = array("Q")
        self._grouped = array("B")
        self._near: list[tuple[NDArray[np.int64], NDArray[np.int64]]] | None = None

    def close(self) -> None:
        self._index.close()

    def add(self, rows: Sequence[int], samples: Sequence[Sample]) -> None:
        """`rows` are the samples' numbers in the file."""
        if not samples:
            return
        texts = [normal(text_of(sample)) for sample in samples]
        self._index.add(signatures(texts))
        for row, sample, text in zip(rows, samples, texts, strict=True):
            self._rows.append(row)
            self._contents.append(content_hash(canonical_line(tidied(sample), "preference")))
            self._answers.append(content_hash(normal(answer_of(sample)) or answer_of(sample)))
            # Texts that differ in a number alone tell of different things, however alike they are.
            self._numbers.append(content_hash(" ".join(_DIGITS.findall(text))))
            self._grouped.append(sample.group is not None)
            name = (
                f"group {sample.group}" if sample.group else f"key {normal(sample.key)}" if sample.key else ""
            )
            self._named.append(content_hash(name) if name else 0)

    def repeated(self, flags: NDArray[np.uint16]) -> Repeated:
        """Of equal samples the first is kept, of nearly equal ones the one with the fewest `flags`."""
        rows = np.frombuffer(self._rows, dtype=np.int64)
        contents = np.frombuffer(self._contents, dtype=np.uint64)
        same = Clusters(len(rows))
        same.join_equal(contents)
        first = same.labels()
        is_first = first == np.arange(len(first))
        duplicates = [(int(rows[one]), int(rows[first[one]])) for one in np.flatnonzero(~is_first)]
        clusters = Clusters(len(rows))
        for left, right in self._near_pairs():
            clusters.join_all(first[left], first[right])
        labels = clusters.labels()
        near: list[tuple[int, int]] = []
        for members in _members(labels, is_first):
            best = min(members, key=lambda one: (int(flags[rows[one]]).bit_count(), one))
            near += ((int(rows[one]), int(rows[best])) for one in members if one != best)
        return Repeated(duplicates, sorted(near))

    def groups(self, count: int) -> NDArray[np.int64]:
        """Of each of `count` rows the first row of its group.

        A group is what has one "group"; of samples without, what has one key, the same answer (unless that
        is a label), or is nearly the same.
        """
        rows = np.frombuffer(self._rows, dtype=np.int64)
        clusters = Clusters(len(rows))
        clusters.join_equal(np.frombuffer(self._contents, dtype=np.uint64))
        named = np.frombuffer(self._named, dtype=np.uint64)
        clusters.join_equal(named, named != 0)
        answers = np.frombuffer(self._answers, dtype=np.uint64)
        free = np.frombuffer(self._grouped, dtype=np.uint8) == 0
        clusters.join_equal(answers, free & ~self._is_label(answers))
        for left, right in self._near_pairs():
            both = free[left] & free[right]
            clusters.join_all(left[both], right[both])
        found = np.arange(count, dtype=np.int64)
        found[rows] = rows[clusters.labels()]
        return found

    def count(self, groups: NDArray[np.int64]) -> int:
        """How many groups the samples are in."""
        rows = np.frombuffer(self._rows, dtype=np.int64)
        return len(np.unique(groups[rows]))

    def frequent_answers(self, most: int) -> list[tuple[int, int]]:
        """(first row, samples) of the most frequent answers that several samples have."""
        answers = np.frombuffer(self._answers, dtype=np.uint64)
        _, first, counts = np.unique(answers, return_index=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        return [(self._rows[int(first[one])], int(counts[one])) for one in order if counts[one] > 1]

    def _is_label(self, answers: NDArray[np.uint64]) -> NDArray[np.bool_]:
        _, inverse, counts = np.unique(answers, return_inverse=True, return_counts=True)
        limit = max(_LABEL_LEAST, _LABEL_SHARE * len(answers))
        return np.asarray(counts[inverse] > limit)

    def _near_pairs(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        if self._near is None:
            numbers = np.frombuffer(self._numbers, dtype=np.uint64)
            self._near = []
            for left, right in self._index.pairs():
                alike = numbers[left] == numbers[right]
                if alike.any():
                    self._near.append((left[alike], right[alike]))
        return self._near


def _members(labels: NDArray[np.int64], counted: NDArray[np.bool_]) -> Iterator[list[int]]:
    """The clusters of more than one, of those that are `counted`."""
    numbers = np.flatnonzero(counted)
    order = numbers[np.argsort(labels[numbers], kind="stable")]
    edges = np.flatnonzero(np.diff(labels[order])) + 1
    for part in np.split(order, edges):
        if len(part) > 1:
            yield part.tolist()
