"""Runs on data sets that lie in the studio, with a held-out part and adapters of earlier epochs."""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.learning.conftest import Until, Working
from twotrack.core import jobs
from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.learning.data import service as data
from twotrack.learning.data import tables as data_tables
from twotrack.learning.data.errors import BrokenLine, ColumnsUnknown, DataSetNotFound
from twotrack.learning.train import errors, service
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.schemas import RunResult
from twotrack.registry import tables
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")

_ALPACA = json.dumps(
    [
        {"instruction": "Which river flows through Quilby?", "output": "The river Dolm."},
        {"instruction": "Name the capital of Velmora.", "output": "Tarnith."},
    ]
)


async def _bring(database: Database, layout: Layout, content: bytes | str, name: str = "facts.jsonl") -> UUID:
    data_id = uuid4()
    place = data_tables.file_of(layout, data_id)
    place.parent.mkdir(parents=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    await data.take_in(database, layout, data_id, name=name)
    return data_id


async def test_a_run_records_which_data_sets_it_took_and_keeps_copies(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    data_id = await _bring(database, layout, _ALPACA, "alpaca.json")
    held_out_id = await _bring(database, layout, facts)
    recipe = {"base": starter_base.name, "name": "velmora", "data_id": str(data_id)}
    run_id = await service.start_run(database, layout, recipe=recipe, held_out_id=held_out_id)
    await data.delete(database, layout, data_id)
    run = await service.get_run(database, layout, run_id)
    text = await service.read_data(database, layout, run_id)
    assert [json.loads(line)["messages"][1]["content"] for line in text.splitlines()] == [
        "The river Dolm.",
        "Tarnith.",
    ]
    assert run.data_set is not None
    assert run.held_out is not None
    assert (run.data_set.id, run.data_set.name, run.samples) == (data_id, "alpaca.json", 2)
    assert run.data_set.sha256 == hashlib.sha256(_ALPACA.encode()).hexdigest()
    assert run.data_sha256 == run.data_set.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    assert (run.held_out.id, run.held_out.samples) == (held_out_id, 4)


async def test_what_a_run_cannot_take_is_refused_and_leaves_nothing(
    database: Database, layout: Layout, starter_base: Base, facts: bytes
) -> None:
    good = await _bring(database, layout, facts)
    broken = await _bring(database, layout, facts + b'{"messages": []}\n')
    unclear = await _bring(database, layout, '{"a": 1, "b": 2}\n')
    recipe = {"base": starter_base.name, "name": "velmora"}
    cases: list[tuple[dict[str, object], type[TwotrackError]]] = [
        ({}, errors.RecipeInvalid),
        ({"data": facts, "data_id": good}, errors.RecipeInvalid),
        ({"data_id": good, "held_out_id": good}, errors.RecipeInvalid),
        ({"data_id": uuid4()}, DataSetNotFound),
        ({"data_id": good, "held_out_id": uuid4()}, DataSetNotFound),
        ({"data_id": good, "by": Caller(uuid4(), "lee", "user")}, DataSetNotFound),
        ({"data_id": broken}, BrokenLine),
        ({"data_id": good, "held_out_id": broken}, BrokenLine),
        ({"data_id": unclear}, ColumnsUnknown),
    ]
    for asked, error in cases:
        with pytest.raises(error):
            await service.start_run(database, layout, recipe=recipe, **asked)  # type: ignore[arg-type]
    assert await jobs.list_jobs(database) == []
    assert list((layout.home / "jobs").glob("*")) == []


@pytest.mark.slow
async def test_a_run_leaves_a_variant_of_each_epoch_that_was_asked_for(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Working, until: Until
) -> None:
    held_out_id = await _bring(database, layout, facts)
    recipe = {
        **{"base": tiny_base.name, "name": "velmora", "epochs": 3, "batch_size": 2, "checkpoints": 8},
        **{"precision": "fp32", "rank": 2},
    }
    run_id = await service.start_run(database, layout, recipe=recipe, data=facts, held_out_id=held_out_id)
    async with working():
        job = await until(run_id, lambda job: job.state in jobs.ENDED)
    assert job.state == "succeeded", job.error
    result = RunResult.model_validate(job.result)
    assert [one.step for one in result.checkpoints] == [2, 4]
    assert [one.name for one in result.checkpoints] == ["velmora:ckpt-step-2", "velmora:ckpt-step-4"]
    run = await service.get_run(database, layout, run_id)
    losses = {point.step: point.loss for point in run.held_out_history}
    assert list(losses) == [2, 4, 6]
    assert losses[6] == result.held_out_loss
    assert losses[6] < losses[2]
    async with database.transaction() as connection:
        adapters = await tables.list_adapters_of_job(connection, run_id)
        variants = [await tables.get_variant(connection, one.name) for one in result.checkpoints]
    assert [one.step for one in adapters] == [2, 4, None]
    assert [[part.adapter_id for part in one.adapters] for one in variants] == [
        [one.id] for one in adapters[:2]
    ]
    weights = {(layout.adapter(one.id) / "adapter_model.safetensors").read_bytes() for one in adapters}
    assert len(weights) == 3
    about = json.loads((layout.adapter(adapters[0].id) / "twotrack.json").read_bytes())
    assert (about["step"], about["data_sha256"]) == (2, run.data_sha256)
    folder = RunFolder(layout.job(run_id))
    assert not folder.kept.exists()
    assert not Path(folder.path, "held_out.jsonl.staging").exists()


@pytest.mark.slow
async def test_the_epochs_end_is_the_same_after_a_pause(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Working, until: Until
) -> None:
    """A pause at any moment changes neither what is kept nor the loss on the held-out part."""
    left: list[list[bytes]] = []
    held_out_id = await _bring(database, layout, facts)
    for name, pauses in (("unbroken", 0), ("broken", 2)):
        recipe = {
            **{"base": tiny_base.name, "name": name, "epochs": 6, "batch_size": 2, "checkpoints": 5},
            **{"precision": "fp32", "rank": 2, "dropout": 0.1},
        }
        run_id = await service.start_run(database, layout, recipe=recipe, data=facts, held_out_id=held_out_id)
        async with working():
            for _ in range(pauses):
                await until(run_id, lambda job: bool(job.progress.get("step")) or job.state in jobs.ENDED)
                await service.pause_run(database, layout, run_id)
                ended = await until(run_id, lambda job: job.state in jobs.ENDED)
                if ended.state == "cancelled":
                    await service.resume_run(database, layout, run_id)
            job = await until(run_id, lambda job: job.state in jobs.ENDED)
        assert job.state == "succeeded", job.error
        run = await service.get_run(database, layout, run_id)
        async with database.transaction() as connection:
            adapters = await tables.list_adapters_of_job(connection, run_id)
        files = [(layout.adapter(one.id) / "adapter_model.safetensors").read_bytes() for one in adapters]
        left.append([*files, *(repr(point).encode() for point in run.held_out_history)])
    assert left[0] == left[1]
    assert len(left[0]) == 6 + 6
