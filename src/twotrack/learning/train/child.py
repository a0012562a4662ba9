"""The training child: `python -m twotrack.learning.train.child FOLDER`, a process under the worker.

Reads FOLDER/plan.json, trains, and leaves FOLDER/adapter. What it has to say are JSON lines on standard
output, one Event each; what libraries print goes to standard error.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from twotrack.core import processes
from twotrack.core.errors import DiskFull, TwotrackError
from twotrack.core.folders import try_lock, write_whole
from twotrack.core.imports import import_large
from twotrack.engines.precision import Measured, PrecisionTiming
from twotrack.learning.train import errors
from twotrack.learning.train.loading import spare_bitsandbytes
from twotrack.learning.train.passes import TOKENS_PER_PASS, map_large_tensors
from twotrack.learning.train.plan import Choices, Event, Plan, RunFolder
from twotrack.learning.train.recipe import Recipe

LIBRARIES = ("torch", "transformers", "peft", "trl.trainer.sft_trainer")
"""What training imports, of some thousand modules."""
_VERSIONS = ("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "datasets", "twotrack")
_LOCK_SECONDS = 0.2
# bf16 keeps 8 bits of a number: it must pay for that.
_BF16_MUST_BE_FASTER = 1.15

# safetensors and torch wrap the system's error into one of their own; torch may also find itself elsewhere
# than it expected after a write that failed ("unexpected pos 64 vs 0").
_WRITE_FAILED = ("No space left", "PytorchStreamWriter failed", "unexpected pos")

# What the child may end with; a class that it names is looked up here and nowhere else.
ERRORS: dict[str, type[TwotrackError]] = {
    kind.__name__: kind
    for kind in (
        DiskFull,
        errors.BuiltOtherwise,
        errors.CellEmpty,
        errors.DeviceGone,
        errors.LossDiverged,
        errors.RankTooLarge,
        errors.TrainingDied,
        errors.TrainingOutOfMemory,
    )
}

ENVIRONMENT = {
    # Nothing is fetched and nothing is told to anybody.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads of an OpenMP team that spin while they wait take the processor from one another as soon as
    # anything else runs: training beside other work was up to six times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    # The way back runs in a thread of its own, whose arena would keep free what the other one needs.
    "MALLOC_ARENA_MAX": "1",
    # What oneDNN has made ready for each shape of a matrix product in bf16, and torch's own list of it: up to
    # 1,024 of them. Passes of uneven sizes filled them, half a GiB in a few steps; one pass needs a few.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "LRU_CACHE_CAPACITY": "64",
    # The order of sets goes into files.
    "PYTHONHASHSEED": "0",
    # cuBLAS computes the same twice only so (its documentation, "Results reproducibility").
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


def train(plan: Plan, folder: RunFolder, say: Callable[[Event], None]) -> None:
    """Train from the newest checkpoint, or from the start, to the finished adapter.

    Raises:
        BuiltOtherwise, CellEmpty, DeviceGone, LossDiverged, RankTooLarge, TrainingOutOfMemory
    """
    say(Event(kind="loading"))
    import_large(*LIBRARIES)
    import torch
    from transformers import set_seed

    from twotrack.learning.train import builder, checkpoints, epoch_ends, trainer
    from twotrack.learning.train.loading import load_base
    from twotrack.learning.train.loss_watch import LossWatch
    from twotrack.learning.train.sampling import sampling_callback
    from twotrack.registry.families import Family
    from twotrack.registry.storage import require_space

    choices = choose(plan.recipe, folder)
    map_large_tensors(choices.precision)
    torch.set_num_threads(choices.threads)
    recipe = plan.recipe
    model = load_base(
        plan.model,
        precision=choices.precision,
        device=choices.device,
        quantized=recipe.method == "qlora",
    )
    family = Family(name=plan.family, architectures=(), kinds=plan.kinds)
    set_seed(recipe.seed)
    asked = builder.asked_by(model, recipe, family, plan.columns, plan.layers)
    if not asked:
        raise errors.BuiltOtherwise(module=plan.base_name, what="LoRA modules", found=0, asked=plan.columns)
    wrapped = builder.wrap(model, asked, dropout=recipe.dropout)
    # The adapter and AdamW's two moments, for each checkpoint that is kept and the one being written.
    trainable = sum(one.numel() * one.element_size() for one in wrapped.parameters() if one.requires_grad)
    kept = min(recipe.checkpoints, recipe.epochs - 1)
    require_space(folder.path, trainable * (3 * (checkpoints.KEPT + 1) + 1 + kept), "checkpoints")
    callback = trainer.run_callback(
        say,
        folder.history,
        asked,
        LossWatch(model.config.get_text_config().vocab_size, recipe.learning_rate),
        seconds_between_checkpoints=plan.seconds_between_checkpoints,
    )
    ends = epoch_ends.epoch_callback(
        recipe.epochs,
        kept,
        keep=lambda step: _save(wrapped, plan, choices, folder.kept_at(step), step=step),
        judge=lambda step: epoch_ends.note(folder, step, running.mean_loss(plan.held_out_rows)),
        is_judged=bool(plan.held_out_rows),
    )
    callbacks = [ends, callback]
    if plan.sampling is not None:
        bf16 = choices.precision == "bf16"
        callbacks.append(
            sampling_callback(say, folder.answers, plan.sampling, every=recipe.sample_every, bf16=bf16)
        )
    running = trainer.build_trainer(
        wrapped, plan.rows, recipe, choices, folder.checkpoints, asked=asked, callbacks=callbacks
    )
    callback.trainer = running
    newest = checkpoints.newest_whole(folder.checkpoints)
    running.train(resume_from_checkpoint=str(newest) if newest else None)
    say(Event(kind="saving"))
    _save(wrapped, plan, choices, folder.adapter)
    say(Event(kind="done", step=running.state.global_step))


def choose(recipe: Recipe, folder: RunFolder) -> Choices:
    """What an earlier attempt of this run decided, or decided now and written down."""
    from twotrack.engines.precision import choose_device, choose_precision

    device = choose_device()
    if folder.choices.exists():
        choices = Choices.model_validate_json(folder.choices.read_bytes())
        if choices.device != device:
            raise errors.DeviceGone(device=choices.device)
        return choices
    from twotrack.engines.machine import usable_threads

    precision = recipe.precision
    if precision == "auto":
        precision = _faster_in_training(choose_precision(device)[1])
    choices = Choices(
        device=device,
        precision=precision,
        threads=usable_threads(),
        tokens_per_pass=TOKENS_PER_PASS,
        versions={name: metadata.version(name) for name in _VERSIONS},
    )
    write_whole(folder.choices, choices.model_dump_json())
    return choices


def _faster_in_training(timings: Sequence[PrecisionTiming]) -> Measured:
    """Training is all prefill: what makes decoding faster may make it slower."""
    measured = {one.precision: one.prefill_ms for one in timings}
    gain = measured["fp32"] / measured.get("bf16", math.inf)
    return "bf16" if gain >= _BF16_MUST_BE_FASTER else "fp32"


def _save(wrapped: Any, plan: Plan, choices: Choices, target: Path, **more: Any) -> None:
    """The PEFT folder, the same bytes for the same run, whole or absent. `more` goes into twotrack.json."""
    import shutil

    target.parent.mkdir(exist_ok=True)
    staging = target.with_name(f"{target.name}.staging")
    for leftover in (staging, target):
        shutil.rmtree(leftover, ignore_errors=True)
    wrapped.save_pretrained(
        staging,
        safe_serialization=True,
        # "auto" asks the hub whether the vocabulary was changed.
        save_embedding_layers=False,
    )
    (staging / "README.md").unlink(missing_ok=True)
    file = staging / "adapter_config.json"
    config = json.loads(file.read_bytes())
    # Written by PEFT: this machine's path of the base, and sets in any order.
    config["base_model_name_or_path"] = _published(plan)
    config["target_modules"] = sorted(config["target_modules"])
    write_whole(file, json.dumps(config, indent=2, sort_keys=True) + "\n")
    about = {
        "base": {"sha256": plan.base_id, "name": plan.base_name, "published_as": _published(plan)},
        "template_sha256": plan.template_hash,
        "data_sha256": plan.data_sha256,
        "recipe": plan.recipe.model_dump(mode="json"),
        "computed": choices.model_dump(mode="json"),
        **more,
    }
    write_whole(staging / "twotrack.json", json.dumps(about, indent=2, ensure_ascii=False) + "\n")
    weights = staging / "adapter_model.safetensors"
    descriptor = os.open(weights, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    staging.rename(target)


def _published(plan: Plan) -> str:
    """What others know the base by: its repository on the hub, else its name here, never a path."""
    is_on_hub = plan.base_source.startswith("hf:")
    return plan.base_source.removeprefix("hf:").partition("@")[0] if is_on_hub else plan.base_name


def explained(error: Exception, folder: RunFolder) -> TwotrackError:
    """An error of a library as one for people."""
    import errno

    from twotrack.registry.storage import disk_full

    said = str(error)
    if isinstance(error, TwotrackError):
        return error
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or any(sign in said for sign in _WRITE_FAILED):
        return disk_full(folder.path, 64 * 2**20, "checkpoints")
    if isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said:
        return errors.TrainingOutOfMemory(why=said.splitlines()[0][:200] if said else "MemoryError")
    why = f"{type(error).__name__}: {said.splitlines()[0][:300] if said else ''}"
    return errors.TrainingDied(why=why, log=str(folder.log))


def main() -> None:
    processes.watch_lifeline()
    # Libraries may print: they get standard error, and what the parent reads holds nothing but events.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(event: Event) -> None:
        channel.write(event.model_dump_json(exclude_none=True) + "\n")
        channel.flush()

    folder = RunFolder(Path(sys.argv[1]))
    # A child of an earlier attempt may still be on its way out; two would write one run's checkpoints.
    if try_lock(folder.lock) is None:
        say(Event(kind="waiting"))
        while try_lock(folder.lock) is None:
            time.sleep(_LOCK_SECONDS)
    try:
        plan = Plan.model_validate_json(folder.plan.read_bytes())
        spare_bitsandbytes(plan.model, quantized=plan.recipe.method == "qlora")
        train(plan, folder, say)
    except Exception as error:
        import traceback

        traceback.print_exc()
        told = explained(error, folder)
        values = {name: str(value) for name, value in told.values.items()}
        say(Event(kind="failed", error=type(told).__name__, values=values))
        sys.exit(1)
    sys.stdout.flush()
    # All is on the disk. An ordinary exit would take the libraries seconds to clear away.
    os._exit(0)


if __name__ == "__main__":
    main()
