"""Several data sets as one: by weight, with guarantees, in an order that a seed decides.

A guarantee of m in every window of w consecutive samples is kept exactly: m places of a pattern of length w
are the set's own, and the pattern is repeated, so that every window holds each of its places once. What is
left is shared out by the weights.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from twotrack.core.language import Text
from twotrack.learning.data.canonical import Fingerprint, Form
from twotrack.learning.data.check import DataFile
from twotrack.learning.data.conversion import tidied
from twotrack.learning.data.errors import MixImpossible, NoSamples
from twotrack.learning.data.files import Flaw
from twotrack.learning.data.similarity import splitmix
from twotrack.learning.data.writing import NewFiles, beside

WINDOW = 1000
LONGEST = 10**8
_U32 = NDArray[np.uint32]


class Part(BaseModel):
    """One set of a mix. Without a weight it is 1, or 0 where a guarantee is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weight: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    at_least: int = Field(default=0, ge=0, description="samples in every window")

    @property
    def share(self) -> float:
        return self.weight if self.weight is not None else float(self.at_least == 0)


@dataclass(frozen=True)
class Order:
    """For each place of the mix the set that it is from, and which of the set's samples it is."""

    sets: NDArray[np.uint16]
    items: _U32


class MixedPart(BaseModel):
    """`least` is the smallest count in any window, `seen` how often a sample of it comes on average."""

    name: str
    samples: int
    taken: int
    seen: float
    least: int
    left_out: int
    fingerprint: str


class Mixed(BaseModel):
    """How a mix came to be; `fingerprint` is the SHA-256 of the file."""

    file: str
    fingerprint: str
    samples: int
    window: int
    seed: int
    recipe: list[Part]
    parts: list[MixedPart]


def mix_order(
    sizes: Sequence[int], parts: Sequence[Part], *, seed: int, length: int | None = None, window: int = WINDOW
) -> Order:
    """The order of a mix; the same for the same arguments, on every machine.

    A set whose samples are used up begins anew, in another order. Without `length`, the mix ends when each
    set with a weight was seen whole once.

    Raises:
        MixImpossible: guarantees that do not fit into a window, or weights that say nothing.
    """
    guaranteed = np.array([part.at_least for part in parts], dtype=np.int64)
    free = window - int(guaranteed.sum())
    if free < 0:
        raise MixImpossible(
            why=Text(
                f"{int(guaranteed.sum())} samples are guaranteed in every {window}",
                f"{window}개마다 보장한 샘플이 {int(guaranteed.sum())}개입니다",
            )
        )
    shares = np.array([part.share for part in parts])
    if not shares.sum():
        shares = guaranteed.astype(np.float64)
    wanted = np.maximum(shares / shares.sum() * window - guaranteed, 0.0)
    # Guarantees may have taken all that the weights ask for.
    wanted = wanted / wanted.sum() if wanted.sum() > 0 else shares / shares.sum()
    rates = (guaranteed + free * wanted) / window
    weighted: list[int] = []
    if length is None:
        weighted = [place for place in range(len(parts)) if shares[place] > 0]
        unreached = [parts[place].name for place in weighted if rates[place] <= 0]
        if unreached:
            raise MixImpossible(
                why=Text(f"nothing is left for {unreached[0]}", f"남는 자리가 없습니다({unreached[0]})")
            )
        length = max(int(np.ceil((sizes[place] + 2) / rates[place])) + window for place in weighted)
    if length > LONGEST:
        raise MixImpossible(why=Text(f"it would have {length:,} samples", f"샘플이 {length:,}개가 됩니다"))
    pattern = _pattern(guaranteed, free)
    sets = np.resize(pattern, length)
    open_places = np.flatnonzero(sets == len(parts))
    sets[open_places] = _shared(wanted, len(open_places))
    if weighted:
        # The guarantees of the last window may have left more places than are needed.
        ends = [np.flatnonzero(sets == place)[sizes[place] - 1] for place in weighted]
        sets = sets[: max(ends) + 1]
    items = np.empty(len(sets), dtype=np.uint32)
    for number, size in enumerate(sizes):
        places = np.flatnonzero(sets == number)
        items[places] = _drawn(size, len(places), seed, number)
    return Order(sets, items)


def least_in_windows(sets: NDArray[np.uint16], number: int, window: int = WINDOW) -> int:
    """The smallest count of one set in any window of consecutive samples; of a shorter mix, its count."""
    counted = np.concatenate(([0], np.cumsum(sets == number)))
    if len(sets) <= window:
        return int(counted[-1])
    return int((counted[window:] - counted[:-window]).min())


