"""Sessions and messages in the database."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from twotrack.core.database import Database, migrate
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.core.errors import InvalidInput
from twotrack.serving.chat import sessions, tables
from twotrack.serving.chat.branches import Place, Turn, begin_turn, find_place
from twotrack.serving.chat.errors import SessionNotFound
from twotrack.serving.chat.recording import Recording
from twotrack.serving.chat.schemas import Question
from twotrack.serving.chat.service import close_broken_answers


async def ask(database: Database, question: str = "질문") -> Turn:
    return await begin_turn(database, None, Place(question), {"by": "me"}, owner=None)


async def message(database: Database, turn: Turn) -> tuple[str, str, dict[str, object]]:
    row = await database.fetch_one("SELECT * FROM chat_messages WHERE id = %s", [turn.answer_id])
    assert row is not None
    return row["content"], row["state"], row["details"]


async def test_pages_show_every_session_once_the_last_used_first(database: Database) -> None:
    made = [(await sessions.create_session(database, str(number), owner=None)).id for number in range(5)]
    seen, before = [], None
    while True:
        page = await sessions.list_sessions(database, owner=None, limit=2, before=before)
        seen += [session.id for session in page.sessions]
        if page.next is None:
            break
        before = page.next
    assert seen == made[::-1]


async def test_a_made_up_page_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInput):
        await sessions.list_sessions(database, owner=None, limit=2, before="yesterday")


async def test_a_session_can_be_renamed_and_deleted(database: Database) -> None:
    session = await sessions.create_session(database, "가", owner=None)
    assert (await sessions.rename_session(database, session.id, "나", owner=None)).title == "나"
    await sessions.delete_session(database, session.id, owner=None)
    for gone in (
        sessions.open_session(database, session.id, owner=None, limit=1, before=None),
        sessions.rename_session(database, session.id, "", owner=None),
        sessions.delete_session(database, session.id, owner=None),
    ):
        with pytest.raises(SessionNotFound):
            await gone


async def test_messages_page_back_from_the_newest(database: Database) -> None:
    session = await sessions.create_session(database, "", owner=None)
    for position in (0, 2):
        question = Question(message=f"q{position}", session_id=session.id)
        place = await find_place(database, question, owner=None)
        turn = await begin_turn(database, session.id, place, {}, owner=None)
        await tables.write_answer(database, turn.answer_id, "a", complete=True, details={})
    newest = await sessions.open_session(database, session.id, owner=None, limit=3, before=None)
    assert [one.position for one in newest.messages] == [1, 2, 3]
    assert newest.earlier
    oldest = await sessions.open_session(database, session.id, owner=None, limit=3, before=1)
    assert [one.content for one in oldest.messages] == ["q0"]
    assert not oldest.earlier


async def test_an_answer_is_streaming_until_it_is_complete(database: Database) -> None:
    turn = await ask(database)
    async with Recording(database, turn.answer_id, {"by": "me"}) as recording:
        assert (await message(database, turn))[1] == "streaming"
        recording.add("한")
        recording.add("글")
        await recording.complete(finish_reason="stop")
    assert await message(database, turn) == ("한글", "complete", {"by": "me", "finish_reason": "stop"})


async def test_an_answer_that_is_broken_off_is_kept_as_cut_off(database: Database) -> None:
    turn = await ask(database)

    async def answer() -> None:
        async with Recording(database, turn.answer_id, {}) as recording:
            recording.add("반쯤")
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    task = asyncio.create_task(answer())
    await started.wait()
    task.cancel()
    await asyncio.wait({task})
    assert await message(database, turn) == ("반쯤", "cut_off", {"cut_off": "cancelled"})


async def test_the_text_so_far_is_written_while_the_answer_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twotrack.serving.chat.recording._FLUSH_SECONDS", 0.0)
    turn = await ask(database)
    async with Recording(database, turn.answer_id, {}) as recording:
        recording.add("벌써")
        async with asyncio.timeout(10):
            while (await message(database, turn))[0] != "벌써":
                await asyncio.sleep(0)
        assert (await message(database, turn))[1] == "streaming"


async def test_what_a_killed_studio_left_streaming_is_kept_as_cut_off(database: Database) -> None:
    turn = await ask(database)
    await tables.write_partial_answer(database, turn.answer_id, "여기까지")
    assert await close_broken_answers(database) == 1
    text, state, details = await message(database, turn)
    assert (text, state, details) == ("여기까지", "cut_off", {"by": "me", "cut_off": "studio-stopped"})
    assert await close_broken_answers(database) == 0


@pytest.mark.slow
async def test_an_answer_that_ends_while_the_database_is_killed_is_written_when_it_is_back(
    tmp_path: Path,
) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        await asyncio.to_thread(migrate, server.url())
        database = Database(server.url())
        await database.open()
        turn = await ask(database)
        assert server.process is not None
        server.process.kill()
        server.process.wait()

        async def answer() -> None:
            async with Recording(database, turn.answer_id, {}) as recording:
                recording.add("끝")
                ended.set()
                await recording.complete()

        ended = asyncio.Event()
        answering = asyncio.create_task(answer())
        await ended.wait()
        server.start()
        await answering
        assert (await message(database, turn))[:2] == ("끝", "complete")
        await database.close()


async def test_a_character_that_no_database_holds_does_not_lose_the_answer(database: Database) -> None:
    turn = await ask(database)
    async with Recording(database, turn.answer_id, {}) as recording:
        recording.add("a\x00b")
        await recording.complete()
    assert (await message(database, turn))[0] == "a\ufffdb"


async def test_an_answer_to_a_deleted_session_ends_quietly(database: Database) -> None:
    turn = await ask(database)
    async with Recording(database, turn.answer_id, {}) as recording:
        await database.execute("DELETE FROM chat_sessions")
        await recording.complete()
    assert await database.fetch_all("SELECT * FROM chat_messages") == []


async def test_without_a_session_nothing_is_written(database: Database) -> None:
    async with Recording(database, None, {}) as recording:
        recording.add("a")
        await recording.complete()
    assert recording.text == "a"


async def test_no_session_is_found_under_an_unknown_id(database: Database) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.open_session(database, uuid4(), owner=None, limit=1, before=None)


async def test_an_answer_cancelled_in_the_moment_it_was_written_down_is_not_left_streaming(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, inserted = tables.insert_answer, asyncio.Event()

    async def noticed(*arguments: Any) -> UUID:
        answer_id = await insert(*arguments)
        inserted.set()
        return answer_id

    monkeypatch.setattr(tables, "insert_answer", noticed)
    beginning = asyncio.create_task(begin_turn(database, None, Place("질문"), {}, owner=None))
    await inserted.wait()
    beginning.cancel()
    await asyncio.wait({beginning})
    assert beginning.cancelled()
    (answer,) = await database.fetch_all("SELECT state FROM chat_messages WHERE role = 'assistant'")
    assert answer["state"] == "cut_off"
