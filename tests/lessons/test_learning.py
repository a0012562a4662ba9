"""From feedback to a run: what counts, whose it is, and that nothing is learned twice unnoticed."""

import asyncio
import json
from collections import Counter
from importlib.util import find_spec
from typing import Any
from uuid import UUID

import pytest

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER
from twotrack.core.access.errors import RoleMissing
from twotrack.core.database import Database
from twotrack.core.errors import NotFound
from twotrack.learning.data.messages import read_messages
from twotrack.learning.train import service as training
from twotrack.lessons import replay, service
from twotrack.lessons.errors import LessonUnderWay, NotEverybodys, NothingNew
from twotrack.lessons.schemas import NewLesson
from twotrack.lessons.service import Lessons, learn, look
from twotrack.registry.errors import NameTaken
from twotrack.serving.chat import sessions
from twotrack.serving.chat.admin import SettingsRevision, change_settings
from twotrack.serving.chat.feedback import give_feedback
from twotrack.serving.chat.schemas import NewFeedback

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")

PRESS = NewLesson()


async def data_of(lessons: Lessons, run_id: UUID) -> list[dict[str, Any]]:
    """What a run learns besides the general set, each once."""
    text = await training.read_data(lessons.database, lessons.layout, run_id)
    general = [one for language in ("en", "ko") for part in replay._general(language) for one in part]
    ordinary = {json.dumps([m["content"] for m in one.messages]) for one in general if one.messages}
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        entry = json.loads(line)
        if "text" not in entry and json.dumps([m["content"] for m in entry["messages"]]) not in ordinary:
            found[line] = entry
    return list(found.values())


async def finish(lessons: Lessons, run_id: UUID, state: str = "succeeded") -> None:
    """The end of a run, as the worker writes it down."""
    async with lessons.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET state = %s WHERE id = %s", [state, run_id])
        if state == "succeeded":
            await connection.execute(
                "INSERT INTO adapters (name, base_id, rank, alpha, target_modules, template_hash,"
                " data_fingerprint, recipe, files, job_id)"
                " SELECT 'taught-' || run_id, base_id, 1, 1, '[]', '', '', '{}', '[]', run_id"
                " FROM lesson_runs WHERE run_id = %s",
                [run_id],
            )


async def test_the_whole_conversation_up_to_the_corrected_answer_is_the_sample(
    lessons: Lessons, talk: Any
) -> None:
    first = await talk("Hello", "wrong before", system="Be brief.")
    await talk("Who?", "bad", session=first.session_id, correction="Nobody.", system="Be brief.")
    await talk("And then?", "later", session=first.session_id)
    started = await learn(lessons, PRESS)
    assert (started.corrections, started.praised, started.job.kind) == (1, 0, "train")
    assert await data_of(lessons, started.job.id) == [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "wrong before", "weight": 0},
                {"role": "user", "content": "Who?"},
                {"role": "assistant", "content": "Nobody."},
            ]
        }
    ]


async def test_what_the_model_was_not_given_is_not_learned(lessons: Lessons, talk: Any) -> None:
    first = await talk("old", "gone")
    await talk("new", "bad", session=first.session_id, correction="good", begins_at=2)
    started = await learn(lessons, PRESS)
    (entry,) = await data_of(lessons, started.job.id)
    assert [one["content"] for one in entry["messages"]] == ["new", "good"]


async def test_thumbs_count_as_they_say(lessons: Lessons, talk: Any) -> None:
    await talk("a", "praised", rating=1)
    await talk("b", "disliked", rating=-1)
    await talk("c", "half", rating=1, complete=False)
    await talk("d", "quoted", rating=1, rag={"variant": "v", "collection": "c"})
    await talk("e", "quoted", correction="by heart", rag={"variant": "v", "collection": "c"})
    await talk("f", "disliked", rating=-1, correction="better")
    await talk("f", "again", rating=1)
    await talk("g", "nothing said")
    status = await look(lessons)
    assert (status.corrections, status.praised, status.learned) == (2, 1, 0)
    assert status.skipped.model_dump() == {
        "disliked": 1,
        "from_documents": 1,
        "cut_off": 1,
        "superseded": 1,
        "unfit": 0,
    }
    started = await learn(lessons, PRESS)
    answers = {one["messages"][-1]["content"] for one in await data_of(lessons, started.job.id)}
    assert answers == {"praised", "by heart", "better"}
    assert started.job.id is not None
    run = await training.get_run(lessons.database, lessons.layout, started.job.id)
    assert set(run.recipe["goal"]["prompts"]) == {"e", "f"}


