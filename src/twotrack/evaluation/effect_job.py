"""A board's effect as jobs of the kind "effect": enqueued with what is to be asked, run in the worker."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.engines.port import BASE, ONLY_TRANSFORMERS, AdapterGain, BranchesUnsupported
from twotrack.equalizer.expansion import Table, expand
from twotrack.equalizer.grid import Grid
from twotrack.evaluation import material
from twotrack.evaluation.effect import Kept, effect
from twotrack.evaluation.effect_schemas import EffectArgs, EffectReport, NewEffect
from twotrack.evaluation.running import running
from twotrack.registry import tables
from twotrack.registry.boards import base_board_of, grid_of, own_grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, Variant

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
        What `material.keep` raises.
    """
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, asked.variant)
        turned = _turned(variant, await tables.get_base(connection, variant.base_id))
    if turned.branches and asked.engine == "llama_cpp":
        raise BranchesUnsupported(model=variant.name, why=ONLY_TRANSFORMERS)
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

    async with running(
        attempt, database, layout, variant=args.variant, engine=args.engine, turns_base=True
    ) as at:
        turned = _turned(at.variant, at.base)
        grid = turned.grid
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
            tables=turned.tables,
            beside=turned.beside,
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
