"""A variant in an engine of a job's own, with what the job is to ask it as token ids."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from twotrack.core.database import Database
from twotrack.core.jobs import Attempt
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import start_engine
from twotrack.engines.port import Engine, EngineKind, Health
from twotrack.evaluation.material import read
from twotrack.evaluation.score import Material, prepare
from twotrack.registry import tables
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.schemas import Adapter, Base, Variant
from twotrack.registry.storage import in_thread


@dataclass(frozen=True)
class Running:
    """`adapters` are the variant's own; no other is loaded."""

    variant: Variant
    base: Base
    adapters: tuple[Adapter, ...]
    codec: PromptCodec
    material: Material
    engine: Engine
    health: Health


@asynccontextmanager
async def running(
    attempt: Attempt,
    database: Database,
    layout: Layout,
    *,
    variant: str,
    engine: EngineKind | None,
    turns_base: bool = False,
) -> AsyncIterator[Running]:
    """The engine ends with the block. Without a kind it is transformers where that is installed: llama.cpp
    scores some ten tokens a second. With `turns_base` the base's own board of a variant without adapters can
    be turned.

    Raises:
        BranchesUnsupported: the base's own board takes part, and the engine has none.
        ModelNotFound, BaseAltered, EngineFailedToStart, EngineDied, PromptTooLong, …
        BrokenLine, SampleTooLong, …: see learning/data/errors.py.
    """
    samples, general = await in_thread(read, layout.job(attempt.job_id))
    async with database.transaction() as connection:
        found = await tables.get_variant(connection, variant)
        base = await tables.get_base(connection, found.base_id)
        used = {part.adapter_id for part in found.adapters}
        adapters = [one for one in await tables.list_adapters(connection, base.id) if one.id in used]
    prompts = Prompts(layout)
    started: Engine | None = None
    try:
        await attempt.report("loading")
        codec = await prompts.for_base(base)
        kind = engine or ("transformers" if find_spec("torch") else None)
        branches = found.base_board is not None or (turns_base and not found.adapters)
        spec = await spec_for(found, base, adapters, layout, kind=kind, branches=branches)
        material = await prepare(codec, samples, general, model=base.name, context_length=spec.context_length)
        started = await start_engine(spec, found.name)
        health = await started.health()
        yield Running(found, base, tuple(adapters), codec, material, started, health)
    finally:
        if started is not None:
            await started.stop()
        await prompts.close()
