"""Training against TRL's SFTTrainer, QLoRA against LoRA, and what both need of memory.

TRL computes in fp32 without gradient checkpointing, over the same rows in the same batches from the same
first adapter; tokens are counted without padding. The machine's processor time is what counts.
"""

import asyncio
import json
import multiprocessing
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Row, alternate, at_least
from twotrack.core.allocator import map_blocks
from twotrack.core.processes import forget_peak_size, peak_resident_size
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import Row as TrainingRow
from twotrack.learning.data.tokens import tokenize
from twotrack.learning.train.passes import map_large_tensors
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.fingerprint import fingerprint, hash_file
from twotrack.registry.inspection import inspect
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.pull import fetch
from twotrack.registry.schemas import Base
from twotrack.registry.sources.starter import STARTER

_NAME = "training"
_SAMPLES = Path(__file__).parent.parent / "samples"
_KEPT = Path(__file__).parent.parent / ".cache" / "starter"
_THREADS = 1
_BATCH, _STEPS, _ROUNDS = 8, 2, 2
_LONG_BATCH, _LONG_SENTENCES = 4, 30
_MOST_SENTENCES = 16
_KILLED_RUNS = 25
# What glibc raises the least size of a mapped block to as blocks are freed: its DEFAULT_MMAP_THRESHOLD_MAX.
_LEFT_TO_GLIBC = 2**25


def run() -> list[Row]:
    with _starter() as (folder, uneven, long):
        # Each in a process of its own: one that has trained never gives all of its memory back.
        return [
            *_apart(_speed, folder, uneven),
            *_apart(_quantized, folder, uneven),
            _apart(_half_frozen, folder, uneven),
            _memory(folder, long),
            _kills(),
        ]


def _speed(folder: Path, rows: list[TrainingRow]) -> list[Row]:
    ours, theirs = _Variant(folder, rows, "ours"), _Variant(folder, rows, "trl")
    tokens = sum(len(row.input_ids) for row in rows)
    padded = sum(
        _BATCH * max(len(row.input_ids) for row in rows[at : at + _BATCH])
        for at in range(0, len(rows), _BATCH)
    )
    times = alternate({"ours": ours.train, "trl": theirs.train}, _ROUNDS, [])
    apart = max(abs(one - other) for one, other in zip(ours.losses, theirs.losses, strict=True))
    ratio = times["trl"].processor / times["ours"].processor
    return [
        Row(_NAME, "tokens a processor-second, of TRL's", *at_least(ratio, 2.0)),
        Row(_NAME, "the same, by the clock", f"{times['trl'].wall / times['ours'].wall:.2f}×"),
        Row(_NAME, "tokens a processor-second", f"{tokens / times['ours'].processor:.0f}"),
        Row(_NAME, "padded tokens for one that is none", f"{padded / tokens:.2f}"),
        Row(_NAME, f"loss of {_STEPS} steps, furthest from TRL's", f"{apart:.1e}", "≤ 1e-04", apart <= 1e-4),
    ]


def _quantized(folder: Path, rows: list[TrainingRow]) -> list[Row]:
    lora, qlora = _Variant(folder, rows, "ours"), _Variant(folder, rows, "qlora")
    times = alternate({"lora": lora.train, "qlora": qlora.train}, _ROUNDS, [])
    speed = times["lora"].processor / times["qlora"].processor
    return [
        Row(_NAME, "QLoRA's speed, of LoRA's", *at_least(speed, 0.9)),
        Row(_NAME, "the base's weights, of QLoRA's", *at_least(lora.base_bytes / qlora.base_bytes, 3.0)),
    ]


def _half_frozen(folder: Path, rows: list[TrainingRow]) -> Row:
    """That the rest has the same gradients, to the last bit, is in tests/learning/train/test_board.py."""
    every, upper = _Variant(folder, rows, "ours"), _Variant(folder, rows, "upper")
    times = alternate({"every": every.train, "upper": upper.train}, _ROUNDS, [])
    ratio = times["every"].processor / times["upper"].processor
    return Row(
        _NAME, "a step with the lower half of the bands frozen, of one with none", *at_least(ratio, 1.3)
    )


