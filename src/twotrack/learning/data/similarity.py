"""Near-duplicates among millions of texts: MinHash signatures, and bands of them that meet (LSH).

Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3. Texts are compared as sets of character n-grams, which needs no words and so
treats Hangul with its endings as well as English. Everything is computed for a block of texts at once.
"""

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BANDS, _ROWS = 16, 6
SIZE = _BANDS * _ROWS
"""Permutations of a signature: the standard error of a resemblance of 0.8 is 0.04."""

NEAR = 0.8
"""From this resemblance on two texts are near-duplicates."""

# Hangul packs two or three letters into a character.
_HANGUL_GRAM, _OTHER_GRAM = 3, 5
_NOT_WORD = re.compile(r"[\W_]+")
_HANGUL = re.compile("[가-힣]")
_LONGEST = 20_000
# Numbers of splitmix64 (Steele, Lea and Flood 2014), from fixed seeds: signatures are the same everywhere.
_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

_U64 = NDArray[np.uint64]


def splitmix(values: _U64) -> _U64:
    """Each number as another that looks random, the same on every machine."""
    with np.errstate(over="ignore"):
        mixed = values + np.uint64(_GOLDEN)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX_1)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX_2)
        return mixed ^ (mixed >> np.uint64(31))


_MULTIPLIERS = (splitmix(np.arange(SIZE, dtype=np.uint64)) | np.uint64(1)).astype(np.uint32) | np.uint32(1)
_ADDENDS = splitmix(np.arange(SIZE, dtype=np.uint64) + np.uint64(2**32)).astype(np.uint32)


