"""A run that cannot fit by what was measured is refused before a model is loaded."""

from importlib.util import find_spec
from typing import Any

import pytest

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.engines.machine import usable_threads
from twotrack.learning.forecast.calibration import Calibration, PassMeasured, keep, place_of
from twotrack.learning.forecast.measuring import this_machine
from twotrack.learning.train import service
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import parse_recipe, trained_columns
from twotrack.registry.boards import family_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")


def _measured(layout: Layout, base: Base, fields: dict[str, Any], *, token_bytes: int) -> None:
    """Keep what a forecast would have measured of this machine."""
    recipe = service.fitted(parse_recipe(fields), base)
    columns = trained_columns(recipe, family_of(base))
    passes = [
        PassMeasured(
            tokens=tokens,
            rows=1,
            learned=4,
            square=tokens**2,
            seconds=0.1,
            clock_seconds=0.1,
            peak=token_bytes * tokens,
        )
        for tokens in (16, 64)
    ]
    calibration = Calibration(
        device="cpu",
        device_name="cpu",
        precision="fp32",
        threads=usable_threads(),
        start_seconds=1.0,
        end_seconds=1.0,
        step_seconds=0.1,
        passes=tuple(passes),
        start_peak=0,
        capacity=2**30,
        took_seconds=1.0,
    )
    keep(place_of(layout, base.id, recipe, columns, this_machine(), usable_threads()), calibration)


@pytest.mark.parametrize("board", [None, ["freeze", "train"]], ids=["all alike", "board"])
async def test_a_run_that_cannot_fit_is_refused_with_what_would(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any, board: Any
) -> None:
    fields = {"base": "tiny", "name": "velmora", "precision": "fp32", "board": board}
    _measured(layout, tiny_base, fields, token_bytes=2**40)
    run_id = await service.start_run(database, layout, recipe=fields, data=facts)
    async with working():
        done = await until(run_id, lambda job: job.state in jobs.ENDED)
    assert done.error is not None
    assert done.error["type"].endswith("will-not-fit"), done.error
    assert "by force" in done.error["remedy"].lower()
    assert not RunFolder(layout.job(run_id)).log.exists()


@pytest.mark.parametrize("case", ["forced", "it fits", "never measured"])
async def test_a_run_that_is_forced_fits_or_is_not_known_is_begun(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any, case: str
) -> None:
    fields = {"base": "tiny", "name": "velmora", "precision": "fp32"}
    if case != "never measured":
        _measured(layout, tiny_base, fields, token_bytes=2**40 if case == "forced" else 1)
    run_id = await service.start_run(database, layout, recipe=fields, data=facts, force=case == "forced")
    async with working():
        begun = await until(run_id, lambda job: job.progress.get("stage") == "loading" or job.error)
        await jobs.cancel(database, run_id)
        await until(run_id, lambda job: job.state in jobs.ENDED)
    assert begun.error is None
