"""Sensitivity as a job: measured in a child, kept row by row, taken up where it broke off."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from twotrack.cli.output import Output
from twotrack.cli.sensitivity import recipe_of, show
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.jobs import Job
from twotrack.equalizer.grid import Grid
from twotrack.learning.data.errors import BrokenLine, DataSetNotFound, NoSamples
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity import service
from twotrack.learning.sensitivity.kept import Kept, Looked, MeasuredRow, key_of
from twotrack.learning.sensitivity.schemas import NewSensitivity, SensitivityReport
from twotrack.learning.train.errors import RecipeInvalid
from twotrack.learning.train.recipe import fitted_board, parse_recipe, read_recipe
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the [train] extra")


@asynccontextmanager
async def _working(database: Database, layout: Layout) -> AsyncIterator[None]:
    body = functools.partial(service.sensitivity_job, database=database, layout=layout)
    runner = Runner(database, [Lane({"sensitivity": body}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    try:
        yield
    finally:
        await runner.stop(5)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def _measured(database: Database, layout: Layout, facts: bytes, **asked: Any) -> Job:
    new = NewSensitivity(**{"data": facts.decode(), "rank": 4, "alpha": 8.0, "precision": "fp32", **asked})
    job_id = await service.start_sensitivity(database, layout, "tiny", new)
    async with asyncio.timeout(600), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            if job.state in jobs.ENDED:
                return job
    raise AssertionError("it never ended")


def _report(job: Job) -> SensitivityReport:
    assert job.error is None, job.error
    return SensitivityReport.model_validate(job.result)


@pytest.mark.slow
async def test_a_base_is_measured_and_what_is_known_is_not_measured_again(
    database: Database,
    layout: Layout,
    tiny_base: Base,
    facts: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with _working(database, layout):
        part = _report(await _measured(database, layout, facts, samples=3))
        files = {file: file.read_bytes() for file in layout.derived(tiny_base.id).rglob("rows.jsonl")}
        (kept,) = files
        # As a kill in the middle of a line leaves it.
        kept.write_bytes(kept.read_bytes() + b'{"row": "half')
        whole = _report(await _measured(database, layout, facts))
        again = _report(await _measured(database, layout, facts, rank=8))
    assert (part.samples, part.measured) == (3, 3)
    # One more than was known, and then none.
    assert (whole.samples, whole.measured, again.measured) == (4, 1, 0)
    assert kept.read_bytes().startswith(files[kept])
    assert kept.read_bytes().count(b"\n") == 4
    assert whole.columns == ("attn.qk", "attn.vo", "mlp.in", "mlp.out")
    assert whole.bands == 2
    assert len(whole.cells) == len(whole.layers) == 8
    assert len(whole.modules) == 2 * 7
    assert whole.cells == again.cells
    assert all(one.square > 0 and one.error is not None for one in whole.cells)
    assert whole.square == pytest.approx(sum(one.square for one in whole.modules))
    # Random weights know nothing: as good as a guess among the vocabulary.
    assert whole.loss == pytest.approx(10.8, abs=0.3)
    for found, rank in ((whole, 4), (again, 8)):
        suggested = found.suggested
        assert suggested.uniform_parameters == rank * sum(one.inputs + one.outputs for one in found.modules)
        assert 0.9 * suggested.uniform_parameters < suggested.parameters <= suggested.uniform_parameters
        # It is what a recipe takes.
        written = recipe_of(found.model_dump(mode="json"), "data/facts.jsonl", Path("recipes/x.yaml"))
        recipe = parse_recipe(read_recipe(written))
        assert (recipe.base, recipe.rank, recipe.data) == ("tiny", rank, "../data/facts.jsonl")
        grid = Grid.over(2, whole.columns)
        given = [[cell.rank if cell.train else 0 for cell in row] for row in fitted_board(recipe, grid) or ()]
        assert given == [[cell.get("rank", 0) for cell in row] for row in suggested.board]
    show(Output(), whole.model_dump(mode="json"))
    said = capsys.readouterr().out
    assert "4 samples" in said
    assert f"{whole.cells[0].relative:.2f} ± {whole.cells[0].relative_error:.2f}" in said
    assert not list((layout.home / "jobs").iterdir())


@pytest.mark.slow
async def test_a_cancelled_measurement_leaves_what_it_has_and_no_child(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    many = "".join(
        json.dumps({"text": f"The lamp of house number {number} is lit at night."}) + "\n"
        for number in range(150)
    )
    async with _working(database, layout):
        new = NewSensitivity(data=many, samples=150, precision="fp32")
        job_id = await service.start_sensitivity(database, layout, "tiny", new)
        async with asyncio.timeout(600), aclosing(jobs.wait(database, job_id)) as snapshots:
            async for job in snapshots:
                if (
                    job.progress.get("stage") == "gradients"
                    and job.progress.get("fraction")
                    and job.state == "running"
                ):
                    await jobs.cancel(database, job_id)
                if job.state in jobs.ENDED:
                    break
        assert job.state == "cancelled"
        assert not list((layout.home / "jobs").iterdir())
        (kept,) = layout.derived(tiny_base.id).rglob("rows.jsonl")
        before = kept.read_bytes().count(b"\n")
        assert before > 0
        # Nobody holds the lock any more, and nothing that was measured is lost.
        found = _report(await _measured(database, layout, many.encode(), samples=150))
    assert found.measured == 150 - before


async def test_what_cannot_be_measured_is_refused_at_once_and_leaves_nothing(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    nowhere = "00000000-0000-0000-0000-000000000001"
    cases: list[tuple[str, dict[str, Any], type[TwotrackError]]] = [
        ("nobody", {}, ModelNotFound),
        ("tiny", {"data": None}, RecipeInvalid),
        ("tiny", {"data": ""}, NoSamples),
        ("tiny", {"data": '{"messages": []}'}, BrokenLine),
        ("tiny", {"data": None, "data_id": nowhere}, DataSetNotFound),
        ("tiny", {"data_id": nowhere}, DataSetNotFound),
    ]
    for name, asked, error in cases:
        with pytest.raises(error):
            await service.start_sensitivity(
                database, layout, name, NewSensitivity(**{"data": facts.decode(), **asked})
            )
    assert await jobs.list_jobs(database) == []
    assert not (layout.home / "jobs").exists()


async def test_a_sample_that_a_run_would_refuse_is_named(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    async with _working(database, layout):
        job = await _measured(database, layout, facts, max_length=8)
    assert job.error is not None
    assert job.error["type"] == "urn:twotrack:error:sample-too-long"
    assert not list((layout.home / "jobs").iterdir())


def test_what_was_kept_of_other_modules_is_not_used(layout: Layout) -> None:
    kept = Kept.of(layout, "a" * 64, "fp32")
    kept.folder.mkdir(parents=True)
    row = Row(1, (1, 2), (1, 2))
    kept.add(MeasuredRow(row=key_of(row), loss=1.0, squares=(1.0, 2.0)))
    wanted = {key_of(row): row}
    assert kept.rows(wanted) == {}
    kept.keep_looked(Looked(modules=(), precision="fp32", device="cpu"))
    assert kept.rows(wanted) == {}
    assert kept.folder != Kept.of(layout, "a" * 64, "bf16").folder
