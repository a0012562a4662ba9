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
from twotrack.core.language import Text
from twotrack.learning.train.errors import RecipeInvalid
from twotrack.learning.train.recipe import Recipe, parse_recipe
from twotrack.learning.train.service import accept, begin, fitted, require_free
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

MOST = 32
"""Runs of one sweep."""


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
            (run_id, one)
            for run_id, one in zip(run_ids, wanted, strict=True)
            if not await _is_there(database, run_id)
        ]
        await require_free(database, [one.name for _, one in missing])
        for run_id, one in missing:
            # What was left over by a studio that was killed between keeping the data and enqueueing.
            await in_thread(shutil.rmtree, layout.job(run_id), ignore_errors=True)
            made = replace(accepted, recipe=one)
            await begin(database, layout, made, by=by, job_id=run_id, force=force, sweep=sweep_id)
    return run_ids


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
    every_board: list[str | None] = [*boards] or [None]
    every_seed: list[int | None] = [*seeds] or [None]
    for board, seed in product(every_board, every_seed):
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
