"""Tables of a tagged PDF come as rows; of one without tags, nothing of their text is lost."""

from pathlib import Path

import pikepdf
import pytest

from twotrack.learning.ingest.chunks import cut
from twotrack.learning.ingest.extracted import Extracted
from twotrack.learning.ingest.readers import read

_SAMPLES = Path(__file__).parents[4] / "samples" / "documents"


def rows_of(document: Extracted) -> list[tuple[str, str]]:
    return [
        (block.kind, document.text[block.start : block.stop])
        for block in document.blocks
        if block.kind in ("row", "header_row")
    ]


def letters(document: Extracted) -> list[str]:
    return sorted(document.text.replace("|", "").replace(" ", "").replace("\n", ""))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "en/library-annual-report-2025.pdf",
            [
                ("header_row", "Item | Amount in tarn | Remark"),
                ("row", "Town grant | 88,000 | Unchanged for the third year in a row"),
            ],
        ),
        (
            "ko/salinity-meter-manual.pdf",
            [("header_row", "품목 | ND-3 | ND-5 | 설명"), ("row", "건전지 | AAA 2개 | 충전식 (내장) | ")],
        ),
    ],
)
def test_cells_stand_in_their_rows(name: str, rows: list[tuple[str, str]]) -> None:
    _, document = read(_SAMPLES / name, name)
    found = rows_of(document)
    for kind, begin in rows:
        assert [row for row in found if row[0] == kind and row[1].startswith(begin)], begin
    assert all(row.count(" | ") for _, row in found)


def test_without_tags_the_same_letters_come_as_text(tmp_path: Path) -> None:
    source = _SAMPLES / "en/library-annual-report-2025.pdf"
    plain = tmp_path / "plain.pdf"
    with pikepdf.open(source) as opened:
        del opened.Root.StructTreeRoot
        opened.save(plain)
    _, tagged = read(source, source.name)
    _, untagged = read(plain, plain.name)
    assert rows_of(untagged) == []
    assert letters(untagged) == letters(tagged)


async def test_a_table_that_goes_on_overleaf_keeps_its_header() -> None:
    _, document = read(_SAMPLES / "ko/salt-coop-history.pdf", "salt-coop-history.pdf")

    async def count(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    chunks = await cut(document, count)  # type: ignore[arg-type]  # a list is the sequence that it gets
    with_rows = [chunk for chunk in chunks if "1대 | 알마 핀" in chunk.text or "5대 | " in chunk.text]
    assert with_rows
    for chunk in with_rows:
        assert "대 | 이름 | 맡은 때 | 남긴 일" in chunk.text + chunk.heading


def test_a_hostile_tree_is_given_up(tmp_path: Path) -> None:
    """A table within itself, a row that is its own parent, content that is nowhere."""
    path = tmp_path / "loop.pdf"
    with pikepdf.open(_SAMPLES / "en/library-annual-report-2025.pdf") as opened:
        root = opened.Root.StructTreeRoot
        document = root.K if isinstance(root.K, pikepdf.Dictionary) else root.K[0]
        table = opened.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name.Table, P=document)
        )
        table.K = pikepdf.Array([table, 999_999, -5, document])
        document.K.append(table)
        opened.save(path)
    _, found = read(path, path.name)
    assert "Town grant" in found.text
