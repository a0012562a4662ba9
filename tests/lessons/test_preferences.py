"""Votes between two answers, and feedback as data sets."""

import json
from typing import Any
from uuid import uuid4

import pytest

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.learning.data import tables as data
from twotrack.lessons.errors import NothingSaid
from twotrack.lessons.export import export_feedback
from twotrack.lessons.schemas import FeedbackExport, NewVote
from twotrack.lessons.service import vote
from twotrack.registry.layout import Layout
from twotrack.serving.chat import sessions
from twotrack.serving.chat.errors import MessageNotFound

PAIRS = FeedbackExport(form="preference")


def on(turn: Any, better: Any, other: str = "beside") -> NewVote:
    return NewVote(message_id=turn.answer_id, other=other, other_variant="w", better=better)


async def exported(database: Database, layout: Layout, asked: FeedbackExport) -> list[dict[str, Any]]:
    made = await export_feedback(database, layout, asked)
    text = data.file_of(layout, made.id).read_text()
    assert made.recognized.format == asked.form
    return [json.loads(line) for line in text.splitlines()]


async def test_votes_and_corrections_are_pairs(database: Database, layout: Layout, talk: Any) -> None:
    first = await talk("q", "kept")
    second = await talk("r", "kept", session=first.session_id)
    await talk("s", "bad", correction="good")
    await vote(database, on(first, "kept"), owner=None)
    await vote(database, on(second, "other"), owner=None)
    found = await exported(database, layout, PAIRS)
    said = {
        "q": ("kept", "beside", 1),
        "r": ("beside", "kept", 3),
        "s": ("good", "bad", 1),
    }
    assert len(found) == len(said)
    for entry in found:
        chosen, rejected, turns = said[entry["prompt"][-1]["content"]]
        assert entry["chosen"] == [{"role": "assistant", "content": chosen}]
        assert entry["rejected"] == [{"role": "assistant", "content": rejected}]
        assert len(entry["prompt"]) == turns


async def test_a_vote_is_changed_and_taken_back(database: Database, layout: Layout, talk: Any) -> None:
    turn = await talk("q", "kept")
    for better in ("kept", "other", "other"):
        found = await vote(database, on(turn, better), owner=None)
        assert found is not None
        assert found.better == better
    (entry,) = await exported(database, layout, PAIRS)
    assert entry["chosen"][0]["content"] == "beside"
    assert await vote(database, on(turn, None), owner=None) is None
    with pytest.raises(NothingSaid):
        await export_feedback(database, layout, PAIRS)


async def test_nobody_votes_in_somebody_elses_conversation(
    database: Database, layout: Layout, talk: Any, somebody: Any
) -> None:
    kim = await somebody("kim")
    turn = await talk("q", "kept", owner=kim.key_id)
    with pytest.raises(MessageNotFound):
        await vote(database, on(turn, "kept"), owner=None)
    question = on(turn, "kept").model_copy(update={"message_id": turn.question_id})
    with pytest.raises(InvalidInput):
        await vote(database, question, owner=kim.key_id)
    with pytest.raises(MessageNotFound):
        await vote(database, on(turn, "kept").model_copy(update={"message_id": uuid4()}), owner=kim.key_id)
    await vote(database, on(turn, "kept"), owner=kim.key_id)
    with pytest.raises(NothingSaid):
        await export_feedback(database, layout, PAIRS)
    made = await export_feedback(database, layout, PAIRS, by=kim)
    assert made.owner == kim.key_id
    await sessions.delete_session(database, turn.session_id, owner=kim.key_id)
    assert await database.fetch_all("SELECT * FROM votes") == []


async def test_what_would_be_learned_can_be_taken_along(
    database: Database, layout: Layout, talk: Any
) -> None:
    first = await talk("q", "fine", rating=1)
    await talk("r", "bad", session=first.session_id, correction="good")
    found = await exported(database, layout, FeedbackExport(form="messages"))
    assert [one["messages"][-1]["content"] for one in found] == ["good", "fine"]
    assert found[0]["messages"][1] == {"role": "assistant", "content": "fine", "weight": 0}
