"""What is learned along against forgetting, and how much: the shipped general set, with guarantees."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from twotrack.learning.data.canonical import canonical_line
from twotrack.learning.data.language import languages_of
from twotrack.learning.data.messages import Sample, read_messages
from twotrack.learning.data.mixing import Part, mix_order

# In every 20 samples 5 of general questions with their answers and 5 of general text; the other half is what
# is to be learned. Why so much: docs/decisions/0020-learning-from-corrections.md.
WINDOW, EACH = 20, 5
_SHARE = 1 - 2 * EACH / WINDOW
VIEWS_MOST, VIEWS_LEAST = 20, 4
# Views of all samples together: many corrections teach with fewer views of each.
_VIEWS = 120


def views_of(samples: int) -> int:
    """How often each sample is seen."""
    return max(VIEWS_LEAST, min(VIEWS_MOST, _VIEWS // samples))


def mixed(samples: Sequence[Sample], *, seed: int = 0) -> str:
    """Training data as messages JSONL: each sample as often as `views_of` says, with general text between."""
    questions, texts = _general(_language(samples))
    length = round(len(samples) * views_of(len(samples)) / _SHARE)
    parts = (
        Part(name="feedback", weight=1.0),
        Part(name="questions", at_least=EACH),
        Part(name="texts", at_least=EACH),
    )
    sets = (samples, questions, texts)
    order = mix_order([len(one) for one in sets], parts, seed=seed, length=length, window=WINDOW)
    lines = [
        canonical_line(sets[number][item])
        for number, item in zip(order.sets.tolist(), order.items.tolist(), strict=True)
    ]
    return "".join(f"{line}\n" for line in lines)


def _language(samples: Sequence[Sample]) -> str:
    """Korean, or English for all else: what most of the answers are written in."""
    found = languages_of([one.messages[-1]["content"] for one in samples])
    return "ko" if found.count("ko") * 2 > len(found) else "en"


@cache
def _general(language: str) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """General questions with their answers, and paragraphs."""
    package = Path(__file__).resolve().parents[1]
    # In a wheel they lie inside the package, in a checkout beside src.
    folders = (package / "samples", package.parents[1] / "samples")
    folder = next(one for one in folders if one.is_dir()) / "general"
    questions, texts = (
        tuple(read_messages((folder / f"{name}.{language}.jsonl").read_bytes()))
        for name in ("chat", "general")
    )
    return questions, texts
