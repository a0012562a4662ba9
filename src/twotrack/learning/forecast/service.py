"""Forecasts as jobs of the kind "estimate": enqueued with a recipe and its data, worked on in the worker."""

import hashlib
import shutil
from importlib.util import find_spec
from typing import Any, Literal
from uuid import UUID, uuid4

import psutil

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.jobs import Attempt
from twotrack.engines.machine import has_gpu, usable_memory
from twotrack.learning.data.messages import read_messages
from twotrack.learning.forecast.calibration import Calibration
from twotrack.learning.forecast.child import Asked
from twotrack.learning.forecast.devices import HERE, device_named, known
from twotrack.learning.forecast.forecast import (
    Question,
    forecast_here,
    forecast_on,
    smallest_here,
    total_flops,
)
from twotrack.learning.forecast.lora import check_ranks, lora_of
from twotrack.learning.forecast.measuring import calibrate
from twotrack.learning.forecast.schemas import EstimateArgs, Forecast, NewEstimate
from twotrack.learning.forecast.shape import read_shape
from twotrack.learning.forecast.workload import RowSize
from twotrack.learning.train import errors
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import parse_recipe, trained_columns
from twotrack.learning.train.rows import rows_of
from twotrack.learning.train.service import fitted, trainable
from twotrack.learning.train.sources import Sources
from twotrack.registry import tables
from twotrack.registry.boards import family_of
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

KIND = "estimate"

_NEEDED_HERE = ("torch", "transformers", "peft", "trl", "bitsandbytes")


async def start_estimate(
    database: Database, layout: Layout, asked: NewEstimate, *, by: Caller = OWNER
) -> UUID:
    """Enqueue a forecast; the id of its job. What a run would be refused for at once is refused here, too.

    Raises:
        TrainingNotInstalled: this machine is asked, and could not train.
        RecipeInvalid, NotTrainable, ModelNotFound, InvalidInput (a device)
        BrokenLine, NoSamples, DataTooLarge, DataSetNotFound, …: see learning/data/errors.py.
    """
    recipe = parse_recipe(asked.recipe)
    devices = known(asked.devices)
    missing = next((name for name in _NEEDED_HERE if find_spec(name) is None), None)
    if missing is not None:
        if HERE in asked.devices:
            raise errors.TrainingNotInstalled(missing=missing)
        devices = tuple(name for name in devices if name != HERE)
    # JSON can carry halves of surrogate pairs; the reading of the data then names their line.
    data = None if asked.data is None else asked.data.encode(errors="surrogatepass")
    sources = Sources(data, asked.data_id or recipe.data_id, None)
    await sources.find(database, of=by.confined_to)
    base = await trainable(database, recipe.base)
    recipe = fitted(recipe, base)
    sources.check()
    samples = 0 if data is None else len(await in_thread(read_messages, data))
    job_id = uuid4()
    folder = layout.job(job_id)
    try:
        learned, _ = await sources.keep(layout, RunFolder(folder))
        args = EstimateArgs(
            recipe=recipe.model_dump(mode="json"),
            base_id=base.id,
            devices=devices,
            samples=samples if learned is None else learned.samples,
            data_sha256=hashlib.sha256(data or b"").hexdigest() if learned is None else learned.fingerprint,
        )
        return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by, job_id=job_id)
    except BaseException:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
        raise


async def estimate_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "estimate". Args: EstimateArgs; result: Forecast.

    Raises:
        RankTooLarge, DataAltered
        SampleTooLong, NothingToLearn, …: as the run would, see learning/data/errors.py.
        BuiltOtherwise, TrainingDied: while it was measured.
    """
    args = EstimateArgs.model_validate(attempt.args)
    folder = layout.job(attempt.job_id)
    file = RunFolder(folder).data
    recipe = parse_recipe(args.recipe)
    async with database.transaction() as connection:
        base = await tables.get_base(connection, args.base_id)
    try:
        await attempt.report("converting")
        model = await ensure_safetensors(layout, base)
        family = family_of(base)
        columns = trained_columns(recipe, family)
        shape = await in_thread(read_shape, model, family)
        lora = lora_of(shape, recipe, columns)
        check_ranks(lora)
        data = await in_thread(file.read_bytes) if file.is_file() else b""
        if hashlib.sha256(data).hexdigest() != args.data_sha256:
            raise errors.DataAltered(path=str(file))
        samples = await in_thread(read_messages, data)

        async def progress(done: int) -> None:
            await attempt.report("tokenizing", fraction=done / len(samples))

        rows, _ = await rows_of(layout, base, recipe, samples, progress)
        question = Question(shape, recipe, columns, [RowSize.of(row) for row in rows])
        # Drawing batches takes a moment, and is the same for every device.
        work = await in_thread(lambda: question.work)
        calibration: Calibration | None = None
        measured: Literal["new", "kept"] | None = None
        if HERE in args.devices and _has_room(question):
            asked = Asked(
                recipe=recipe,
                model=model,
                family=family.name,
                kinds=dict(family.kinds),
                columns=columns,
                layers=shape.layers,
            )
            calibration, measured = await calibrate(attempt, layout, base.id, asked)

        def forecast() -> Forecast:
            return Forecast(
                base_id=base.id,
                base=base.name,
                rows=len(rows),
                steps=work.steps,
                tokens=work.kept_tokens * recipe.epochs,
                learned=round(work.load.learned),
                longest_row=work.longest,
                largest_pass=work.widest,
                trainable_parameters=lora.trainable,
                flops=total_flops(question),
                calibration=measured,
                devices=tuple(
                    forecast_here(question, calibration, capacity=usable_memory())
                    if name == HERE
                    else forecast_on(device_named(name), question)
                    for name in args.devices
                ),
            )

        return (await in_thread(forecast)).model_dump(mode="json")
    finally:
        if attempt.interruption is None or attempt.interruption is jobs.JobCancelled:
            await in_thread(shutil.rmtree, folder, ignore_errors=True)


def _has_room(question: Question) -> bool:
    """Whether measuring would not take the memory from whatever else runs; a GPU's own is asked there."""
    return has_gpu() or smallest_here(question) <= psutil.virtual_memory().available
