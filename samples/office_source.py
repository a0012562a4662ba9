"""The Markdown that the office files are made from: front matter, headings, paragraphs, lists and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FORMATS = ("docx", "pptx", "xlsx", "pdf", "hwpx")


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Quotation:
    text: str


@dataclass(frozen=True)
class Items:
    ordered: bool
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PageBreak:
    pass


Block = Heading | Paragraph | Quotation | Items | Table | PageBreak


@dataclass(frozen=True)
class Source:
    language: str
    name: str
    front: dict[str, str]
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        return self.front.get("title", self.name)

    @property
    def date(self) -> datetime:
        return datetime.fromisoformat(self.front.get("date", "2026-01-01"))


def read_source(path: Path) -> Source:
    """
    Raises:
        ValueError: the front matter is missing or names no format that can be written
    """
    opening, front, body = re.split(r"^---\n", path.read_text(encoding="utf-8"), maxsplit=2, flags=re.M)
    fields = dict(re.findall(r"^(\w+):[ \t]*(.+?)[ \t]*$", front, flags=re.M))
    if opening or fields.get("format") not in FORMATS:
        raise ValueError(f"{path}: front matter with one of `format: {'|'.join(FORMATS)}` must come first")
    return Source(path.parent.name, path.stem, fields, tuple(_blocks(body)))


def _blocks(body: str) -> Iterator[Block]:
    for lump in re.split(r"\n\s*\n", body.strip()):
        lines = [line.strip() for line in lump.splitlines()]
        while lines and (heading := re.fullmatch(r"(#{1,4}) +(.+)", lines[0])):
            yield Heading(len(heading[1]), heading[2])
            lines = lines[1:]
        if not lines:
            continue
        if lines == ["***"]:
            yield PageBreak()
        elif all(line.startswith("|") for line in lines):
            cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            yield Table(tuple(row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)))
        elif all(line.startswith(">") for line in lines):
            yield Quotation(" ".join(line.lstrip("> ") for line in lines))
        elif item := re.match(r"(-|\d+\.) ", lines[0]):
            starts = re.compile(r"- |\d+\. ")
            texts: list[str] = []
            for line in lines:
                if start := starts.match(line):
                    texts.append(line[start.end() :].strip())
                else:
                    texts[-1] += " " + line
            yield Items(item[1] != "-", tuple(texts))
        else:
            yield Paragraph(" ".join(lines))


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a line and whether each is bold."""
    for index, piece in enumerate(text.split("**")):
        if piece:
            yield piece, index % 2 == 1


def plain(text: str) -> str:
    return text.replace("**", "")
