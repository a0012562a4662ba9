"""The body of a job of the kind "train": data to rows, a child that trains, an adapter in the registry."""

import asyncio
import hashlib
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psycopg

from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.folders import write_whole
from twotrack.core.jobs import Attempt, JobCancelled, StaleAttempt, WorkerStopping
from twotrack.core.language import Text
from twotrack.core.processes import stop_async
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.tokens import Row
from twotrack.learning.train import child, errors
from twotrack.learning.train.asking import sampling_of
from twotrack.learning.train.checkpoints import has_whole, newest_whole
from twotrack.learning.train.environment import options_of_child
from twotrack.learning.train.plan import Choices, Event, Plan, RunFolder
from twotrack.learning.train.recipe import Recipe, parse_recipe, trained_columns
from twotrack.learning.train.registration import Registered, register
from twotrack.learning.train.rows import rows_of
from twotrack.learning.train.schemas import HeldOutPoint, LossPoint, RunArgs, RunResult
from twotrack.registry import tables
from twotrack.registry.boards import family_of, grid_of
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.fingerprint import verify_base
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread

Judge = Callable[[Layout, Base, Recipe, Path, Sequence[Row]], Awaitable[None]]
"""With the base's safetensors and the run's rows. Raises a TwotrackError."""

_MODULE = "twotrack.learning.train.child"
# A child that is killed goes on from its newest checkpoint. This often without getting any further is enough.
_DEATHS_WITHOUT_PROGRESS = 2
_GRACE_SECONDS = 1.0


async def train_job(
    attempt: Attempt,
    *,
    database: Database,
    layout: Layout,
    seconds_between_checkpoints: float = 60.0,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """Args: RunArgs; result: RunResult. An attempt goes on where the one before it was broken off.

    `judge` looks at a new run before a model is loaded, unless it is forced.

    Raises:
        BaseAltered: before the training or after it.
        BrokenLine, SampleTooLong, NothingToLearn, …: see learning/data/errors.py; no model is loaded then.
        LossDiverged, TrainingOutOfMemory, TrainingDied, …: see learning/train/errors.py.
    """
    args = RunArgs.model_validate(attempt.args)
    folder = RunFolder(layout.job(attempt.job_id))
    async with database.transaction() as connection:
        base = await tables.get_base(connection, args.base_id)
        known = await tables.find_adapter_of_job(connection, attempt.job_id)
    try:
        template_hash = ""
        if known is None:
            await _verify(attempt, layout, base)
            asked = None if args.force else judge
            plan = await _plan(attempt, layout, base, args, folder, seconds_between_checkpoints, asked)
            template_hash = plan.template_hash
            await _train(attempt, folder)
            await _verify(attempt, layout, base)
        found = await register(attempt, layout, base, args, folder, template_hash)
    except BaseException as error:
        if not _goes_on(attempt, folder, error):
            await in_thread(tidy, folder)
        raise
    result = _result(folder, found)
    await in_thread(tidy, folder)
    return result.model_dump(mode="json")


def _goes_on(attempt: Attempt, folder: RunFolder, error: BaseException) -> bool:
    """Whether another attempt is to find what is there: by itself, or because somebody resumes the run."""
    by_itself = isinstance(error, psycopg.OperationalError)
    if by_itself or attempt.interruption in (StaleAttempt, WorkerStopping):
        return True
    if attempt.interruption is JobCancelled:
        return folder.paused.exists()
    # A full disk can be cleared, memory be given back; of a run that diverged this is the last good state.
    return has_whole(folder.checkpoints)


async def _verify(attempt: Attempt, layout: Layout, base: Base) -> None:
    total = sum(file.size for file in base.files)
    done = 0

    async def advance(count: int) -> None:
        nonlocal done
        done += count
        await attempt.report("verifying", fraction=done / total)

    await attempt.report("verifying", fraction=0.0)
    await verify_base(layout, base, advance)


async def _plan(
    attempt: Attempt,
    layout: Layout,
    base: Base,
    args: RunArgs,
    folder: RunFolder,
    seconds_between_checkpoints: float,
    judge: Judge | None,
) -> Plan:
    """The run's plan: written by its first attempt, read by the later ones."""
    # Wanted anew by each attempt: what was converted may have been cleared away meanwhile.
    await attempt.report("converting")
    model = await ensure_safetensors(layout, base)
    if folder.plan.exists():
        return Plan.model_validate_json(await in_thread(folder.plan.read_bytes))
    recipe = parse_recipe(args.recipe)
    data = await in_thread(folder.data.read_bytes) if folder.data.is_file() else b""
    if hashlib.sha256(data).hexdigest() != args.data_sha256:
        raise errors.DataAltered(path=str(folder.data))
    samples = await in_thread(read_messages, data)

    async def progress(done: int) -> None:
        await attempt.report("tokenizing", fraction=done / len(samples))

    rows, template_hash = await rows_of(layout, base, recipe, samples, progress)
    if judge is not None:
        await judge(layout, base, recipe, model, rows)
    held_out = await _held_out(attempt, layout, base, args, folder, recipe)
    sampling = await sampling_of(layout, base, recipe)
    family = family_of(base)
    plan = Plan(
        recipe=recipe,
        model=model,
        base_id=base.id,
        base_name=base.name,
        base_source=base.source,
        family=family.name,
        kinds=dict(family.kinds),
        columns=trained_columns(recipe, family),
        layers=0 if (grid := grid_of(base)) is None else grid.layers,
        template_hash=template_hash,
        data_sha256=args.data_sha256,
        rows=tuple(rows),
        held_out_rows=tuple(held_out),
        seconds_between_checkpoints=seconds_between_checkpoints,
        sampling=sampling,
    )
    await in_thread(write_whole, folder.plan, plan.model_dump_json())
    return plan


async def _held_out(
    attempt: Attempt, layout: Layout, base: Base, args: RunArgs, folder: RunFolder, recipe: Recipe
) -> list[Row]:
    """The rows that are not learned.

    Raises:
        HeldOutUnusable: names the data set around what is wrong in it.
    """
    if args.held_out is None:
        return []
    data = await in_thread(folder.held_out.read_bytes) if folder.held_out.is_file() else b""
    if hashlib.sha256(data).hexdigest() != args.held_out.fingerprint:
        raise errors.DataAltered(path=str(folder.held_out))
    samples = await in_thread(read_messages, data)

    async def progress(done: int) -> None:
        await attempt.report("tokenizing", fraction=done / len(samples))

    try:
        return (await rows_of(layout, base, recipe, samples, progress))[0]
    except TwotrackError as error:
        if error.status != 422:
            raise
        why = Text(error.explain("en").rstrip("."), error.explain("ko").rstrip("."))
        raise errors.HeldOutUnusable(name=args.held_out.name, why=why) from error


async def _train(attempt: Attempt, folder: RunFolder) -> None:
    """Run the child until the adapter is there, again after each death that left it further than before.

    Raises:
        TrainingOutOfMemory, TrainingDied: it died without getting any further.
        TwotrackError: what it said that was wrong.
    """
    if folder.adapter.exists():
        # It was finished by an attempt that ended before it could be registered.
        return
    deaths = restarts = 0
    before = newest_whole(folder.checkpoints)
    while (ended := await _run_child(attempt, folder, restarts)) != 0:
        await attempt.check()
        restarts += 1
        newest = newest_whole(folder.checkpoints)
        deaths = deaths + 1 if newest == before else 0
        before = newest
        if deaths >= _DEATHS_WITHOUT_PROGRESS:
            name = signal.Signals(-ended).name if ended < 0 else str(ended)
            # The kernel's way of saying that there is no memory left; a person's kill is rarely repeated.
            if ended == -signal.SIGKILL:
                raise errors.TrainingOutOfMemory(why=name)
            raise errors.TrainingDied(why=name, log=str(folder.log))


async def _run_child(attempt: Attempt, folder: RunFolder, restarts: int) -> int:
    """Run the child once and tell what it tells; its return code, 0 when the adapter is there."""
    # Told so that people see it, too: a run that keeps being killed is slow for no other reason to be seen.
    again = {"restarts": restarts} if restarts else {}
    options = options_of_child()
    with folder.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _MODULE, str(folder.path)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            **options,
        )
    try:
        async with aclosing(_events(process)) as events:
            async for event in events:
                await _tell(attempt, event, **again)
        return await process.wait()
    finally:
        # Whole checkpoints survive it: nothing is asked of the child first.
        await stop_async(process, grace=_GRACE_SECONDS, first=signal.SIGKILL)


