"""Scores as jobs of the kind "score": enqueued with what is to be scored, run in the worker."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.jobs import Attempt
from twotrack.engines.port import BASE, ONLY_TRANSFORMERS, AdapterGain, BranchesUnsupported
from twotrack.equalizer.board import Board, Gains
from twotrack.equalizer.expansion import expand
from twotrack.equalizer.grid import Grid
from twotrack.evaluation import material
from twotrack.evaluation.running import running
from twotrack.evaluation.schemas import OWN, NewScore, ScoreArgs, ScoreReport
from twotrack.evaluation.score import Setting, score
from twotrack.registry import tables
from twotrack.registry.boards import base_board_of, grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, Variant
from twotrack.serving.gains import read_gains

KIND = "score"


async def start_score(database: Database, layout: Layout, asked: NewScore, *, by: Caller = OWNER) -> UUID:
    """Enqueue a score; the id of its job. What can be refused at once is refused here.

    Raises:
        ModelNotFound, InvalidInput (a gain or a board)
        BranchesUnsupported: the variant turns its base's own branches, and llama.cpp was asked for.
        What `material.keep` raises.
    """
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, asked.variant)
        base = await tables.get_base(connection, variant.base_id)
    settings_of(variant, base, asked.gains)
    if variant.base_board is not None and asked.engine == "llama_cpp":
        raise BranchesUnsupported(model=variant.name, why=ONLY_TRANSFORMERS)
    kept = await material.keep(database, layout, asked, by=by)
    args = ScoreArgs(
        variant=asked.variant,
        gains=asked.gains,
        max_tokens=asked.max_tokens,
        engine=asked.engine,
        samples_sha256=kept.samples_sha256,
        general_sha256=kept.general_sha256,
        data=kept.data,
    )
    return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by, job_id=kept.job_id)


async def score_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """The body of a job of the kind "score". Args: ScoreArgs; result: ScoreReport.

    Raises:
        What `running` and `score` raise.
    """
    args = ScoreArgs.model_validate(attempt.args)

    async def progress(fraction: float) -> None:
        await attempt.report("scoring", fraction=fraction)

    async with running(attempt, database, layout, variant=args.variant, engine=args.engine) as at:
        found = await score(
            at.engine,
            at.codec,
            at.material,
            settings=settings_of(at.variant, at.base, args.gains),
            max_tokens=args.max_tokens,
            progress=progress,
        )
    return ScoreReport(
        variant=at.variant.name,
        base_id=at.base.id,
        engine=at.health.kind,
        precision=at.health.precision,
        samples_sha256=args.samples_sha256,
        general_sha256=args.general_sha256,
        data=args.data,
        gains=found,
    ).model_dump(mode="json")


def settings_of(variant: Variant, base: Base, asked: Sequence[object]) -> tuple[Setting, ...]:
    """What was asked for, each once, with the base's own board as the variant has it, but not at gain 0: that
    is the base itself. Of a base gain 0 alone; of a variant that has only such a board gain 0 and as it is.

    Raises:
        InvalidInput: no gains (equalizer/board.py), or a board for a base that has none.
    """
    grid = grid_of(base)
    wanted = [None if one == OWN else read_gains(grid, one) for one in asked]
    table = base_board_of(variant, base)
    own: dict[str, AdapterGain] = {} if table is None else {BASE: table}
    if not variant.adapters:
        zero = Setting(0.0, None, {})
        return (zero,) if variant.is_base else (zero, Setting(None, None, own))
    found = []
    for gains in dict.fromkeys(wanted):
        acting = {str(one.adapter_id): one.gains if gains is None else gains for one in variant.adapters}
        found.append(
            Setting(
                None if isinstance(gains, Board) else gains,
                gains if isinstance(gains, Board) else None,
                {
                    **{name: _expanded(one, grid) for name, one in acting.items()},
                    **({} if gains == 0.0 else own),
                },
            )
        )
    return tuple(found)


def _expanded(gains: Gains, grid: Grid | None) -> AdapterGain:
    if not isinstance(gains, Board):
        return gains
    assert grid is not None  # a board is checked against it before it is kept or scored
    return expand(gains, grid)
