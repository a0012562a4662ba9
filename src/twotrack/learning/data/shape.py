"""Writes what is worth learning of a data file to a new one beside it, with the recipe of how it was made."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from twotrack.learning.data.canonical import Fingerprint, Form, answer_of
from twotrack.learning.data.check import FLAGS, Checked, DataFile, Progress, check
from twotrack.learning.data.conversion import tidied
from twotrack.learning.data.errors import DataChanged, NothingLeft
from twotrack.learning.data.files import Flaw
from twotrack.learning.data.fitting import Fitting
from twotrack.learning.data.language import UNKNOWN
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.personal import without_personal
from twotrack.learning.data.report import FindingKind, Report
from twotrack.learning.data.writing import NewFiles, beside

DROPPED: tuple[FindingKind, ...] = ("duplicate", "leak", "unlearnable", "too_long")


class Shaping(BaseModel):
    """What becomes of the samples. Rows that are broken or empty are left out always."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Form = Field(default="messages", description="what is written; preference keeps rejected answers")
    drop: tuple[FindingKind, ...] = Field(default=DROPPED, description="findings whose samples are left out")
    mend_roles: bool = Field(default=False, description="a misspelt role becomes the nearest known one")
    mask_personal: bool = Field(default=False, description="personal data is replaced by its name")
    tidy: bool = Field(default=True, description="no blanks around texts, Hangul composed (NFC)")
    languages: tuple[str, ...] = Field(default=(), description="kept, such as ko and en; empty: all")
    shortest_answer: int = Field(default=1, ge=1, description="characters")
    longest_answer: int | None = Field(default=None, ge=1, description="characters")
    per_source: int | None = Field(default=None, ge=1, description="samples of one source at most")
    at_most: int | None = Field(
        default=None, ge=1, description="samples: of each fact the best one first, then the second, …"
    )


class Shaped(BaseModel):
    """How a shaped file came to be; `fingerprint` is the SHA-256 of the file."""

    file: str
    fingerprint: str
    samples: int
    source: str
    source_sha256: str
    source_fingerprint: str
    base: str | None
    rows: int
    left_out: dict[str, int]
    """Rows by the first reason that each was left out for."""
    masked: int
    shaping: Shaping


def shape(
    data: DataFile,
    shaping: Shaping,
    target: Path | None = None,
    *,
    fitting: Fitting | None = None,
    held_out: Sequence[Sample] | None = None,
    replace_target: bool = False,
    progress: Progress | None = None,
) -> tuple[Shaped, Report]:
    """Check the file, then write what is kept of it to `target`, and the Shaped beside that as .recipe.json.

    Raises:
        NothingLeft: no sample is kept; nothing is written then.
        DataChanged: the file is not any more what was checked.
        TargetExists, DiskFull, FolderUnusable, and what reading raises.
    """
    data = replace(data, mend_roles=shaping.mend_roles)
    target = target or beside(data.path, "shaped")
    with NewFiles(replace=replace_target, never=[data.path]) as files:
        file = files.open(target)
        checked = check(data, fitting=fitting, held_out=held_out, progress=_half(progress, 0.0))
        keeping = _Keeping(shaping, checked)
        chosen = keeping.chosen(data)
        before, after = Fingerprint(data.written), Fingerprint(shaping.to)
        masked = 0
        for number, row in enumerate(data.rows()):
            if isinstance(row, Flaw):
                continue
            before.add(row)
            if number >= len(chosen) or not chosen[number]:
                continue
            sample = tidied(row) if shaping.tidy else row
            if shaping.mask_personal and checked.flags[number] & FLAGS["personal"]:
                sample = _masked(sample, checked.language_names[checked.languages[number]])
                masked += 1
            file.write(after.add(sample))
            if progress is not None and number % 1000 == 0:
                progress(number, 0.5 + 0.5 * number / len(chosen))
        if before.value != checked.report.fingerprint:
            raise DataChanged(name=data.path.name)
        kept = int(chosen.sum())
        if not kept:
            reasons = ", ".join(f"{name} {count}" for name, count in keeping.left_out.items())
            raise NothingLeft(rows=checked.report.rows, reasons=reasons)
        shaped = Shaped(
            file=target.name,
            fingerprint=after.value,
            samples=kept,
            source=data.path.name,
            source_sha256=checked.report.sha256,
            source_fingerprint=checked.report.fingerprint,
            base=checked.report.fit.base if checked.report.fit else None,
            rows=checked.report.rows,
            left_out=dict(keeping.left_out),
            masked=masked,
            shaping=shaping,
        )
        files.write(beside(target, "recipe", ".json"), shaped)
    return shaped, checked.report


