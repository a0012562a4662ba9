"""Exports of a variant with two adapters, one on a board: what they hold, that they answer as it does, and
that nothing stays of one that does not."""

import asyncio
import functools
import io
import json
import math
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.at_work import at_work, ended, worker_process
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.job_runner import Lane
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.fingerprint import fingerprint, hash_file
from twotrack.registry.inspection import inspect
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.service import create_variant, register_adapter, register_base
from twotrack.release import exports, job, parity
from twotrack.release.errors import ExportImpossible, ExportNotFound, ParityBroken, QuantizedBase
from twotrack.release.job import export_job, start_export
from twotrack.release.parity import Heard
from twotrack.release.schemas import ExportReport, NewExport

pytestmark = pytest.mark.torch

_ENDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_PROMPT = "What is the capital of Korea?"
_BOARD = [[0.0, 1.0, 0.5, -0.5], [1.5, 0.25, 1.0, 2.0], [1.0, 1.0, 0.0, 0.75], [0.3, 0.6, 0.9, 1.2]]


@pytest.fixture
async def small_base(layout: Layout, database: Database, starter_base: Base, tmp_path: Path) -> Base:
    """A random Llama with the starter's tokenizer: the arithmetic of a large one, in megabytes."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
    )
    folder = tmp_path / "small"
    # So small a shard that there are several.
    LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="13MB")
    tokenizer = await ensure_tokenizer(layout, starter_base)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    description = await inspect(folder)
    files = [await hash_file(file) for file in sorted(folder.iterdir())]
    place = layout.base(fingerprint(files))
    shutil.copytree(folder, place)
    async with database.transaction() as connection:
        return await register_base(
            connection, source="hf:nobody/small@1", description=description, files=files, name="small"
        )


async def _adapter(database: Database, layout: Layout, base: Base, name: str, rank: int) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(rank)
    folder = layout.home / "made" / name
    folder.mkdir(parents=True)
    # The second adapter reaches fewer modules, so that ranks differ from module to module.
    ends = _ENDS if rank == 4 else ("q_proj", "down_proj")
    tensors = {}
    for file in layout.base(base.id).glob("*.safetensors"):
        for key, weight in load_file(file).items():
            module = key.removesuffix(".weight")
            if module.endswith(ends):
                prefix = f"base_model.model.{module}"
                tensors[f"{prefix}.lora_A.weight"] = torch.randn(rank, weight.shape[1]) * 0.2
                tensors[f"{prefix}.lora_B.weight"] = torch.randn(weight.shape[0], rank) * 0.1
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": 8,
        "target_modules": list(ends),
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    async with database.transaction() as connection:
        await register_adapter(
            connection,
            layout,
            name=name,
            base_id=base.id,
            folder=folder,
            template_hash="0" * 64,
            data_fingerprint="1" * 64,
            recipe={"base": base.name},
        )


@pytest.fixture
async def variant(database: Database, layout: Layout, small_base: Base) -> str:
    for name, rank in (("first", 4), ("second", 2)):
        await _adapter(database, layout, small_base, name, rank)
    async with database.transaction() as connection:
        made = await create_variant(
            connection, name="both", base="small", adapters=[("first", _BOARD), ("second", 0.5)]
        )
    return made.name


@pytest.fixture
async def worker(database: Database, layout: Layout) -> AsyncIterator[None]:
    bodies = {"export": functools.partial(export_job, database=database, layout=layout)}
    async with at_work(database, [Lane(bodies, at_once=1)]):
        yield


async def _exported(database: Database, layout: Layout, variant: str, **asked: Any) -> ExportReport:
    new = NewExport(prompts=(_PROMPT,), **asked)
    done = await ended(database, await start_export(database, layout, variant, new))
    assert done.state == "succeeded", done.error
    return ExportReport.model_validate(done.result)


# transformers reads its own deprecated property when PEFT looks at the model's attributes.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.slow
async def test_every_format_answers_as_the_live_variant(
    database: Database, layout: Layout, small_base: Base, variant: str, worker: None
) -> None:
    base_files = {file.path: file.sha256 for file in small_base.files}

    peft = await _exported(database, layout, variant, format="peft")
    assert peft.parity.bound == 1e-4
    assert peft.parity.largest <= 1e-4
    settings = json.loads((Path(peft.path) / "adapter_config.json").read_bytes())
    assert (settings["r"], settings["lora_alpha"]) == (6, 6)
    assert settings["rank_pattern"] == settings["alpha_pattern"] == {}
    _require_peft_agrees(layout.base(small_base.id), Path(peft.path))

    merged = await _exported(database, layout, variant, format="merged")
    assert merged.parity.bound == 1e-4
    assert merged.parity.largest <= 1e-4
    shards = {file.path for file in small_base.files if file.path.endswith(".safetensors")}
    assert len(shards) > 1
    assert shards == {file.path for file in merged.files if file.path.endswith(".safetensors")}
    card = (Path(merged.path) / "README.md").read_text()
    assert small_base.id in card
    assert 'base_model: "nobody/small"' in card

    gguf = await _exported(database, layout, variant, format="gguf", quantization="f32")
    assert gguf.parity.bound == 5e-4
    assert gguf.parity.largest <= 5e-4
    assert {file.path for file in gguf.files} == {
        "Modelfile",
        "README.md",
        "model.gguf",
        "provenance.json",
    }

    small = await _exported(database, layout, variant, format="gguf", quantization="q8_0")
    assert small.parity.bound is None
    assert small.parity.largest > gguf.parity.largest

    assert {
        file.path: (await hash_file(layout.base(small_base.id) / file.path)).sha256
        for file in small_base.files
    } == base_files
    assert [one.id for one in exports.list_of(layout, gguf.variant_id)] == [
        small.id,
        gguf.id,
        merged.id,
        peft.id,
    ]
    await _require_archive(layout, peft)
    exports.remove(layout, peft.id)
    with pytest.raises(ExportNotFound):
        exports.find(layout, peft.id)
    assert not list(layout.staging.glob("export-*"))


def _require_peft_agrees(base: Path, folder: Path) -> None:
    """PEFT itself loads it whole, with a scaling of 1 everywhere."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    wrapped = [one for one in model.modules() if hasattr(one, "scaling") and hasattr(one, "lora_B")]
    assert len(wrapped) == 4 * 7
    assert {one.scaling["default"] for one in wrapped} == {1.0}


