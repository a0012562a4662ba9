"""What a check of training data found: counts, lines with what is wrong in them, and what would mend it."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from twotrack.core.language import Text
from twotrack.learning.data.formats import Format

FindingKind = Literal[
    "broken",
    "role",
    "empty",
    "duplicate",
    "near_duplicate",
    "too_long",
    "unlearnable",
    "personal",
    "leak",
    "garbled",
    "repetitive",
    "boilerplate",
    "untidy",
]

EXAMPLES = 50
"""So many lines of each kind are named; the counts are whole."""


class Words(BaseModel):
    """The same in both languages."""

    en: str
    ko: str

    @classmethod
    def of(cls, text: Text) -> "Words":
        return cls(en=text.en, ko=text.ko)


class Example(BaseModel):
    """`line` counts from 1 (in Parquet: the row); `other` is the line it repeats, or the held-out part's."""

    line: int
    what: Words
    other: int | None = None


class Finding(BaseModel):
    """One kind of flaw. `rows` are the rows that have it; `fix` is what shaping does about it."""

    kind: FindingKind
    name: Words
    rows: int
    examples: list[Example]
    fix: Words


class Spread(BaseModel):
    """How lengths are distributed."""

    least: int
    median: int
    p95: int
    most: int
    total: int

    @classmethod
    def of(cls, values: Sequence[int] | NDArray[np.uint32]) -> "Spread | None":
        numbers = np.asarray(values)
        if not len(numbers):
            return None
        median, p95 = np.quantile(numbers, (0.5, 0.95), method="inverted_cdf")
        total = int(numbers.sum(dtype=np.int64))
        return cls(
            least=int(numbers.min()), median=int(median), p95=int(p95), most=int(numbers.max()), total=total
        )


class Share(BaseModel):
    name: str
    samples: int


class Frequent(BaseModel):
    """An answer that many samples have; `line` is the first of them."""

    line: int
    samples: int


class Fit(BaseModel):
    """Lengths in tokens by a base's own tokenizer and template.

    `measured` samples were counted, all others are certain to fit; `total` is estimated from those.
    """

    base: str
    limit: int
    measured: int
    tokens: Spread | None
    total: int


class Report(BaseModel):
    """`rows` are what the file has, `samples` those of them that can be learned from."""

    name: str
    file: str
    encoding: str
    bytes: int
    sha256: str
    format: Format
    columns: dict[str, str]
    unused: list[str]
    rows: int
    samples: int
    fingerprint: str
    findings: list[Finding]
    languages: list[Share]
    crossing: int
    """Samples whose answer is in another language than what it answers."""
    turns: list[Share]
    sources: list[Share]
    questions: Spread | None
    """Characters before the last answer."""
    answers: Spread | None
    """Characters of all answers of a sample."""
    groups: int
    """Facts: samples that say the same count once."""
    frequent: list[Frequent]
    given_away: list[int] = []
    """Lines of held-out questions that hold their own answer."""
    fit: Fit | None = None


class Kind(BaseModel):
    name: Words
    fix: Words


def _kind(en: str, ko: str, fix_en: str, fix_ko: str) -> Kind:
    return Kind(name=Words(en=en, ko=ko), fix=Words(en=fix_en, ko=fix_ko))


_LEFT_OUT = ("left out", "제외")


def _with(option: str) -> tuple[str, str]:
    return f"left out with {option}", f"{option}로 제외"


KINDS: dict[FindingKind, Kind] = {
    "broken": _kind("broken rows", "깨진 행", *_LEFT_OUT),
    "role": _kind("unknown roles", "알 수 없는 역할", "mended with --mend-roles", "--mend-roles로 고침"),
    "empty": _kind("empty samples", "빈 샘플", *_LEFT_OUT),
    "duplicate": _kind("duplicates", "중복", "the first is kept", "첫 번째만 남김"),
    "near_duplicate": _kind(
        *("near-duplicates", "거의 같은 샘플"),
        *("the best is kept with --drop near_duplicate", "--drop near_duplicate로 가장 나은 것만 남김"),
    ),
    "too_long": _kind(
        "too long for the base", "베이스에 너무 긴 샘플", "left out with --base", "--base를 주면 제외"
    ),
    "unlearnable": _kind("refused by the template", "템플릿이 거부하는 샘플", *_LEFT_OUT),
    "personal": _kind(
        *("with personal data", "개인정보"),
        *(
            "replaced with --mask-personal, or --drop personal",
            "--mask-personal로 가리거나 --drop personal로 제외",
        ),
    ),
    "leak": _kind(
        "held out as well", "평가용 데이터와 겹침", "left out with --held-out", "--held-out으로 제외"
    ),
    "garbled": _kind("with garbled characters", "깨진 글자", *_with("--drop garbled")),
    "repetitive": _kind("that repeat themselves", "같은 말을 되풀이하는 답변", *_with("--drop repetitive")),
    "boilerplate": _kind("in another assistant's words", "다른 AI 비서의 말투", *_with("--drop boilerplate")),
    "untidy": _kind("with stray blanks or decomposed Hangul", "앞뒤 공백이나 분리된 자모", "tidied", "정리"),
}
ORDER: tuple[FindingKind, ...] = tuple(KINDS)
