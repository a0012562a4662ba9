"""Files of data are what their content says, and a broken row costs that row alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twotrack.core.errors import TwotrackError
from twotrack.learning.data.check import open_data
from twotrack.learning.data.errors import FileNotReadable, FileUnknown
from twotrack.learning.data.files import FileForm, Flaw, Record, read_records, recognize_file

_ROWS = [{"instruction": f"질문 {n}", "output": f"답변, 그리고 {n}"} for n in range(1, 8)]


def _read(path: Path) -> tuple[FileForm, list[Record | Flaw]]:
    form = recognize_file(path)
    return form, list(read_records(path, form))


def _fields(found: list[Record | Flaw]) -> list[dict[str, Any]]:
    assert all(isinstance(one, Record) for one in found), found
    return [one.fields for one in found if isinstance(one, Record)]


def _csv(delimiter: str = ",") -> str:
    rows = [list(_ROWS[0]), *(list(row.values()) for row in _ROWS)]
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)


_LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _ROWS)


@pytest.mark.parametrize(
    ("data", "kind", "encoding"),
    [
        pytest.param(_LINES.encode(), "jsonl", "utf-8", id="jsonl"),
        pytest.param(_LINES.encode("cp949"), "jsonl", "cp949", id="jsonl from Windows"),
        pytest.param(b"\xef\xbb\xbf" + _LINES.encode(), "jsonl", "utf-8", id="jsonl with a mark"),
        pytest.param(_LINES.encode("utf-16"), "jsonl", "utf-16-le", id="jsonl in UTF-16"),
        pytest.param(json.dumps(_ROWS).encode(), "json", "utf-8", id="json in one line"),
        pytest.param(json.dumps(_ROWS, indent=2, ensure_ascii=False).encode(), "json", "utf-8", id="json"),
        pytest.param(
            json.dumps({"data": _ROWS}, indent=1).encode(), "json", "utf-8", id="rows in a document"
        ),
        pytest.param(
            json.dumps({"version": 2, "rows": _ROWS}).encode(), "json", "utf-8", id="document, one line"
        ),
        pytest.param(
            "\n".join(json.dumps(r, indent=1) for r in _ROWS).encode(), "json", "utf-8", id="objects"
        ),
        pytest.param(_csv().encode(), "csv", "utf-8", id="csv"),
        pytest.param(_csv().encode("cp949"), "csv", "cp949", id="csv from a Korean Excel"),
        pytest.param(_csv("\t").encode(), "csv", "utf-8", id="tsv"),
        pytest.param(_csv(";").replace("\n", "\r\n").encode(), "csv", "utf-8", id="semicolons"),
    ],
)
@pytest.mark.parametrize("name", ["data.jsonl", "data.csv", "data"])
def test_content_decides_whatever_the_name(
    tmp_path: Path, name: str, data: bytes, kind: str, encoding: str
) -> None:
    (tmp_path / name).write_bytes(data)
    form, found = _read(tmp_path / name)
    assert (form.kind, form.encoding) == (kind, encoding)
    assert _fields(found) == _ROWS


def test_parquet_is_read_row_by_row(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "data.csv"
    parquet.write_table(arrow.Table.from_pylist(_ROWS), path)
    form, found = _read(path)
    assert form.kind == "parquet"
    assert _fields(found) == _ROWS
    assert [one.line for one in found] == [1, 2, 3, 4, 5, 6, 7]


def test_parquet_that_is_cut_in_the_middle_is_refused_in_words(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1" + b"\x00" * 200 + b"PAR1")
    with pytest.raises(FileUnknown, match="Parquet is broken after row 0"):
        _read(path)


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(_ROWS, indent=2, ensure_ascii=False))
    assert [one.line for one in _read(path)[1]] == [2, 6, 10, 14, 18, 22, 26]
    path.write_text('q,a\n"one\ntwo",x\n\n"three",y\n')
    assert [one.line for one in _read(path)[1]] == [2, 5]


def test_a_broken_row_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    lines = _LINES.splitlines()
    lines[2] = '{"instruction": "x", "output": '
    lines[3] = "[1, 2]"
    path = tmp_path / "x"
    path.write_bytes("\n".join(lines).encode() + b'\n{"instruction": "\xff", "output": "y"}\n')
    found = _read(path)[1]
    flaws = [one for one in found if isinstance(one, Flaw)]
    assert [flaw.line for flaw in flaws] == [3, 4, 8]
    assert "not JSON at character" in flaws[0].why.en
    assert "a list, not an object" in flaws[1].why.en
    assert "no text" in flaws[2].why.en
    assert len(found) == 8


def test_a_broken_element_of_a_json_array_costs_itself_alone(tmp_path: Path) -> None:
    text = json.dumps(_ROWS, indent=2, ensure_ascii=False).replace(
        '"output": "답변, 그리고 3"', '"output" "답변"'
    )
    path = tmp_path / "x"
    path.write_text(text)
    found = _read(path)[1]
    (flaw,) = [one for one in found if isinstance(one, Flaw)]
    assert flaw.line == 10
    assert "line 12" in flaw.why.en
    assert [one.fields["instruction"][-1] for one in found if isinstance(one, Record)] == list("124567")


def test_a_json_array_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    rows = [{"text": "가" * 40_000 + f'\\ "{n}" ]}}'} for n in range(30)] + [{"text": "나" * 1_000_000}]
    path = tmp_path / "x"
    path.write_text(json.dumps(rows, ensure_ascii=False))
    assert _fields(_read(path)[1]) == rows


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("q,a\none,two\nthree\nfour,five\nsix,seven\neight,nine\n")
    found = _read(path)[1]
    assert [(one.line, type(one).__name__) for one in found][1] == (3, "Flaw")
    assert sum(isinstance(one, Record) for one in found) == 4


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        (
            "One line,\nstill one.\n\n\nAnother, and more,\n",
            [(1, "One line,\nstill one."), (5, "Another, and more,")],
        ),
        ("하나\n둘\n셋", [(1, "하나"), (2, "둘"), (3, "셋")]),
        ("[1] A note, and so on.\n\n[2] Another.\n", [(1, "[1] A note, and so on."), (3, "[2] Another.")]),
    ],
)
def test_plain_text_is_paragraphs_or_else_lines(
    tmp_path: Path, text: str, texts: list[tuple[int, str]]
) -> None:
    path = tmp_path / "data.json"
    path.write_text(text)
    form, found = _read(path)
    assert form.kind == "text"
    assert [(one.line, one.fields["text"]) for one in found if isinstance(one, Record)] == texts


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"PK\x03\x04", "ZIP"), (b"\x1f\x8b\x08", "gzip"), (b"%PDF-1.7", "PDF"), (b"a\0b", "binary")],
)
def test_what_is_no_data_is_refused_by_what_it_is(tmp_path: Path, head: bytes, said: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(head + b" more")
    with pytest.raises(FileUnknown, match=said):
        recognize_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotReadable, match="nowhere"):
        recognize_file(tmp_path / "nowhere")
    with pytest.raises(FileNotReadable):
        recognize_file(tmp_path)


_ODD = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(
            ['{"a": 1}', "{", "}", "[", "]", ",", '"', "\n", "\\", "가", ":", "1e999", "null", " "]
        ),
        max_size=40,
    ).map(lambda pieces: "".join(pieces).encode()),
)


@given(_ODD)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_come_are_rows_flaws_or_an_error_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    try:
        opened = open_data(path)
        rows = list(opened.rows())
    except TwotrackError:
        return
    lines = data.count(b"\n") + data.count(b"\r") + 1
    assert all(1 <= row.line <= lines for row in rows)
    assert [row.line for row in rows] == sorted(row.line for row in rows)
