"""A session of 10,000 messages costs about what one of 100 does: blocks are counted, not seconds."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from twotrack.core.database import Database
from twotrack.serving.chat import sessions, tables
from twotrack.serving.chat.branches import begin_turn, find_place
from twotrack.serving.chat.schemas import Question

LENGTHS = {"short": 100, "long": 10_000}

_BLOCKS = """
SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::integer AS blocks
FROM pg_statio_user_tables WHERE relname IN ('chat_sessions', 'chat_messages', 'feedback')
"""
_TALK = """
WITH ids AS (SELECT n, gen_random_uuid() AS id FROM generate_series(0, %(length)s - 1) AS n)
INSERT INTO chat_messages (id, session_id, parent_id, position, role, content)
SELECT id, %(session)s, lag(id) OVER (ORDER BY n), n, CASE n %% 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
    CASE n WHEN 50 THEN 'the needle' ELSE repeat(md5(n::text) || ' 바다 ', 8) END FROM ids
"""


@pytest.fixture
async def one_connection(database_url: str) -> AsyncIterator[Database]:
    """A database whose counts of blocks are all in one place."""
    database = Database(database_url, max_size=1)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def talks(one_connection: Database) -> dict[str, UUID]:
    made = {}
    for name, length in LENGTHS.items():
        made[name] = (await sessions.create_session(one_connection, "t", owner=None)).id
        await one_connection.execute(_TALK, {"session": made[name], "length": length})
    async with one_connection.pool.connection() as connection:
        # As autovacuum would: it also takes what is new to the index of words into its order.
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE")
        await connection.set_autocommit(False)
    return made


async def blocks(database: Database, work: Callable[..., Awaitable[Any]], *arguments: Any) -> int:
    """Blocks of the chat's tables and indexes that `work` looks at when it is done for the second time."""

    async def read() -> int:
        await database.execute("SELECT pg_stat_force_next_flush()")
        row = await database.fetch_one(_BLOCKS)
        assert row is not None
        return int(row["blocks"])

    await work(*arguments)
    before = await read()
    await work(*arguments)
    return await read() - before


async def ask(database: Database, session_id: UUID, **question: Any) -> None:
    place = await find_place(database, Question(session_id=session_id, **question), owner=None)
    turn = await begin_turn(database, session_id, place, {}, owner=None)
    await tables.write_answer(database, turn.answer_id, "a", complete=True, details={})


async def test_a_page_costs_the_same(one_connection: Database, talks: dict[str, UUID]) -> None:
    async def page(session_id: UUID, before: int | None) -> None:
        await sessions.open_session(one_connection, session_id, owner=None, limit=50, before=before)

    for before in (None, 60):
        costs = {name: await blocks(one_connection, page, talk, before) for name, talk in talks.items()}
        assert 50 < costs["long"] < 1.5 * costs["short"]


async def test_a_turn_costs_the_same_but_for_what_of_its_history_a_context_could_hold(
    one_connection: Database, talks: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twotrack.serving.chat.branches._LONGEST_HISTORY", 100)

    async def again(session_id: UUID) -> None:
        (last,) = await tables.list_path(one_connection, session_id, limit=1)
        await ask(one_connection, session_id, again=last.id)

    async def edit(session_id: UUID) -> None:
        (_, question, _) = await tables.list_path(one_connection, session_id, limit=3)
        await ask(one_connection, session_id, message="Q", replaces=question.id)

    async def new(session_id: UUID) -> None:
        await ask(one_connection, session_id, message="q")

    for turn in (new, again, edit):
        costs = {name: await blocks(one_connection, turn, talk) for name, talk in talks.items()}
        assert 50 < costs["long"] < 1.5 * costs["short"], turn.__name__


async def test_a_search_looks_at_what_has_the_words(one_connection: Database, talks: dict[str, UUID]) -> None:
    async def find() -> None:
        page = await sessions.list_sessions(one_connection, owner=None, limit=50, before=None, query="needle")
        assert {one.id for one in page.sessions} == set(talks.values())

    async with explained(one_connection) as plans:
        await find()
    assert "chat_messages_text" in index_names(plans)
    assert sequential(plans) <= {"chat_sessions"}
    row = await one_connection.fetch_one("SELECT pg_relation_size('chat_messages') / 8192 AS all")
    assert row is not None
    assert await blocks(one_connection, find) < row["all"] / 10


async def test_pages_and_paths_are_read_through_the_index_of_what_is_shown(
    one_connection: Database, talks: dict[str, UUID]
) -> None:
    async with explained(one_connection) as plans:
        await sessions.open_session(one_connection, talks["long"], owner=None, limit=50, before=5_000)
        await tables.list_path(one_connection, talks["long"], limit=50)
    assert {"chat_messages_shown", "chat_messages_children"} <= index_names(plans)
    assert "chat_messages" not in sequential(plans)


@asynccontextmanager
async def explained(database: Database) -> AsyncIterator[list[dict[str, Any]]]:
    """The plans of the queries that `fetch_all` runs meanwhile."""
    plans: list[dict[str, Any]] = []
    fetch_all = database.fetch_all

    async def noted(query: str, parameters: Any = None) -> list[dict[str, Any]]:
        (row,) = await fetch_all(f"EXPLAIN (FORMAT JSON) {query}", parameters)
        (plan,) = (
            row["QUERY PLAN"] if not isinstance(row["QUERY PLAN"], str) else json.loads(row["QUERY PLAN"])
        )
        plans.extend(nodes(plan["Plan"]))
        return await fetch_all(query, parameters)

    database.fetch_all = noted  # type: ignore[method-assign]  # for this object alone
    try:
        yield plans
    finally:
        database.fetch_all = fetch_all  # type: ignore[method-assign]


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]


def index_names(plans: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plans if "Index Name" in node}


def sequential(plans: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in plans if node["Node Type"] == "Seq Scan"}
