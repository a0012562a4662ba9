"""What people do with training runs: start one, look at them."""

import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from uuid import UUID, uuid4

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Connection, Database
from twotrack.core.folders import try_lock
from twotrack.core.job_recovery import take_up
from twotrack.core.jobs import Job
from twotrack.core.language import Language, Text
from twotrack.learning.data.messages import read_messages
from twotrack.learning.train import errors
from twotrack.learning.train.checkpoints import has_whole
from twotrack.learning.train.job import read_held_out, read_history, tidy
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import Recipe, fitted_board, parse_recipe, trained_columns
from twotrack.learning.train.sampling import read_answers
from twotrack.learning.train.schemas import Run, RunArgs
from twotrack.learning.train.sources import Sources
from twotrack.registry import tables
from twotrack.registry.boards import family_of, grid_of
from twotrack.registry.errors import ModelNotFound, NameTaken
from twotrack.registry.families import Family
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread

KIND = "train"

# Matrices whose shape is that of the change; packed ones have another.
_PLAIN = ("F32", "F16", "BF16")

_NEEDED = ("torch", "transformers", "peft", "trl", "datasets", "bitsandbytes")


@dataclass(frozen=True)
class Accepted:
    """A run that nothing speaks against, before anything of it is kept."""

    recipe: Recipe
    base: Base
    sources: Sources
    samples: int
    """In the bytes that came with the request; 0 where a data set is learned from."""
    data_sha256: str


async def start_run(
    database: Database,
    layout: Layout,
    *,
    recipe: Mapping[str, Any],
    data: bytes | None = None,
    data_id: UUID | None = None,
    held_out_id: UUID | None = None,
    by: Caller = OWNER,
    job_id: UUID | None = None,
    also: Callable[[Connection], Awaitable[None]] | None = None,
    force: bool = False,
) -> UUID:
    """Enqueue a training run; the id of its job. The data is kept as it is now: later edits change nothing.

    It is the bytes of a messages JSONL file, or a data set, named here or in the recipe, in whatever form it
    is. Whatever can be refused without tokenizing is refused here. `also` writes what belongs to the job in
    its transaction; `job_id` is the id that it shall have. `force`: it is trained even where the forecast
    says that this machine has not the memory.

    Raises:
        TrainingNotInstalled, RecipeInvalid, NotTrainable, RankTooLarge
        BrokenLine, NoSamples, DataTooLarge, DataSetNotFound, …: see learning/data/errors.py.
        ModelNotFound, NameTaken, InvalidInput: the base, or the name of what comes out.
    """
    accepted = await accept(
        database, recipe=recipe, data=data, data_id=data_id, held_out_id=held_out_id, by=by
    )
    await require_free(database, [accepted.recipe.name])
    return await begin(database, layout, accepted, by=by, job_id=job_id, also=also, force=force)


async def accept(
    database: Database,
    *,
    recipe: Mapping[str, Any],
    data: bytes | None,
    data_id: UUID | None,
    held_out_id: UUID | None,
    by: Caller,
) -> Accepted:
    """Look at all of a run but whether its name is free.

    Raises:
        As `start_run`.
    """
    for library in _NEEDED:
        if find_spec(library) is None:
            raise errors.TrainingNotInstalled(missing=library)
    wanted = parse_recipe(recipe)
    # As the run has it from now on, wherever it was named.
    ids = {"data_id": data_id or wanted.data_id, "held_out_id": held_out_id or wanted.held_out_id}
    wanted = wanted.model_copy(update=ids)
    sources = Sources(data, wanted.data_id, wanted.held_out_id)
    await sources.find(database, of=by.confined_to)
    base = await trainable(database, wanted.base)
    wanted = fitted(wanted, base)
    sources.check()
    samples = 0 if data is None else len(await in_thread(read_messages, data))
    return Accepted(wanted, base, sources, samples, hashlib.sha256(data or b"").hexdigest())


async def require_free(database: Database, names: Iterable[str]) -> None:
    """
    Raises:
        NameTaken: a model has one of the names.
    """
    async with database.transaction() as connection:
        for name in names:
            if await tables.is_name_taken(connection, name):
                raise NameTaken(name=name)


