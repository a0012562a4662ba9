"""Tables of a tagged PDF: its structure tree says which marked content is which cell of which row.

Office programs and browsers write such trees. Of a PDF without one PDFium knows no tables, and their lines
come as text.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

# What a page's tree may come to; more is no document's.
_MOST_ELEMENTS = 100_000


@dataclass
class Table:
    """Filled with the letters of its cells as the page's text is walked through."""

    rows: list[list[list[str]]] = field(default_factory=list)
    header: bool = False
    """Whether the first row is said to be one."""

    @property
    def cells(self) -> list[list[str]]:
        return [["".join(cell) for cell in row] for row in self.rows]

    @property
    def is_one(self) -> bool:
        """Rather than a frame around text, as some programs set a page with."""
        return len(self.rows) > 1 and max(map(len, self.rows)) > 1


Cell = tuple[Table, list[str]]


def cells_of(page: Any) -> dict[int, Cell]:
    """Marked content's id → the table and the cell that its letters belong to; empty without a tree."""
    tree = pdfium.FPDF_StructTree_GetForPage(page)
    if not tree:
        return {}
    found: dict[int, Cell] = {}
    try:
        count = pdfium.FPDF_StructTree_CountChildren(tree)
        waiting = [pdfium.FPDF_StructTree_GetChildAtIndex(tree, index) for index in reversed(range(count))]
        for _ in range(_MOST_ELEMENTS):
            if not waiting:
                break
            element = waiting.pop()
            if _kind(element) == "Table":
                found |= _cells(element)
            else:
                waiting += reversed(list(_children(element)))
    finally:
        pdfium.FPDF_StructTree_Close(tree)
    return found


def _cells(element: Any) -> dict[int, Cell]:
    table = Table()
    found: dict[int, Cell] = {}
    for row in _below(element, "TR"):
        cells = list(_below(row, "TD", "TH"))
        if not table.rows:
            table.header = any(_kind(cell) == "TH" for cell in cells)
        table.rows.append([[] for _ in cells])
        for cell, letters in zip(cells, table.rows[-1], strict=True):
            found |= dict.fromkeys(_contents(cell), (table, letters))
    return found if table.is_one else {}


def _below(element: Any, *kinds: str) -> Iterator[Any]:
    """Elements of these kinds in their order; what lies within one of them is not looked for."""
    waiting = list(reversed(list(_children(element))))
    for _ in range(_MOST_ELEMENTS):
        if not waiting:
            return
        one = waiting.pop()
        if _kind(one) in kinds:
            yield one
        else:
            waiting += reversed(list(_children(one)))


def _contents(element: Any) -> Iterator[int]:
    waiting = [element]
    for _ in range(_MOST_ELEMENTS):
        if not waiting:
            return
        one = waiting.pop()
        for index in range(pdfium.FPDF_StructElement_CountChildren(one)):
            content = pdfium.FPDF_StructElement_GetChildMarkedContentID(one, index)
            if content >= 0:
                yield content
            elif child := pdfium.FPDF_StructElement_GetChildAtIndex(one, index):
                waiting.append(child)


def _children(element: Any) -> Iterator[Any]:
    for index in range(pdfium.FPDF_StructElement_CountChildren(element)):
        if child := pdfium.FPDF_StructElement_GetChildAtIndex(element, index):
            yield child


def _kind(element: Any) -> str:
    if not element:
        return ""
    length = pdfium.FPDF_StructElement_GetType(element, None, 0)
    name = ctypes.create_string_buffer(length)
    pdfium.FPDF_StructElement_GetType(element, name, length)
    return name.raw.decode("utf-16-le", "replace").rstrip("\0")