def normal(text: str) -> str:
    """A text as it is compared: letters and digits, small, with single blanks between."""
    text = text[:_LONGEST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def signatures(texts: Sequence[str]) -> NDArray[np.uint16]:
    """[len(texts), SIZE]: of each text that `normal` made, the low halves of its minima.

    A text that is shorter than a gram is one gram.
    """
    found = np.zeros((len(texts), SIZE), dtype=np.uint16)
    hangul = [_is_hangul(text) for text in texts]
    for gram, wanted in ((_HANGUL_GRAM, True), (_OTHER_GRAM, False)):
        rows = [row for row, is_hangul in enumerate(hangul) if is_hangul is wanted]
        if rows:
            found[rows] = _signatures([texts[row] for row in rows], gram)
    return found


def resemblance(left: NDArray[np.uint16], right: NDArray[np.uint16]) -> Any:
    """Estimates of the Jaccard resemblance, row by row."""
    return (left == right).mean(axis=-1)


class Index:
    """Signatures of many texts: kept on the disk, compared at the end, a band at a time."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="twotrack-signatures-")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, block: NDArray[np.uint16]) -> None:
        self._file.write(np.ascontiguousarray(block).tobytes())
        self._count += len(block)

    def close(self) -> None:
        self._file.close()

    def pairs(self, near: float = NEAR) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Blocks of (first, second), two numbers of near texts each; a pair may come several times.

        Of texts that all resemble one another, each is paired with the first or with its neighbour: joining
        what is paired finds them all.
        """
        self._file.flush()
        for band in range(_BANDS):
            keys = self._band(band)
            order = np.argsort(keys, kind="stable")
            same = keys[order][1:] == keys[order][:-1]
            del keys
            # The place in `order` where each run of equal keys begins.
            starts = np.maximum.accumulate(np.where(np.r_[True, ~same], np.arange(len(order)), 0))
            second = np.flatnonzero(np.r_[False, same])
            for chunk in np.array_split(second, max(1, len(second) // 4096)):
                if len(chunk) == 0:
                    continue
                mine = self._rows(order[chunk])
                for place in (starts[chunk], chunk - 1):
                    is_near = resemblance(mine, self._rows(order[place])) >= near
                    yield order[place][is_near], order[chunk][is_near]

    def _band(self, band: int) -> _U64:
        """One number for each text, equal where all of this band's rows are."""
        keys = np.empty(self._count, dtype=np.uint64)
        block = 65_536
        self._file.seek(0)
        for start in range(0, self._count, block):
            raw = self._file.read(block * SIZE * 2)
            rows = np.frombuffer(raw, dtype=np.uint16).reshape(-1, SIZE)
            part = rows[:, band * _ROWS : (band + 1) * _ROWS].astype(np.uint64)
            key = np.zeros(len(part), dtype=np.uint64)
            for column in range(_ROWS):
                key = splitmix(key ^ part[:, column])
            keys[start : start + len(key)] = key
        return keys

    def _rows(self, numbers: NDArray[np.int64]) -> NDArray[np.uint16]:
        found = np.empty((len(numbers), SIZE), dtype=np.uint16)
        unique, inverse = np.unique(numbers, return_inverse=True)
        read = np.empty((len(unique), SIZE), dtype=np.uint16)
        for place, number in enumerate(unique.tolist()):
            self._file.seek(number * SIZE * 2)
            read[place] = np.frombuffer(self._file.read(SIZE * 2), dtype=np.uint16)
        found[:] = read[inverse]
        return found


class Clusters:
    """Numbers that belong together, joined pair by pair (union–find); each is known by its smallest."""

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count, dtype=np.int64)

    def join(self, first: int, second: int) -> None:
        first, second = self.of(first), self.of(second)
        if first != second:
            self._parents[max(first, second)] = min(first, second)

    def join_all(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self.join(one, other)

    def join_equal(self, keys: _U64, counted: NDArray[np.bool_] | None = None) -> None:
        """Join all numbers that have the same key, those that are `counted` alone."""
        numbers = np.arange(len(keys)) if counted is None else np.flatnonzero(counted)
        order = numbers[np.argsort(keys[numbers], kind="stable")]
        same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        self.join_all(order[same], order[same + 1])

    def of(self, number: int) -> int:
        parents = self._parents
        root = number
        while (above := int(parents[root])) != root:
            root = above
        while number != root:
            number, parents[number] = int(parents[number]), root
        return root

    def labels(self) -> NDArray[np.int64]:
        """Of each number the smallest one of its cluster."""
        labels = self._parents
        while True:
            above = labels[labels]
            if np.array_equal(above, labels):
                return labels.copy()
            labels = above


def _is_hangul(text: str) -> bool:
    if text.isascii():
        return False
    shown = text[:200]
    return 5 * len(_HANGUL.findall(shown)) >= len(shown)


def _signatures(texts: Sequence[str], gram: int) -> NDArray[np.uint16]:
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    # A blank or more behind each text, so that short ones have a gram of their own.
    padded = "".join(text.ljust(gram) for text in texts)
    characters = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    widths = np.maximum(lengths, gram)
    starts = np.concatenate(([0], np.cumsum(widths)[:-1]))
    hashes = np.zeros(len(characters) - gram + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(gram):
            window = characters[offset : offset + len(hashes)]
            hashes = hashes * np.uint64(_GOLDEN) + window
    grams = (splitmix(hashes) >> np.uint64(32)).astype(np.uint32)
    # reduceat takes what lies between two places: of a text all grams that end within it.
    places = np.empty(2 * len(texts), dtype=np.int64)
    places[::2], places[1::2] = starts, np.minimum(starts + widths - gram + 1, len(grams))
    if places[-1] == len(grams):
        places = places[:-1]
    found = np.empty((len(texts), SIZE), dtype=np.uint16)
    scratch = np.empty_like(grams)
    with np.errstate(over="ignore"):
        for row in range(SIZE):
            np.multiply(grams, _MULTIPLIERS[row], out=scratch)
            np.add(scratch, _ADDENDS[row], out=scratch)
            least = np.minimum.reduceat(scratch, places)[::2]
            # The high half is mostly zero in a minimum.
            found[:, row] = least & np.uint32(0xFFFF)
    return found