async def begin(
    database: Database,
    layout: Layout,
    accepted: Accepted,
    *,
    by: Caller,
    job_id: UUID | None = None,
    also: Callable[[Connection], Awaitable[None]] | None = None,
    force: bool = False,
    sweep: UUID | None = None,
    setting: str | None = None,
) -> UUID:
    """Keep the data and enqueue the run; the id of its job.

    Raises:
        DiskFull, FolderUnusable
        BrokenLine, ColumnsUnknown, …: a data set's, see learning/data/errors.py.
    """
    job_id = job_id or uuid4()
    folder = RunFolder(layout.job(job_id))
    try:
        learned, held_out = await accepted.sources.keep(layout, folder)
        args = RunArgs(
            recipe=accepted.recipe.model_dump(mode="json"),
            base_id=accepted.base.id,
            samples=accepted.samples if learned is None else learned.samples,
            data_sha256=accepted.data_sha256 if learned is None else learned.fingerprint,
            data_set=learned,
            held_out=held_out,
            force=force,
            sweep=sweep,
            setting=setting,
        )
        return await jobs.enqueue(
            database,
            KIND,
            args.model_dump(mode="json"),
            by=by,
            job_id=job_id,
            event="run.started",
            also=also,
        )
    except BaseException:
        await in_thread(shutil.rmtree, folder.path, ignore_errors=True)
        raise


async def list_runs(
    database: Database,
    layout: Layout,
    *,
    of: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
    language: Language = "en",
) -> list[Run]:
    """The newest first, everybody's or `of` one owner, without their histories; `before` is the id of a run:
    only older ones are listed."""
    found = await jobs.list_jobs(database, of=of, kind=KIND, before=before, limit=limit, language=language)
    return await in_thread(lambda: [_run(job, layout) for job in found])


async def get_run(
    database: Database,
    layout: Layout,
    run_id: UUID,
    *,
    of: UUID | None = None,
    language: Language = "en",
    most_points: int | None = None,
) -> Run:
    """One run with the loss of each step so far, or of `most_points` of them, and the answers on the way.

    Raises:
        RunNotFound
    """
    job = await _job(database, run_id, of=of, language=language)
    folder = RunFolder(layout.job(run_id))
    history = await in_thread(read_history, folder, most_points)
    held_out = await in_thread(read_held_out, folder)
    answers = await in_thread(read_answers, folder.answers)
    told = {"history": history, "held_out_history": held_out, "answers": answers}
    return _run(job, layout).model_copy(update=told)


async def pause_run(database: Database, layout: Layout, run_id: UUID, *, by: Caller = OWNER) -> None:
    """Stop a run that waits or works, keeping what it needs to go on: its child loses at most the time since
    its newest checkpoint. A run that is over stays as it is.

    Raises:
        RunNotFound
    """
    job = await _job(database, run_id, of=by.confined_to)
    if job.state in jobs.ENDED:
        return
    # Before the cancellation: whoever hears of that looks for this.
    await in_thread(RunFolder(layout.job(run_id)).paused.touch)
    await jobs.cancel(database, run_id, by=by)


async def cancel_run(database: Database, layout: Layout, run_id: UUID, *, by: Caller = OWNER) -> None:
    """End a run for good, one that is paused too. One that is over stays as it is.

    Raises:
        RunNotFound
    """
    job = await _job(database, run_id, of=by.confined_to)
    folder = RunFolder(layout.job(run_id))
    # Before the cancellation: whoever hears of that looks for this.
    await in_thread(lambda: folder.paused.unlink(missing_ok=True))
    if job.state == "cancelled":
        await in_thread(tidy, folder)
    await jobs.cancel(database, run_id, by=by)


async def resume_run(database: Database, layout: Layout, run_id: UUID, *, by: Caller = OWNER) -> None:
    """Go on with a run that was paused, or that failed and has left a checkpoint; it keeps its id. A run that
    waits or works stays as it is.

    Raises:
        RunNotFound
        NothingToResume: it is done, was cancelled, or failed without a checkpoint.
    """
    job = await _job(database, run_id, of=by.confined_to)
    if job.state not in jobs.ENDED:
        return
    folder = RunFolder(layout.job(run_id))
    if not await in_thread(_can_resume, job, folder) or not await take_up(database, run_id, by=by):
        raise errors.NothingToResume(run=str(run_id), state=job.state)
    await in_thread(lambda: folder.paused.unlink(missing_ok=True))


async def discard_run(database: Database, layout: Layout, run_id: UUID, *, by: Caller = OWNER) -> None:
    """Give up what a run that is over could go on from: its checkpoints, and adapters that nobody has
    registered. Its data, recipe and history stay; it is not resumed any more.

    Raises:
        RunNotFound
        RunGoesOn: it waits or works, or its child has not ended yet.
    """
    job = await _job(database, run_id, of=by.confined_to)
    folder = RunFolder(layout.job(run_id))
    if job.state in jobs.ENDED and not folder.path.is_dir():
        return
    # Whoever holds it is the one child that may work here: none begins meanwhile.
    lock = await in_thread(try_lock, folder.lock) if job.state in jobs.ENDED else None
    if lock is None:
        raise errors.RunGoesOn(run=str(run_id))
    try:
        # It may have been resumed since: then it is left what it goes on from.
        job = await _job(database, run_id, of=by.confined_to)
        if job.state not in jobs.ENDED:
            raise errors.RunGoesOn(run=str(run_id))
        await in_thread(tidy, folder)
    finally:
        os.close(lock)


