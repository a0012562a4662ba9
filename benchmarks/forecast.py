"""Forecasts against the runs that they are of: processor time and peak memory of the whole training child.

Each recipe is calibrated as a person's would be, before it has ever run; then it runs, from the start of its
process to the finished adapter. What is predicted is never told what was measured.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.measure import Row
from benchmarks.training import _base
from twotrack.core.processes import peak_resident_size
from twotrack.learning.data.tokens import MASKED
from twotrack.learning.data.tokens import Row as TrainingRow
from twotrack.learning.forecast.child import Asked, Said
from twotrack.learning.forecast.forecast import Question, forecast_here
from twotrack.learning.forecast.shape import read_shape
from twotrack.learning.forecast.workload import RowSize
from twotrack.learning.train.child import ENVIRONMENT
from twotrack.learning.train.plan import Plan, RunFolder
from twotrack.learning.train.recipe import Recipe, trained_columns
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.families import recognize
from twotrack.registry.layout import Layout

_NAME = "forecast"
_TIME, _MEMORY = 0.15, 0.10


@dataclass(frozen=True)
class Case:
    """A recipe on rows of `median` tokens or so, of which `learned` is the answer's share."""

    base: str
    rows: int
    median: int
    spread: float
    learned: float
    recipe: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{key} {value}" for key, value in self.recipe.items())
        return f"{self.base}, {self.rows} rows of {self.median}: {said}"


# Bases: the starter; Llamas with random weights, deep and narrow, shallow and wide with a large vocabulary.
_LLAMAS: dict[str, dict[str, int]] = {
    "narrow": {
        "vocab_size": 8_192,
        "hidden_size": 384,
        "intermediate_size": 1_024,
        "num_hidden_layers": 16,
        "num_attention_heads": 6,
        "num_key_value_heads": 6,
    },
    "wide": {
        "vocab_size": 65_536,
        "hidden_size": 1_024,
        "intermediate_size": 2_816,
        "num_hidden_layers": 4,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
    },
}

# (base, rows, median tokens, spread, learned, recipe); each differs from the others in several ways.
CASES = tuple(
    Case(*case, recipe=dict(zip(("method", "rank", "batch_size", "precision"), few, strict=True)) | more)
    for case, few, more in (
        (("starter", 64, 60, 0.5, 0.4), ("lora", 16, 4, "fp32"), {}),
        (("starter", 48, 90, 0.8, 0.3), ("qlora", 16, 8, "fp32"), {}),
        (("starter", 24, 300, 0.6, 0.2), ("rslora", 64, 8, "auto"), {}),
        (("starter", 10, 700, 0.2, 0.1), ("lora", 8, 2, "fp32"), {"gradient_checkpointing": True}),
        (("narrow", 200, 50, 0.4, 0.5), ("lora", 4, 1, "fp32"), {}),
        (("narrow", 200, 80, 0.7, 0.3), ("rslora", 32, 16, "fp32"), {"epochs": 2}),
        (("narrow", 24, 900, 0.2, 0.3), ("qlora", 16, 4, "fp32"), {}),
        (("wide", 64, 120, 0.6, 1.0), ("lora", 128, 4, "fp32"), {"dropout": 0.1}),
        (("wide", 100, 200, 0.5, 0.2), ("lora", 8, 16, "bf16"), {"modules": ["attn.qk", "attn.vo"]}),
    )
)


def run() -> list[Row]:
    with _bases() as bases:
        found = [_compared(case, bases[case.base]) for case in CASES]
    rows = [row for _, _, rows in found for row in rows]
    time = max(abs(apart) for apart, _, _ in found)
    memory = max(abs(apart) for _, apart, _ in found)
    return [
        *rows,
        _furthest("processor time", time, _TIME, len(found)),
        _furthest("peak memory", memory, _MEMORY, len(found)),
    ]


def _furthest(what: str, apart: float, target: float, of: int) -> Row:
    figure = f"{what}, furthest of {of} recipes"
    return Row(_NAME, figure, f"{apart:.1%}", f"≤ {target:.0%}", apart <= target)


