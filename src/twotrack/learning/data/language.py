"""Which languages samples are in, many at once: by their scripts, and Latin ones by their frequent words."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "?"
"""No letters: numbers, code points without a script that is told apart here."""
OTHER = "other"

_LOOKED_AT = 600
# Script → its ranges of code points (Unicode blocks).
_SCRIPTS: dict[str, tuple[tuple[int, int], ...]] = {
    "hangul": ((0xAC00, 0xD7A3), (0x1100, 0x11FF), (0x3131, 0x318E)),
    "kana": ((0x3041, 0x30FF),),
    "han": ((0x4E00, 0x9FFF), (0x3400, 0x4DBF)),
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F)),
    "cyrillic": ((0x400, 0x4FF),),
    "arabic": ((0x600, 0x6FF),),
    "thai": ((0xE01, 0xE3A),),
    "devanagari": ((0x900, 0x97F),),
}
_NAMES = tuple(_SCRIPTS)
# An English text of any length has one of these in a few words; other languages share hardly any.
_ENGLISH = frozenset(
    "the of and to is are was were what who when where which how why you your this that with for from it be "
    "by not can do does did have has i my at an as or if we they there please write give name tell".split()
)
_WORD = re.compile(r"[^\W\d_]+")


def languages_of(texts: Sequence[str]) -> list[str]:
    """ "ko", "en", "ja", "zh", "ru", "ar", "th", "hi", OTHER, or UNKNOWN for each text.

    Korean wins where a fifth of the letters is Hangul: its texts carry English names and code.
    """
    shown = [text[:_LOOKED_AT] for text in texts]
    counts = _counts(shown)
    found = []
    for text, row in zip(shown, counts.tolist(), strict=True):
        script = dict(zip(_NAMES, row, strict=True))
        letters = sum(row)
        if not letters:
            found.append(UNKNOWN)
        elif 5 * script["hangul"] >= letters:
            found.append("ko")
        elif 10 * script["kana"] >= letters:
            found.append("ja")
        elif 2 * script["latin"] < letters:
            most = max(script, key=lambda name: script[name])
            names = {"han": "zh", "cyrillic": "ru", "arabic": "ar", "thai": "th", "devanagari": "hi"}
            found.append(names.get(most, OTHER))
        else:
            found.append("en" if _is_english(text) else OTHER)
    return found


def _is_english(text: str) -> bool:
    found = _WORD.findall(text.lower())
    words, frequent = len(found), sum(word in _ENGLISH for word in found)
    # Of a name or two nobody can tell; letters without an accent are then the likelier sign.
    return 10 * frequent >= words or (words <= 3 and text.isascii())


def _counts(texts: Sequence[str]) -> NDArray[np.int64]:
    """[texts, scripts]: how many letters of each script."""
    if not texts:
        return np.zeros((0, len(_NAMES)), dtype=np.int64)
    lengths = np.array([len(text) + 1 for text in texts])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    characters = np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    columns = []
    for ranges in _SCRIPTS.values():
        inside = np.zeros(len(characters), dtype=bool)
        for first, last in ranges:
            inside |= (characters >= first) & (characters <= last)
        columns.append(np.add.reduceat(inside.astype(np.int64), starts))
    return np.stack(columns, axis=1)
