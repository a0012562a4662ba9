"""Scores as jobs of the kind "score": enqueued with what is to be scored, run in the worker."""

import hashlib
from importlib.util import find_spec
from typing import Any
from uuid import UUID, uuid4

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.jobs import Attempt
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import start_engine
from twotrack.engines.port import ONLY_TRANSFORMERS, BranchesUnsupported, Engine
from twotrack.equalizer.gains import check_gain
from twotrack.evaluation.schemas import NewScore, ScoreArgs, ScoreReport, Texts
from twotrack.evaluation.score import prepare, score
from twotrack.learning.data.messages import read_messages, require_keys
from twotrack.learning.data.texts import read_texts
from twotrack.registry import tables
from twotrack.registry.boards import base_board_of
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.storage import in_thread

KIND = "score"


async def keep_material(layout: Layout, asked: Texts) -> tuple[UUID, str, str | None]:
    """A new job's folder with what it is to look at; its id, and the fingerprints of samples and texts.

    Raises:
        BrokenLine, NoSamples, DataTooLarge: see learning/data/errors.py.
    """
    # JSON can carry halves of surrogate pairs; the reading of the data then names their line.
    samples, general = (text.encode(errors="surrogatepass") for text in (asked.samples, asked.general))
    require_keys(await in_thread(read_messages, samples))
    if general:
        await in_thread(read_texts, general)
    job_id = uuid4()
    folder = layout.job(job_id)

    def keep() -> None:
        with disk_errors(folder, "the samples"):
            folder.mkdir(parents=True)
            write_whole(folder / "samples.jsonl", asked.samples)
            write_whole(folder / "general.jsonl", asked.general)

    await in_thread(keep)
    return (
        job_id,
        hashlib.sha256(samples).hexdigest(),
        hashlib.sha256(general).hexdigest() if general else None,
    )


async def start_score(database: Database, layout: Layout, asked: NewScore, *, by: Caller = OWNER) -> UUID:
    """Enqueue a score; the id of its job. What can be refused at once is refused here.

    Raises:
        ModelNotFound, InvalidInput (a gain)
        BranchesUnsupported: the variant turns its base's own branches, and llama.cpp was asked for.
        BrokenLine, NoSamples, DataTooLarge: see learning/data/errors.py.
    """
    for gain in asked.gains:
        check_gain(gain)
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, asked.variant)
    if variant.base_board is not None and asked.engine == "llama_cpp":
        raise BranchesUnsupported(model=variant.name, why=ONLY_TRANSFORMERS)
    job_id, samples, general = await keep_material(layout, asked)
    args = ScoreArgs(
        variant=asked.variant,
        gains=asked.gains,
        max_tokens=asked.max_tokens,
        engine=asked.engine,
        samples_sha256=samples,
        general_sha256=general,
    )
    return await jobs.enqueue(database, KIND, args.model_dump(), by=by, job_id=job_id)


async def score_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "score". Args: ScoreArgs; result: ScoreReport.

    Loads the model into an engine of its own, which ends with it.

    Raises:
        ModelNotFound, BaseAltered, EngineFailedToStart, EngineDied, PromptTooLong, …
    """
    args = ScoreArgs.model_validate(attempt.args)
    folder = layout.job(attempt.job_id)
    samples = read_messages(await in_thread((folder / "samples.jsonl").read_bytes))
    general = []
    if args.general_sha256 is not None:
        general = read_texts(await in_thread((folder / "general.jsonl").read_bytes))
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, args.variant)
        base = await tables.get_base(connection, variant.base_id)
        used = {part.adapter_id for part in variant.adapters}
        adapters = [one for one in await tables.list_adapters(connection, base.id) if one.id in used]
    own = base_board_of(variant, base)
    prompts = Prompts(layout)
    engine: Engine | None = None
    try:
        await attempt.report("loading")
        codec = await prompts.for_base(base)
        kind = args.engine or ("transformers" if find_spec("torch") else None)
        spec = await spec_for(variant, base, adapters, layout, kind=kind)
        material = await prepare(codec, samples, general, model=base.name, context_length=spec.context_length)
        engine = await start_engine(spec, variant.name)

        async def progress(fraction: float) -> None:
            await attempt.report("scoring", fraction=fraction)

        found = await score(
            engine,
            codec,
            material,
            adapters=[str(one.id) for one in adapters],
            gains=args.gains if adapters else (0.0,) if own is None else (0.0, 1.0),
            base_board=own,
            max_tokens=args.max_tokens,
            progress=progress,
        )
        health = await engine.health()
    finally:
        if engine is not None:
            await engine.stop()
        await prompts.close()
    return ScoreReport(
        variant=variant.name,
        base_id=base.id,
        engine=health.kind,
        precision=health.precision,
        samples_sha256=args.samples_sha256,
        general_sha256=args.general_sha256,
        gains=found,
    ).model_dump(mode="json")