def _compared(case: Case, folder: Path) -> tuple[float, float, list[Row]]:
    recipe = Recipe.model_validate(
        {"base": case.base, "name": "forecast", "learning_rate": 1e-5, "epochs": 1} | case.recipe
    )
    config = json.loads((folder / "config.json").read_bytes())
    family = recognize(config)
    columns = trained_columns(recipe, family)
    rows = _rows(case, int(config["vocab_size"]))
    shape = read_shape(folder, family)
    asked = Asked(
        recipe=recipe,
        model=folder,
        family=family.name,
        kinds=dict(family.kinds),
        columns=columns,
        layers=shape.layers,
    )
    question = Question(shape, recipe, columns, [RowSize.of(row) for row in rows])
    predicted = forecast_here(question, _calibrated(asked), capacity=psutil.virtual_memory().total)
    assert predicted.seconds is not None
    seconds, steps, peak = _trained(
        Plan(
            recipe=recipe,
            model=folder,
            base_id="0" * 64,
            base_name=case.base,
            base_source="local",
            family=family.name,
            kinds=dict(family.kinds),
            columns=columns,
            template_hash="",
            data_sha256="",
            rows=tuple(rows),
            seconds_between_checkpoints=60,
        )
    )
    time, memory = predicted.seconds / seconds - 1, predicted.peak_bytes / peak - 1
    gib = 2**30
    told = (
        f"{time:+.1%} ({predicted.seconds:.1f} for {seconds:.1f} s, {steps:.1f} of them steps), "
        f"{memory:+.1%} ({predicted.peak_bytes / gib:.2f} for {peak / gib:.2f} GiB)"
    )
    print(case, told, flush=True)  # noqa: T201  # a benchmark of many minutes shows how far it is
    return time, memory, [Row(_NAME, str(case), told)]


def _rows(case: Case, vocabulary: int) -> list[TrainingRow]:
    numbers = random.Random(str(case))
    rows = []
    for line in range(case.rows):
        tokens = min(2_000, max(12, int(case.median * numbers.lognormvariate(0, case.spread))))
        learned = min(tokens - 1, max(2, int(tokens * case.learned)))
        ids = tuple(numbers.randrange(3, vocabulary) for _ in range(tokens))
        rows.append(TrainingRow(line, ids, (*[MASKED] * (tokens - learned), *ids[tokens - learned :])))
    return rows


def _calibrated(asked: Asked) -> Any:
    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        Path(made, "ask.json").write_text(asked.model_dump_json())
        child = subprocess.run(
            [sys.executable, "-P", "-m", "twotrack.learning.forecast.child", made],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT},
            check=True,
        )
    (found,) = [said.found for said in map(Said.model_validate_json, child.stdout.splitlines()) if said.found]
    return found


def _trained(plan: Plan) -> tuple[float, float, int]:
    """Processor seconds of the run's whole process, those of its steps, and its peak in bytes."""
    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        folder = RunFolder(Path(made))
        folder.plan.write_text(plan.model_dump_json())
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "twotrack.learning.train.child", made],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT},
        )
        assert child.stdout is not None
        before, peak = 0.0, 0
        for line in child.stdout:
            if json.loads(line)["kind"] == "started":
                times = psutil.Process(child.pid).cpu_times()
                before = times.user + times.system
            peak = max(peak, peak_resident_size(child.pid))
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, child.returncode
    seconds = used.ru_utime + used.ru_stime
    return seconds, seconds - before, peak


@contextmanager
def _bases() -> Iterator[dict[str, Path]]:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        layout = Layout(Path(made))
        bases = {"starter": asyncio.run(_starter(layout))}
        for name, sizes in _LLAMAS.items():
            torch.manual_seed(1)
            config = LlamaConfig(**sizes, max_position_embeddings=2_048, tie_word_embeddings=True)
            bases[name] = layout.home / name
            LlamaForCausalLM(config).save_pretrained(bases[name])
        yield bases


async def _starter(layout: Layout) -> Path:
    return await ensure_safetensors(layout, await _base(layout))
