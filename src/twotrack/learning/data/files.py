"""Files of training data as a stream of records, whatever they are called: what they are, their content says.

Reads in bounded memory. A row that is broken is a Flaw with its line and the reading goes on behind it.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from twotrack.core.language import Text
from twotrack.learning.data.errors import FileNotReadable, FileUnknown, ParquetNotInstalled
from twotrack.learning.data.json_stream import read_elements
from twotrack.learning.data.lines import is_encodable, kind_of

FileKind = Literal["jsonl", "json", "csv", "parquet", "text"]
FlawKind = Literal["broken", "empty", "role"]

LONGEST_ROW = 2**24
"""Characters. What is longer is no sample, and most often a quote or bracket that is never closed."""

_HEAD = 2**18
_SNIFFED_LINES = 50
_DELIMITERS = ",\t;|"
_PARQUET = b"PAR1"
_FOREIGN = {
    b"PK\x03\x04": Text("it is a ZIP package (XLSX, DOCX, …)", "ZIP 형식의 파일입니다(XLSX, DOCX 등)"),
    b"\x1f\x8b": Text("it is packed with gzip", "gzip으로 압축되어 있습니다"),
    b"\x28\xb5\x2f\xfd": Text("it is packed with Zstandard", "Zstandard로 압축되어 있습니다"),
    b"%PDF": Text("it is a PDF", "PDF 문서입니다"),
    b"\xd0\xcf\x11\xe0": Text(
        "it is an old office file (XLS, DOC, HWP)", "구형 오피스 파일입니다(XLS, DOC, HWP)"
    ),
    b"ARROW1": Text("it is an Arrow file", "Arrow 파일입니다"),
    b"SQLite format": Text("it is a SQLite database", "SQLite 데이터베이스입니다"),
}
# A table of one column looks like text; only a header of these names makes it a table.
_LONE_HEADERS = frozenset({"text", "content", "document", "본문", "내용"})


@dataclass(frozen=True)
class Record:
    """A row as it stands in the file. `line` counts from 1; in Parquet it is the row."""

    line: int
    fields: dict[str, Any]


@dataclass(frozen=True)
class Flaw:
    """A row that is no sample: not readable, empty, or with a role that is spelt otherwise."""

    line: int
    kind: FlawKind
    why: Text


@dataclass(frozen=True)
class FileForm:
    """What a file is. `key` is the field of a JSON document that holds the rows."""

    kind: FileKind
    encoding: str = "utf-8"
    delimiter: str | None = None
    by_paragraph: bool = False


def recognize_file(path: Path) -> FileForm:
    """
    Raises:
        FileNotReadable: it is not there, or no file.
        FileUnknown: nothing of what is known.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0, 2)
            whole = file.tell() == len(head)
            file.seek(-4, 2) if file.tell() >= 8 else None
            tail = file.read(4)
    except OSError as error:
        raise FileNotReadable(path=str(path), why=error.strerror or type(error).__name__) from None
    if head.startswith(_PARQUET) and tail == _PARQUET:
        return FileForm("parquet")
    for magic, why in _FOREIGN.items():
        if head.startswith(magic):
            raise FileUnknown(name=path.name, why=why)
    encoding = _encoding(head)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    if encoding == "utf-8" and "\0" in text:
        raise FileUnknown(name=path.name, why=Text("it is binary", "텍스트가 아닌 이진 파일입니다"))
    if not text.strip():
        return FileForm("text", encoding)
    first = text.lstrip()[0]
    lines = text.splitlines() if whole else text.split("\n")[:-1] or [text]
    if first in "{[" and (kind := _json_kind(first, lines, whole)):
        return FileForm(kind, encoding)
    if delimiter := _delimiter(lines):
        return FileForm("csv", encoding, delimiter)
    return FileForm("text", encoding, by_paragraph=any(not line.strip() for line in lines[:-1]))


