"""The board while it serves: what a full one costs a token, and how soon a moved gain acts, in both engines.

The other way to another gain is to unload, merge the adapter into the weights at that gain, convert where the
engine needs it, and load: it is done here once, whole, on the same files.
"""

import asyncio
import json
import math
import random
import shutil
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from benchmarks.measure import Row, at_least, at_most
from benchmarks.training import _base
from twotrack.engines.port import AdapterFile, AdapterGain, EngineKind, EngineSpec, Request, Sampling, Token
from twotrack.engines.process import ChildEngine
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import Grid
from twotrack.registry.boards import family_of, grid_of
from twotrack.registry.conversion import ensure_adapter_parts, ensure_safetensors, ensure_tokenizer
from twotrack.registry.conversion.model_files import safetensors_to_gguf
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

_NAME = "board"
_ADAPTER = UUID(int=1)
_RANK = 16
_TOKENS, _ROUNDS, _MOVES = 96, 6, 20
_SHORT, _LONG = 5, 300
_KINDS: tuple[EngineKind, ...] = ("llama_cpp", "transformers")


def run() -> list[Row]:
    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        return asyncio.run(_all(Layout(Path(made))))


async def _all(layout: Layout) -> list[Row]:
    base = await _base(layout)
    weights = await ensure_safetensors(layout, base)
    config = json.loads((weights / "config.json").read_bytes())
    base = base.model_copy(update={"details": {"config": config}})
    grid = grid_of(base)
    assert grid is not None
    _write_adapter(layout.adapter(_ADAPTER), weights)
    rows: list[Row] = []
    for kind in _KINDS:
        rows += await _measured(layout, base, weights, grid, kind)
    return rows


async def _measured(layout: Layout, base: Base, weights: Path, grid: Grid, kind: EngineKind) -> list[Row]:
    folder = layout.adapter(_ADAPTER)
    if kind == "llama_cpp":
        model = layout.base(base.id) / base.files[0].path
        path = await ensure_adapter_parts(layout, base, _ADAPTER, folder)
    else:
        model, path = weights, folder
    spec = EngineSpec(
        kind,
        model,
        1024,
        adapters=(AdapterFile(str(_ADAPTER), path),),
        precision="fp32",
        parallel=2,
        grid=grid,
        kinds=tuple(family_of(base).kinds.items()),
    )
    engine = await ChildEngine.start(spec, "starter")
    try:
        ratio = await _decoding(engine, grid)
        began, moved = await _moved(engine, grid, _SHORT)
        _, first = await _moved(engine, grid, _LONG)
        whole, asked = await _undisturbed(engine, grid)
    finally:
        await engine.stop()
    merged, merged_first = await _merged(layout, weights, await ensure_tokenizer(layout, base), spec)
    name = f"{_NAME}, {kind}"
    return [
        Row(name, "decoding with a full board ÷ the same adapter without", *at_least(ratio, 0.97)),
        Row(name, "a moved gain: to the start of its prefill", *at_most(1000 * began, 100, "ms")),
        Row(name, f"to the first token of {_SHORT}", f"{1000 * moved:.0f} ms"),
        Row(name, f"to the first token of {_LONG}", f"{1000 * first:.0f} ms"),
        Row(name, "the same by unload, merge and reload, against it", *at_least(merged / began, 50)),
        Row(name, "that to the first token, against it", f"{merged_first / moved:.0f} ×"),
        Row(
            name,
            f"a stream beside {_MOVES} moves",
            f"{whole} of {asked} tokens",
            "all",
            whole == asked,
        ),
    ]


async def _decoding(engine: ChildEngine, grid: Grid) -> float:
    """Tokens a second with a gain of its own in every cell of every layer, of those with the gain 1."""
    best: dict[str, float] = {}
    settings: dict[str, AdapterGain] = {"one": 1.0, "board": _table(grid, 0)}
    for _ in range(_ROUNDS):
        for name, gain in settings.items():
            began = 0.0
            async with aclosing(engine.generate(_asking(_prompt(_SHORT), gain, _TOKENS))) as tokens:
                async for one in tokens:
                    began = began or time.perf_counter()
                    if isinstance(one, Token):
                        ended = time.perf_counter()
            best[name] = min(best.get(name, math.inf), ended - began)
    return best["one"] / best["board"]