async def _require_archive(layout: Layout, report: ExportReport) -> None:
    data = b"".join([part async for part in exports.archive(layout, report)])
    assert len(data) == exports.archive_size(report)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert {member.name: member.size for member in archive} == {
            file.path: file.size for file in report.files
        }


async def test_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(
    database: Database, layout: Layout, variant: str, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(job.BOUNDS, "peft", -1.0)
    asked = NewExport(format="peft", prompts=(_PROMPT,))
    done = await ended(database, await start_export(database, layout, variant, asked))
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["type"].endswith(":parity-broken")
    assert "token 1 of prompt 1" in done.error["detail"]
    assert exports.list_of(layout) == []
    assert not list(layout.staging.glob("export-*"))


async def test_a_cancelled_export_leaves_nothing(
    database: Database, layout: Layout, variant: str, worker: None
) -> None:
    job_id = await start_export(database, layout, variant, NewExport(format="merged", prompts=(_PROMPT,)))
    await _reaches(database, job_id, "comparing")
    await jobs.cancel(database, job_id)
    assert (await ended(database, job_id)).state == "cancelled"
    assert exports.list_of(layout) == []
    assert not list(layout.staging.glob("export-*"))


async def test_a_full_disk_is_said_and_leaves_nothing(
    database: Database, layout: Layout, variant: str, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twotrack.registry.confined import Limits

    # The child's own limit on a file's length stands for the disk that fills up while it writes.
    monkeypatch.setattr(job, "_LIMITS", Limits(seconds=600, memory_mib=8192, written_bytes=2**20))
    job_id = await start_export(database, layout, variant, NewExport(format="merged"))
    done = await ended(database, job_id)
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["type"].endswith(":disk-full"), done.error
    assert not list(layout.staging.glob("export-*"))


@pytest.mark.slow
async def test_the_bases_own_board_is_folded_into_merged_weights(
    database: Database, layout: Layout, small_base: Base, worker: None
) -> None:
    await _adapter(database, layout, small_base, "first", 4)
    own = [[1.0, 0.5], [0.0, 1.25], [0.75, 1.0], [1.5, -0.5]]
    async with database.transaction() as connection:
        await create_variant(
            connection, name="bent", base="small", adapters=[("first", _BOARD)], base_board=own
        )
    merged = await _exported(database, layout, "bent", format="merged")
    assert merged.parity.bound == 1e-4
    assert merged.parity.largest <= 1e-4
    assert merged.base_board is not None
    assert "attention and MLP, board (step), bands from the input: 1 0.5; 0 1.25" in (
        (Path(merged.path) / "README.md").read_text()
    )
    gguf = await _exported(database, layout, "bent", format="gguf", quantization="f32")
    assert gguf.parity.largest <= 5e-4
    with pytest.raises(ExportImpossible, match="merged or as GGUF"):
        await start_export(database, layout, "bent", NewExport(format="peft"))


@pytest.mark.slow
async def test_a_worker_that_is_killed_while_it_exports_leaves_nothing_that_looks_finished(
    database: Database, database_url: str, layout: Layout, variant: str
) -> None:
    asked = NewExport(format="merged", prompts=(_PROMPT,))
    job_id = await start_export(database, layout, variant, asked)
    for stage in ("writing", "comparing"):
        async with worker_process("export", database_url, layout) as worker:
            await _reaches(database, job_id, stage)
            worker.kill()
            await worker.wait()
        assert list(layout.staging.glob("export-*"))
        assert exports.list_of(layout) == []
        with pytest.raises(ExportNotFound):
            exports.find(layout, job_id)
        await database.execute("UPDATE jobs SET progress = '{}'")
    # Whoever starts an API now finds a job that is still to go on.
    await exports.clear_left(database, layout)
    assert list(layout.staging.glob("export-*"))
    async with worker_process("export", database_url, layout):
        done = await ended(database, job_id)
    assert done.state == "succeeded", done.error
    report = exports.find(layout, job_id)
    assert report.parity.largest <= 1e-4
    for file in report.files:
        assert (await hash_file(Path(report.path) / file.path)).sha256 == file.sha256
    assert not list(layout.staging.glob("export-*"))


async def test_what_a_killed_export_left_goes_once_nobody_takes_it_up_any_more(
    database: Database, layout: Layout
) -> None:
    ended_id, waiting_id = [await jobs.enqueue(database, "export", {}) for _ in range(2)]
    await jobs.cancel(database, ended_id)
    for name in (f"{ended_id}-1", f"{ended_id}-2", f"{waiting_id}-1", f"{uuid4()}-1", "somebody's own"):
        (layout.staging / f"export-{name}" / "export").mkdir(parents=True)
    await exports.clear_left(database, layout)
    assert {one.name for one in layout.staging.glob("export-*")} == {
        f"export-{waiting_id}-1",
        "export-somebody's own",
    }


async def _reaches(database: Database, job_id: UUID, stage: str) -> None:
    async with asyncio.timeout(300), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for one in snapshots:
            if one.progress.get("stage") == stage:
                return
    raise AssertionError(await jobs.fetch(database, job_id))


@pytest.mark.slow
async def test_a_disk_that_fills_up_while_an_export_is_compared_is_said_and_leaves_nothing(
    database: Database, layout: Layout, small_base: Base, variant: str, worker: None
) -> None:
    # What is made of the base goes from staging to its place, on another disk from now on.
    await ensure_tokenizer(layout, small_base)
    layout.staging.mkdir(exist_ok=True)
    mounted = ["mount", "-t", "tmpfs", "-o", "size=96m", "none", str(layout.staging)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        asked = NewExport(format="peft", prompts=(_PROMPT,))
        job_id = await start_export(database, layout, variant, asked)
        await _reaches(database, job_id, "comparing")
        with (layout.staging / "filling").open("wb", buffering=0) as filling, suppress(OSError):
            while True:
                filling.write(bytes(2**16))
        done = await ended(database, job_id)
        assert done.error is not None, done.result
        assert done.error["type"].endswith(":disk-full"), done.error
        assert exports.list_of(layout) == []
        assert [one.name for one in layout.staging.iterdir() if one.name.startswith("export-")] == []
    finally:
        subprocess.run(["umount", "-l", str(layout.staging)], check=True)


async def test_what_cannot_be_exported_is_refused_at_once(
    database: Database, layout: Layout, starter_base: Base, small_base: Base
) -> None:
    cases: tuple[tuple[str, dict[str, Any], type[TwotrackError]], ...] = (
        ("small", {"format": "peft"}, ExportImpossible),
        ("small", {"format": "merged", "quantization": "q8_0"}, ExportImpossible),
        (starter_base.name, {"format": "merged"}, QuantizedBase),
        (starter_base.name, {"format": "gguf"}, QuantizedBase),
    )
    for name, asked, error in cases:
        with pytest.raises(error):
            await start_export(database, layout, name, NewExport(**asked))


def test_parting_names_the_first_place_and_no_number_is_never_alike() -> None:
    live = [Heard("one", 2, (1, 2, 3), (-1.0, -2.0), (3,)), Heard("two", 2, (1, 2, 3), (-1.0, -2.0), (3,))]
    close = [live[0], Heard("two", 2, (1, 2, 3), (-1.0, -2.3), (4,))]
    nan = [Heard("one", 2, (1, 2, 3), (-1.0, math.nan), (3,)), live[1]]

    def run(other: list[Heard], bound: float | None) -> Any:
        return parity.compare(live, other, str, variant="v", bound=bound, engines=("a", "b"))

    with pytest.raises(ParityBroken) as broken:
        run(close, 1e-4)
    assert (broken.value.values["number"], broken.value.values["token"]) == (2, 2)
    recorded = run(close, None)
    assert recorded.largest == pytest.approx(0.3)
    assert [one.parts_at for one in recorded.prompts] == [None, 0]
    for bound in (None, 1e-4):
        with pytest.raises(ParityBroken):
            run(nan, bound)