async def _events(process: asyncio.subprocess.Process) -> AsyncGenerator[Event, None]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        # A killed child may leave half a line.
        if line.endswith(b"\n"):
            yield Event.model_validate_json(line)


async def _tell(attempt: Attempt, event: Event, **more: Any) -> None:
    if event.kind == "failed":
        raise child.ERRORS[event.error or ""](**(event.values or {}))
    fields = event.model_dump(exclude_none=True, exclude={"kind"})
    if event.kind == "sampled":
        # The run's folder has them; a job's progress is for figures.
        await attempt.check()
    elif event.kind == "step":
        assert event.step is not None
        assert event.total_steps is not None
        await attempt.report("training", fraction=event.step / event.total_steps, **fields, **more)
    else:
        stage = "training" if event.kind in ("started", "done") else event.kind
        await attempt.report(stage, **fields, **more)


def _result(folder: RunFolder, found: Registered) -> RunResult:
    choices = Choices.model_validate_json(folder.choices.read_bytes())
    last = read_history(folder)[-1]
    return RunResult(
        adapter_id=found.adapter.id,
        variant_id=found.variant.id,
        name=found.variant.name,
        base_id=found.adapter.base_id,
        steps=last.step,
        tokens=last.tokens,
        loss=last.loss,
        precision=choices.precision,
        device=choices.device,
        held_out_loss=next((p.loss for p in read_held_out(folder) if p.step == last.step), None),
        checkpoints=found.checkpoints,
    )


def read_history(folder: RunFolder, most: int | None = None) -> list[LossPoint]:
    """The loss of each step so far, or of `most` of them (two at least), evenly taken, the first and the last
    among them; a line that is being written is left out."""
    lines = _lines(folder.history)
    if most is not None and len(lines) > most:
        stride = (len(lines) - 1) / (most - 1)
        # Before they are read: many runs are looked at together, again and again.
        lines = [lines[round(place * stride)] for place in range(most)]
    return [LossPoint.model_validate_json(line) for line in lines]


def read_held_out(folder: RunFolder) -> list[HeldOutPoint]:
    """In the order of the steps; one that was taken again after a crash comes once."""
    points = [HeldOutPoint.model_validate_json(line) for line in _lines(folder.held_out_loss)]
    return [point for _, point in sorted({point.step: point for point in points}.items())]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []


def tidy(folder: RunFolder) -> None:
    """Remove what only a further attempt would need; data, history, choices and log stay."""
    staging = folder.adapter.with_name("adapter.staging")
    for path in (folder.checkpoints, folder.adapter, staging, folder.kept):
        shutil.rmtree(path, ignore_errors=True)
    for file in (folder.plan, folder.paused):
        file.unlink(missing_ok=True)
