"""What every reader gives: a document's text in blocks, with the places of its pages and headings."""

import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

BlockKind = Literal["heading", "paragraph", "header_row", "row"]


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, or a row of a table, at text[start:stop]; `level` is a heading's, from 1."""

    kind: BlockKind
    start: int
    stop: int
    level: int = 0


@dataclass(frozen=True)
class Extracted:
    text: str
    blocks: tuple[Block, ...]
    title: str | None = None
    pages: tuple[int, ...] | None = None
    """Where each page begins in the text; None where the format has no pages."""
    metadata: dict[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def headings(self) -> list[tuple[int, int, str]]:
        """[place, level, title]"""
        return [
            (block.start, block.level, self.text[block.start : block.stop])
            for block in self.blocks
            if block.kind == "heading"
        ]


class Composer:
    """Puts a text together block by block, so that every block knows its place."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[int] = []

    @property
    def length(self) -> int:
        return self._length

    def page(self) -> None:
        """A new page begins here."""
        self._pages.append(self._length)

    def heading(self, text: str, level: int) -> None:
        self._add("heading", " ".join(text.split()), max(1, min(level, 9)))

    def paragraph(self, text: str) -> None:
        self._add("paragraph", text.strip("\n"))

    def table(self, rows: list[list[str]], *, header: bool = True) -> None:
        """Cells are parted by " | "; empty rows are left out."""
        filled = [row for row in rows if any(cell.strip() for cell in row)]
        for number, row in enumerate(filled):
            cells = " | ".join(" ".join(cell.split()) for cell in row).rstrip(" |")
            first = number == 0 and header and len(filled) > 1
            self._add("header_row" if first else "row", cells, gap="\n" if number else "\n\n")

    def finish(self, *, title: str | None = None, **metadata: Any) -> Extracted:
        """`metadata` without what is empty."""
        return Extracted(
            "".join(self._parts),
            tuple(self._blocks),
            title=(title or "").strip() or None,
            pages=tuple(self._pages) or None,
            metadata={key: value for key, value in metadata.items() if value not in (None, "")},
        )

    def _add(self, kind: BlockKind, text: str, level: int = 0, *, gap: str = "\n\n") -> None:
        if not text.strip():
            return
        # Some systems write a Hangul syllable as its letters.
        text = unicodedata.normalize("NFC", text)
        if self._length:
            at_page = bool(self._pages) and self._pages[-1] == self._length
            self._parts.append(gap)
            self._length += len(gap)
            if at_page:
                self._pages[-1] = self._length
        self._parts.append(text)
        self._blocks.append(Block(kind, self._length, self._length + len(text), level))
        self._length += len(text)