async def read_data(database: Database, layout: Layout, run_id: UUID, *, of: UUID | None = None) -> str:
    """The text of the JSONL file that a run learns from.

    Raises:
        RunNotFound, DataAltered: it is not there any more, or not what it was.
    """
    job = await _job(database, run_id, of=of)
    file = RunFolder(layout.job(run_id)).data
    data = await in_thread(file.read_bytes) if file.is_file() else b""
    if hashlib.sha256(data).hexdigest() != RunArgs.model_validate(job.args).data_sha256:
        raise errors.DataAltered(path=str(file))
    return data.decode()


def fitted(recipe: Recipe, base: Base) -> Recipe:
    """The recipe as it is for this base: its board has every cell written out.

    Raises:
        RecipeInvalid: columns, a board, or a length that the base does not have.
        RankTooLarge: where a cell of the board asks for it, and the base tells the size of its matrices.
    """
    family = family_of(base)
    recipe = recipe.model_copy(update={"board": fitted_board(recipe, grid_of(base))})
    trained_columns(recipe, family)
    check_length(recipe, base)
    if recipe.board is not None:
        _check_ranks(recipe, base, family)
    return recipe


def _check_ranks(recipe: Recipe, base: Base, family: Family) -> None:
    """Only where the base's file has the names and shapes of the modules; the child looks in any case."""
    for one in base.details.get("modules") or ():
        name, shape = str(one["name"]).removesuffix(".weight").replace("{}", "0"), one["shape"]
        kind = family.kind_of(name)
        if kind is None or len(shape) != 2 or one.get("dtype") not in _PLAIN:
            continue
        ranks = [row[family.columns.index(kind)] for row in recipe.board or ()]
        rank = max((cell.rank or recipe.rank for cell in ranks if cell.train), default=0)
        if rank > min(shape):
            raise errors.RankTooLarge(rank=rank, module=name, largest=min(shape))


def check_length(recipe: Recipe, base: Base) -> None:
    """
    Raises:
        RecipeInvalid: rows longer than the base's context are asked for.
    """
    if recipe.max_length is not None and recipe.max_length > base.context_length:
        raise errors.RecipeInvalid(
            field="max_length",
            why=Text(
                f"{recipe.max_length} is more than the context of {base.name}, {base.context_length}",
                f"{recipe.max_length}은(는) {base.name}의 컨텍스트 {base.context_length}보다 깁니다",
            ),
        )


async def trainable(database: Database, name: str) -> Base:
    """The base of that name or id, or of its own variant.

    Raises:
        ModelNotFound
        NotTrainable: it has adapters already, or runs elsewhere.
    """
    async with database.transaction() as connection:
        variant = None
        # A base and its own variant have one name, and each an id of its own.
        with suppress(ModelNotFound):
            variant = await tables.get_variant(connection, name)
        base = await tables.get_base(connection, variant.base_id if variant else name)
    if variant and not variant.is_base:
        why = Text(
            f"it has adapters already; train on its base, {base.name}",
            f"이미 어댑터가 있습니다. 베이스인 {base.name}에서 학습하세요",
        )
        raise errors.NotTrainable(name=variant.name, why=why)
    if base.format == "remote":
        why = Text("it runs on another server", "다른 서버에서 실행되는 모델입니다")
        raise errors.NotTrainable(name=base.name, why=why)
    return base


async def _job(database: Database, run_id: UUID, *, of: UUID | None = None, language: Language = "en") -> Job:
    job = await jobs.fetch(database, run_id, of=of, language=language)
    if job.kind != KIND:
        raise errors.RunNotFound(what="run", name=str(run_id))
    return job


def _can_resume(job: Job, folder: RunFolder) -> bool:
    if job.state == "cancelled":
        return folder.paused.exists()
    return job.state == "failed" and has_whole(folder.checkpoints)


def _run(job: Job, layout: Layout) -> Run:
    args = RunArgs.model_validate(job.args)
    folder = RunFolder(layout.job(job.id))
    return Run(
        job=job,
        paused=job.state == "cancelled" and folder.paused.exists(),
        can_resume=_can_resume(job, folder),
        recipe=args.recipe,
        base_id=args.base_id,
        samples=args.samples,
        data_sha256=args.data_sha256,
        data_set=args.data_set,
        held_out=args.held_out,
        sweep=args.sweep,
        setting=args.setting,
        force=args.force,
    )