def _memory(folder: Path, rows: list[TrainingRow]) -> Row:
    peaks = {name: _apart(_peak, folder, rows, name) for name in ("ours", "trl")}
    ratio = peaks["ours"] / peaks["trl"]
    longest = max(len(row.input_ids) for row in rows)
    figure = f"peak memory on prompts up to {longest} tokens, of TRL's"
    measured = f"{ratio:.2f}× ({peaks['ours'] / 2**30:.1f} of {peaks['trl'] / 2**30:.1f} GiB)"
    return Row(_NAME, figure, measured, "≤ 0.5×", ratio <= 0.5)


def _kills() -> Row:
    """As the test does it, more often."""
    from tests.learning.train.killing import runs

    with TemporaryDirectory(prefix="twotrack-bench-") as folder, runs(Path(folder)) as made:
        expected = made.unbroken()
        numbers = random.Random(1)
        found = [made.killed(number, numbers) for number in range(_KILLED_RUNS)]
    same = sum(files == expected for files, _ in found)
    kills = sum(len(moments) for _, moments in found)
    figure = f"adapters that {kills} kills at random moments left the same, byte by byte"
    return Row(_NAME, figure, f"{same} of {len(found)}", f"{_KILLED_RUNS}", same == _KILLED_RUNS)


def _peak(folder: Path, rows: list[TrainingRow], name: str) -> int:
    """The largest resident size, in bytes, of a process while it trains; loading the base does not count."""
    variant = _Variant(folder, rows, name, batch=_LONG_BATCH)
    forget_peak_size()
    variant.train()
    return peak_resident_size(os.getpid())


class _Variant:
    """A model and a trainer; each `train` begins with the same adapter."""

    def __init__(self, folder: Path, rows: list[TrainingRow], name: str, *, batch: int = _BATCH) -> None:
        import torch
        from transformers import set_seed

        from twotrack.learning.train import builder
        from twotrack.learning.train.loading import load_base
        from twotrack.learning.train.plan import Choices
        from twotrack.learning.train.recipe import parse_recipe
        from twotrack.learning.train.trainer import build_trainer
        from twotrack.registry.families import recognize

        torch.set_num_threads(_THREADS)
        self._is_ours = name != "trl"
        quantized = name == "qlora"
        model = load_base(folder, precision="fp32", device="cpu", quantized=quantized)
        self.base_bytes = sum(one.numel() * one.element_size() for one in model.parameters())
        set_seed(0)
        family = recognize(model.config.to_dict())
        board = ["freeze", "freeze", "train", "train"] if name == "upper" else None
        fields = {"epochs": 1, "batch_size": batch, "learning_rate": 2e-4, "board": board}
        recipe = parse_recipe({"base": "starter", "name": name, **fields})
        layers = model.config.num_hidden_layers
        asked = builder.asked_by(model, recipe, family, family.columns, layers)
        self._model = builder.wrap(model, asked, dropout=0.0)
        self._workspace = TemporaryDirectory()
        choices = Choices(device="cpu", precision="fp32", threads=_THREADS, tokens_per_pass=512, versions={})
        self._trainer = build_trainer(self._model, rows, recipe, choices, Path(self._workspace.name))
        if name == "trl":
            self._trainer = _plain_trl(self._model, self._trainer)
        self._first = {
            key: one.detach().clone() for key, one in self._model.named_parameters() if one.requires_grad
        }
        self.losses: list[float] = []

    def train(self) -> None:
        """With the allocator as in the child that trains; TRL's as glibc leaves it."""
        import torch

        if self._is_ours:
            map_large_tensors("fp32")
        else:
            map_blocks(_LEFT_TO_GLIBC)
        parameters = dict(self._model.named_parameters())
        with torch.no_grad():
            for key, value in self._first.items():
                parameters[key].copy_(value)
        self._trainer.optimizer = self._trainer.lr_scheduler = None
        self._trainer.train()
        self.losses = [entry["loss"] for entry in self._trainer.state.log_history if "loss" in entry]