async def _moved(engine: ChildEngine, grid: Grid, tokens: int) -> tuple[float, float]:
    """Medians of the seconds from the request to the start of its prefill and to the first token, with gains
    that were never asked for before."""
    moves = [
        await _to_first(
            engine, _asking(_prompt(tokens), _table(grid, 1000 * tokens + move), 1), time.monotonic()
        )
        for move in range(_MOVES)
    ]
    prefills, seconds = zip(*moves, strict=True)
    return median(prefills), median(seconds)


async def _to_first(engine: ChildEngine, request: Request, since: float) -> tuple[float, float]:
    """Seconds from `since`, of `time.monotonic()`, to the start of the prefill and to the only token."""
    first = began = math.nan
    async with aclosing(engine.generate(request)) as answer:
        async for one in answer:
            if isinstance(one, Token):
                first = time.monotonic()
            elif one.prompt_began is not None:
                began = one.prompt_began
    return began - since, first - since


async def _undisturbed(engine: ChildEngine, grid: Grid) -> tuple[int, int]:
    """Tokens that a stream got, and asked for, while another hand moved the board."""
    asked = 2 * _TOKENS

    async def stream() -> int:
        request = _asking(_prompt(_SHORT), 1.0, asked)
        return sum([isinstance(one, Token) async for one in engine.generate(request)])

    streaming = asyncio.create_task(stream())
    for move in range(_MOVES):
        request = _asking(_prompt(_SHORT), _table(grid, -1 - move), 2)
        _ = [one async for one in engine.generate(request)]
    return await streaming, asked


async def _merged(layout: Layout, weights: Path, tokenizer: Path, spec: EngineSpec) -> tuple[float, float]:
    """Seconds until an engine whose weights hold the adapter at another gain begins its prefill, and until
    its first token."""
    engine = await ChildEngine.start(spec, "starter")
    asked = time.monotonic()
    await engine.stop()
    merged = layout.home / f"merged-{spec.kind}"
    _merge(weights, layout.adapter(_ADAPTER), merged, gain=0.7)
    model = merged
    if spec.kind == "llama_cpp":
        model = layout.home / "merged.gguf"
        safetensors_to_gguf(merged, ["model.safetensors"], tokenizer, "q8_0", model, "starter")
    engine = await ChildEngine.start(replace(spec, model=model, adapters=()), "starter")
    try:
        return await _to_first(engine, _asking(_prompt(_SHORT), None, 1), asked)
    finally:
        await engine.stop()


def _asking(prompt: list[int], gain: AdapterGain | None, tokens: int) -> Request:
    gains = {} if gain is None else {str(_ADAPTER): gain}
    return Request(prompt, Sampling(temperature=0, max_tokens=tokens), gains)


def _prompt(tokens: int) -> list[int]:
    numbers = random.Random(tokens)
    return [numbers.randrange(1000, 40_000) for _ in range(tokens)]


def _table(grid: Grid, seed: int) -> Table:
    numbers = random.Random(seed)
    return tuple(tuple(numbers.uniform(0.2, 1.4) for _ in grid.columns) for _ in range(grid.layers))


def _targets(weights: Path) -> dict[str, tuple[int, int]]:
    """Shapes of the linear modules in the layers, rows first."""
    from safetensors import safe_open

    with safe_open(weights / "model.safetensors", "pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    return {
        name.removesuffix(".weight"): (shape[0], shape[1])
        for name, shape in shapes.items()
        if "_proj." in name and len(shape) == 2
    }


def _write_adapter(folder: Path, weights: Path) -> None:
    """A LoRA on every linear module, small enough not to break the language."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    tensors: dict[str, Any] = {}
    for name, (rows, columns) in _targets(weights).items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = torch.randn(_RANK, columns) / columns**0.5
        tensors[f"base_model.model.{name}.lora_B.weight"] = torch.randn(rows, _RANK) * 0.01
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": _RANK, "lora_alpha": _RANK, "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def _merge(weights: Path, adapter: Path, target: Path, *, gain: float) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(weights, target)
    merged = load_file(weights / "model.safetensors")
    change = load_file(adapter / "adapter_model.safetensors")
    for key, a in change.items():
        if key.endswith(".lora_A.weight"):
            name = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            merged[f"{name}.weight"] += gain * (change[key.replace("lora_A", "lora_B")] @ a)
    save_file(merged, target / "model.safetensors", metadata={"format": "pt"})
