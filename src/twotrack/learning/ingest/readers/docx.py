"""Word documents: headings by their style, paragraphs and tables in their order."""

import re
from collections.abc import Sequence
from pathlib import Path

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from lxml import etree

from twotrack.learning.ingest.errors import UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|제목)\s*(\d)", re.I)


def read(path: Path, name: str) -> Extracted:
    try:
        document = docx.Document(str(path))
        composer = Composer()
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                composer.table([[cell.text for cell in _once(row.cells)] for row in block.rows])
            elif (level := _level(block)) is not None:
                composer.heading(_text(block), level)
            else:
                composer.paragraph(_text(block))
        about = document.core_properties
        return composer.finish(
            title=about.title,
            author=about.author if about.author != "python-docx" else None,
            created=about.created.date().isoformat() if about.created else None,
        )
    except (PackageNotFoundError, KeyError, ValueError, AttributeError, etree.LxmlError) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error


def _text(paragraph: Paragraph) -> str:
    """With the text of links and of accepted insertions, which `Paragraph.text` leaves out in part."""
    parts: list[str] = []
    for element in paragraph._p.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        kind = element.tag.removeprefix(_W)
        parts.append({"t": element.text or "", "tab": "\t", "noBreakHyphen": "-"}.get(kind, "\n"))
    return "".join(parts)


def _level(paragraph: Paragraph) -> int | None:
    style = paragraph.style.name or "" if paragraph.style is not None else ""
    if style == "Title":
        return 1
    found = _HEADING.match(style)
    if found:
        return int(found[1])
    outline = paragraph._p.find(f"{_W}pPr/{_W}outlineLvl")
    if outline is None and paragraph.style is not None:
        outline = paragraph.style.element.find(f"{_W}pPr/{_W}outlineLvl")
    if outline is None:
        return None
    level = int(outline.get(f"{_W}val", "9"))
    # 9 is the level of the body.
    return level + 1 if level < 9 else None


def _once(cells: Sequence[_Cell]) -> list[_Cell]:
    """A merged cell is there once for each column that it spans."""
    return list({id(cell._tc): cell for cell in cells}.values())