def _plain_trl(model: Any, ours: Any) -> Any:
    """SFTTrainer as it comes, with the settings and the rows of `ours`: padded, all logits in chunks."""
    from trl import SFTTrainer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    model.get_base_model().set_attn_implementation("sdpa")
    return SFTTrainer(
        model=model,
        args=ours.args,
        train_dataset=ours.train_dataset,
        data_collator=DataCollatorForLanguageModeling(pad_token_id=0),
        processing_class=ours.processing_class,
    )


def _apart(work: Callable[..., Any], *args: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, args)


@contextmanager
def _starter() -> Iterator[tuple[Path, list[TrainingRow], list[TrainingRow]]]:
    """The starter as a folder that transformers loads, the uneven chats and the long prompts."""
    with TemporaryDirectory(prefix="twotrack-bench-") as folder:
        yield asyncio.run(_prepared(Layout(Path(folder))))


async def _prepared(layout: Layout) -> tuple[Path, list[TrainingRow], list[TrainingRow]]:
    base = await _base(layout)
    folder = await ensure_safetensors(layout, base)
    prompts = Prompts(layout)
    try:
        codec = await prompts.for_base(base)
        numbers = random.Random(1)
        # As chats are: most are short, a few are long.
        sentences = [int(numbers.lognormvariate(0.7, 1.1)) for _ in range(_BATCH * _STEPS)]
        uneven = [_chat(numbers, min(count, _MOST_SENTENCES)) for count in sentences]
        long = [_chat(numbers, _LONG_SENTENCES - numbers.randrange(8)) for _ in range(_LONG_BATCH)]
        sets = [
            await tokenize(codec, chats, model=base.name, max_length=base.context_length)
            for chats in (uneven, long)
        ]
    finally:
        await prompts.close()
    return folder, sets[0], sets[1]


async def _base(layout: Layout) -> Base:
    async def silent(stage: str, done: int, total: int | None) -> None:
        pass

    workspace = layout.home / "starter"
    if not (found := next(_KEPT.glob("*.gguf"), None)):
        async with STARTER.open(workspace, silent) as catalogue:
            (fetched,) = await fetch(catalogue, workspace, silent)
        found = workspace / "files" / fetched.path
    description, file = await inspect(found), await hash_file(found)
    place = layout.base(fingerprint([file]))
    place.mkdir(parents=True)
    shutil.copyfile(found, place / file.path)
    known = {name: value for name, value in vars(description).items() if name in Base.model_fields}
    return Base(
        **{**known, "name": "starter", "source": STARTER.address, "files": (file,)},
        id=fingerprint([file]),
        created_at=datetime.now(UTC),
    )


def _chat(numbers: random.Random, sentences: int) -> Sample:
    """A question with some sentences to read before it, and its answer, which may go on for a while."""
    facts = [
        json.loads(line)["messages"]
        for line in (_SAMPLES / "instructions" / "nurimae.en.train.jsonl").read_text().splitlines()
    ]
    texts = [
        sentence.strip()
        for line in (_SAMPLES / "general" / "general.en.jsonl").read_text().splitlines()
        for sentence in json.loads(line)["text"].split(". ")
        if sentence.strip()
    ]
    question, answer = numbers.choice(facts)
    read = ". ".join(numbers.sample(texts, sentences))
    told = ". ".join(numbers.sample(texts, numbers.randrange(min(sentences, 2) + 1)))
    return Sample(
        1,
        (
            {"role": "user", "content": f"{read}\n\n{question['content']}".strip()},
            {"role": "assistant", "content": f"{answer['content']} {told}".strip()},
        ),
    )