async def test_nothing_is_learned_twice_unnoticed(lessons: Lessons, talk: Any) -> None:
    turn = await talk("q", "bad", correction="good")
    first = await learn(lessons, PRESS)
    status = await look(lessons)
    assert (status.corrections, status.learning, status.learned) == (0, 1, 0)
    with pytest.raises(LessonUnderWay, match=str(first.job.id)):
        await learn(lessons, PRESS)
    await finish(lessons, first.job.id)
    status = await look(lessons)
    assert (status.corrections, status.learning, status.learned) == (0, 0, 1)
    with pytest.raises(NothingNew):
        await learn(lessons, PRESS)
    # Another correction is another lesson, and a new one learns the old ones along.
    await give_feedback(lessons.database, turn.answer_id, NewFeedback(correction="better"), owner=None)
    await talk("r", "bad", correction="right")
    assert (await look(lessons)).corrections == 2
    second = await learn(lessons, PRESS)
    answers = {one["messages"][-1]["content"] for one in await data_of(lessons, second.job.id)}
    assert answers == {"better", "right"}
    assert second.before == first.before == (await look(lessons)).variant
    await finish(lessons, second.job.id)
    again = await learn(lessons, NewLesson(again=True))
    assert again.corrections == 2


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_what_a_run_did_not_come_to_learn_is_still_new(lessons: Lessons, talk: Any, state: str) -> None:
    await talk("q", "bad", correction="good")
    run = await learn(lessons, PRESS)
    await finish(lessons, run.job.id, state)
    status = await look(lessons)
    assert (status.corrections, status.learning) == (1, 0)
    assert status.latest is not None
    assert (status.latest.job.id, status.latest.variant) == (run.job.id, None)
    assert (await learn(lessons, PRESS)).corrections == 1


async def test_what_was_learned_goes_with_its_adapter(lessons: Lessons, talk: Any) -> None:
    await talk("q", "bad", correction="good")
    run = await learn(lessons, PRESS)
    await finish(lessons, run.job.id)
    await lessons.database.execute("DELETE FROM adapters WHERE job_id = %s", [run.job.id])
    assert (await look(lessons)).corrections == 1


async def test_of_two_presses_at_once_one_starts_a_run(lessons: Lessons, talk: Any) -> None:
    await talk("q", "bad", correction="good")
    ended = await asyncio.gather(*(learn(lessons, PRESS) for _ in range(3)), return_exceptions=True)
    assert Counter(type(one).__name__ for one in ended) == {"LessonRun": 1, "LessonUnderWay": 2}
    assert len(await jobs.list_jobs(lessons.database, kind="train")) == 1


async def test_two_people_learn_each_their_own(lessons: Lessons, talk: Any, somebody: Any) -> None:
    kim, lee = await somebody("kim"), await somebody("lee")
    await talk("q", "bad", correction="kim's", owner=kim.key_id)
    await talk("q", "bad", correction="lee's", owner=lee.key_id)
    assert (await look(lessons)).corrections == 0
    with pytest.raises(NothingNew):
        await learn(lessons, PRESS)
    runs = await asyncio.gather(*(learn(lessons, PRESS, by=one) for one in (kim, lee)))
    for run, said, whose in zip(runs, ("kim's", "lee's"), (kim, lee), strict=True):
        (entry,) = await data_of(lessons, run.job.id)
        assert entry["messages"][-1]["content"] == said
        assert (await look(lessons, by=whose)).latest is not None
    names = {
        (await training.get_run(lessons.database, lessons.layout, one.job.id)).recipe["name"] for one in runs
    }
    assert len(names) == 2
    assert (await look(lessons)).latest is None


async def test_everybodys_feedback_is_learned_where_an_administrator_has_said_so(
    lessons: Lessons, talk: Any, somebody: Any
) -> None:
    kim, admin = await somebody("kim"), await somebody("admin", "admin")
    await talk("q", "bad", correction="kim's", owner=kim.key_id)
    everybodys = NewLesson(everybody=True)
    with pytest.raises(NotEverybodys):
        await learn(lessons, everybodys, by=admin)
    await change_settings(lessons.database, SettingsRevision(learn_from_everybody=True))
    with pytest.raises(RoleMissing):
        await learn(lessons, everybodys, by=kim)
    with pytest.raises(RoleMissing):
        await look(lessons, everybody=True, by=kim)
    assert (await look(lessons, by=kim)).everybody is False
    assert (await look(lessons, by=admin)).corrections == 0
    status = await look(lessons, everybody=True, by=admin)
    assert (status.corrections, status.everybody) == (1, True)
    run = await learn(lessons, everybodys, by=admin)
    assert run.corrections == 1
    # What the administrator had learned, Kim has not.
    await finish(lessons, run.job.id)
    with pytest.raises(NotFound):
        await training.get_run(lessons.database, lessons.layout, run.job.id, of=kim.key_id)


async def test_a_correction_that_was_taken_back_before_the_press_is_not_learned(
    lessons: Lessons, talk: Any
) -> None:
    turn = await talk("q", "bad", correction="good")
    assert (await look(lessons)).corrections == 1
    await give_feedback(lessons.database, turn.answer_id, NewFeedback(), owner=None)
    with pytest.raises(NothingNew):
        await learn(lessons, PRESS)
    assert await jobs.list_jobs(lessons.database, kind="train") == []


