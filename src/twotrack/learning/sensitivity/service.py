"""Sensitivity as jobs of the kind "sensitivity": enqueued with data, measured in the worker."""

import hashlib
import random
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from uuid import UUID, uuid4

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.file_lock import file_lock
from twotrack.core.folders import disk_errors
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.learning.data.messages import Sample, read_messages
from twotrack.learning.sensitivity.child import Asked
from twotrack.learning.sensitivity.errors import NothingToSense
from twotrack.learning.sensitivity.kept import Kept, key_of
from twotrack.learning.sensitivity.measuring import measure
from twotrack.learning.sensitivity.schemas import NewSensitivity, SensitivityArgs, SensitivityReport
from twotrack.learning.sensitivity.summary import Summary
from twotrack.learning.train import errors
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import Recipe
from twotrack.learning.train.rows import rows_of
from twotrack.learning.train.sources import Sources
from twotrack.registry import tables
from twotrack.registry.boards import family_of, grid_of
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.fingerprint import verify_base
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread

KIND = "sensitivity"

_NEEDED = ("torch", "transformers")


async def start_sensitivity(
    database: Database, layout: Layout, name: str, asked: NewSensitivity, *, by: Caller = OWNER
) -> UUID:
    """Enqueue a measurement on the base of a variant; the id of its job. What can be refused without
    tokenizing is refused here.

    Raises:
        TrainingNotInstalled, ModelNotFound, NotTrainable, NothingToSense
        RecipeInvalid: no data, or data twice.
        BrokenLine, NoSamples, DataTooLarge, DataSetNotFound, …: see learning/data/errors.py.
    """
    missing = next((name for name in _NEEDED if find_spec(name) is None), None)
    if missing is not None:
        raise errors.TrainingNotInstalled(missing=missing)
    # JSON can carry halves of surrogate pairs; the reading of the data then names their line.
    data = None if asked.data is None else asked.data.encode(errors="surrogatepass")
    sources = Sources(data, asked.data_id, None)
    await sources.find(database, of=by.confined_to)
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, name)
        base = await tables.get_base(connection, variant.base_id)
    if base.format == "remote":
        why = Text("it runs on another server", "다른 서버에서 실행되는 모델입니다")
        raise errors.NotTrainable(name=base.name, why=why)
    if grid_of(base) is None:
        raise NothingToSense(name=base.name)
    sources.check()
    if data is not None:
        await in_thread(read_messages, data)
    job_id = uuid4()
    folder = RunFolder(layout.job(job_id))
    try:
        learned, _ = await sources.keep(layout, folder)
        args = SensitivityArgs(
            **asked.model_dump(exclude={"data", "data_id"}),
            base_id=base.id,
            base=base.name,
            data_sha256=hashlib.sha256(data or b"").hexdigest() if learned is None else learned.fingerprint,
            data_set=learned,
        )
        return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by, job_id=job_id)
    except BaseException:
        await in_thread(shutil.rmtree, folder.path, ignore_errors=True)
        raise


async def sensitivity_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "sensitivity". Args: SensitivityArgs; result: SensitivityReport.

    Raises:
        BaseAltered, DataAltered
        SampleTooLong, NothingToLearn, …: as a run would, see learning/data/errors.py.
        GradientNotFinite, BuiltOtherwise, TrainingOutOfMemory, TrainingDied, DiskFull
    """
    args = SensitivityArgs.model_validate(attempt.args)
    folder = RunFolder(layout.job(attempt.job_id))
    async with database.transaction() as connection:
        base = await tables.get_base(connection, args.base_id)
    try:
        await attempt.report("verifying")
        await verify_base(layout, base)
        return (await _report(attempt, layout, base, args, folder)).model_dump(mode="json")
    finally:
        if attempt.interruption is None or attempt.interruption is jobs.JobCancelled:
            await in_thread(shutil.rmtree, folder.path, ignore_errors=True)


async def _report(
    attempt: Attempt, layout: Layout, base: Base, args: SensitivityArgs, folder: RunFolder
) -> SensitivityReport:
    grid, family = grid_of(base), family_of(base)
    if grid is None:
        raise NothingToSense(name=base.name)
    await attempt.report("converting")
    model = await ensure_safetensors(layout, base)
    data = await in_thread(folder.data.read_bytes) if folder.data.is_file() else b""
    if hashlib.sha256(data).hexdigest() != args.data_sha256:
        raise errors.DataAltered(path=str(folder.data))
    samples = drawn(await in_thread(read_messages, data), args.samples, args.seed)

    async def progress(done: int) -> None:
        await attempt.report("tokenizing", fraction=done / len(samples))

    recipe = Recipe(base=base.name, name=KIND, max_length=args.max_length, too_long=args.too_long)
    rows, template = await rows_of(layout, base, recipe, samples, progress)
    keys = [key_of(row) for row in rows]
    kept = Kept.of(layout, base.id, args.precision)
    asked = Asked(
        model=model,
        base=base.name,
        family=family.name,
        kinds=dict(family.kinds),
        precision=args.precision,
        choices=kept.folder,
        rows={},
    )
    with disk_errors(kept.folder, "the sensitivity"):
        await in_thread(lambda: kept.folder.mkdir(parents=True, exist_ok=True))
    # Two at a time would measure the same rows twice.
    async with file_lock(kept.lock, waiting=attempt.check):
        looked, measured, new = await measure(
            attempt, folder.path / f"child-{attempt.token}", kept, asked, dict(zip(keys, rows, strict=True))
        )
    summary = Summary(grid, looked.modules, rows, keys, measured)
    return SensitivityReport(
        base=base.name,
        base_id=base.id,
        data_sha256=args.data_sha256,
        data_set=args.data_set,
        template_sha256=template,
        samples=summary.samples,
        seed=args.seed,
        tokens=sum(len(row.input_ids) for row in rows),
        precision=looked.precision,
        device=looked.device,
        loss=summary.loss,
        columns=grid.columns,
        bands=grid.bands,
        square=summary.square,
        cells=summary.cells(),
        layers=summary.layers(),
        modules=summary.modules(),
        suggested=summary.suggested(rank=args.rank, alpha=args.alpha, freeze_below=args.freeze_below),
        measured=new,
    )


def drawn(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """`count` of the samples in their order, or all; the same ones for the same seed."""
    if len(samples) <= count:
        return list(samples)
    return [samples[place] for place in sorted(random.Random(seed).sample(range(len(samples)), count))]
