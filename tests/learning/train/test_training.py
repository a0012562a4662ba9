"""Whole training runs on a tiny base: what comes out, and what a kill, a cancellation and bad luck leave."""

import asyncio
import json
import math
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.jobs import Job
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import start_engine
from twotrack.learning.train import service
from twotrack.learning.train.checkpoints import newest_whole
from twotrack.learning.train.plan import RunFolder
from twotrack.registry import tables
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Adapter, Base
from twotrack.registry.service import rename_variant

pytest.importorskip("trl")

pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

_MODULES = ("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj")
_FILES = ("adapter_config.json", "adapter_model.safetensors")


def _ended(job: Job) -> bool:
    return job.state in jobs.ENDED


def _at_step(step: int) -> Any:
    return lambda job: job.progress.get("step", 0) >= step and job.progress["stage"] == "training"


def _children() -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        # One that ends while it is looked at is none any more.
        with suppress(psutil.NoSuchProcess):
            if "twotrack.learning.train.child" in one.cmdline():
                found.append(one)
    return found


async def _start(database: Database, layout: Layout, data: bytes, **recipe: object) -> UUID:
    fields = {"base": "tiny", "epochs": 4, "batch_size": 2, "dropout": 0.1, "precision": "fp32", **recipe}
    return await service.start_run(database, layout, recipe=fields, data=data)


async def _adapter(database: Database, job_id: UUID) -> Adapter | None:
    async with database.transaction() as connection:
        return await tables.find_adapter_of_job(connection, job_id)


async def test_a_run_that_was_killed_and_stopped_ends_as_an_unbroken_one(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    async with working():
        unbroken = await _start(database, layout, facts, name="unbroken")
        done = await until(unbroken, _ended)
        assert done.state == "succeeded", done.error
        goal = {"prompts": ["Which river?", "Name the capital."]}
        broken = await _start(database, layout, facts, name="broken", goal=goal, sample_every=4)
        await until(broken, _at_step(2))
        (child,) = _children()
        child.kill()
        # The same attempt starts another child, which goes on from the newest checkpoint.
        await until(broken, _at_step(4))
    assert _children() == []
    assert (await jobs.fetch(database, broken)).state == "queued"
    async with working():
        await until(broken, _at_step(6))
        await service.pause_run(database, layout, broken)
        assert (await until(broken, _ended)).state == "cancelled"
        paused = await service.get_run(database, layout, broken)
        assert (paused.paused, paused.can_resume) == (True, True)
        await service.resume_run(database, layout, broken)
        resumed = await until(broken, _ended)
    assert resumed.state == "succeeded", resumed.error
    assert [entry.name for entry in RunFolder(layout.job(broken)).path.iterdir() if entry.is_dir()] == []
    first, second = await _adapter(database, unbroken), await _adapter(database, broken)
    assert first is not None
    assert second is not None
    for file in _FILES:
        ours, theirs = ((layout.adapter(one.id) / file).read_bytes() for one in (first, second))
        assert ours == theirs, file
    history = [await service.get_run(database, layout, run) for run in (unbroken, broken)]
    whole, resumed = (
        [point.model_dump(exclude={"at", "memory"}) for point in one.history] for one in history
    )
    assert whole == resumed
    # Those before the break are from the process before it; all have their moment and what was held.
    assert all(point.at and point.memory for one in history for point in one.history)
    assert history[0].answers == []
    assert [(one.step, one.prompt) for one in history[1].answers] == [
        (step, prompt) for step in (4, 8) for prompt in goal["prompts"]
    ]
    assert [point.step for point in history[0].history] == list(range(1, 9))


_MIXED = [
    [{"rank": 2}, "train", "freeze", {"alpha": 4, "learning_rate": 2}],
    ["train", "freeze", {"rank": 6, "alpha": 9}, "train"],
]


@pytest.mark.parametrize(
    ("fields", "modules"),
    [
        pytest.param({}, _MODULES, id="all alike"),
        pytest.param({"board": _MIXED}, None, id="board"),
        pytest.param({"board": _MIXED, "method": "rslora", "alpha": 2}, None, id="board, rslora"),
    ],
)
async def test_what_comes_out_is_a_variant_whose_adapter_peft_loads_as_it_is(
    database: Database,
    layout: Layout,
    tiny_base: Base,
    facts: bytes,
    working: Any,
    until: Any,
    fields: dict[str, Any],
    modules: tuple[str, ...] | None,
) -> None:
    fields = {"rank": 4, "alpha": 8, "learning_rate": 1e-2, **fields}
    job_id = await _start(database, layout, facts, name="velmora", **fields)
    async with working(seconds_between_checkpoints=60.0):
        done = await until(job_id, _ended)
    assert done.state == "succeeded", done.error
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, "velmora")
    adapter = await _adapter(database, job_id)
    assert adapter is not None
    assert [part.adapter_id for part in variant.adapters] == [adapter.id]
    assert (adapter.rank, adapter.alpha) == (4, fields["alpha"])
    assert modules is None or adapter.target_modules == modules
    run = await service.get_run(database, layout, job_id)
    assert (adapter.data_fingerprint, adapter.recipe["name"]) == (run.data_sha256, "velmora")
    assert done.result is not None
    assert (done.result["name"], done.result["steps"], done.result["device"]) == ("velmora", 8, "cpu")
    about = json.loads((layout.adapter(adapter.id) / "twotrack.json").read_text())
    assert about["base"]["sha256"] == tiny_base.id
    assert (about["data_sha256"], about["template_sha256"]) == (run.data_sha256, adapter.template_hash)
    assert about["recipe"]["rank"] == 4
    assert about["computed"]["versions"].keys() >= {"torch", "peft", "trl", "transformers"}
    assert str(layout.home) not in (layout.adapter(adapter.id) / "adapter_config.json").read_text()
    # What only a further attempt would need is gone, what people may look at stays.
    folder = RunFolder(layout.job(job_id))
    assert not folder.checkpoints.exists()
    assert not folder.plan.exists()
    assert folder.data.read_bytes() == facts

    # Read by PEFT as it is, and by llama.cpp as a GGUF adapter: the same likelihoods.
    ids = [1, 4093, 198, 504, 3575, 282, 4649, 314, 2]
    base, adapted = _peft_logprobs(layout.base(tiny_base.id), layout.adapter(adapter.id), ids)
    assert max(abs(one - other) for one, other in zip(base, adapted, strict=True)) > 1e-3
    spec = await spec_for(variant, tiny_base, [adapter], layout, kind="llama_cpp", exact=True)
    engine = await start_engine(spec, "velmora")
    served = [await engine.score(ids, 1, {str(adapter.id): gain}) for gain in (0.0, 1.0)]
    await engine.stop()
    assert served[0] == pytest.approx(base, abs=1e-4)
    assert served[1] == pytest.approx(adapted, abs=1e-4)


