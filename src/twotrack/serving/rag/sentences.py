"""Sentences of a text, Korean or English, by their places. A line (a row of a table) ends one too."""

import re

# Not after a number ("3. Fees") or an initial; Korean writers leave out the space now and then.
_END = re.compile(
    r"(?<![0-9A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bNo)(?<!\be\.g)(?<!\bi\.e)"
    r"[.!?。！？…]+[\"'”’)\]」』]*(?=\s)|(?<=[0-9A-Z])[.!?。！？]+[\"'”’)\]」』]*(?=\s+[\"'“‘(]?[A-Z가-힣])"
    r"|(?<=[가-힣])\.(?=[가-힣])|\n+"
)
# "3." at the beginning of a line counts; it is not a sentence of its own.
_NUMBERING = re.compile(r"^\W*\d{1,3}\.$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, stop) of each sentence, without the white space around it; nothing else is left out."""
    spans: list[tuple[int, int]] = []
    start = 0
    for stop in [*(found.end() for found in _END.finditer(text)), len(text)]:
        piece = text[start:stop]
        if _NUMBERING.match(piece.strip()) and stop < len(text):
            continue
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            spans.append((begin, begin + len(piece.strip())))
        start = stop
    return spans
