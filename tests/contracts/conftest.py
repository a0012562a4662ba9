"""A tiny Llama with random weights in every form that an engine loads, and two random adapters on it.

It has the starter's tokenizer, so its answers are text of a kind; its weights are 32-bit floats everywhere,
so that engines can be compared token by token.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import numpy as np
import pytest
from safetensors.numpy import save_file

from twotrack.engines.port import AdapterFile, EngineKind, EngineSpec
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import Grid
from twotrack.registry.branches import branch_ends
from twotrack.registry.conversion import ensure_adapter_parts, ensure_gguf, ensure_tokenizer
from twotrack.registry.families import FAMILIES
from twotrack.registry.fingerprint import fingerprint, hash_file
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

T = TypeVar("T")

FAMILY = next(family for family in FAMILIES if family.name == "llama")

CONTEXT = 1536
PARALLEL = 3

_LAYERS, _HIDDEN, _INNER, _HEADS, _KV_HEADS, _VOCABULARY = 2, 64, 128, 4, 2, 49152
_MODULES = {
    "self_attn.q_proj": (_HIDDEN, _HIDDEN),
    "self_attn.k_proj": (_HIDDEN // _HEADS * _KV_HEADS, _HIDDEN),
    "self_attn.v_proj": (_HIDDEN // _HEADS * _KV_HEADS, _HIDDEN),
    "self_attn.o_proj": (_HIDDEN, _HIDDEN),
    "mlp.gate_proj": (_INNER, _HIDDEN),
    "mlp.up_proj": (_INNER, _HIDDEN),
    "mlp.down_proj": (_HIDDEN, _INNER),
}
"""Name → shape of the weight, rows first."""
_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": _HIDDEN,
    "intermediate_size": _INNER,
    "num_hidden_layers": _LAYERS,
    "num_attention_heads": _HEADS,
    "num_key_value_heads": _KV_HEADS,
    "vocab_size": _VOCABULARY,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "float32",
}
_ADAPTERS = (UUID(int=1), UUID(int=2))
_BAKED = UUID(int=3)
_GRID = Grid.over(_LAYERS, FAMILY.columns)
TABLE = ((0.0, 1.5, -0.5, 1.0), (0.75, 0.0, 1.0, 2.0))
"""Gains of each layer and column."""


@dataclass(frozen=True)
class Tiny:
    """`specs` holds one for each local kind of engine; `tokenizer` is a folder."""

    specs: dict[EngineKind, EngineSpec]
    tokenizer: Path
    gguf: Path
    adapters: tuple[str, str] = (str(_ADAPTERS[0]), str(_ADAPTERS[1]))
    table: Table = TABLE
    """Gains of each layer and column."""
    baked: str = str(_BAKED)
    """The first of the adapters with the gains of `table` in its weights."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, starter_gguf: Path) -> Tiny:
    layout = Layout(tmp_path_factory.mktemp("tiny"))
    return _run(_make(layout, starter_gguf))


