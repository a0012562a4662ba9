"""A board's effect as jobs of the kind "effect": enqueued with what is to be asked, run in the worker."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import start_engine
from twotrack.engines.port import BASE, ONLY_TRANSFORMERS, AdapterGain, BranchesUnsupported, Engine
from twotrack.equalizer.expansion import Table, expand
from twotrack.equalizer.grid import Grid
from twotrack.evaluation.effect import Kept, effect
from twotrack.evaluation.effect_schemas import EffectArgs, EffectReport, NewEffect
from twotrack.evaluation.job import keep_material
from twotrack.evaluation.score import prepare
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.texts import read_texts
from twotrack.registry import tables
from twotrack.registry.boards import base_board_of, grid_of, own_grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base, Variant
from twotrack.registry.storage import in_thread

KIND = "effect"


class NothingToTurn(TwotrackError):
    status = 422
    detail = Text(
        "{name} has no board to look at: the layers of its base are not known.",
        "살펴볼 보드가 없습니다({name}): 베이스의 레이어 구조를 알 수 없습니다.",
    )
    remedy = Text("Name a variant of another base.", "다른 베이스의 변형을 지정하세요.")


async def start_effect(database: Database, layout: Layout, asked: NewEffect, *, by: Caller = OWNER) -> UUID:
    """Enqueue a look at a variant's board; the id of its job. What can be refused at once is refused here.

    Raises:
        ModelNotFound, NothingToTurn
        BranchesUnsupported: the base's own branches are turned, and llama.cpp was asked for.
        BrokenLine, NoSamples, DataTooLarge: see learning/data/errors.py.
    """
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, asked.variant)
        turned = _turned(variant, await tables.get_base(connection, variant.base_id))
    if turned.branches and asked.engine == "llama_cpp":
        raise BranchesUnsupported(model=variant.name, why=ONLY_TRANSFORMERS)
    job_id, samples, general = await keep_material(layout, asked)
    args = EffectArgs(
        variant=asked.variant,
        to=asked.to,
        max_tokens=asked.max_tokens,
        engine=asked.engine,
        samples_sha256=samples,
        general_sha256=general,
    )
    return await jobs.enqueue(database, KIND, args.model_dump(), by=by, job_id=job_id)


async def effect_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "effect". Args: EffectArgs; result: EffectReport.

    Loads the model into an engine of its own, which ends with it.

    Raises:
        ModelNotFound, NothingToTurn, BaseAltered, EngineFailedToStart, EngineDied, PromptTooLong, DiskFull, …
    """
    args = EffectArgs.model_validate(attempt.args)
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
    turned = _turned(variant, base)
    grid = turned.grid
    prompts = Prompts(layout)
    engine: Engine | None = None
    try:
        await attempt.report("loading")
        codec = await prompts.for_base(base)
        kind = args.engine or ("transformers" if find_spec("torch") else None)
        spec = await spec_for(variant, base, adapters, layout, kind=kind, branches=turned.branches)
        material = await prepare(codec, samples, general, model=base.name, context_length=spec.context_length)
        engine = await start_engine(spec, variant.name)
        health = await engine.health()

        async def progress(fraction: float) -> None:
            await attempt.report("asking", fraction=fraction)

        known = {
            "engine": health.kind,
            "precision": health.precision,
            "template": codec.template_hash,
            "adapters": {str(one.id): sorted(file.sha256 for file in one.files) for one in adapters},
            "samples": args.samples_sha256,
            "general": args.general_sha256,
            "max_tokens": args.max_tokens,
        }
        found = await effect(
            engine,
            codec,
            material,
            grid,
            tables=turned.tables,
            beside=turned.beside,
            to=args.to,
            max_tokens=args.max_tokens,
            kept=Kept(layout.derived(base.id) / "effect", known),
            progress=progress,
        )
    finally:
        if engine is not None:
            await engine.stop()
        await prompts.close()
    return EffectReport(
        variant=variant.name,
        base_id=base.id,
        engine=health.kind,
        precision=health.precision,
        to=args.to,
        columns=grid.columns,
        bands=grid.bands,
        samples_sha256=args.samples_sha256,
        general_sha256=args.general_sha256,
        questions=len(found.whole.task),
        task_loss=sum(found.whole.task) / len(found.whole.task),
        general_loss=sum(found.whole.general) / len(found.whole.general) if found.whole.general else None,
        cells=found.cells,
        measured=found.measured,
    ).model_dump(mode="json")


@dataclass(frozen=True)
class _Turned:
    """Whose cells are turned, over which grid, and what acts beside them."""

    grid: Grid
    tables: dict[str, Table]
    beside: dict[str, AdapterGain]

    @property
    def branches(self) -> bool:
        """Whether the base's own take part."""
        return BASE in self.tables or BASE in self.beside


def _turned(variant: Variant, base: Base) -> _Turned:
    """The adapters of a variant; of one without adapters the base's own branches.

    Raises:
        NothingToTurn
    """
    grid, own_grid = grid_of(base), own_grid_of(base)
    own = base_board_of(variant, base)
    if variant.adapters and grid is not None:
        gains = {str(part.adapter_id): expand(part.gains, grid) for part in variant.adapters}
        return _Turned(grid, gains, {} if own is None else {BASE: own})
    if variant.adapters or own_grid is None:
        raise NothingToTurn(name=variant.name)
    return _Turned(own_grid, {BASE: own or expand(1.0, own_grid)}, {})
