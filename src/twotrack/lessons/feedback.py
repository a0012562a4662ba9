"""What people said of answers, as samples: what can be learned of it, and what cannot."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from twotrack.core.database import Connection
from twotrack.learning.data.canonical import canonical_line
from twotrack.learning.data.messages import Sample, wrong_order
from twotrack.lessons import tables

MOST = 500
"""Feedback that is looked at, the newest first."""

# Corrected or praised: of one question the newest correction counts, else the newest praise.
_Kind = Literal["correction", "praise"]
_BEYOND = 2**31 - 1


@dataclass(frozen=True)
class Lesson:
    """An answer as it should be, after all that stood before it when it was asked."""

    message_id: UUID
    kind: _Kind
    sample: Sample

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical_line(self.sample).encode()).hexdigest()

    @property
    def question(self) -> str:
        return self.sample.messages[-2]["content"]


@dataclass
class Found:
    lessons: list[Lesson] = field(default_factory=list)
    """The newest first."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Fields of schemas.Skipped."""

    @property
    def digests(self) -> set[tuple[UUID, str]]:
        return {(one.message_id, one.digest) for one in self.lessons}


async def gather(connection: Connection, *, owner: UUID | None, everybody: bool = False) -> Found:
    """What of the owner's feedback can be learned; everybody's where asked."""
    found = Found()
    usable: list[tuple[dict[str, Any], _Kind, str]] = []
    for row in await tables.judged(connection, owner=owner, everybody=everybody, limit=MOST):
        if row["correction"] is not None and row["correction"].strip():
            usable.append((row, "correction", row["correction"]))
        elif row["rating"] != 1:
            found.skipped["disliked"] += 1
        elif row["details"].get("rag"):
            # Without the documents it was not the model's to know.
            found.skipped["from_documents"] += 1
        elif row["state"] != "complete" or not row["content"].strip():
            found.skipped["cut_off"] += 1
        else:
            usable.append((row, "praise", row["content"]))
    asked = await _asked(connection, [row for row, _, _ in usable])
    taken: set[str] = set()
    # Stable: of each kind the newest first.
    for row, kind, answer in sorted(usable, key=lambda one: one[1] != "correction"):
        prompt = asked.get(row["id"])
        if prompt is None:
            continue
        question = canonical_line(Sample(0, tuple(prompt)))
        if question in taken:
            found.skipped["superseded"] += 1
            continue
        taken.add(question)
        found.lessons.append(Lesson(row["id"], kind, _sample(prompt, answer)))
    return found


async def gather_preferences(
    connection: Connection, *, owner: UUID | None, everybody: bool = False
) -> list[Sample]:
    """Pairs of a better and a worse answer: votes, and what was corrected."""
    pairs: list[tuple[dict[str, Any], str, str]] = []
    for row in await tables.voted(connection, owner=owner, everybody=everybody, limit=MOST):
        kept, other = row["content"], row["other"]
        pairs.append((row, kept, other) if row["kept_is_better"] else (row, other, kept))
    for row in await tables.judged(connection, owner=owner, everybody=everybody, limit=MOST):
        if row["correction"] is not None:
            pairs.append((row, row["correction"], row["content"]))
    asked = await _asked(connection, [row for row, _, _ in pairs])
    return [
        _sample(asked[row["id"]], better, rejected=worse)
        for row, better, worse in pairs
        if row["id"] in asked and better.strip() and worse.strip() and better != worse
    ]


async def _asked(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[UUID, list[dict[str, str]]]:
    """What each answer was given to: its system prompt, and the conversation as far as the model saw it."""
    wanted = {row["id"]: (row["id"], row["parent_id"], _first(row["details"])) for row in rows}
    found = await tables.before(connection, list(wanted.values()))
    systems = {row["id"]: (row["details"].get("by") or {}).get("system") or "" for row in rows}
    asked = {}
    for message_id, messages in found.items():
        turns = _said(messages)
        if systems[message_id].strip() and turns[0]["role"] != "system":
            turns.insert(0, {"role": "system", "content": systems[message_id]})
        roles = [*(one["role"] for one in turns), "assistant"]
        if turns[-1]["role"] == "user" and turns[-1]["content"].strip() and not wrong_order(roles):
            asked[message_id] = turns
    return asked


def _first(details: Mapping[str, Any]) -> int:
    """The position of the first message that the model was given with the question."""
    if details.get("rag"):
        # Documents are asked one question at a time.
        return _BEYOND
    first = details.get("begins_at")
    return first if isinstance(first, int) else 0


def _said(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Without the answers that were cut off before their first word, and their questions, as chats leave them
    out (serving/chat/history.py)."""
    kept: list[dict[str, str]] = []
    for message in messages:
        if message["role"] == "assistant" and not message["content"].strip():
            if kept and kept[-1]["role"] == "user":
                kept.pop()
        else:
            kept.append(message)
    return kept


def _sample(prompt: Sequence[dict[str, str]], answer: str, *, rejected: str | None = None) -> Sample:
    """Only the answer is learned: what stands before it may be as wrong as it likes."""
    messages = (*prompt, {"role": "assistant", "content": answer})
    earlier = tuple(place for place, one in enumerate(prompt) if one["role"] == "assistant")
    return Sample(0, messages, rejected=rejected, unlearned=earlier)