@pytest.fixture(scope="session")
def llama_server(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL and key of llama.cpp's own HTTP server on the tiny model: OpenAI-compatible too."""
    key = "a key of this test session"
    server = Path(__file__).parent / "llama_server.py"
    process = subprocess.Popen(
        [sys.executable, str(server), str(tiny.gguf), key, str(CONTEXT), str(PARALLEL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    yield process.stdout.readline().strip() + "/v1", key
    # The end of its input ends the server.
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


async def _make(layout: Layout, starter: Path) -> Tiny:
    tokenizer = await ensure_tokenizer(layout, await _place(layout, "gguf", [starter]))
    made = layout.home / "made"
    made.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, made / name)
    (made / "config.json").write_text(json.dumps(_CONFIG))
    # Every eighth id would end an answer, if engines went by this: they go by the request's stop ids alone.
    ends = {"eos_token_id": list(range(0, _VOCABULARY, 8))}
    (made / "generation_config.json").write_text(json.dumps(ends))
    save_file(_weights(), made / "model.safetensors", metadata={"format": "pt"})
    base = await _place(layout, "safetensors", sorted(made.iterdir()))
    gguf = await ensure_gguf(layout, base, "f32")
    folders = [layout.adapter(one) for one in (*_ADAPTERS, _BAKED)]
    for seed, folder in enumerate(folders[:2]):
        _write_adapter(folder, seed)
    _write_adapter(folders[2], 0, table=TABLE)
    files: dict[EngineKind, list[Path]] = {
        "transformers": folders,
        "llama_cpp": [
            await ensure_adapter_parts(layout, base, one, layout.adapter(one)) for one in (*_ADAPTERS, _BAKED)
        ],
    }
    models: dict[EngineKind, Path] = {"transformers": layout.base(base.id), "llama_cpp": gguf}
    specs = {
        kind: EngineSpec(
            kind=kind,
            model=model,
            context_length=CONTEXT,
            adapters=tuple(
                AdapterFile(str(one), path)
                for one, path in zip((*_ADAPTERS, _BAKED), files[kind], strict=True)
            ),
            precision="fp32",
            threads=1,
            parallel=PARALLEL,
            exact=True,
            grid=_GRID,
            kinds=tuple(FAMILY.kinds.items()),
            branches=tuple(branch_ends(FAMILY, "LlamaForCausalLM").items()),
        )
        for kind, model in models.items()
    }
    return Tiny(specs, tokenizer, gguf)


async def _place(layout: Layout, form: Literal["gguf", "safetensors"], files: list[Path]) -> Base:
    """The files as a base of `layout`, without a database."""
    hashes = tuple([await hash_file(file) for file in files])
    base = Base(
        id=fingerprint(hashes),
        name=f"tiny {form}",
        source="test",
        family="llama",
        architecture="LlamaForCausalLM",
        format=form,
        license=None,
        parameters=None,
        context_length=2048,
        files=hashes,
        created_at=datetime.now(UTC),
    )
    layout.base(base.id).mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, layout.base(base.id) / file.name)
    return base


def _weights() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)

    def normal(*shape: int, scale: float) -> np.ndarray[Any, Any]:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    found = {
        "model.embed_tokens.weight": normal(_VOCABULARY, _HIDDEN, scale=1.0),
        "model.norm.weight": np.ones(_HIDDEN, np.float32),
        # Logits far enough apart for rounding never to change the order of the likeliest ones.
        "lm_head.weight": normal(_VOCABULARY, _HIDDEN, scale=0.5),
    }
    for layer in range(_LAYERS):
        prefix = f"model.layers.{layer}"
        for norm in ("input_layernorm", "post_attention_layernorm"):
            found[f"{prefix}.{norm}.weight"] = np.ones(_HIDDEN, np.float32)
        for name, shape in _MODULES.items():
            found[f"{prefix}.{name}.weight"] = normal(*shape, scale=2 / shape[1] ** 0.5)
    return found


def _write_adapter(folder: Path, seed: int, rank: int = 4, table: Table | None = None) -> None:
    """A LoRA adapter in PEFT's format, strong enough to change every answer; `table` scales its modules."""
    random = np.random.default_rng(100 + seed)
    folder.mkdir(parents=True)
    tensors = {}
    for layer in range(_LAYERS):
        for name, (rows, columns) in _MODULES.items():
            prefix = f"base_model.model.model.layers.{layer}.{name}"
            down = random.standard_normal((rank, columns)) / columns**0.5
            tensors[f"{prefix}.lora_A.weight"] = down.astype(np.float32)
            up = random.standard_normal((rows, rank))
            if table is not None:
                up *= table[layer][FAMILY.columns.index(FAMILY.kind_of(name) or "")]
            tensors[f"{prefix}.lora_B.weight"] = up.astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": [name.rpartition(".")[2] for name in _MODULES],
        "base_model_name_or_path": None,
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
