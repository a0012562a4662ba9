"""Splits data into parts by group: what says the same is all in one part, none is judged by another."""

import math
from array import array
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from twotrack.core.language import Text
from twotrack.learning.data.canonical import Fingerprint, canonical_line, content_hash
from twotrack.learning.data.check import BLOCK, DataFile
from twotrack.learning.data.conversion import tidied
from twotrack.learning.data.errors import DataChanged, NoSamples, SplitImpossible
from twotrack.learning.data.files import Flaw
from twotrack.learning.data.grouping import Grouping
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.similarity import splitmix
from twotrack.learning.data.writing import NewFiles, beside

PARTS = {"train": 0.8, "tuning": 0.1, "proof": 0.1}
"""Training; choosing gains and settings; judging, which nothing else may see."""


class SplitPart(BaseModel):
    name: str
    file: str
    fingerprint: str
    samples: int
    groups: int
    wanted: float
    """The share that was asked for."""


class Split(BaseModel):
    """How a split came to be."""

    source: str
    fingerprint: str
    seed: int
    grouped_by: str
    """"group" for a column of the data, else "content"."""
    samples: int
    groups: int
    largest_group: int
    left_out: int
    parts: list[SplitPart]


def assign(
    groups: NDArray[np.int64], keys: NDArray[np.uint64], shares: Sequence[float], *, seed: int
) -> NDArray[np.int64]:
    """Of each sample the number of its part; all samples of a group get the same.

    `groups` has a label for each sample, `keys` a number that stands for its content: with the seed these
    decide, not the order of the file. No part has more than its share and one group.

    Raises:
        SplitImpossible: fewer groups than parts, or shares that are none.
    """
    if any(not math.isfinite(share) or share <= 0 for share in shares):
        raise SplitImpossible(why=Text("a share is not above 0", "비율이 0보다 커야 합니다"))
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) < len(shares):
        raise SplitImpossible(
            why=Text(
                f"{len(counts)} groups for {len(shares)} parts",
                f"묶음이 {len(counts)}개인데 {len(shares)}부분입니다",
            )
        )
    smallest = np.full(len(counts), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, inverse, keys)
    shuffled = splitmix(smallest ^ splitmix(np.array([seed], dtype=np.uint64)))
    total = sum(shares)
    need = [share / total * len(groups) for share in shares]
    # Groups that would overfill a small part come first, while there is still a choice.
    large = np.where(counts * 10 > min(need), counts, 0)
    taken = np.zeros(len(counts), dtype=np.int64)
    empty = set(range(len(shares)))
    order = np.lexsort((shuffled, -large)).tolist()
    for done, group in enumerate(order):
        open_parts = empty if len(order) - done == len(empty) else range(len(shares))
        part = max(open_parts, key=lambda one: (need[one], -one))
        taken[group] = part
        need[part] -= int(counts[group])
        empty.discard(part)
    return taken[inverse]


def split(
    data: DataFile,
    parts: dict[str, float] | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    replace_targets: bool = False,
) -> Split:
    """Write NAME.train.jsonl and its like beside the file, and the Split as NAME.split.json.

    Raises:
        SplitImpossible, NoSamples
        DataChanged: the file is not any more what it was when it was grouped.
        TargetExists, DiskFull, FolderUnusable, and what reading raises.
    """
    parts = PARTS if parts is None else parts
    place = (folder or data.path.parent) / data.path.name
    targets = [beside(place, name) for name in parts]
    with NewFiles(replace=replace_targets, never=[data.path]) as files:
        opened = [files.open(target) for target in targets]
        groups, keys, fingerprint, left_out = _grouped(data)
        if not len(groups):
            raise NoSamples()
        assigned = assign(groups, keys, list(parts.values()), seed=seed)
        again, counting = Fingerprint(data.written), [Fingerprint(data.written) for _ in parts]
        rows = (row for row in data.rows() if isinstance(row, Sample))
        for number, sample in enumerate(rows):
            again.add(sample)
            if number < len(assigned):
                part = int(assigned[number])
                opened[part].write(counting[part].add(tidied(sample)))
        if again.value != fingerprint:
            raise DataChanged(name=data.path.name)
        _, counts = np.unique(groups, return_counts=True)
        found = Split(
            source=data.path.name,
            fingerprint=fingerprint,
            seed=seed,
            grouped_by="group" if "group" in data.data.columns else "content",
            samples=len(groups),
            groups=len(counts),
            largest_group=int(counts.max()),
            left_out=left_out,
            parts=[
                SplitPart(
                    name=name,
                    file=targets[number].name,
                    fingerprint=counting[number].value,
                    samples=int((assigned == number).sum()),
                    groups=len(np.unique(groups[assigned == number])),
                    wanted=round(share / sum(parts.values()), 6),
                )
                for number, (name, share) in enumerate(parts.items())
            ],
        )
        files.write(beside(place, "split", ".json"), found)
    return found


def _grouped(data: DataFile) -> tuple[NDArray[np.int64], NDArray[np.uint64], str, int]:
    """Of each sample its group and a number for its content; the fingerprint, and how many rows are none."""
    grouping, counting = Grouping(), Fingerprint(data.written)
    keys, left_out = array("Q"), 0
    try:
        rows = data.rows()
        while block := list(islice(rows, BLOCK)):
            samples = [row for row in block if not isinstance(row, Flaw)]
            left_out += len(block) - len(samples)
            grouping.add(range(len(keys), len(keys) + len(samples)), samples)
            for sample in samples:
                counting.add(sample)
                keys.append(content_hash(canonical_line(sample, "preference")))
        groups = grouping.groups(len(keys))
    finally:
        grouping.close()
    return groups, np.frombuffer(keys, dtype=np.uint64), counting.value, left_out