def read_records(path: Path, form: FileForm) -> Iterator[Record | Flaw]:
    """The rows in their order, blank lines left out.

    Raises:
        FileNotReadable
        FileUnknown: a Parquet file that is broken.
        ParquetNotInstalled
    """
    if form.kind == "parquet":
        yield from _parquet(path)
        return
    try:
        # Bytes that are no text become lone surrogates, which each row is then looked through for.
        # A line feed alone ends a line, but in CSV, where the reader wants to see for itself.
        ends = "" if form.kind == "csv" else "\n"
        with path.open(encoding=form.encoding, errors="surrogateescape", newline=ends) as file:
            _skip_mark(file)
            match form.kind:
                case "jsonl":
                    yield from _json_lines(file)
                case "json":
                    yield from _json(file)
                case "csv":
                    yield from _table(file, form.delimiter or ",")
                case _:
                    yield from _texts(file, form.by_paragraph)
    except OSError as error:
        raise FileNotReadable(path=str(path), why=error.strerror or type(error).__name__) from None


def _encoding(head: bytes) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return name
    for name in ("utf-8", "cp949"):
        try:
            head.decode(name)
        except UnicodeDecodeError as error:
            # The head may end in the middle of a character.
            if error.start >= len(head) - 4 and len(head) == _HEAD:
                return name
            if name == "utf-8" and _mostly_utf8(head):
                return name
        else:
            return name
    return "utf-8"


def _mostly_utf8(head: bytes) -> bool:
    """One broken byte in a file of UTF-8 is a broken row, not another encoding."""
    shown = head.decode("utf-8", "replace")
    beyond = sum(character > "\x7f" for character in shown)
    return shown.count("\ufffd") * 10 < beyond


def _json_kind(first: str, lines: list[str], whole: bool) -> Literal["json", "jsonl"] | None:
    objects = 0
    shown = [line for line in lines if line.strip()][:_SNIFFED_LINES]
    for line in shown:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        objects += isinstance(value, dict)
        if isinstance(value, list) and len(shown) == 1 and whole:
            return "json"
        if isinstance(value, dict) and len(shown) == 1 and whole and _rows_field(value):
            return "json"
    if objects and (first == "{" or objects > 1 and not lines[0].strip().startswith("[{")):
        return "jsonl"
    after = "".join(lines)[:_HEAD].lstrip()[1:].lstrip()[:1]
    # A text may begin with a bracket, too.
    return "json" if after in '"{[]' or not after else ("jsonl" if first == "{" else None)


def _rows_field(document: dict[str, Any]) -> str | None:
    """The one field of a document that is a list of objects; messages of one sample are no rows."""
    found = [
        name
        for name, value in document.items()
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value[:20])
    ]
    if len(found) != 1:
        return None
    first = document[found[0]][0]
    return None if {"content", "value"} & first.keys() and {"role", "from"} & first.keys() else found[0]


def _delimiter(lines: list[str]) -> str | None:
    shown = [line for line in lines if line.strip()]
    if len(shown) < 2:
        return None
    if shown[0].strip().strip('"').lower() in _LONE_HEADERS:
        return ","
    best: tuple[float, str] | None = None
    for delimiter in _DELIMITERS:
        if delimiter not in shown[0]:
            continue
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        # The last row may be cut off where the head ends.
        header, rows = rows[0], rows[1:-1] or rows[1:]
        names = [name.strip() for name in header]
        if not rows or not all(names) or len(set(names)) < len(names) or max(map(len, names)) > 64:
            continue
        fitting = sum(len(row) == len(header) for row in rows) / len(rows)
        if fitting >= 0.6 and (best is None or (fitting * len(header), delimiter) > best):
            best = (fitting * len(header), delimiter)
    return best and best[1]


def _skip_mark(file: IO[str]) -> None:
    if file.read(1) != "\ufeff":
        file.seek(0)


def _json_lines(file: IO[str]) -> Iterator[Record | Flaw]:
    line = 0
    while raw := file.readline(LONGEST_ROW):
        line += 1
        if len(raw) == LONGEST_ROW and not raw.endswith("\n"):
            while (rest := file.readline(LONGEST_ROW)) and not rest.endswith("\n"):
                pass
            yield Flaw(line, "broken", _TOO_LONG)
            continue
        if not raw.strip():
            continue
        try:
            yield _record(line, json.loads(raw), raw)
        except json.JSONDecodeError as error:
            why = Text(
                f"not JSON at character {error.colno}: {error.msg}",
                f"{error.colno}번째 글자에서 JSON이 깨졌습니다: {error.msg}",
            )
            yield Flaw(line, "broken", why)
        except (ValueError, RecursionError):
            yield Flaw(line, "broken", _UNREADABLE)


