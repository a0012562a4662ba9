"""Several runs from one request: named, checked together, and found again by a request that is repeated."""

from importlib.util import find_spec
from typing import Any
from uuid import UUID

import pytest

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.learning.train import errors, service
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.schemas import LossPoint
from twotrack.learning.train.sweep import MOST_POINTS, cancel_sweep, get_sweep, start_sweep
from twotrack.registry.errors import NameTaken
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.service import rename_variant

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")

_SWEEP = UUID("5eed5eed-0000-4000-8000-000000000000")
_BOARDS: dict[str, Any] = {
    "upper": ["freeze", "freeze", "train", "train"],
    "mlp": [["freeze", "freeze", "train", "train"]] * 4,
}


async def test_each_board_with_each_seed_is_a_run_of_its_own(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    found = await start_sweep(
        database, layout, sweep_id=_SWEEP, recipe=recipe, seeds=[0, 7], boards=_BOARDS, data=facts
    )
    runs = [await service.get_run(database, layout, one) for one in found]
    assert [(run.recipe["name"], run.recipe["seed"]) for run in runs] == [
        ("velmora-upper-0", 0),
        ("velmora-upper-7", 7),
        ("velmora-mlp-0", 0),
        ("velmora-mlp-7", 7),
    ]
    assert [run.recipe["board"][0][2]["train"] for run in runs] == [False, False, True, True]
    assert {run.sweep for run in runs} == {_SWEEP}
    assert [run.setting for run in runs] == ["upper", "upper", "mlp", "mlp"]
    assert {run.job.state for run in runs} == {"queued"}
    assert all(RunFolder(layout.job(one)).data.read_bytes() == facts for one in found)
    # In the order in which they were asked for.
    assert [run.job.id for run in await service.list_runs(database, layout)] == found[::-1]


async def test_a_repeated_request_starts_what_is_missing_alone(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}

    async def start(seeds: list[int], by: Caller = OWNER) -> list[UUID]:
        return await start_sweep(
            database, layout, sweep_id=_SWEEP, recipe=recipe, seeds=seeds, data=facts, by=by
        )

    first = await start([0, 1])
    assert await start([0, 1]) == first
    assert len(await jobs.list_jobs(database)) == 2
    more = await start([0, 1, 2])
    assert more[:2] == first
    assert len(await jobs.list_jobs(database)) == 3


async def test_a_sweep_is_looked_at_and_cancelled_as_a_whole(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    found = await start_sweep(database, layout, sweep_id=_SWEEP, recipe=recipe, seeds=[0, 1, 2], data=facts)
    other = await service.start_run(database, layout, recipe=recipe, data=facts)
    await service.pause_run(database, layout, found[1])
    steps = range(1, 5 * MOST_POINTS)
    points = (LossPoint(step=one, epoch=1, loss=1, learning_rate=1, tokens=one) for one in steps)
    lines = "".join(f"{one.model_dump_json()}\n" for one in points)
    RunFolder(layout.job(found[0])).history.write_text(lines)
    runs = await get_sweep(database, layout, _SWEEP)
    assert [run.job.id for run in runs] == found
    assert len(runs[0].history) == MOST_POINTS
    assert [runs[0].history[place].step for place in (0, -1)] == [steps[0], steps[-1]]
    await cancel_sweep(database, layout, _SWEEP)
    runs = await get_sweep(database, layout, _SWEEP)
    assert [run.job.state for run in runs] == ["cancelled"] * 3
    # What somebody wanted to go on with later is left to them.
    assert [run.can_resume for run in runs] == [False, True, False]
    assert (await jobs.fetch(database, other)).state == "queued"
    with pytest.raises(errors.SweepNotFound):
        await get_sweep(database, layout, other)


async def test_what_a_killed_studio_left_of_a_sweep_is_no_obstacle(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    (run_id,) = await start_sweep(database, layout, sweep_id=_SWEEP, recipe=recipe, seeds=[0], data=facts)
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM jobs WHERE id = %s", (run_id,))
    again = await start_sweep(database, layout, sweep_id=_SWEEP, recipe=recipe, seeds=[0], data=facts)
    assert again == [run_id]
    assert RunFolder(layout.job(run_id)).data.read_bytes() == facts


@pytest.mark.parametrize(
    ("changed", "asked", "error", "said"),
    [
        ({}, {}, errors.RecipeInvalid, "seeds or boards"),
        ({}, {"seeds": [1, 1]}, errors.RecipeInvalid, "comes twice"),
        ({}, {"seeds": [0, -1]}, errors.RecipeInvalid, "greater than or equal to 0"),
        ({}, {"seeds": range(33)}, errors.RecipeInvalid, "33 runs, of 32"),
        ({}, {"boards": {"a": ["train"] * 3}}, errors.RecipeInvalid, "3 × 4"),
        ({}, {"boards": {"ok": ["train"] * 4, "no": ["freeze"] * 4}}, errors.RecipeInvalid, "nothing would"),
        ({}, {"boards": {"../x": ["train"] * 4}}, InvalidInput, "name"),
        ({"board": ["train"] * 4}, {"boards": _BOARDS}, errors.RecipeInvalid, "leave one of them out"),
        ({"name": "x" * 100}, {"seeds": [0]}, InvalidInput, "name"),
    ],
)
async def test_nothing_is_started_where_one_of_the_runs_cannot_be(
    database: Database,
    layout: Layout,
    starter_base: Base,
    facts: bytes,
    changed: dict[str, Any],
    asked: dict[str, Any],
    error: type[TwotrackError],
    said: str,
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora", **changed}
    with pytest.raises(error, match=said):
        await start_sweep(database, layout, recipe=recipe, data=facts, **asked)
    assert await jobs.list_jobs(database) == []
    assert not (layout.home / "jobs").exists()


async def test_a_name_that_is_taken_stops_them_all(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    async with database.transaction() as connection:
        await rename_variant(connection, starter_base.name, "velmora-1")
    with pytest.raises(NameTaken, match="velmora-1"):
        await start_sweep(
            database, layout, recipe=recipe | {"base": starter_base.id}, seeds=[0, 1], data=facts
        )
    assert await jobs.list_jobs(database) == []
