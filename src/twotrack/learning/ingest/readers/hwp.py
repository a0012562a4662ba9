"""HWP 5: records in the streams of a compound file, after Hancom's specification (revision 1.3).

olefile opens the container; the records are walked here, since no library with a licence that fits keeps
headings and tables apart.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import olefile

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import DocumentEncrypted, PackageSwollen, UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted

_SIGNATURE = b"HWP Document File"
_COMPRESSED, _ENCRYPTED, _DISTRIBUTED = 1, 2, 4
# Record tags (table 13 of the specification), all from HWPTAG_BEGIN = 16.
_PARA_SHAPE, _PARA_HEADER, _PARA_TEXT, _CTRL_HEADER, _LIST_HEADER = 25, 66, 67, 71, 72
# Control ids, read as little-endian numbers: their letters stand backwards.
_TABLE, _SKIPPED = b" lbt", frozenset((b"daeh", b"toof", b"tmct"))
_SHOWN = {9: "\t", 10: "\n", 24: "-", 30: " ", 31: " "}
_LARGEST_STREAM = 256 * 2**20
_DEEPEST = 64


@dataclass
class _Record:
    tag: int
    data: bytes
    children: list["_Record"] = field(default_factory=list)


def read(path: Path, name: str) -> Extracted:
    try:
        with olefile.OleFileIO(path) as container:
            return _read(container, name)
    except (OSError, ValueError, IndexError, struct.error, zlib.error) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error


def _read(container: olefile.OleFileIO, name: str) -> Extracted:
    header = container.openstream("FileHeader").read(40)
    if not header.startswith(_SIGNATURE) or len(header) < 40:
        raise ValueError("its header is not one of HWP 5")
    (flags,) = struct.unpack_from("<I", header, 36)
    if flags & _ENCRYPTED:
        raise DocumentEncrypted(name=name)
    if flags & _DISTRIBUTED:
        raise UnreadableDocument(
            name=name,
            why=Text(
                "it was saved for distribution, which locks its text", "배포용 문서라 글이 잠겨 있습니다"
            ),
        )
    compressed = bool(flags & _COMPRESSED)
    levels = _outline(_stream(container, "DocInfo", compressed, name))
    composer = Composer()
    number = 0
    while container.exists(section := f"BodyText/Section{number}"):
        _blocks(composer, _tree(_stream(container, section, compressed, name)), levels)
        number += 1
    return composer.finish()


def _stream(container: olefile.OleFileIO, path: str, compressed: bool, name: str) -> bytes:
    data: bytes = container.openstream(path).read()
    if not compressed:
        return data
    inflate = zlib.decompressobj(-15)
    data = inflate.decompress(data, _LARGEST_STREAM)
    if inflate.unconsumed_tail:
        limit = _LARGEST_STREAM // 2**20
        raise PackageSwollen(name=name, size_mib=limit, limit_mib=limit)
    return data


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(tag, level, payload): a header of 10 + 10 + 12 bits; a size of 4095 says that it stands behind."""
    place = 0
    while place + 4 <= len(data):
        (head,) = struct.unpack_from("<I", data, place)
        place += 4
        size = head >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", data, place)
            place += 4
        if place + size > len(data):
            raise ValueError("a record is longer than its stream")
        yield head & 0x3FF, (head >> 10) & 0x3FF, data[place : place + size]
        place += size


def _tree(data: bytes) -> list[_Record]:
    root = _Record(0, b"")
    path = [root]
    for tag, level, payload in _records(data):
        if level > _DEEPEST:
            raise ValueError("its records are nested too deeply")
        del path[level + 1 :]
        record = _Record(tag, payload)
        path[-1].children.append(record)
        path.append(record)
    return root.children


def _outline(data: bytes) -> dict[int, int]:
    """Index of a paragraph's shape → level of the heading that it makes (table 44: bits 23 to 27)."""
    levels: dict[int, int] = {}
    shapes = (payload for tag, _, payload in _records(data) if tag == _PARA_SHAPE)
    for index, payload in enumerate(shapes):
        (properties,) = struct.unpack_from("<I", payload)
        if (properties >> 23) & 3 == 1:
            levels[index] = ((properties >> 25) & 7) + 1
    return levels


def _blocks(composer: Composer, records: list[_Record], levels: dict[int, int]) -> None:
    for paragraph in records:
        if paragraph.tag != _PARA_HEADER:
            continue
        text = "".join(_text(one.data) for one in paragraph.children if one.tag == _PARA_TEXT)
        shape = struct.unpack_from("<H", paragraph.data, 8)[0] if len(paragraph.data) >= 10 else -1
        if shape in levels:
            composer.heading(text, levels[shape])
        else:
            composer.paragraph(text)
        for control in paragraph.children:
            if control.tag != _CTRL_HEADER or control.data[:4] in _SKIPPED:
                continue
            if control.data[:4] == _TABLE:
                composer.table(_rows(control))
            else:
                _blocks(composer, _inside(control), levels)


def _inside(control: _Record) -> list[_Record]:
    """The paragraphs of a box or note, which may lie under the records of shapes."""
    found: list[_Record] = []
    for child in control.children:
        found += [child] if child.tag == _PARA_HEADER else _inside(child)
    return found


def _rows(table: _Record) -> list[list[str]]:
    """A cell is a list header, which tells its column and row, and the paragraphs behind it."""
    rows: dict[int, list[str]] = {}
    cell: Composer | None = None
    place = 0

    def release() -> None:
        if cell is not None:
            rows.setdefault(place, []).append(cell.finish().text)

    for child in table.children:
        if child.tag == _LIST_HEADER:
            release()
            # Without an address it is the caption's list.
            cell = Composer()
            place = struct.unpack_from("<H", child.data, 10)[0] if len(child.data) >= 12 else -1
            _blocks(cell, child.children, {})
        elif cell is not None:
            _blocks(cell, [child], {})
    release()
    return [rows[number] for number in sorted(rows)]


def _text(data: bytes) -> str:
    """UTF-16, in which characters below 32 are controls: some stand alone, most take eight units."""
    units = struct.unpack(f"<{len(data) // 2}H", data[: len(data) // 2 * 2])
    kept: list[int] = []
    place = 0
    while place < len(units):
        unit = units[place]
        if unit >= 32:
            kept.append(unit)
        elif unit in _SHOWN:
            kept.append(ord(_SHOWN[unit]))
        place += 1 if unit >= 24 or unit in (0, 10, 13) else 8
    return struct.pack(f"<{len(kept)}H", *kept).decode("utf-16-le", "replace")
