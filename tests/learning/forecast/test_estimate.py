"""Forecasts as jobs, over HTTP and from the command line; a real calibration of a tiny base among them."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from twotrack.cli.estimate import show
from twotrack.cli.output import Output
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.jobs import Job
from twotrack.learning.data import service as data_sets
from twotrack.learning.data import tables as data_tables
from twotrack.learning.data.errors import DataSetNotFound, NoSamples
from twotrack.learning.forecast import service
from twotrack.learning.forecast.schemas import Forecast, NewEstimate
from twotrack.learning.train import errors
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")


@asynccontextmanager
async def _working(database: Database, layout: Layout) -> AsyncIterator[None]:
    body = functools.partial(service.estimate_job, database=database, layout=layout)
    runner = Runner(database, [Lane({"estimate": body}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    try:
        yield
    finally:
        await runner.stop(5)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def _estimated(
    database: Database, layout: Layout, facts: bytes, devices: tuple[str, ...] = (), **recipe: Any
) -> Job:
    asked = NewEstimate(recipe={"name": "x", **recipe}, data=facts.decode(), devices=devices)
    job_id = await service.start_estimate(database, layout, asked)
    async with asyncio.timeout(600), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            if job.state in jobs.ENDED:
                return job
    raise AssertionError("it never ended")


@pytest.mark.slow
async def test_this_machine_is_measured_once_and_the_others_follow(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    async with _working(database, layout):
        asked: dict[str, Any] = {"base": tiny_base.name, "rank": 4, "precision": "fp32", "epochs": 2}
        first = await _estimated(database, layout, facts, (), **asked)
        again = await _estimated(database, layout, facts, ("here",), **{**asked, "epochs": 4})
    assert first.error is None
    found, later = Forecast.model_validate(first.result), Forecast.model_validate(again.result)
    assert (found.calibration, later.calibration) == ("new", "kept")
    assert (found.rows, found.steps, later.steps) == (4, 2, 4)
    # Two layers of 32: q, k, v, o, gate, up and down.
    assert found.trainable_parameters == 2 * 4 * (64 + 48 + 48 + 64 + 80 + 80 + 80)
    here, *others = found.devices
    assert here.device == "here"
    assert here.measured
    assert here.fits
    assert here.seconds is not None
    assert here.clock_seconds is not None
    # At the least, the libraries and the base; and times to load them.
    assert here.peak_bytes > 300 * 2**20
    assert here.seconds > 1
    assert all(other.fits and not other.measured and other.seconds for other in others)
    assert later.devices[0].seconds is not None
    # Nothing is left of either: neither data nor what was measured with.
    assert not list((layout.home / "jobs").iterdir())


async def test_what_the_run_would_be_refused_for_is_told(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes
) -> None:
    async with _working(database, layout):
        rank = await _estimated(database, layout, facts, ("t4",), base=tiny_base.name, rank=17)
        long = await _estimated(database, layout, facts, ("t4",), base=tiny_base.name, max_length=8)
        fits = await _estimated(database, layout, facts, ("t4",), base=tiny_base.name, epochs=1_000)
    assert rank.error is not None
    assert rank.error["type"] == "urn:twotrack:error:rank-too-large"
    assert long.error is not None
    assert long.error["type"] == "urn:twotrack:error:sample-too-long"
    assert fits.error is None
    assert Forecast.model_validate(fits.result).steps == 1_000
    assert not list((layout.home / "jobs").iterdir())


@pytest.mark.parametrize(
    ("changed", "data", "devices", "error", "said"),
    [
        ({"base": "nobody"}, None, (), ModelNotFound, "nobody"),
        ({"lr": 1}, None, (), errors.RecipeInvalid, "learning_rate"),
        ({"epochs": 10**9}, None, (), errors.RecipeInvalid, "epochs"),
        ({"max_length": 100_000}, None, (), errors.RecipeInvalid, "more than the context"),
        ({"modules": ["attn.qkv"]}, None, (), errors.RecipeInvalid, "attn.qk"),
        ({}, "", (), NoSamples, "no line"),
        ({}, None, ("rtx-9090",), TwotrackError, "rtx-9090"),
    ],
)
async def test_what_cannot_be_estimated_is_refused_at_once_and_leaves_nothing(
    database: Database,
    layout: Layout,
    starter_base: Base,
    facts: bytes,
    changed: dict[str, Any],
    data: str | None,
    devices: tuple[str, ...],
    error: type[TwotrackError],
    said: str,
) -> None:
    recipe = {"base": starter_base.name, "name": "x", **changed}
    asked = NewEstimate(recipe=recipe, data=facts.decode() if data is None else data, devices=devices)
    with pytest.raises(error, match=said):
        await service.start_estimate(database, layout, asked)
    assert await jobs.list_jobs(database) == []
    assert not (layout.home / "jobs").exists()


async def test_a_data_set_is_estimated_as_it_lies_in_the_studio(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    data_id = uuid4()
    rows = '[{"instruction": "Name the capital of Velmora.", "output": "Tarnith."}]'
    place = data_tables.file_of(layout, data_id)
    place.parent.mkdir(parents=True)
    place.write_text(rows)
    await data_sets.take_in(database, layout, data_id, name="alpaca.json")
    recipe = {"base": starter_base.name, "name": "x", "data_id": str(data_id)}
    asked = NewEstimate(recipe=recipe, devices=("t4",))
    job = await jobs.fetch(database, await service.start_estimate(database, layout, asked))
    assert job.args["samples"] == 1
    kept = layout.job(job.id) / "data.jsonl"
    assert json.loads(kept.read_text())["messages"][1]["content"] == "Tarnith."
    for wrong, error in (
        ({"data": facts.decode()}, errors.RecipeInvalid),
        ({"data_id": uuid4()}, DataSetNotFound),
    ):
        with pytest.raises(error):
            await service.start_estimate(database, layout, asked.model_copy(update=wrong))


def test_an_estimate_is_taken_over_http_and_refused_in_korean(studio_url: str, facts: bytes) -> None:
    base = httpx.get(f"{studio_url}/api/models").json()["models"][0]["base"]["name"]
    body: dict[str, Any] = {
        # The name of what comes out may be any, even a taken one: nothing comes out.
        "recipe": {"base": base, "name": base, "method": "qlora"},
        "data": facts.decode(),
        "devices": ["t4"],
    }
    address = f"{studio_url}/api/training/runs/estimate"
    taken = httpx.post(address, json=body, timeout=30)
    assert taken.status_code == 202, taken.text
    assert (taken.json()["kind"], taken.json()["state"]) == ("estimate", "queued")
    cancelled = httpx.post(f"{studio_url}/api/jobs/{taken.json()['id']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    refused = httpx.post(
        address, json={**body, "devices": ["a10"]}, headers={"Accept-Language": "ko"}, timeout=30
    )
    assert refused.status_code == 422
    assert "혹시 'a100'인가요?" in refused.json()["detail"]
    assert httpx.post(address, json={**body, "nonsense": 1}).status_code == 422


def _found(**device: Any) -> dict[str, Any]:
    parts = ("weights", "adapter", "gradients", "optimizer", "activations", "logits", "rows", "fixed")
    one = {
        "device": "rtx-3050-4gb",
        "name": "RTX 3050 Laptop 4 GB",
        "measured": False,
        "precision": "bf16",
        "fits": False,
        "capacity_bytes": 4 * 2**30,
        "peak_bytes": 9 * 2**30,
        "memory": {**dict.fromkeys(parts, 0), "weights": 9 * 2**30},
        "seconds": 86_400.0 * 200,
        "clock_seconds": 86_400.0 * 200,
        "tokens_per_second": 10.0,
        "days": 200.0,
        "plan": "pretraining",
        "rows_in_a_day": 5,
        "remedies": [
            {"changes": {"method": "qlora"}, "peak_bytes": 3 * 2**30, "rows_left_out": 0},
            {"changes": {"max_length": 512}, "peak_bytes": 2**31, "rows_left_out": 7},
        ],
        **device,
    }
    return {
        "base": "Llama [3]",
        "rows": 1_000,
        "steps": 10,
        "tokens": 20,
        "learned": 5,
        "trainable_parameters": 1_234_567,
        "devices": [one],
    }


def test_a_refusal_names_what_would_fit(capsys: pytest.CaptureFixture[str]) -> None:
    show(Output(language="en"), _found())
    said = capsys.readouterr().out
    assert "Llama [3]: 1,000 rows" in said
    assert "9.0 GiB are needed, and it has 4.0 GiB (weights 9.0 GiB)" in said
    assert "would fit: method: qlora → 3.0 GiB" in said
    assert "max_length: 512 → 2.0 GiB, without the 7 longer rows" in said


def test_days_are_said_plainly_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    fits = {"fits": True, "remedies": []}
    show(Output(language="en"), _found(**fits))
    english = capsys.readouterr().out
    assert "200 days: this is pretraining, not tuning." in english
    assert "One day is enough for 5 of the 1,000 rows." in english
    show(Output(language="ko"), _found(**fits))
    korean = capsys.readouterr().out
    assert "200일: 튜닝이 아니라 사전 학습 규모입니다." in korean
    assert "최대 메모리" in korean


def test_a_base_that_is_too_large_for_any_recipe_is_said_to_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(Output(language="ko"), _found(remedies=[]))
    assert "더 작은 베이스가 필요합니다" in capsys.readouterr().out


async def test_an_unreadable_calibration_is_measured_again_and_not_believed(tmp_path: Path) -> None:
    from twotrack.learning.forecast.calibration import kept_at

    place = tmp_path / f"{uuid4().hex}.json"
    assert kept_at(place) is None
    place.write_text(json.dumps({"device": "cpu"})[:7])
    assert kept_at(place) is None
