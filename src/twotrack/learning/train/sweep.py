"""Several runs from one request, over boards and seeds: each a job of its own, and a variant in the end."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID, uuid4, uuid5

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import NotFound
from twotrack.core.file_lock import file_lock
from twotrack.core.language import Language, Text
from twotrack.learning.train.errors import RecipeInvalid, SweepNotFound
from twotrack.learning.train.recipe import Recipe, parse_recipe
from twotrack.learning.train.schemas import Run
from twotrack.learning.train.service import KIND, accept, begin, cancel_run, fitted, get_run, require_free
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

MOST = 32
"""Runs of one sweep."""

MOST_POINTS = 300
"""Of each run's loss, where all of a sweep are looked at together."""


async def start_sweep(
    database: Database,
    layout: Layout,
    *,
    sweep_id: UUID | None = None,
    recipe: Mapping[str, Any],
    seeds: Sequence[int] = (),
    boards: Mapping[str, Any] = {},
    data: bytes | None = None,
    data_id: UUID | None = None,
    held_out_id: UUID | None = None,
    by: Caller = OWNER,
    force: bool = False,
) -> list[UUID]:
    """Enqueue a run for each seed on each board, boards first; the ids of their jobs.

    All are checked, their names too, before any is enqueued. The same `sweep_id` with the same recipe names
    the same runs: those that are there already are not started again.

    Raises:
        RecipeInvalid: of one of the recipes, or nothing to sweep over.
        As `service.start_run`.
    """
    recipes = spread(recipe, seeds, boards)
    ids = {"data_id": data_id, "held_out_id": held_out_id}
    accepted = await accept(database, recipe=recipes[0], data=data, by=by, **ids)
    parsed = [parse_recipe(fields) for fields in recipes]
    wanted = [fitted(one.model_copy(update=_sources_of(accepted.recipe)), accepted.base) for one in parsed]
    if len({one.name for one in wanted}) != len(wanted):
        raise _refused("boards", "two of their names are one", "같은 이름이 둘입니다")
    sweep_id = sweep_id or uuid4()
    # One's own runs alone are found again: somebody else's id leads nowhere.
    run_ids = [uuid5(sweep_id, f"{by.key_id} {one.name}") for one in wanted]
    # The same request twice at once would find the same runs missing.
    async with file_lock(layout.home / "derived" / "sweep.lock"):
        missing = [
            (run_id, one, setting)
            for run_id, one, (setting, _) in zip(run_ids, wanted, pairs(seeds, boards), strict=True)
            if not await _is_there(database, run_id)
        ]
        await require_free(database, [one.name for _, one, _ in missing])
        for run_id, one, setting in missing:
            # What was left over by a studio that was killed between keeping the data and enqueueing.
            await in_thread(shutil.rmtree, layout.job(run_id), ignore_errors=True)
            made = replace(accepted, recipe=one)
            await begin(
                database,
                layout,
                made,
                by=by,
                job_id=run_id,
                force=force,
                sweep=sweep_id,
                setting=setting,
            )
    return run_ids


async def get_sweep(
    database: Database,
    layout: Layout,
    sweep_id: UUID,
    *,
    of: UUID | None = None,
    language: Language = "en",
) -> list[Run]:
    """The runs of a sweep in the order in which they were asked for, each with a loss of at most MOST_POINTS
    points and without the answers on the way.

    Raises:
        SweepNotFound: there is none, or it is not `of` that owner.
    """
    ids = await _runs_of(database, sweep_id, of)
    runs = [
        await get_run(database, layout, one, of=of, language=language, most_points=MOST_POINTS) for one in ids
    ]
    return [run.model_copy(update={"answers": []}) for run in runs]


async def cancel_sweep(database: Database, layout: Layout, sweep_id: UUID, *, by: Caller = OWNER) -> None:
    """Cancel all runs of a sweep that wait or work; those that are over, paused ones among them, stay as
    they are.

    Raises:
        SweepNotFound: there is none, or `by` may not see it.
    """
    # The last ones first: none that waits is taken up because one before it has ended.
    for run_id in reversed(await _runs_of(database, sweep_id, by.confined_to)):
        job = await jobs.fetch(database, run_id, of=by.confined_to)
        if job.state not in jobs.ENDED:
            await cancel_run(database, layout, run_id, by=by)


async def _runs_of(database: Database, sweep_id: UUID, of: UUID | None) -> list[UUID]:
    rows = await database.fetch_all(
        """
        SELECT id FROM jobs
        WHERE kind = %(kind)s AND args->>'sweep' = %(sweep)s AND (%(of)s::uuid IS NULL OR owner = %(of)s)
        ORDER BY created_at, id
        """,
        {"kind": KIND, "sweep": str(sweep_id), "of": of},
    )
    if not rows:
        raise SweepNotFound(name=str(sweep_id))
    return [row["id"] for row in rows]


def pairs(seeds: Sequence[int], boards: Mapping[str, Any]) -> list[tuple[str | None, int | None]]:
    """Each run's board, by its name, and its seed, boards first; None where nothing is swept over."""
    every_board: list[str | None] = [*boards] or [None]
    every_seed: list[int | None] = [*seeds] or [None]
    return list(product(every_board, every_seed))


def spread(
    recipe: Mapping[str, Any], seeds: Sequence[int], boards: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The fields of each run's recipe, named NAME-BOARD-SEED with what it differs in.

    Raises:
        RecipeInvalid: nothing to sweep over, a seed twice, too many runs, or boards in two places.
    """
    if not seeds and not boards:
        raise _refused("sweep", "name seeds or boards to sweep over", "시드나 보드를 하나 이상 지정하세요")
    if len(set(seeds)) != len(seeds):
        raise _refused("seeds", "a seed comes twice", "같은 시드가 두 번 나옵니다")
    if boards and (recipe.get("board") is not None or recipe.get("modules")):
        raise _refused(
            "boards",
            "the recipe has board or modules of its own: leave one of them out",
            "레시피에 이미 board나 modules가 있으므로 함께 쓸 수 없습니다",
        )
    count = max(1, len(seeds)) * max(1, len(boards))
    if count > MOST:
        raise _refused(
            "sweep",
            f"these are {count} runs, of {MOST} at most",
            f"실행이 {count}개로 한도 {MOST}개를 넘습니다",
        )
    found = []
    for board, seed in pairs(seeds, boards):
        ending = "".join(f"-{part}" for part in (board, seed) if part is not None)
        changed: dict[str, Any] = {"name": f"{recipe.get('name', '')}{ending}"}
        if board is not None:
            changed["board"] = boards[board]
        if seed is not None:
            changed["seed"] = seed
        found.append({**recipe, **changed})
    return found


def _sources_of(recipe: Recipe) -> dict[str, Any]:
    return {"data_id": recipe.data_id, "held_out_id": recipe.held_out_id}


async def _is_there(database: Database, run_id: UUID) -> bool:
    try:
        await jobs.fetch(database, run_id)
    except NotFound:
        return False
    return True


def _refused(field: str, en: str, ko: str) -> RecipeInvalid:
    return RecipeInvalid(field=field, why=Text(en, ko))