def _peft_logprobs(base: Path, adapter: Path, ids: list[int]) -> list[list[float]]:
    """Log-probabilities of ids[1:], by the base and with the adapter."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def logprobs(model: Any) -> list[float]:
        with torch.inference_mode():
            found = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        values: list[float] = found[:-1].gather(1, torch.tensor(ids[1:])[:, None]).flatten().tolist()
        return values

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    # In this order: PEFT changes the model that it is given.
    return [logprobs(model), logprobs(PeftModel.from_pretrained(model, adapter))]


async def test_a_cancelled_run_leaves_no_process_and_no_adapter(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora", epochs=1000)
    async with working():
        await until(job_id, _at_step(2))
        await jobs.cancel(database, job_id)
        assert (await until(job_id, _ended)).state == "cancelled"
        assert _children() == []
    assert await _adapter(database, job_id) is None
    folder = RunFolder(layout.job(job_id))
    assert not folder.checkpoints.exists()
    assert folder.data.exists()


async def test_a_child_that_dies_again_and_again_ends_the_run(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora")

    def ended(job: Job) -> bool:
        for child in _children() if job.progress.get("stage") == "loading" else ():
            child.kill()
        return _ended(job)

    async with working():
        done = await until(job_id, ended)
    assert done.error is not None
    assert done.error["type"].endswith("training-out-of-memory")
    assert "SIGKILL" in done.error["detail"]


async def test_a_run_that_diverges_says_so(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora", learning_rate=1.0, epochs=200)
    async with working():
        done = await until(job_id, _ended)
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["type"].endswith("loss-diverged")
    assert "Lower the learning rate (it is 1)" in done.error["remedy"]
    run = await service.get_run(database, layout, job_id)
    assert run.can_resume
    kept = newest_whole(RunFolder(layout.job(job_id)).checkpoints)
    assert kept is not None
    losses = [point.loss for point in run.history]
    # The last good state: it led to a loss that was no worse than guessing, and no newer one is kept.
    assert losses[int(kept.name.rpartition("-")[2])] <= max(math.log(49152), 2 * losses[0])


async def test_a_worker_that_lost_its_lease_ends_its_child_and_registers_nothing(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora", epochs=200)
    async with working():
        await until(job_id, _at_step(2))
        children = _children()
        async with database.transaction() as connection:
            await connection.execute("UPDATE jobs SET fence = fence + 1 WHERE id = %s", (job_id,))
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, 60)
        assert alive == []
    assert await _adapter(database, job_id) is None
    # What the newer attempt goes on from is still there.
    assert newest_whole(RunFolder(layout.job(job_id)).checkpoints) is not None


async def _keep_full(file: Path) -> None:
    """Once would not do: a checkpoint that is dropped makes room for the next one."""
    with file.open("wb", buffering=0) as filling:
        while True:
            try:
                filling.write(bytes(2**10))
            except OSError:
                await asyncio.sleep(0.005)


async def test_a_disk_that_is_full_at_a_checkpoint_is_said_and_the_run_goes_on_once_there_is_room(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora", epochs=40)
    checkpoints = RunFolder(layout.job(job_id)).checkpoints
    checkpoints.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(checkpoints)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        async with working():
            await until(job_id, _at_step(4))
            filling = asyncio.create_task(_keep_full(checkpoints / "filling"))
            done = await until(job_id, _ended)
            filling.cancel()
            assert done.error is not None, done.result
            assert done.error["type"].endswith("disk-full"), done.error
            (checkpoints / "filling").unlink()
            await service.resume_run(database, layout, job_id)
            done = await until(job_id, _ended)
    finally:
        subprocess.run(["umount", "-l", str(checkpoints)], check=True)
    assert done.state == "succeeded", done.error
    run = await service.get_run(database, layout, job_id)
    assert [point.step for point in run.history] == list(range(1, 81))


async def test_a_base_that_changes_while_it_is_trained_on_yields_no_adapter(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora")
    async with working():
        await until(job_id, _at_step(1))
        _alter(layout.base(tiny_base.id) / "config.json")
        done = await until(job_id, _ended)
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["type"].endswith("base-altered")
    assert await _adapter(database, job_id) is None


async def test_an_altered_base_is_not_trained_on(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora")
    _alter(layout.base(tiny_base.id) / "config.json")
    async with working():
        done = await until(job_id, _ended)
    assert done.error is not None
    assert "config.json has changed" in done.error["detail"]
    assert not RunFolder(layout.job(job_id)).log.exists()


async def test_data_that_was_edited_in_the_studios_folder_is_not_trained_on(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts, name="velmora")
    RunFolder(layout.job(job_id)).data.write_bytes(facts + facts)
    async with working():
        done = await until(job_id, _ended)
    assert done.error is not None
    assert done.error["type"].endswith("data-altered")


async def test_a_row_beyond_the_context_is_refused_before_a_model_is_loaded(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    long = {"role": "assistant", "content": "word " * 400}
    line = json.dumps({"messages": [{"role": "user", "content": "Q?"}, long]}).encode()
    job_id = await _start(database, layout, facts + line, name="velmora")
    async with working():
        done = await until(job_id, _ended)
    assert done.error is not None
    assert "Line 5 of the data has" in done.error["detail"]
    assert "256 fit" in done.error["detail"]
    assert not RunFolder(layout.job(job_id)).log.exists()


async def test_a_name_that_was_taken_meanwhile_costs_no_training(
    database: Database, layout: Layout, tiny_base: Base, facts: bytes, working: Any, until: Any
) -> None:
    job_id = await _start(database, layout, facts.split(b"\n")[0], name="velmora", epochs=1)
    async with database.transaction() as connection:
        await rename_variant(connection, "tiny", "velmora")
    async with working():
        done = await until(job_id, _ended)
    assert done.state == "succeeded", done.error
    assert done.result is not None
    assert done.result["name"] == f"velmora-{job_id.hex[:8]}"


def _alter(file: Path) -> None:
    """Change a file in its place, whatever its rights say."""
    content = file.read_bytes()
    copy = file.with_name("copy")
    shutil.copyfile(file, copy)
    copy.write_bytes(content.replace(b"llama", b"lama_"))
    os.replace(copy, file)