def mix(
    sources: Sequence[tuple[DataFile, Part]],
    target: Path,
    *,
    seed: int = 0,
    length: int | None = None,
    window: int = WINDOW,
    replace_target: bool = False,
) -> Mixed:
    """Write a mix of files to `target`, and the Mixed beside it as .recipe.json. Flawed rows are left out.

    Raises:
        MixImpossible
        NoSamples: a set without a sample.
        TargetExists, DiskFull, FolderUnusable, and what reading raises.
    """
    parts = [part for _, part in sources]
    never = [data.path for data, _ in sources]
    # Rejected answers are kept where all sets have them.
    form: Form = "preference" if all(data.written == "preference" for data, _ in sources) else "messages"
    with NewFiles(replace=replace_target, never=never) as files, _All(sources, form) as spilled:
        file = files.open(target)
        order = mix_order([len(one) for one in spilled], parts, seed=seed, length=length, window=window)
        counting = Fingerprint(form)
        for number, item in zip(order.sets.tolist(), order.items.tolist(), strict=True):
            line = spilled[number].line(item)
            counting.count(line)
            file.write(line)
        taken = np.bincount(order.sets, minlength=len(parts)).tolist()
        mixed = Mixed(
            file=target.name,
            fingerprint=counting.value,
            samples=len(order.sets),
            window=window,
            seed=seed,
            recipe=parts,
            parts=[
                MixedPart(
                    name=part.name,
                    samples=len(one),
                    taken=taken[number],
                    seen=round(taken[number] / len(one), 3),
                    least=least_in_windows(order.sets, number, window),
                    left_out=one.left_out,
                    fingerprint=one.fingerprint.value,
                )
                for number, (part, one) in enumerate(zip(parts, spilled, strict=True))
            ],
        )
        files.write(beside(target, "recipe", ".json"), mixed)
    return mixed


class _Spilled:
    """A set's lines in a temporary file, for reading in any order: eight bytes of memory for each."""

    def __init__(self, data: DataFile, form: Form, file: IO[bytes]) -> None:
        self._file = file
        self._offsets = array("Q", [0])
        self.left_out = 0
        self.fingerprint = Fingerprint(form)
        for row in data.rows():
            if isinstance(row, Flaw):
                self.left_out += 1
                continue
            line = self.fingerprint.add(tidied(row))
            self._offsets.append(self._offsets[-1] + file.write(line))
        if not len(self):
            raise NoSamples()

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def line(self, item: int) -> bytes:
        start, stop = self._offsets[item], self._offsets[item + 1]
        self._file.seek(start)
        return self._file.read(stop - start)


class _All:
    def __init__(self, sources: Sequence[tuple[DataFile, Part]], form: Form) -> None:
        self._sources, self._form = sources, form
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> list[_Spilled]:
        spilled = []
        try:
            for data, _ in self._sources:
                self._files.append(TemporaryFile(prefix="twotrack-mix-"))
                spilled.append(_Spilled(data, self._form, self._files[-1]))
        except BaseException:
            self.__exit__()
            raise
        return spilled

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()


def _pattern(guaranteed: NDArray[np.int64], free: int) -> NDArray[np.uint16]:
    """A window's places: each set's own, spread evenly, and `free` ones numbered after the last set."""
    counts = [*guaranteed.tolist(), free]
    keys = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    sets = np.repeat(np.arange(len(counts)), counts)
    return sets[np.lexsort((sets, keys))].astype(np.uint16)


def _shared(wanted: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """`count` places by the sets' shares, each set's spread evenly."""
    numbers = [np.arange(int(np.ceil(count * share)) + 1) for share in wanted.tolist()]
    keys = np.concatenate(
        [
            (places + 0.5) / share if share > 0 else np.full(len(places), np.inf)
            for places, share in zip(numbers, wanted.tolist(), strict=True)
        ]
    )
    sets = np.repeat(np.arange(len(numbers)), [len(places) for places in numbers])
    return sets[np.lexsort((sets, keys))][:count]


def _drawn(size: int, count: int, seed: int, number: int) -> _U32:
    """`count` of a set's samples: all of them in a random order, again and again."""
    drawn = []
    for cycle in range(-(-count // size)):
        start = splitmix(np.array([seed, number, cycle], dtype=np.uint64))
        key = splitmix(start[:1] ^ splitmix(start[1:2] ^ splitmix(start[2:])))[0]
        drawn.append(np.argsort(splitmix(np.arange(size, dtype=np.uint64) ^ key), kind="stable"))
    return np.concatenate([*drawn, np.empty(0, dtype=np.int64)])[:count].astype(np.uint32)