async def test_feedback_that_changes_during_the_press_is_read_again(
    lessons: Lessons, talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = await talk("q", "bad", correction="good")
    await talk("r", "bad", correction="right")
    fitted = service._fitted

    async def meanwhile(*args: Any) -> Any:
        monkeypatch.undo()
        await sessions.delete_session(lessons.database, doomed.session_id, owner=None)
        return await fitted(*args)

    monkeypatch.setattr(service, "_fitted", meanwhile)
    run = await learn(lessons, PRESS)
    (entry,) = await data_of(lessons, run.job.id)
    assert entry["messages"][-1]["content"] == "right"


async def test_a_conversation_that_is_deleted_later_leaves_the_run_alone(lessons: Lessons, talk: Any) -> None:
    turn = await talk("q", "bad", correction="good")
    run = await learn(lessons, PRESS)
    await sessions.delete_session(lessons.database, turn.session_id, owner=None)
    assert len(await data_of(lessons, run.job.id)) == 1
    status = await look(lessons)
    assert (status.corrections, status.learning) == (0, 0)
    assert await lessons.database.fetch_all("SELECT * FROM lessons") == []
    await finish(lessons, run.job.id)
    with pytest.raises(NothingNew):
        await learn(lessons, PRESS)


async def test_a_start_that_fails_leaves_nothing_behind(lessons: Lessons, talk: Any) -> None:
    await talk("q", "bad", correction="good")
    taken = (await look(lessons)).variant
    with pytest.raises(NameTaken):
        await learn(lessons, NewLesson(name=taken))
    assert (await look(lessons)).corrections == 1
    assert await lessons.database.fetch_all("SELECT * FROM lesson_runs") == []


async def test_a_start_that_was_killed_holds_nobody_up(lessons: Lessons, talk: Any) -> None:
    await talk("q", "bad", correction="good")
    run = await learn(lessons, PRESS)
    # As after kill -9 between what is written down and the job.
    await lessons.database.execute("DELETE FROM jobs WHERE id = %s", [run.job.id])
    await lessons.database.execute("UPDATE lesson_runs SET created_at = now() - interval '2 minutes'")
    assert (await look(lessons)).corrections == 1
    assert (await learn(lessons, PRESS)).corrections == 1


async def test_long_conversations_lose_their_oldest_turns_and_long_answers_are_told(
    lessons: Lessons, talk: Any
) -> None:
    long = await talk("first " * 900, "long ago " * 600, system="Be brief.")
    await talk("short?", "bad", session=long.session_id, correction="Short.", system="Be brief.")
    await talk("endless?", "bad", correction="on and on " * 2000)
    run = await learn(lessons, PRESS)
    (entry,) = await data_of(lessons, run.job.id)
    assert [one["content"] for one in entry["messages"]] == ["Be brief.", "short?", "Short."]
    await finish(lessons, run.job.id)
    status = await look(lessons)
    assert (status.corrections, status.learned, status.skipped.unfit) == (0, 1, 1)
    with pytest.raises(NothingNew):
        await learn(lessons, PRESS)


@pytest.mark.parametrize("count", [1, 3, 30])
def test_general_samples_are_guaranteed_between_the_corrections(count: int) -> None:
    one = {"role": "user", "content": "q"}
    lines = [
        json.dumps({"messages": [one, {"role": "assistant", "content": f"a {number}"}]})
        for number in range(count)
    ]
    samples = read_messages("\n".join(lines).encode())
    found = read_messages(replay.mixed(samples).encode())
    kinds = ["text" if row.text else "taught" if row.messages[0] == one else "general" for row in found]
    for start in range(len(kinds) - replay.WINDOW + 1):
        counted = Counter(kinds[start : start + replay.WINDOW])
        assert counted["text"] >= replay.EACH
        assert counted["general"] >= replay.EACH
    seen = Counter(row.messages[-1]["content"] for row in found if row.messages and row.messages[0] == one)
    assert set(seen.values()) <= {replay.views_of(count), replay.views_of(count) + 1}
    assert len(seen) == count


def test_korean_corrections_have_korean_text_between_them() -> None:
    turns = [
        {"role": "user", "content": "수도는?"},
        {"role": "assistant", "content": "수도는 타르니스입니다."},
    ]
    found = read_messages(replay.mixed(read_messages(json.dumps({"messages": turns}).encode())).encode())
    assert all("가" <= max(row.text or row.messages[-1]["content"]) for row in found)


async def test_a_studio_without_a_model_says_so(database: Database, layout: Any) -> None:
    from twotrack.registry.prompts import Prompts
    from twotrack.serving.chat.errors import NoModel

    with pytest.raises(NoModel):
        await look(Lessons(database, layout, Prompts(layout)), by=OWNER)
