"""A board's effect as jobs of the kind "effect": enqueued with what is to be asked, run in the worker."""

from typing import Any
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.equalizer.expansion import expand
from twotrack.equalizer.grid import Grid
from twotrack.evaluation import material
from twotrack.evaluation.effect import Kept, effect
from twotrack.evaluation.effect_schemas import EffectArgs, EffectReport, NewEffect
from twotrack.evaluation.running import running
from twotrack.registry import tables
from twotrack.registry.boards import grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, Variant

KIND = "effect"


class NothingToTurn(TwotrackError):
    status = 422
    detail = Text(
        "{name} has no board to look at: it has no adapter, or its layers are not known.",
        "살펴볼 보드가 없습니다({name}): 어댑터가 없거나 레이어 구조를 알 수 없습니다.",
    )
    remedy = Text("Name a variant with an adapter.", "어댑터가 있는 변형을 지정하세요.")


async def start_effect(database: Database, layout: Layout, asked: NewEffect, *, by: Caller = OWNER) -> UUID:
    """Enqueue a look at a variant's board; the id of its job. What can be refused at once is refused here.

    Raises:
        ModelNotFound, NothingToTurn
        What `material.keep` raises.
    """
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, asked.variant)
        _grid(variant, await tables.get_base(connection, variant.base_id))
    kept = await material.keep(database, layout, asked, by=by)
    args = EffectArgs(
        variant=asked.variant,
        to=asked.to,
        max_tokens=asked.max_tokens,
        engine=asked.engine,
        samples_sha256=kept.samples_sha256,
        general_sha256=kept.general_sha256,
        data=kept.data,
    )
    return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by, job_id=kept.job_id)


async def effect_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "effect". Args: EffectArgs; result: EffectReport.

    Raises:
        NothingToTurn, DiskFull, and what `running` raises.
    """
    args = EffectArgs.model_validate(attempt.args)

    async def progress(fraction: float) -> None:
        await attempt.report("asking", fraction=fraction)

    async with running(attempt, database, layout, variant=args.variant, engine=args.engine) as at:
        grid = _grid(at.variant, at.base)
        known = {
            "engine": at.health.kind,
            "precision": at.health.precision,
            "template": at.codec.template_hash,
            "adapters": {str(one.id): sorted(file.sha256 for file in one.files) for one in at.adapters},
            "samples": args.samples_sha256,
            "general": args.general_sha256,
            "max_tokens": args.max_tokens,
        }
        found = await effect(
            at.engine,
            at.codec,
            at.material,
            grid,
            tables={str(part.adapter_id): expand(part.gains, grid) for part in at.variant.adapters},
            to=args.to,
            max_tokens=args.max_tokens,
            kept=Kept(layout.derived(at.base.id) / "effect", known),
            progress=progress,
        )
    return EffectReport(
        variant=at.variant.name,
        base_id=at.base.id,
        engine=at.health.kind,
        precision=at.health.precision,
        to=args.to,
        columns=grid.columns,
        bands=grid.bands,
        samples_sha256=args.samples_sha256,
        general_sha256=args.general_sha256,
        data=args.data,
        questions=len(found.whole.task),
        task_loss=sum(found.whole.task) / len(found.whole.task),
        general_loss=sum(found.whole.general) / len(found.whole.general) if found.whole.general else None,
        cells=found.cells,
        measured=found.measured,
    ).model_dump(mode="json")


def _grid(variant: Variant, base: Base) -> Grid:
    grid = grid_of(base)
    if grid is None or not variant.adapters:
        raise NothingToTurn(name=variant.name)
    return grid
