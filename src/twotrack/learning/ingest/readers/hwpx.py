"""HWPX (OWPML, KS X 6101): a package of XML; headings by the outline level of a paragraph's shape."""

import zipfile
from pathlib import Path
from typing import Any

from lxml import etree

from twotrack.learning.ingest.errors import DocumentEncrypted, UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted

_MANIFEST = "META-INF/manifest.xml"
_SECTION = "Contents/section{}.xml"
_SKIPPED = frozenset(("header", "footer", "hiddenComment", "fieldBegin", "autoNum", "pageNum"))
_BREAKS = {"tab": "\t", "lineBreak": "\n", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}


def read(path: Path, name: str) -> Extracted:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read(
                "META-INF/manifest.xml"
            ):
                raise DocumentEncrypted(name=name)
            levels = _outline(archive) if "Contents/header.xml" in names else {}
            composer = Composer()
            number = 0
            while (section := _SECTION.format(number)) in names:
                _blocks(composer, _parsed(archive.read(section)), levels)
                number += 1
            about = _about(archive) if "Contents/content.hpf" in names else {}
    except (zipfile.BadZipFile, etree.LxmlError, KeyError, ValueError, OSError) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error
    return composer.finish(
        title=about.get("title"), author=about.get("creator"), created=about.get("CreatedDate", "")[:10]
    )


def _parsed(data: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(data, parser)


def _local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _outline(archive: zipfile.ZipFile) -> dict[str, int]:
    """Id of a paragraph's shape → level of the heading that it makes."""
    levels: dict[str, int] = {}
    for shape in _parsed(archive.read("Contents/header.xml")).iter("{*}paraPr"):
        heading = shape.find("{*}heading")
        if heading is not None and heading.get("type") == "OUTLINE":
            levels[shape.get("id", "")] = int(heading.get("level", "0")) + 1
    return levels


def _about(archive: zipfile.ZipFile) -> dict[str, str]:
    package = _parsed(archive.read("Contents/content.hpf"))
    found = {meta.get("name", ""): (meta.text or "").strip() for meta in package.iter("{*}meta")}
    title = package.find(".//{*}title")
    return {**found, "title": (title.text or "") if title is not None else ""}


def _blocks(composer: Composer, parent: Any, levels: dict[str, int]) -> None:
    for paragraph in parent.iterchildren("{*}p"):
        text, tables, boxes = _contents(paragraph)
        if level := levels.get(paragraph.get("paraPrIDRef", "")):
            composer.heading(text, level)
        else:
            composer.paragraph(text)
        for table in tables:
            composer.table(_rows(table))
        for box in boxes:
            _blocks(composer, box, levels)


def _contents(paragraph: Any) -> tuple[str, list[Any], list[Any]]:
    """The text of a paragraph itself, and what hangs on it: tables, lists of paragraphs (boxes, notes)."""
    parts: list[str] = []
    tables: list[Any] = []
    boxes: list[Any] = []
    waiting = list(paragraph)[::-1]
    while waiting:
        element = waiting.pop()
        kind = _local(element)
        if kind == "tbl":
            tables.append(element)
        elif kind == "subList":
            boxes.append(element)
        elif kind == "t":
            parts.append(element.text or "")
            for inner in element:
                parts += [_BREAKS.get(_local(inner), ""), inner.tail or ""]
        elif kind not in _SKIPPED:
            waiting.extend(list(element)[::-1])
    return "".join(parts), tables, boxes


def _rows(table: Any) -> list[list[str]]:
    return [[_cell(cell) for cell in row.iterchildren("{*}tc")] for row in table.iterchildren("{*}tr")]


def _cell(cell: Any) -> str:
    composer = Composer()
    for paragraphs in cell.iterchildren("{*}subList"):
        _blocks(composer, paragraphs, {})
    return composer.finish().text
