"""A small compound file (MS-CFB version 3) and HWP 5 records, since no library writes either.

Only streams of at least 4,096 bytes are written outside of the mini stream, so all are padded to that; the
records of HWP end where a stream's deflated data ends, whatever follows.
"""

import struct
import zlib
from collections.abc import Sequence

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_NONE = 0xFFFFFFFF
_CUTOFF = 4096


def compound_file(streams: dict[str, bytes]) -> bytes:
    """`streams` by their names; one storage deep: "BodyText/Section0"."""
    storages = sorted({path.split("/")[0] for path in streams if "/" in path})
    entries: list[tuple[str, int, bytes, list[str]]] = []

    def children(prefix: str) -> list[str]:
        inside = [path for path in streams if path.rpartition("/")[0] == prefix]
        return inside + ([] if prefix else storages)

    order = [*storages, *streams]
    entries.append(("Root Entry", 5, b"", children("")))
    for path in order:
        if path in streams:
            data = streams[path].ljust(_CUTOFF, b"\0")
            entries.append((path.rpartition("/")[2], 2, data, []))
        else:
            entries.append((path, 1, b"", children(path)))
    numbers = {path: number for number, path in enumerate(order, start=1)}
    siblings: dict[int, int] = {}
    first: dict[int, int] = {}
    for number, (_, _, _, inside) in enumerate(entries):
        chain = [numbers[path] for path in sorted(inside, key=lambda p: (len(p), p.upper()))]
        if chain:
            first[number] = chain[0]
        siblings.update(zip(chain, chain[1:], strict=False))

    body = b""
    fat: list[int] = []

    def place(data: bytes) -> int:
        nonlocal body
        start = len(fat)
        count = -(-len(data) // _SECTOR)
        fat.extend([*range(start + 1, start + count), _END])
        body += data.ljust(count * _SECTOR, b"\0")
        return start

    starts = [place(data) if data else _END for _, _, data, _ in entries]
    directory = b"".join(
        struct.pack(
            "<64sHBBIII16sIQQIQ",
            name.encode("utf-16-le"),
            2 * len(name) + 2,
            kind,
            1,
            _NONE,
            siblings.get(number, _NONE),
            first.get(number, _NONE),
            b"",
            0,
            0,
            0,
            starts[number],
            len(data),
        )
        for number, (name, kind, data, _) in enumerate(entries)
    )
    directory_start = place(directory)
    fat_start = len(fat)
    fat.append(_FAT)
    assert len(fat) <= 128, "one sector of the table is enough for what tests write"
    table = struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII109I",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        b"",
        *(0x3E, 3, 0xFFFE, 9, 6),
        b"",
        *(0, 1, directory_start, 0, _CUTOFF, _END, 0, _END, 0),
        fat_start,
        *[_FREE] * 108,
        0,
    )[:512]
    return header + body + table


def record(tag: int, level: int, data: bytes) -> bytes:
    return struct.pack("<I", tag | level << 10 | len(data) << 20) + data


def paragraph(text: str, level: int = 0, shape: int = 0, controls: Sequence[bytes] = ()) -> bytes:
    """A paragraph's header and text; `controls` hang on it."""
    units = text.encode("utf-16-le") + b"\r\0"
    header = struct.pack("<IIHB", len(units) // 2, 0, shape, 0)
    return record(66, level, header) + record(67, level + 1, units) + b"".join(controls)


def table(rows: Sequence[Sequence[str]], level: int = 1) -> bytes:
    made = record(71, level, b" lbt" + bytes(40))
    made += record(77, level + 1, struct.pack("<IHH", 0, len(rows), len(rows[0])))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            made += record(72, level + 1, struct.pack("<IIHHHH", 1, 0, column, number, 1, 1))
            made += paragraph(cell, level + 1)
    return made


def hwp(section: bytes, *, flags: int = 1, headings: Sequence[int] = ()) -> bytes:
    """A document of one section; paragraph shape 0 is the body's, 1 and up are headings of these levels."""
    shapes = [0, *((1 << 23) | ((level - 1) << 25) for level in headings)]
    information = b"".join(record(25, 0, struct.pack("<I", shape) + bytes(50)) for shape in shapes)

    def deflated(data: bytes) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(data) + packer.flush()

    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, flags)
    return compound_file(
        {
            "FileHeader": header.ljust(256, b"\0"),
            "DocInfo": deflated(information),
            "BodyText/Section0": deflated(section),
        }
    )
