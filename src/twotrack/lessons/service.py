"""What people do with feedback: see what could be learned of it, have it learned, vote, take it along."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from uuid import UUID, uuid4

import psycopg

from twotrack.core import events, jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.access.errors import RoleMissing
from twotrack.core.database import Connection, Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Language
from twotrack.learning.data.errors import AnswerNotSeparable, BrokenLine, NothingToLearn, SampleTooLong
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import ChatTokenizer, tokenize
from twotrack.learning.train.service import start_run
from twotrack.lessons import replay, tables
from twotrack.lessons.errors import FeedbackChanging, LessonUnderWay, NotEverybodys, NothingNew
from twotrack.lessons.feedback import Found, Lesson, gather, gather_preferences
from twotrack.lessons.schemas import LearnStatus, LessonRun, NewLesson, NewVote, Skipped, Vote
from twotrack.registry import tables as models
from twotrack.registry.layout import Layout
from twotrack.registry.names import suggest_name
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base, Variant
from twotrack.serving.chat.admin import load_settings
from twotrack.serving.chat.errors import MessageNotFound, NoModel
from twotrack.serving.chat.feedback import NOT_AN_ANSWER
from twotrack.serving.chat.tables import belongs_to

AT_ONCE = 200
"""Samples of one run; the newest ones, where there are more."""

# A long conversation is learned with as much of it as fits here, the newest turns: each token is computed a
# dozen times.
_LONGEST = 2048
_GOALS = 10
_LONGEST_GOAL = 4000
_TRIES = 3

RECIPE: dict[str, Any] = {
    "rank": 16,
    "alpha": 32,
    "learning_rate": 1e-3,
    "epochs": 1,
    "batch_size": 4,
    "seed": 0,
}
"""How few corrections are learned; measured in docs/decisions/0020-learning-from-corrections.md."""


@dataclass(frozen=True)
class Lessons:
    """Where feedback, models and data lie."""

    database: Database
    layout: Layout
    prompts: Prompts


async def look(
    lessons: Lessons,
    *,
    variant: str | None = None,
    everybody: bool = False,
    by: Caller = OWNER,
    language: Language = "en",
) -> LearnStatus:
    """What could be learned now.

    Raises:
        NoModel, ModelNotFound
        RoleMissing, NotEverybodys: everybody's feedback is asked for, and not allowed.
    """
    allowed = await _may_use_everybodys(lessons.database, by)
    await _check_whose(lessons.database, everybody, by)
    async with lessons.database.transaction() as connection:
        chosen, base = await _chosen(lessons.database, connection, variant)
        found = await gather(connection, owner=by.key_id, everybody=everybody)
        known = await _known(connection, base, found)
        pairs = await gather_preferences(connection, owner=by.key_id, everybody=everybody)
        latest = await tables.latest_run(connection, base.id, owner=by.key_id)
    fresh = [one for one in found.lessons if known.get((one.message_id, one.digest)) is None]
    standing = Counter(known.values())
    return LearnStatus(
        variant=chosen.name,
        base=base.name,
        trainable=base.format != "remote" and find_spec("trl") is not None,
        corrections=sum(one.kind == "correction" for one in fresh),
        praised=sum(one.kind == "praise" for one in fresh),
        learned=standing["learned"],
        learning=standing["learning"],
        skipped=Skipped(
            **{name: found.skipped[name] for name in Skipped.model_fields if name != "unfit"},
            unfit=standing["unfit"],
        ),
        preferences=len(pairs),
        latest=await _lesson_run(lessons.database, latest, language),
        everybody=allowed,
    )


async def learn(
    lessons: Lessons, asked: NewLesson, *, by: Caller = OWNER, language: Language = "en"
) -> LessonRun:
    """Start a run over the feedback as it is now; later changes of it change nothing of the run.

    All that was learned before is learned along, since an adapter begins at the base.

    Raises:
        NothingNew, LessonUnderWay, FeedbackChanging
        RoleMissing, NotEverybodys: everybody's feedback is asked for, and not allowed.
        NoModel, ModelNotFound, and what `learning.train.service.start_run` raises.
    """
    await _check_whose(lessons.database, asked.everybody, by)
    for _ in range(_TRIES):
        async with lessons.database.transaction() as connection:
            chosen, base = await _chosen(lessons.database, connection, asked.variant)
            found = await gather(connection, owner=by.key_id, everybody=asked.everybody)
            known = await _known(connection, base, found)
            under_way = await tables.open_run(connection, base.id, owner=by.key_id)
        if under_way is not None:
            raise LessonUnderWay(run=str(under_way))
        fresh = [one for one in found.lessons if known.get((one.message_id, one.digest)) is None]
        if not fresh and not (asked.again and found.lessons):
            raise NothingNew(base=base.name)
        fitting, unfit = await _fitted(lessons, base, found.lessons[:AT_ONCE])
        run_id = uuid4()
        if await _write_down(lessons.database, run_id, chosen, base, found, fitting, unfit, asked, by):
            break
    else:
        raise FeedbackChanging
    try:
        if not fitting:
            raise NothingNew(base=base.name)
        name = asked.name or await _free_name(lessons.database, base)
        await start_run(
            lessons.database,
            lessons.layout,
            recipe=_recipe(base, name, fitting),
            data=replay.mixed([sample for _, sample in fitting]).encode(),
            by=by,
            job_id=run_id,
        )
    except BaseException:
        async with lessons.database.transaction() as connection:
            await tables.delete_run(connection, run_id)
        raise
    async with lessons.database.transaction() as connection:
        kinds = Counter(one.kind for one, _ in fitting)
        await events.append(connection, "feedback.learned", by=by.details(), job=run_id, samples=len(fitting))
    return LessonRun(
        job=await jobs.fetch(lessons.database, run_id, language=language),
        corrections=kinds["correction"],
        praised=kinds["praise"],
        variant=None,
        before=chosen.name,
    )


async def vote(database: Database, asked: NewVote, *, owner: UUID | None) -> Vote | None:
    """Keep which of two answers was better; None when the vote is taken back.

    Raises:
        MessageNotFound: the owner has no such answer.
        InvalidInput: the message is a question.
    """
    async with database.transaction() as connection:
        # Held, so that a session that is deleted meanwhile takes the vote along.
        cursor = await connection.execute(
            "SELECT role FROM chat_messages JOIN chat_sessions ON chat_sessions.id = session_id"
            f" WHERE chat_messages.id = %(message)s AND {belongs_to(owner)}"
            " FOR KEY SHARE OF chat_messages".encode(),
            {"message": asked.message_id, "owner": owner},
        )
        message = await cursor.fetchone()
        if message is None:
            raise MessageNotFound(name=str(asked.message_id))
        if message["role"] != "assistant":
            raise InvalidInput(what="message_id", value=str(asked.message_id), why=NOT_AN_ANSWER)
        pair = {"other": asked.other, "other_variant": asked.other_variant}
        if asked.better is None:
            await tables.drop_vote(connection, asked.message_id, **pair)
            return None
        kept = asked.better == "kept"
        await tables.keep_vote(connection, asked.message_id, **pair, kept_is_better=kept)
    return Vote(better=asked.better)


async def samples_of(
    database: Database, *, preferences: bool, everybody: bool = False, by: Caller = OWNER
) -> list[Sample]:
    """What would be learned, or pairs of a better and a worse answer.

    Raises:
        RoleMissing, NotEverybodys
    """
    await _check_whose(database, everybody, by)
    async with database.transaction() as connection:
        if preferences:
            return await gather_preferences(connection, owner=by.key_id, everybody=everybody)
        found = await gather(connection, owner=by.key_id, everybody=everybody)
        return [one.sample for one in found.lessons]


async def _may_use_everybodys(database: Database, by: Caller) -> bool:
    return by.role == "admin" and (await load_settings(database)).learn_from_everybody


async def _check_whose(database: Database, everybody: bool, by: Caller) -> None:
    if everybody and by.role != "admin":
        raise RoleMissing(name=by.name, role="admin")
    if everybody and not await _may_use_everybodys(database, by):
        raise NotEverybodys


async def _chosen(database: Database, connection: Connection, name: str | None) -> tuple[Variant, Base]:
    name = name or (await load_settings(database)).default_variant
    if name is None:
        bases = await models.list_bases(connection)
        if not bases:
            raise NoModel
        name = min(bases, key=lambda one: one.created_at).name
    variant = await models.get_variant(connection, name)
    return variant, await models.get_base(connection, variant.base_id)


async def _known(connection: Connection, base: Base, found: Found) -> Mapping[tuple[UUID, str], str]:
    """What became of lessons on this base: "learned", "learning" or "unfit"; the others are new."""
    rows = await tables.known_lessons(connection, base.id, [one.message_id for one in found.lessons])
    known: dict[tuple[UUID, str], str] = {}
    for row in rows:
        lesson = (row["message_id"], row["digest"])
        if lesson not in found.digests:
            continue
        if row["kind"] == "unfit":
            known[lesson] = "unfit"
        elif row["learned"]:
            known[lesson] = "learned"
        elif row["learning"]:
            known.setdefault(lesson, "learning")
    return known


async def _fitted(
    lessons: Lessons, base: Base, wanted: Sequence[Lesson]
) -> tuple[list[tuple[Lesson, Sample]], list[Lesson]]:
    """Samples that the base can take, shortened from their beginning where they must be, and the others."""
    codec = await lessons.prompts.for_base(base)
    limit = min(base.context_length, _LONGEST)
    fitting, unfit = [], []
    for lesson in wanted:
        sample = await _shortened(codec, lesson.sample, base.name, limit)
        if sample is None:
            unfit.append(lesson)
        else:
            fitting.append((lesson, sample))
    return fitting, unfit


async def _shortened(codec: ChatTokenizer, sample: Sample, model: str, limit: int) -> Sample | None:
    """The sample with as many of its newest turns as fit, or None."""
    head = sample.messages[:1] if sample.messages[0]["role"] == "system" else ()
    turns = sample.messages[len(head) :]
    while True:
        messages = (*head, *turns)
        earlier = tuple(place for place, one in enumerate(messages[:-1]) if one["role"] == "assistant")
        shorter = Sample(0, messages, unlearned=earlier)
        with suppress(SampleTooLong):
            try:
                await tokenize(codec, [shorter], model=model, max_length=limit)
            except (BrokenLine, AnswerNotSeparable, NothingToLearn):
                return None
            return shorter
        # A turn of somebody who asked, and its answer.
        following = (place for place, one in enumerate(turns[1:-1], 1) if one["role"] == "user")
        first = next(following, None)
        if first is None:
            return None
        turns = turns[first:]


async def _write_down(
    database: Database,
    run_id: UUID,
    chosen: Variant,
    base: Base,
    found: Found,
    fitting: Sequence[tuple[Lesson, Sample]],
    unfit: Sequence[Lesson],
    asked: NewLesson,
    by: Caller,
) -> bool:
    """Write down what the run will learn; False where the feedback has changed since it was read.

    Raises:
        LessonUnderWay: another press was faster.
    """
    entries: list[tuple[UUID, str, str]] = [(one.message_id, one.digest, one.kind) for one, _ in fitting]
    entries += [(one.message_id, one.digest, "unfit") for one in unfit]
    try:
        async with database.transaction() as connection:
            await tables.lock_lessons(connection)
            under_way = await tables.open_run(connection, base.id, owner=by.key_id)
            if under_way is not None:
                raise LessonUnderWay(run=str(under_way))
            now = await gather(connection, owner=by.key_id, everybody=asked.everybody)
            if now.digests != found.digests:
                return False
            await tables.insert_run(
                connection,
                run_id,
                owner=by.key_id,
                base_id=base.id,
                before=chosen.id,
                everybody=asked.everybody,
                lessons=entries,
            )
    except psycopg.errors.ForeignKeyViolation:
        # A conversation was deleted at this moment.
        return False
    return True


async def _free_name(database: Database, base: Base) -> str:
    stem = suggest_name(base.name)[:80]
    async with database.transaction() as connection:
        number = await tables.count_runs(connection, base.id)
        while await models.is_name_taken(connection, name := f"{stem}-taught-{number}"):
            number += 1
    return name


def _recipe(base: Base, name: str, fitting: Sequence[tuple[Lesson, Sample]]) -> dict[str, Any]:
    corrected = [one for one, _ in fitting if one.kind == "correction"]
    asked = dict.fromkeys(one.question for one in corrected if len(one.question) <= _LONGEST_GOAL)
    goal = {"prompts": list(asked)[:_GOALS]}
    return {**RECIPE, "base": base.id, "name": name} | ({"goal": goal} if asked else {})


async def _lesson_run(
    database: Database, row: Mapping[str, Any] | None, language: Language
) -> LessonRun | None:
    if row is None:
        return None
    job = await jobs.fetch(database, row["run_id"], language=language)
    counts = {name: row[name] for name in ("corrections", "praised", "variant", "before")}
    return LessonRun(job=job, **counts)
