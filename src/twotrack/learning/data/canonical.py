"""Samples as lines of one form, and the fingerprint over them, the same for the same content in any file."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Literal

from twotrack.learning.data.messages import Sample

Form = Literal["messages", "preference"]
"""What lines are written as. "messages" is what training takes; it keeps a preference's chosen answer."""


def canonical_line(sample: Sample, form: Form = "messages") -> str:
    """One JSON object, without a line feed."""
    entry: dict[str, Any] = {}
    if sample.text is not None:
        entry["text"] = sample.text
    elif form == "preference" and sample.rejected is not None:
        # The conversational form of TRL's preference data.
        entry["prompt"] = list(sample.messages[:-1])
        entry["chosen"] = [sample.messages[-1]]
        entry["rejected"] = [{"role": "assistant", "content": sample.rejected}]
    else:
        entry["messages"] = [
            {**one, "weight": 0} if place in sample.unlearned else one
            for place, one in enumerate(sample.messages)
        ]
    for name in ("key", "group", "source"):
        if (value := getattr(sample, name)) is not None:
            entry[name] = value
    return json.dumps(entry, ensure_ascii=False)


class Fingerprint:
    """SHA-256 over the lines of samples in their order; of a shaped file it is the file's own."""

    def __init__(self, form: Form = "messages") -> None:
        self._form = form
        self._digest = hashlib.sha256()

    def add(self, sample: Sample) -> bytes:
        """The line that was counted, with its line feed."""
        line = canonical_line(sample, self._form).encode() + b"\n"
        self._digest.update(line)
        return line

    def count(self, line: bytes) -> None:
        """A line as `add` gave it."""
        self._digest.update(line)

    @property
    def value(self) -> str:
        return self._digest.hexdigest()


def fingerprint(samples: Iterable[Sample], form: Form = "messages") -> str:
    counting = Fingerprint(form)
    for sample in samples:
        counting.add(sample)
    return counting.value


def content_hash(text: str) -> int:
    """64 bits that stand for a text; two of a million texts collide with probability 3e-8."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def question_of(sample: Sample) -> str:
    """What the last answer answers: all that stands before it."""
    return "\n".join(message["content"] for message in sample.messages[:-1])


def answer_of(sample: Sample) -> str:
    """What is learned of a sample."""
    if sample.text is not None:
        return sample.text
    return "\n".join(
        one["content"]
        for place, one in enumerate(sample.messages)
        if one["role"] == "assistant" and place not in sample.unlearned
    )


def text_of(sample: Sample) -> str:
    return sample.text if sample.text is not None else "\n".join(one["content"] for one in sample.messages)
