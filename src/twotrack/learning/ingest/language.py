"""Which language a text is in, of those that the studio speaks; None for all others."""

import re

_HANGUL = re.compile("[가-힣]")
_LETTER = re.compile(r"[^\W\d_]")
_ENGLISH = re.compile(r"\b(?:the|of|and|to|is|are|in|for|with|be|by|or|not)\b", re.I)
_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT = 20_000


def language_of(text: str) -> str | None:
    """By its letters for Korean, by its most frequent words for English."""
    text = text[:_LOOKED_AT]
    letters = len(_LETTER.findall(text))
    if not letters:
        return None
    if len(_HANGUL.findall(text)) >= 0.2 * letters:
        return "ko"
    return "en" if len(_ENGLISH.findall(text)) >= 0.06 * len(_WORD.findall(text)) else None
