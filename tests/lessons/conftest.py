"""Conversations as the chat keeps them, without a model that answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.lessons.service import Lessons
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base
from twotrack.serving.chat import tables
from twotrack.serving.chat.branches import Turn, begin_turn, find_place
from twotrack.serving.chat.feedback import give_feedback
from twotrack.serving.chat.schemas import NewFeedback, Question

Talk = Callable[..., Awaitable[Turn]]


@pytest.fixture
async def lessons(database: Database, layout: Layout, starter_base: Base) -> AsyncIterator[Lessons]:
    prompts = Prompts(layout)
    yield Lessons(database, layout, prompts)
    await prompts.close()


@pytest.fixture
def talk(database: Database) -> Talk:
    """`await talk("question", "answer", …)`: an answered question, with what was said of the answer."""

    async def say(
        asked: str,
        answered: str,
        *,
        session: UUID | None = None,
        owner: UUID | None = None,
        correction: str | None = None,
        rating: Any = None,
        complete: bool = True,
        system: str = "",
        **details: Any,
    ) -> Turn:
        by = {"by": {"variant": "v", "system": system}} | details
        place = await find_place(database, Question(message=asked, session_id=session), owner=owner)
        turn = await begin_turn(database, session, place, by, owner=owner)
        await tables.write_answer(database, turn.answer_id, answered, complete=complete, details=by)
        if correction is not None or rating is not None:
            said = NewFeedback(rating=rating, correction=correction)
            await give_feedback(database, turn.answer_id, said, owner=owner)
        return turn

    return say


@pytest.fixture
def somebody(database: Database) -> Callable[..., Awaitable[Caller]]:
    async def make(name: str, role: Any = "user") -> Caller:
        key = uuid4()
        await database.execute(
            "INSERT INTO api_keys (id, name, role, hash, hint) VALUES (%s, %s, %s, %s, '')",
            [key, name, role, key.bytes],
        )
        return Caller(key, name, role)

    return make
