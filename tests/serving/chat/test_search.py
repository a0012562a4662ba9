"""Search in sessions: what is found, in whose, and what is shown of it."""

from uuid import UUID, uuid4

import pytest

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.serving.chat import sessions, tables
from twotrack.serving.chat.branches import Place, begin_turn, find_place
from twotrack.serving.chat.recording import Recording
from twotrack.serving.chat.schemas import ListedSession, Match, Question

BACKSLASH = "\\"


async def talk(database: Database, question: str, answer: str = "", owner: UUID | None = None) -> UUID:
    turn = await begin_turn(database, None, Place(question), {}, owner=owner)
    await tables.write_answer(database, turn.answer_id, answer, complete=True, details={})
    return turn.session_id


async def find(database: Database, query: str, owner: UUID | None = None) -> list[ListedSession]:
    page = await sessions.list_sessions(database, owner=owner, limit=50, before=None, query=query)
    return page.sessions


async def match(database: Database, query: str) -> Match:
    (session,) = await find(database, query)
    assert session.match is not None
    return session.match


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("동해의 파란 바다는 왜 짠가요?", "바다"),
        ("동해의 파란 바다는 왜 짠가요?", "파란 바다는"),
        ("동해의 파란 바다는 왜 짠가요?", "해"),
        ("삼각주엽란", "주엽란"),
        ("The Harbour Master", "harbour MASTER"),
        ("Größe und ÄNDERUNG", "änderung"),
        ("ΑΒΓΔ", "αβγδ"),
        ("שלום עולם", "עולם"),
        ("a\nb\tc", "b\tc"),
        ("crème bru\u0302le\u0301e", "bru\u0302le\u0301e"),
    ],
)
async def test_words_are_found_in_any_script_and_case(database: Database, said: str, query: str) -> None:
    await talk(database, "something else", "다른 말")
    await talk(database, "?", said)
    found = await match(database, query)
    assert found.position == 1
    assert found.match.lower() == query.lower()
    assert found.before + found.match + found.after == said


@pytest.mark.parametrize(
    "query", ["100%", "a_b", f"c{BACKSLASH}d", f"{BACKSLASH}%", "%", "_", BACKSLASH, "'", '"']
)
async def test_signs_of_like_stand_for_themselves(database: Database, query: str) -> None:
    for decoy in ("1000 ways", "axb", "cd", "plain"):
        await talk(database, decoy)
    session_id = await talk(database, f"»{query}«")
    assert [one.id for one in await find(database, query)] == [session_id]
    assert (await match(database, query)).match == query


async def test_a_title_alone_is_a_hit_without_a_match(database: Database) -> None:
    named = await sessions.create_session(database, "바다 이야기", owner=None)
    await talk(database, "산")
    (hit,) = await find(database, "바다")
    assert (hit.id, hit.match) == (named.id, None)


async def test_the_first_place_in_the_first_message_is_shown(database: Database) -> None:
    await talk(database, f"{'x' * 100}needle one needle two{'y' * 200}", "needle three")
    found = await match(database, "needle")
    assert found.position == 0
    assert found.before == "…" + "x" * 60
    assert found.after == " one needle two" + "y" * 105 + "…"


async def test_blank_words_are_no_search(database: Database) -> None:
    session_id = await talk(database, "q")
    assert [one.id for one in await find(database, "  ")] == [session_id]


@pytest.mark.parametrize("query", ["needle", "바다"])
async def test_pages_of_hits_follow_each_other(database: Database, query: str) -> None:
    made = []
    for number in range(5):
        made.append(await talk(database, f"{query} {number}"))
        await talk(database, "hay")
    seen, before = [], None
    while True:
        page = await sessions.list_sessions(database, owner=None, limit=2, before=before, query=query)
        seen += [session.id for session in page.sessions]
        if (before := page.next) is None:
            break
    assert seen == made[::-1]
    with pytest.raises(InvalidInput):
        await sessions.list_sessions(database, owner=None, limit=2, before="?", query=query)


async def test_only_what_is_shown_is_found(database: Database) -> None:
    first = await begin_turn(database, None, Place("old needle"), {}, owner=None)
    await tables.write_answer(database, first.answer_id, "a", complete=True, details={})
    edit = Question(message="other", session_id=first.session_id, replaces=first.question_id)
    await begin_turn(database, first.session_id, await find_place(database, edit, owner=None), {}, owner=None)
    # The title is that of the first question.
    await sessions.rename_session(database, first.session_id, "", owner=None)
    assert await find(database, "needle") == []
    assert len(await find(database, "other")) == 1


@pytest.mark.parametrize("query", ["needle", "바다"])
async def test_nobody_finds_what_others_said(database: Database, query: str) -> None:
    owner = uuid4()
    await database.execute(
        "INSERT INTO api_keys (id, name, role, hash, hint) VALUES (%s, 'k', 'user', '', '')", [owner]
    )
    theirs, mine = await talk(database, query, owner=owner), await talk(database, query)
    assert [one.id for one in await find(database, query)] == [mine]
    assert [one.id for one in await find(database, query, owner)] == [theirs]


async def test_an_answer_of_one_long_line_is_kept_whole_paged_and_found_at_its_end(
    database: Database,
) -> None:
    turn = await begin_turn(database, None, Place("q"), {}, owner=None)
    line = "가나다라마 " * 8_500 + "끝말"
    async with Recording(database, turn.answer_id, {}) as recording:
        for start in range(0, len(line), 7):
            recording.add(line[start : start + 7])
        await recording.complete()
    session = await sessions.open_session(database, turn.session_id, owner=None, limit=1, before=None)
    assert (session.messages[0].content, session.earlier) == (line, True)
    found = await match(database, "끝말")
    assert (found.before, found.after) == ("…" + line[-62:-2], "")