def _json(file: IO[str]) -> Iterator[Record | Flaw]:
    for line, value, raw in read_elements(file, LONGEST_ROW):
        if isinstance(value, Text):
            yield Flaw(line, "broken", value)
        elif isinstance(value, dict) and (field := _rows_field(value)):
            # A document around the rows; what else it says is about the whole.
            whole = raw if is_encodable(raw) else "\ud800"
            for number, row in enumerate(value[field]):
                # Looked through once: the text is that of all rows together.
                yield _record(line, row, "" if whole is raw and number else whole)
        else:
            yield _record(line, value, raw)


def _record(line: int, value: Any, raw: str) -> Record | Flaw:
    if not raw.isascii() and not is_encodable(raw):
        return Flaw(line, "broken", _NOT_TEXT)
    if not isinstance(value, dict):
        kind = kind_of(value)
        return Flaw(line, "broken", Text(f"it is {kind.en}, not an object", f"객체가 아니라 {kind.ko}입니다"))
    return Record(line, value)


def _table(file: IO[str], delimiter: str) -> Iterator[Record | Flaw]:
    csv.field_size_limit(LONGEST_ROW)
    rows = csv.reader(file, delimiter=delimiter)
    header: list[str] | None = None
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Flaw(line, "broken", Text(f"no CSV: {error}", f"CSV가 깨졌습니다: {error}"))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            header = [name.strip() for name in row]
        elif len(row) != len(header):
            why = Text(
                f"{len(row)} cells under {len(header)} columns",
                f"열은 {len(header)}개인데 칸이 {len(row)}개입니다",
            )
            yield Flaw(line, "broken", why)
        elif not all(cell.isascii() or is_encodable(cell) for cell in row):
            yield Flaw(line, "broken", _NOT_TEXT)
        else:
            yield Record(line, dict(zip(header, row, strict=True)))


def _texts(file: IO[str], by_paragraph: bool) -> Iterator[Record | Flaw]:
    """Paragraphs, with blank lines between; where there is no blank line, each line is a text."""
    start, held, size = 1, list[str](), 0
    line = 0
    while raw := file.readline(LONGEST_ROW):
        line += 1
        ended = not raw.strip() or not by_paragraph
        if raw.strip():
            start = start if held else line
            held.append(raw)
            size += len(raw)
        if held and (ended or size >= LONGEST_ROW):
            yield _text(start, held)
            held, size = [], 0
    if held:
        yield _text(start, held)


def _text(line: int, held: list[str]) -> Record | Flaw:
    text = "".join(held).replace("\r\n", "\n").strip()
    return Record(line, {"text": text}) if is_encodable(text) else Flaw(line, "broken", _NOT_TEXT)


def _parquet(path: Path) -> Iterator[Record | Flaw]:
    try:
        import pyarrow as arrow  # type: ignore[import-untyped]  # it ships no type information
        import pyarrow.parquet as parquet  # type: ignore[import-untyped]
    except ImportError:
        raise ParquetNotInstalled(name=path.name) from None
    row = 0
    try:
        # Without a buffer of its own it would hold whole groups of rows, which may be the whole file.
        with parquet.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=256, use_threads=False):
                for fields in batch.to_pylist():
                    row += 1
                    yield Record(row, fields)
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        why = Text(
            f"Parquet is broken after row {row} ({said})", f"{row}번째 행 뒤에서 Parquet이 깨졌습니다({said})"
        )
        raise FileUnknown(name=path.name, why=why) from None


_TOO_LONG = Text(
    f"longer than {LONGEST_ROW:,} characters, which is no sample",
    f"샘플이라기에는 너무 깁니다({LONGEST_ROW:,}자 초과)",
)
_UNREADABLE = Text("no JSON that can be read", "읽을 수 있는 JSON이 아닙니다")
_NOT_TEXT = Text(
    "it holds bytes that are no text in this encoding", "이 인코딩의 글자가 아닌 바이트가 있습니다"
)
