"""Starting runs and looking at them: what is refused at once, and what is kept."""

import hashlib
import os
from importlib.util import find_spec
from uuid import uuid4

import pytest

from twotrack.core import jobs
from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput, NotFound, TwotrackError
from twotrack.core.folders import try_lock
from twotrack.learning.data.errors import BrokenLine
from twotrack.learning.train import errors, service
from twotrack.learning.train.checkpoints import mark_whole
from twotrack.learning.train.plan import RunFolder
from twotrack.registry.errors import ModelNotFound, NameTaken
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")


async def test_a_run_keeps_its_data_and_its_recipe_as_they_are_now(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora", "epochs": 2}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    run = await service.get_run(database, layout, run_id)
    assert (run.job.state, run.samples, run.base_id) == ("queued", 4, starter_base.id)
    assert run.data_sha256 == hashlib.sha256(facts).hexdigest()
    assert (run.recipe["epochs"], run.recipe["rank"], run.history) == (2, 16, [])
    assert RunFolder(layout.job(run_id)).data.read_bytes() == facts
    assert [listed.job.id for listed in await service.list_runs(database, layout)] == [run_id]
    assert await service.read_data(database, layout, run_id) == facts.decode()


async def test_data_that_was_changed_or_taken_away_is_not_given_out(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    file = RunFolder(layout.job(run_id)).data
    file.write_bytes(facts + b"\n")
    with pytest.raises(errors.DataAltered):
        await service.read_data(database, layout, run_id)
    file.unlink()
    with pytest.raises(errors.DataAltered):
        await service.read_data(database, layout, run_id)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"base": "nobody"}, ModelNotFound, "nobody"),
        ({"base": "$(touch /tmp/owned)"}, ModelNotFound, "touch"),
        ({"base": "../../../etc/passwd"}, ModelNotFound, "etc"),
        ({"name": "../../etc"}, InvalidInput, "name"),
        ({"lr": 1}, errors.RecipeInvalid, "learning_rate"),
        ({"modules": ["attn.qkv"]}, errors.RecipeInvalid, "attn.qk"),
        ({"max_length": 10_000}, errors.RecipeInvalid, "more than the context"),
        ({"board": ["train"] * 3}, errors.RecipeInvalid, "3 × 4, and this base has 4 bands"),
        ({"board": ["freeze"] * 4}, errors.RecipeInvalid, "nothing would learn"),
    ],
)
async def test_what_cannot_be_trained_is_refused_at_once_and_leaves_nothing(
    database: Database,
    layout: Layout,
    starter_base: Base,
    facts: bytes,
    changed: dict[str, object],
    error: type[TwotrackError],
    said: str,
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora", **changed}
    with pytest.raises(error, match=said):
        await service.start_run(database, layout, recipe=recipe, data=facts)
    assert await jobs.list_jobs(database) == []
    assert not (layout.home / "jobs").exists()


async def test_a_board_is_kept_with_every_cell_written_out(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    board = ["freeze", "freeze", "train", {"rank": 8, "learning_rate": 0.5}]
    recipe = {"base": starter_base.name, "name": "velmora", "board": board}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    run = await service.get_run(database, layout, run_id)
    cell = {"train": True, "rank": None, "alpha": None, "learning_rate": 1.0}
    frozen = {**cell, "train": False}
    last = {**cell, "rank": 8, "learning_rate": 0.5}
    assert run.recipe["board"] == [[frozen] * 4, [frozen] * 4, [cell] * 4, [last] * 4]


async def test_a_cells_rank_that_no_matrix_holds_is_refused_at_once_where_the_base_tells_its_sizes(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    recipe = {"base": tiny_base.name, "name": "velmora", "board": ["train", {"rank": 17}]}
    with pytest.raises(errors.RankTooLarge, match=r"Rank 17 .*k_proj .* above 16"):
        await service.start_run(database, layout, recipe=recipe, data=facts)
    await service.start_run(
        database,
        layout,
        recipe={**recipe, "board": ["train", ["freeze", "freeze", {"rank": 17}, "train"]]},
        data=facts,
    )


async def test_the_path_that_a_recipe_has_for_its_data_is_never_opened(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora", "data": "/etc/passwd"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    kept = [file for file in layout.job(run_id).iterdir() if file.is_file()]
    assert [file.read_bytes() for file in kept] == [facts]


async def test_a_broken_line_is_named_before_there_is_a_job(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    with pytest.raises(BrokenLine, match="Line 5"):
        await service.start_run(database, layout, recipe=recipe, data=facts + b'{"messages": [')
    assert await jobs.list_jobs(database) == []


async def test_a_name_that_a_model_has_is_taken(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": starter_base.name}
    with pytest.raises(NameTaken):
        await service.start_run(database, layout, recipe=recipe, data=facts)


async def test_a_job_of_another_kind_is_no_run(database: Database, layout: Layout) -> None:
    job_id = await jobs.enqueue(database, "pull", {"source": "starter"})
    with pytest.raises(errors.RunNotFound):
        await service.get_run(database, layout, job_id)
    with pytest.raises(NotFound):
        await service.get_run(database, layout, uuid4())
    assert await service.list_runs(database, layout) == []


async def test_a_waiting_run_is_paused_and_goes_on_as_the_same_job(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    await service.pause_run(database, layout, run_id)
    run = await service.get_run(database, layout, run_id)
    assert (run.job.state, run.paused, run.can_resume) == ("cancelled", True, True)
    await service.resume_run(database, layout, run_id)
    run = await service.get_run(database, layout, run_id)
    assert (run.job.state, run.paused, run.can_resume) == ("queued", False, False)
    assert run.job.finished_at is None


async def test_a_cancelled_run_cannot_go_on(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    await service.resume_run(database, layout, run_id)
    assert (await jobs.fetch(database, run_id)).state == "queued"
    await jobs.cancel(database, run_id)
    await service.pause_run(database, layout, run_id)
    with pytest.raises(errors.NothingToResume, match="it is cancelled"):
        await service.resume_run(database, layout, run_id)


async def test_a_paused_run_that_is_discarded_keeps_its_data_and_goes_on_no_more(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    with pytest.raises(errors.RunGoesOn, match=str(run_id)):
        await service.discard_run(database, layout, run_id)
    await service.pause_run(database, layout, run_id)
    folder = RunFolder(layout.job(run_id))
    (folder.checkpoints / "checkpoint-3").mkdir(parents=True)
    folder.plan.touch()
    child = try_lock(folder.lock)
    assert child is not None
    with pytest.raises(errors.RunGoesOn):
        await service.discard_run(database, layout, run_id)
    os.close(child)
    assert folder.plan.exists()
    for _ in range(2):
        await service.discard_run(database, layout, run_id)
        run = await service.get_run(database, layout, run_id)
        assert (run.job.state, run.paused, run.can_resume) == ("cancelled", False, False)
        assert not folder.checkpoints.exists()
        assert not folder.plan.exists()
    assert await service.read_data(database, layout, run_id) == facts.decode()
    with pytest.raises(errors.NothingToResume):
        await service.resume_run(database, layout, run_id)


async def test_a_failed_run_that_is_discarded_leaves_no_checkpoint(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    recipe = {"base": starter_base.name, "name": "velmora"}
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts)
    await database.execute("UPDATE jobs SET state = 'failed', finished_at = now() WHERE id = %s", [run_id])
    checkpoint = RunFolder(layout.job(run_id)).checkpoints / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    mark_whole(checkpoint)
    assert (await service.get_run(database, layout, run_id)).can_resume
    with pytest.raises(NotFound):
        await service.discard_run(database, layout, run_id, by=Caller(uuid4(), "lee", "user"))
    await service.discard_run(database, layout, run_id)
    assert not (await service.get_run(database, layout, run_id)).can_resume
    assert not checkpoint.exists()