_WEAK = np.uint16(sum(FLAGS[kind] for kind in ("personal", "garbled", "repetitive", "boilerplate")))


class _Keeping:
    """Which rows are kept; the others are counted by the first reason that holds."""

    def __init__(self, shaping: Shaping, checked: Checked) -> None:
        self._shaping = shaping
        self._checked = checked
        self.left_out: Counter[str] = Counter()

    def chosen(self, data: DataFile) -> NDArray[np.bool_]:
        flags = self._checked.flags
        kept = np.ones(len(flags), dtype=bool)
        unfit: tuple[FindingKind, ...] = ("broken", "role", "empty")
        for kind in (*unfit, *(kind for kind in self._shaping.drop if kind not in unfit)):
            self._leave_out(kept, (flags & FLAGS[kind]) != 0, kind)
        names = self._checked.language_names
        if wanted := self._shaping.languages:
            known = np.array([name in wanted or name == UNKNOWN for name in names])
            self._leave_out(kept, ~known[self._checked.languages], "language")
        self._by_content(kept, data)
        if (most := self._shaping.at_most) is not None and most < kept.sum():
            best = np.zeros(len(kept), dtype=bool)
            best[self._ranked(kept)[:most]] = True
            self._leave_out(kept, ~best, "at_most")
        return kept

    def _by_content(self, kept: NDArray[np.bool_], data: DataFile) -> None:
        shaping = self._shaping
        if shaping.shortest_answer == 1 and shaping.longest_answer is None and shaping.per_source is None:
            return
        longest = shaping.longest_answer or 2**62
        sources: Counter[str | None] = Counter()
        for number, row in enumerate(data.rows()):
            if isinstance(row, Flaw) or number >= len(kept) or not kept[number]:
                continue
            reason = None
            if not shaping.shortest_answer <= len(answer_of(row).strip()) <= longest:
                reason = "answer_length"
            elif shaping.per_source is not None:
                sources[row.source] += 1
                reason = "per_source" if sources[row.source] > shaping.per_source else None
            if reason is not None:
                kept[number] = False
                self.left_out[reason] += 1

    def _ranked(self, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The kept rows, the best of each group before the second of any."""
        rows = np.flatnonzero(kept)
        weak = np.bitwise_count(self._checked.flags[rows] & _WEAK)
        groups = self._checked.groups[rows]
        order = np.lexsort((rows, weak, groups))
        place = np.arange(len(order))
        starts = np.r_[True, np.diff(groups[order]) != 0]
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = place - np.maximum.accumulate(np.where(starts, place, 0))
        ranked: NDArray[np.int64] = rows[np.lexsort((rows, weak, rank))]
        return ranked

    def _leave_out(self, kept: NDArray[np.bool_], unwanted: NDArray[np.bool_], reason: str) -> None:
        if count := int((kept & unwanted).sum()):
            self.left_out[reason] += count
        kept &= ~unwanted


def _masked(sample: Sample, language: str) -> Sample:
    def mask(text: str) -> str:
        return without_personal(text, language)

    messages = tuple({**one, "content": mask(one["content"])} for one in sample.messages)
    text, rejected = (value and mask(value) for value in (sample.text, sample.rejected))
    return replace(sample, messages=messages, text=text, rejected=rejected)


def _half(progress: Progress | None, start: float) -> Callable[[int, float], None] | None:
    return progress and (lambda rows, fraction: progress(rows, start + fraction / 2))
