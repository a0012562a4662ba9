"""Answers that teach no good, by their look: garbled, repetitive, or in another assistant's phrases."""

import re
import zlib
from typing import Literal

from twotrack.core.language import Text

QualityKind = Literal["garbled", "repetitive", "boilerplate"]

NAMES: dict[QualityKind, Text] = {
    "garbled": Text("characters were lost in another encoding", "인코딩이 깨져 글자를 잃었습니다"),
    "repetitive": Text("it repeats itself", "같은 말이 되풀이됩니다"),
    "boilerplate": Text("it speaks as another assistant", "다른 AI 비서의 상투적인 말투입니다"),
}

# The replacement character, and UTF-8 read as Latin-1 or Windows-1252.
_GARBLED = re.compile(
    r"\ufffd|[ÃÂ][\x80-\xbf©®°±²³´µ¶·¸¹º»¼½¾¿€]|â€[™œ\x9d“”]|[ìíëê][\x80-\xbf•–—˜™š›œžŸ¡-¿]{2}"
)
_SUSPECT = re.compile("[\ufffdÃÂâìíëê]")
_BOILERPLATE = re.compile(
    r"\bas an? (?:ai|artificial intelligence)\b|\bAI language model\b|\b(?:by|from) (?:OpenAI|Anthropic)\b"
    r"|\bChatGPT\b|(?:AI|인공지능) ?(?:언어)? ?모델(?:로서|이기|이므로|입니다|이라)"
    r"|저는 (?:AI|인공지능)(?:이므로|이기 때문에|로서)",
    re.I,
)
_NAMED = ("AI", "ai", "GPT", "gpt", "rtificial", "nthropic", "인공지능")
# Ordinary prose deflates to a third or half; the same sentence again and again to almost nothing.
_LONG_ENOUGH, _PACKED, _SMALLEST = 200, 2000, 0.12


def weak_in(answer: str) -> list[QualityKind]:
    """What is weak in an answer, nothing as a rule."""
    found: list[QualityKind] = []
    if not answer.isascii() and _SUSPECT.search(answer) and _GARBLED.search(answer):
        found.append("garbled")
    if len(answer) >= _LONG_ENOUGH:
        # The longer a text, the better it packs without being worse.
        data = answer[:_PACKED].encode("utf-8", "replace")
        if len(zlib.compress(data, 1)) < _SMALLEST * len(data):
            found.append("repetitive")
    if any(word in answer for word in _NAMED) and _BOILERPLATE.search(answer):
        found.append("boilerplate")
    return found
