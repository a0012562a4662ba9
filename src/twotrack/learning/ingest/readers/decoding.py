"""Bytes of a text file as text, whatever wrote them: UTF-8, UTF-16 with its mark, CP949, Windows-1252.

Files that were put together from several keep every line: each is decoded by itself where the whole is not
in one encoding.
"""

import codecs
import re

_HANGUL = re.compile("[가-힣]")


def decode(data: bytes, announced: str | None = None) -> str:
    """`announced` is what the document says of itself, believed only if it fits. Line ends become "\\n"."""
    return _decoded(data, announced).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _decoded(data: bytes, announced: str | None) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8", announced):
        if encoding and (text := _strictly(data, encoding)) is not None:
            return text
    if (text := _strictly(data, "cp949")) is not None and _looks_korean(text):
        return text
    # A newline byte is never part of a longer character in any of them.
    return "\n".join(map(_line, data.split(b"\n")))


def _line(line: bytes) -> str:
    if (text := _strictly(line, "utf-8")) is not None:
        return text
    if (text := _strictly(line, "cp949")) is not None and _looks_korean(text):
        return text
    return line.decode("cp1252", "replace")


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        # A codec that gives bytes ("hex", "zip") is no encoding of text, and decode() refuses it.
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _looks_korean(text: str) -> bool:
    """Western letters with accents, read as CP949, come out as scattered Han characters."""
    foreign = [character for character in text if character > "\x7f"]
    return 2 * sum(map(bool, map(_HANGUL.match, foreign))) >= len(foreign)
