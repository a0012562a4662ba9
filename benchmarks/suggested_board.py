"""The board suggested from gradients against the uniform one at equal parameters, however it falls.

Each seed trains both, from the same base on the invented world's English set, once through; what is compared
is the loss on phrasings that were never seen, and what general text lost. Differences are paired by seed,
with the interval that holds the mean of 95 in 100 such comparisons (Student's t).
"""

import asyncio
import math
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Row
from benchmarks.training import _base
from twotrack.equalizer.grid import Grid
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.tokens import Row as TrainingRow
from twotrack.learning.data.tokens import tokenize
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts

_NAME = "suggested board"
_SAMPLES = Path(__file__).parent.parent / "samples"
_SEEDS = 3
_RANK, _EPOCHS, _BATCH, _LEARNING_RATE = 4, 1, 8, 1e-3
_GENERAL = 12
_THREADS = 1
# Student's t, two-sided at 95 %, with so many degrees of freedom.
_T = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}

Board = list[list[dict[str, Any]]]
Rows = tuple[list[TrainingRow], list[TrainingRow], list[TrainingRow]]
"""Learned, held out, and general text."""
Losses = tuple[float, float]
"""On what was held out and on general text, in nats a learned token."""


def run() -> list[Row]:
    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        folder, rows = asyncio.run(_prepared(Layout(Path(made))))
        # In a process of its own: one that has trained never gives all of its memory back.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_compared, (folder, rows))


def _compared(folder: Path, rows: Rows) -> list[Row]:
    model = loaded(folder)
    board, parameters, uniform, spread = suggested(model, rows[0])
    pairs = [(trained(model, rows, None, seed), trained(model, rows, board, seed)) for seed in range(_SEEDS)]
    return table(board, parameters / uniform, spread, pairs)


def table(board: Board, share: float, spread: float, pairs: Sequence[tuple[Losses, Losses]]) -> list[Row]:
    """`pairs` are losses on the uniform and the suggested board, by seed."""
    held_out, general = ([other[at] - one[at] for one, other in pairs] for at in range(2))
    means = [sum(one[at] for one, _ in pairs) / len(pairs) for at in range(2)]
    ranks = " / ".join(" ".join(str(cell.get("rank", 0)) for cell in row) for row in board)
    return [
        Row(_NAME, "ranks, band by band from the input", ranks),
        Row(_NAME, f"parameters, of the uniform board's (rank {_RANK})", f"{share:.4f}", "≤ 1", share <= 1),
        Row(_NAME, "most sensitive cell ÷ least, for each parameter", f"{spread:.1f}×"),
        Row(_NAME, "held-out loss, uniform", f"{means[0]:.4f} nats"),
        Row(_NAME, f"suggested − uniform, {len(pairs)} seeds, 95 %", _interval(held_out)),
        Row(_NAME, "loss on general text, uniform", f"{means[1]:.4f} nats"),
        Row(_NAME, f"suggested − uniform, {len(pairs)} seeds, 95 %", _interval(general)),
    ]


def _interval(apart: Sequence[float]) -> str:
    mean = sum(apart) / len(apart)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in apart) / (len(apart) - 1))
    half = _T[len(apart) - 1] * deviation / math.sqrt(len(apart))
    won = sum(one < 0 for one in apart)
    return f"{mean:+.4f} ± {half:.4f} ({won} of {len(apart)} lower)"


async def _prepared(layout: Layout) -> tuple[Path, Rows]:
    base = await _base(layout)
    folder = await ensure_safetensors(layout, base)
    prompts = Prompts(layout)
    instructions = _SAMPLES / "instructions"
    files = (
        instructions / "nurimae.en.train.jsonl",
        instructions / "nurimae.en.heldout.jsonl",
        _SAMPLES / "general" / "general.en.jsonl",
    )
    try:
        codec = await prompts.for_base(base)
        learned, held_out, general = [
            await tokenize(
                codec,
                read_messages(file.read_bytes()),
                model=base.name,
                max_length=base.context_length,
            )
            for file in files
        ]
    finally:
        await prompts.close()
    return folder, (learned, held_out, general[:_GENERAL])


def loaded(folder: Path) -> Any:
    import torch

    from twotrack.learning.train.loading import load_base

    torch.set_num_threads(_THREADS)
    return load_base(folder, precision="fp32", device="cpu", quantized=False)


def suggested(model: Any, rows: list[TrainingRow]) -> tuple[Board, int, int, float]:
    """The board, its parameters, the uniform one's, and how far apart its cells' sensitivities are."""
    from twotrack.learning.sensitivity.child import SensedModule
    from twotrack.learning.sensitivity.gradients import Gradients, modules_of
    from twotrack.learning.sensitivity.kept import MeasuredRow
    from twotrack.learning.sensitivity.summary import Summary
    from twotrack.registry.families import recognize

    family = recognize(model.config.to_dict())
    modules = modules_of(model, family)
    gradients = Gradients(model, modules, bf16=False)
    measured = {}
    for at, row in enumerate(rows):
        loss, squares = gradients.squares(row)
        measured[str(at)] = MeasuredRow(row=str(at), loss=loss, squares=tuple(squares))
    # Frozen lower cells shall be skipped on the way back, as in any run.
    model.disable_input_require_grads()
    grid = Grid.over(model.config.num_hidden_layers, family.columns)
    sensed = [SensedModule(**vars(one)) for one in modules]
    summary = Summary(grid, sensed, rows, list(measured), measured)
    made = summary.suggested(rank=_RANK, alpha=2.0 * _RANK, freeze_below=0.1)
    relative = [cell.relative for cell in summary.cells()]
    return made.board, made.parameters, made.uniform_parameters, max(relative) / min(relative)


def trained(model: Any, rows: Rows, board: Board | None, seed: int) -> Losses:
    """After a run; the model is left as it was."""
    from transformers import set_seed

    from twotrack.learning.train import builder
    from twotrack.learning.train.plan import Choices
    from twotrack.learning.train.recipe import parse_recipe
    from twotrack.learning.train.trainer import build_trainer
    from twotrack.registry.families import recognize

    family = recognize(model.config.to_dict())
    recipe = parse_recipe(
        {
            "base": "starter",
            "name": "board",
            "rank": _RANK,
            "alpha": 2 * _RANK,
            "epochs": _EPOCHS,
            "batch_size": _BATCH,
            "learning_rate": _LEARNING_RATE,
            "seed": seed,
            "board": board,
        }
    )
    set_seed(seed)
    asked = builder.asked_by(model, recipe, family, family.columns, model.config.num_hidden_layers)
    wrapped = builder.wrap(model, asked, dropout=0.0)
    choices = Choices(device="cpu", precision="fp32", threads=_THREADS, tokens_per_pass=512, versions={})
    learned, held_out, general = rows
    with TemporaryDirectory(prefix="twotrack-bench-") as checkpoints:
        trainer = build_trainer(wrapped, learned, recipe, choices, Path(checkpoints), asked=asked)
        trainer.train()
    losses = trainer.mean_loss(held_out), trainer.mean_loss(general)
    wrapped.unload()
    return losses
