"""Looks training data through in one pass, in bounded memory: what is in it, what is wrong, and where."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twotrack.core.language import Text
from twotrack.learning.data import personal, quality
from twotrack.learning.data.canonical import Fingerprint, Form, answer_of, question_of, text_of
from twotrack.learning.data.conversion import Converter, tidied
from twotrack.learning.data.errors import NoSamples
from twotrack.learning.data.files import FileForm, Flaw, Record, read_records, recognize_file
from twotrack.learning.data.fitting import Fitting
from twotrack.learning.data.formats import LOOKED_AT, DataForm, recognize_format
from twotrack.learning.data.grouping import Grouping
from twotrack.learning.data.held_out import HeldOut, given_away
from twotrack.learning.data.language import UNKNOWN, languages_of
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.report import (
    EXAMPLES,
    KINDS,
    ORDER,
    Example,
    Finding,
    FindingKind,
    Frequent,
    Report,
    Share,
    Spread,
    Words,
)

BLOCK = 512
"""Rows that are looked at together."""

_SOURCES = 10_000
_FREQUENT = 5

Progress = Callable[[int, float], None]
"""Hears of rows that are done, and of the part of the file, 0 to 1."""

FLAGS: dict[FindingKind, int] = {kind: 1 << place for place, kind in enumerate(ORDER)}


@dataclass(frozen=True)
class DataFile:
    """A file that was recognized; its rows can be read as often as needed."""

    path: Path
    form: FileForm
    data: DataForm
    mend_roles: bool = False
    source: str | None = None

    @property
    def written(self) -> Form:
        """The form that keeps all of it."""
        return "preference" if self.data.format == "preference" else "messages"

    def rows(self) -> Iterator[Sample | Flaw]:
        """Samples and flaws in the order of the rows."""
        converter = Converter(self.data, self.mend_roles, self.source)
        for record in read_records(self.path, self.form):
            yield converter.convert(record) if isinstance(record, Record) else record


def open_data(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    mend_roles: bool = False,
    source: str | None = None,
) -> DataFile:
    """Recognize a file by its content; `columns` says by hand what columns mean.

    Raises:
        FileNotReadable, FileUnknown, ParquetNotInstalled, ColumnsUnknown, ColumnRefused
        NoSamples: there is no row.
    """
    form = recognize_file(path)
    first = list(islice(read_records(path, form), LOOKED_AT))
    if not first:
        raise NoSamples()
    records = [one for one in first if isinstance(one, Record)]
    if not records:
        # All of the first rows are broken; perhaps a later one tells what this is.
        records = [one for one in islice(read_records(path, form), 10_000) if isinstance(one, Record)][
            :LOOKED_AT
        ]
    return DataFile(path, form, recognize_format(records, columns), mend_roles, source)


@dataclass
class Checked:
    """A report, and of each row what was found: `flags` and `lines` are as long as the file has rows."""

    report: Report
    flags: NDArray[np.uint16]
    lines: NDArray[np.int64]
    languages: NDArray[np.uint8]
    language_names: list[str]
    groups: NDArray[np.int64]
    """Of each row the first row of its group, as Grouping has it; of a flawed row its own number."""


def check(
    data: DataFile,
    *,
    fitting: Fitting | None = None,
    held_out: Sequence[Sample] | None = None,
    progress: Progress | None = None,
) -> Checked:
    """One pass over the file. Raises what reading it raises."""
    looking = _Looking(data, fitting, HeldOut(held_out) if held_out is not None else None)
    looking.given_away = given_away(held_out or ())
    try:
        size = max(1, data.path.stat().st_size)
        rows = _counted_bytes(data)
        while block := list(islice(rows, BLOCK)):
            looking.look([row for row, _ in block])
            if progress is not None:
                progress(looking.rows, min(1.0, block[-1][1] / size))
        return looking.finish()
    finally:
        looking.close()


def _counted_bytes(data: DataFile) -> Iterator[tuple[Sample | Flaw, int]]:
    """Rows with about how many bytes of the file were read for them."""
    read = 0
    for row in data.rows():
        read += 40 + (len(text_of(row).encode()) if isinstance(row, Sample) else 0)
        yield row, read


@dataclass
class _Looking:
    data: DataFile
    fitting: Fitting | None
    held_out: HeldOut | None
    rows: int = 0
    samples: int = 0
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    flags: "array[int]" = field(default_factory=lambda: array("H"))
    spoken: "array[int]" = field(default_factory=lambda: array("B"))
    question_sizes: "array[int]" = field(default_factory=lambda: array("I"))
    answer_sizes: "array[int]" = field(default_factory=lambda: array("I"))
    examples: dict[FindingKind, list[Example]] = field(default_factory=dict)
    languages: list[str] = field(default_factory=list)
    crossing: int = 0
    given_away: list[int] = field(default_factory=list)
    turns: Counter[int] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    language_counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.grouping = Grouping()
        self.fingerprint = Fingerprint(self.data.written)

    def close(self) -> None:
        self.grouping.close()
        if self.held_out is not None:
            self.held_out.close()

    def look(self, block: Sequence[Sample | Flaw]) -> None:
        samples = [row for row in block if isinstance(row, Sample)]
        questions, answers = [question_of(one) for one in samples], [answer_of(one) for one in samples]
        asked, answered = languages_of(questions), languages_of(answers)
        unfit = self.fitting.unfit(samples) if self.fitting and samples else [None] * len(samples)
        numbers = []
        place = 0
        for row in block:
            number = self.rows
            self.rows += 1
            self.lines.append(row.line)
            self.flags.append(0)
            if isinstance(row, Flaw):
                self.spoken.append(self._language(UNKNOWN))
                self.note(number, row.kind, row.why)
                continue
            numbers.append(number)
            question, answer = questions[place], answers[place]
            language = answered[place] if answered[place] != UNKNOWN else asked[place]
            self.spoken.append(self._language(language))
            self.language_counts[language] += 1
            self.crossing += (
                UNKNOWN not in (asked[place], answered[place]) and asked[place] != answered[place]
            )
            self.question_sizes.append(len(question))
            self.answer_sizes.append(len(answer))
            self.turns[sum(one["role"] == "assistant" for one in row.messages)] += 1
            if row.source is not None and (row.source in self.sources or len(self.sources) < _SOURCES):
                self.sources[row.source] += 1
            self._look_at(number, row, answer)
            if (found := unfit[place]) is not None:
                self.note(number, "too_long" if found.too_long else "unlearnable", found.why)
            self.fingerprint.add(row)
            place += 1
        self.samples += len(samples)
        self.grouping.add(numbers, samples)
        if self.held_out is not None:
            self.held_out.compare(numbers, samples)

    def _look_at(self, number: int, sample: Sample, answer: str) -> None:
        for kind in quality.weak_in(answer):
            self.note(number, kind, quality.NAMES[kind])
        text = text_of(sample)
        if found := personal.find_personal(text):
            shown = ", ".join(personal.masked(text, one) for one in found[:3])
            kinds = [personal.NAMES[kind] for kind in dict.fromkeys(one.kind for one in found)]
            why = Text(
                f"{', '.join(kind.en for kind in kinds)}: {shown}",
                f"{', '.join(kind.ko for kind in kinds)}: {shown}",
            )
            self.note(number, "personal", why)
        if tidied(sample) is not sample:
            self.note(number, "untidy", _UNTIDY)

    def _language(self, name: str) -> int:
        if name not in self.languages:
            self.languages.append(name)
        return self.languages.index(name)

    def note(self, number: int, kind: FindingKind, why: Text, other: int | None = None) -> None:
        self.flags[number] |= FLAGS[kind]
        named = self.examples.setdefault(kind, [])
        if len(named) < EXAMPLES:
            named.append(Example(line=self.lines[number], what=Words.of(why), other=other))

    def finish(self) -> Checked:
        if self.held_out is not None:
            for number, why, other in self.held_out.leaks():
                self.note(number, "leak", why, other)
        flags = np.frombuffer(self.flags, dtype=np.uint16)
        repeated = self.grouping.repeated(flags)
        for number, kept in repeated.duplicates:
            self.note(number, "duplicate", _SAME, self.lines[kept])
        for number, kept in repeated.near:
            self.note(number, "near_duplicate", _NEARLY, self.lines[kept])
        groups = self.grouping.groups(self.rows)
        lines = np.frombuffer(self.lines, dtype=np.int64)
        return Checked(
            report=self._report(flags, lines, groups),
            flags=flags,
            lines=lines,
            languages=np.frombuffer(self.spoken, dtype=np.uint8),
            language_names=self.languages,
            groups=groups,
        )

    def _report(
        self, flags: NDArray[np.uint16], lines: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> Report:
        findings = []
        for kind in ORDER:
            if rows := int(np.count_nonzero(flags & FLAGS[kind])):
                about = KINDS[kind]
                examples = sorted(self.examples[kind], key=lambda one: one.line)
                findings.append(
                    Finding(kind=kind, name=about.name, rows=rows, examples=examples, fix=about.fix)
                )
        data = self.data
        return Report(
            name=data.path.name,
            file=data.form.kind,
            encoding=data.form.encoding,
            bytes=data.path.stat().st_size,
            sha256=file_sha256(data.path),
            format=data.data.format,
            columns=data.data.columns,
            unused=list(data.data.unused),
            rows=self.rows,
            samples=self.samples,
            fingerprint=self.fingerprint.value,
            findings=findings,
            languages=_shares(self.language_counts),
            crossing=self.crossing,
            turns=[Share(name=str(name), samples=count) for name, count in sorted(self.turns.items())[:20]],
            sources=_shares(self.sources),
            questions=Spread.of(self.question_sizes),
            answers=Spread.of(self.answer_sizes),
            groups=self.grouping.count(groups),
            frequent=[
                Frequent(line=int(lines[number]), samples=count)
                for number, count in self.grouping.frequent_answers(_FREQUENT)
            ],
            given_away=self.given_away[:EXAMPLES],
            fit=self.fitting.report() if self.fitting else None,
        )


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shares(counted: Counter[str]) -> list[Share]:
    return [Share(name=name, samples=count) for name, count in counted.most_common(20)]


_SAME = Text("the same as another sample", "다른 샘플과 똑같습니다")
_NEARLY = Text("nearly the same as another sample", "다른 샘플과 거의 같습니다")
_UNTIDY = Text(
    "blanks around a text, or Hangul taken apart (NFD)", "글 앞뒤의 공백이나 자모가 분리된 한글(NFD)"
)
