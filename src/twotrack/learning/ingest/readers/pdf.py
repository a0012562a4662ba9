"""PDF through PDFium: pages, lines put together to paragraphs, headings by the size of their letters, tables
where the document says which they are."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from twotrack.learning.ingest.errors import DocumentEncrypted, UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.learning.ingest.readers.pdf_tables import Cell, Table, cells_of

_HEADING_RATIO = 1.15
"""How much larger than the body's letters a heading's are."""
_LONGEST_HEADING = 200
_FULL_LINE = 0.8
"""A line that reaches so far to the right went on in the next one."""
_NUMBER = re.compile(r"\d+")
_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True)
class _Line:
    text: str
    size: float
    right: float
    top: float
    table: Table | None = None
    """Stands here in its place; `text` is empty then."""


def read(path: Path, name: str) -> Extracted:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if pdfium.FPDF_GetLastError() == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise DocumentEncrypted(name=name) from error
        raise UnreadableDocument(name=name, why=damaged(error)) from error
    pages = _without_furniture([list(_lines(document[number])) for number in range(len(document))])
    levels = _heading_levels([line for page in pages for line in page if line.table is None])
    within_words = _breaks_within_words(pages)
    composer = Composer()
    for page in pages:
        composer.page()
        width = max((line.right for line in page), default=0.0)
        for run in _runs(page, levels):
            if (table := run[0].table) is not None:
                # What goes on from the page before has no header of its own.
                composer.table(table.cells, header=table.header)
            elif (level := levels.get(run[0].size)) is not None:
                composer.heading(" ".join(line.text for line in run), level)
            else:
                composer.paragraph(_joined(run, width, within_words))
    return composer.finish(
        title=document.get_metadata_value("Title"),
        author=document.get_metadata_value("Author"),
        created=_date(document.get_metadata_value("CreationDate")),
    )


def _lines(page: Any) -> Iterator[_Line]:
    text_page = page.get_textpage()
    cells = cells_of(page)
    cell: Cell | None = None
    begun: list[Table] = []
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    letters: list[str] = []
    sizes: Counter[float] = Counter()
    furthest = highest = 0.0
    count = text_page.count_chars()
    high = 0
    for index in range(count + 1):
        code = pdfium.FPDFText_GetUnicode(text_page, index) if index < count else 10
        if cells and index < count and (drawn := pdfium.FPDFText_GetTextObject(text_page, index)):
            before, cell = cell, cells.get(pdfium.FPDFPageObj_GetMarkedContentID(drawn))
            if cell is not None and cell[0] not in begun:
                begun.append(cell[0])
                yield from _line(letters, sizes, furthest, highest)
                furthest = highest = 0.0
                yield _Line("", 0.0, 0.0, 0.0, cell[0])
            elif cell is not before and cell is not None:
                cell[1].append(" ")
        if cell is not None and code in (10, 13):
            # PDFium ends lines within a cell, and between cells of a row.
            cell[1].append(" ")
            continue
        if code in (10, 13):
            yield from _line(letters, sizes, furthest, highest)
            furthest = highest = 0.0
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            if not high:
                continue
            code, high = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), 0
        # U+0002 and U+FFFE stand for a hyphen at a line's end.
        character = "-" if code in (2, 0xFFFE) else chr(code) if code >= 32 else " "
        if cell is not None:
            cell[1].append(character)
            continue
        letters.append(character)
        if not character.isspace():
            sizes[round(pdfium.FPDFText_GetFontSize(text_page, index), 1)] += 1
            if pdfium.FPDFText_GetCharBox(text_page, index, left, right, bottom, top):
                furthest = max(furthest, right.value)
                highest = max(highest, top.value)


def _line(letters: list[str], sizes: Counter[float], right: float, top: float) -> Iterator[_Line]:
    """What was gathered of a line, if there is any of it."""
    text = "".join(letters).strip()
    if text:
        yield _Line(text, sizes.most_common(1)[0][0] if sizes else 0.0, right, top)
    letters.clear()
    sizes.clear()


def _heading_levels(lines: list[_Line]) -> dict[float, int]:
    """Size of letters → level; the body's is the one that most letters have."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    if not letters:
        return {}
    body = letters.most_common(1)[0][0]
    larger = sorted((size for size in letters if size > body * _HEADING_RATIO), reverse=True)
    return {size: level for level, size in enumerate(larger, start=1)}


def _runs(page: list[_Line], levels: dict[float, int]) -> list[list[_Line]]:
    """Lines that make one paragraph, or one heading."""
    runs: list[list[_Line]] = []
    for line in page:
        if runs and not _parts(runs[-1][-1], line):
            runs[-1].append(line)
        else:
            runs.append([line])
    # What is set large and goes on and on is a text of its own, not a heading.
    return [
        part
        for run in runs
        for part in (
            [[line] for line in run]
            if run[0].size in levels and sum(len(line.text) for line in run) > _LONGEST_HEADING
            else [run]
        )
    ]


def _parts(above: _Line, below: _Line) -> bool:
    """Whether two lines belong to different paragraphs: a gap between them, or other letters."""
    if above.table is not None or below.table is not None:
        return True
    gap = above.top - below.top
    return abs(above.size - below.size) > 0.05 or gap > 2.0 * max(above.size, 1.0) or gap < 0


def _joined(lines: list[_Line], width: float, within_words: bool) -> str:
    text = ""
    for number, line in enumerate(lines):
        text += line.text
        if number == len(lines) - 1:
            break
        if line.right < _FULL_LINE * width:
            text += "\n"
        elif not (within_words and _is_cjk(line.text[-1]) and _is_cjk(lines[number + 1].text[0])):
            text += " "
    return text


def _breaks_within_words(pages: list[list[_Line]]) -> bool:
    """Whether lines of Korean end at any syllable, as some programs set it, or between words.

    Where they end between words, their right edge is ragged by more than a syllable. (Set flush it is not,
    and then nothing tells: words run together do less harm than words torn apart.)
    """
    ragged = full = 0
    for page in pages:
        width = max((line.right for line in page), default=0.0)
        for line in page:
            if line.text and line.right >= _FULL_LINE * width and _is_cjk(line.text[-1]):
                full += 1
                ragged += line.right < width - 1.2 * line.size
    return full > 0 and ragged < 0.2 * full


def _without_furniture(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Without the lines that stand at the edge of most pages, such as running titles and page numbers."""
    if len(pages) < 3:
        return pages
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_NUMBER.sub("#", line.text) for line in (*page[:2], *page[-2:]) if line.text})
    often = {text for text, count in seen.items() if 2 * count > len(pages)}
    return [
        [
            line
            for place, line in enumerate(page)
            if 2 <= place < len(page) - 2 or _NUMBER.sub("#", line.text) not in often
        ]
        for page in pages
    ]


def _is_cjk(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff" or "가" <= character <= "힣"


def _date(value: str) -> str | None:
    found = _DATE.match(value or "")
    return "-".join(found.groups()) if found else None
