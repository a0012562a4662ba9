"""Sentences of a text, Korean or English, by their places.

A line ends one too (a row of a table, an item of a list), unless it was broken only because it was full.
"""

import re
import unicodedata
from itertools import chain

# Not after a number ("3. Fees") or an initial; Korean writers leave out the space now and then.
_END = re.compile(
    r"(?<![0-9A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bNo)(?<!\be\.g)(?<!\bi\.e)"
    r"[.!?。！？…]+[\"'”’)\]」』]*(?=\s)|(?<=[0-9A-Z])[.!?。！？]+[\"'”’)\]」』]*(?=\s+[\"'“‘(]?[A-Z가-힣])"
    r"|(?<=[가-힣])\.(?=[가-힣])|\n+"
)
# "3." at the beginning of a line counts; it is not a sentence of its own.
_NUMBERING = re.compile(r"^\W*\d{1,3}\.$")
# What the line after a full one begins with: no bullet, no number of an item, no cell of a table.
_GOES_ON = re.compile(r"(?!\d+[.)]\s)[^\W_\n][^\n|\t]*(?:\n|$)|[\"'“‘(][^\n|\t]*(?:\n|$)")
_FULL = 50
"""Half-width characters: shorter lines are not broken for being full."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, stop) of each sentence, without the white space around it; nothing else is left out."""
    spans: list[tuple[int, int]] = []
    start = 0
    ends = (found.end() for found in _END.finditer(text) if not _is_full_line(text, found))
    for stop in chain(ends, [len(text)]):
        piece = text[start:stop]
        if _NUMBERING.match(piece.strip()) and stop < len(text):
            continue
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            spans.append((begin, begin + len(piece.strip())))
        start = stop
    return spans


def _is_full_line(text: str, end: re.Match[str]) -> bool:
    if end.group() != "\n" or _GOES_ON.match(text, end.end()) is None:
        return False
    line = text[text.rfind("\n", 0, end.start()) + 1 : end.start()]
    return not {"|", "\t"} & set(line) and width(line) >= _FULL


def width(text: str) -> int:
    """In half-width characters: a Hangul syllable is two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
