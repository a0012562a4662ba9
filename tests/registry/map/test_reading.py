"""Maps of folders, configurations and GGUF files."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from twotrack.core.errors import TwotrackError
from twotrack.registry.errors import ArchitectureUnmapped, BrokenModelFile, ImpossibleConfiguration
from twotrack.registry.map.norms import read_norms
from twotrack.registry.map.places import column_of, place_of
from twotrack.registry.map.reading import map_model
from twotrack.registry.map.rules import tensors_of

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 40,
    "max_position_embeddings": 64,
}


def _folder(path: Path, config: dict[str, Any]) -> Path:
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    return path


def _with_weights(path: Path, config: dict[str, Any]) -> Path:
    computed = tensors_of("llama", "LlamaForCausalLM", config)
    assert computed is not None
    numbers = np.random.default_rng(0)
    save_file(
        {name: numbers.standard_normal(shape).astype(np.float32) for name, shape in computed},
        _folder(path, config) / "model.safetensors",
    )
    return path


async def test_weights_and_configuration_give_the_same_map(tmp_path: Path) -> None:
    computed = await map_model(_folder(tmp_path / "config", LLAMA))
    read = await map_model(_with_weights(tmp_path / "weights", LLAMA))

    assert (computed.way, read.way) == ("config", "headers")
    same = ("parameters", "body", "embeddings", "head", "columns", "cells", "stacks", "explanation")
    for name in same:
        assert getattr(computed, name) == getattr(read, name)
    assert {one.name: one.shape for one in computed.modules} == {one.name: one.shape for one in read.modules}


async def test_cells_hold_what_their_modules_weigh(tmp_path: Path) -> None:
    found = await map_model(_folder(tmp_path, LLAMA) / "config.json")

    assert found.columns == ("attn.qk", "attn.vo", "mlp.in", "mlp.out")
    assert [(one.first, one.last) for one in found.stacks[0].bands] == [(0, 1), (2, 2), (3, 4), (5, 5)]
    cells = {(one.band, one.column): one.parameters for one in found.cells}
    assert cells[0, "attn.qk"] == 2 * (16 * 16 + 8 * 16)
    assert cells[1, "mlp.out"] == 16 * 24
    linear = [one for one in found.modules if one.role == "linear"]
    assert sum(one.parameters * len(one.layers) for one in linear) == sum(cells.values())
    assert {one.largest_rank for one in linear} == {8, 16}
    assert found.head == found.embeddings == 40 * 16
    assert found.parameters == found.body + found.embeddings + found.head


async def test_grouped_queries_and_tied_embeddings_are_explained(tmp_path: Path) -> None:
    found = await map_model(_folder(tmp_path, LLAMA | {"tie_word_embeddings": True}))

    assert found.head == 0
    said = {one.topic: (one.en, one.ko) for one in found.explanation}
    assert "grouped-query" in said["attention"][0]
    assert "그룹 쿼리" in said["attention"][1]
    assert "tied" in said["vocabulary"][0]


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"num_hidden_layers": 0}, "num_hidden_layers"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"hidden_size": -16}, "hidden_size"),
        ({"hidden_size": math.nan}, "hidden_size"),
        ({"vocab_size": "40"}, "vocab_size"),
        ({"num_attention_heads": True}, "num_attention_heads"),
        ({"num_attention_heads": 5}, "num_attention_heads"),
        ({"num_key_value_heads": 3}, "num_key_value_heads"),
        ({"intermediate_size": [24]}, "intermediate_size"),
    ],
)
async def test_impossible_sizes_are_named(tmp_path: Path, changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ImpossibleConfiguration) as refused:
        await map_model(_folder(tmp_path, LLAMA | changed))
    assert refused.value.values["key"] == key


async def test_a_header_with_an_impossible_layer_is_refused(tmp_path: Path) -> None:
    name = f"model.layers.{10**12}.mlp.up_proj.weight"
    save_file({name: np.ones((2, 2), np.float32)}, _folder(tmp_path, LLAMA) / "model.safetensors")
    with pytest.raises(ImpossibleConfiguration):
        await map_model(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model_type": {}}'])
async def test_what_is_no_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(TwotrackError) as refused:
        await map_model(tmp_path)
    assert isinstance(refused.value, BrokenModelFile | ArchitectureUnmapped)


@pytest.mark.torch
@pytest.mark.slow
async def test_an_architecture_without_a_rule_is_built_without_weights(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    config = {
        "architectures": ["DistilBertForMaskedLM"],
        "model_type": "distilbert",
        "dim": 16,
        "hidden_dim": 24,
        "n_layers": 3,
        "n_heads": 2,
        "vocab_size": 40,
    }
    found = await map_model(_folder(tmp_path, config))

    assert found.way == "meta"
    assert found.columns == ("attn.qk", "attn.vo", "mlp.in", "mlp.out")
    assert found.stacks[0].layers == 3
    assert found.purpose == "masked"


async def test_without_torch_an_unknown_architecture_says_what_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twotrack.registry.map.reading.find_spec", lambda name: None)
    with pytest.raises(ArchitectureUnmapped, match="not installed"):
        await map_model(_folder(tmp_path, LLAMA | {"model_type": "nobody"}))


async def test_an_encoder_with_a_decoder_has_two_stacks_and_cross_attention(tmp_path: Path) -> None:
    config = {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "d_model": 16,
        "d_kv": 4,
        "d_ff": 24,
        "num_layers": 2,
        "num_heads": 2,
        "vocab_size": 40,
        "is_encoder_decoder": True,
    }
    found = await map_model(_folder(tmp_path, config))

    assert [(one.name, one.layers) for one in found.stacks] == [("encoder", 2), ("decoder", 2)]
    assert "cross.qk" in found.columns
    assert {one.stack for one in found.cells if one.column == "cross.qk"} == {"decoder"}
    assert found.purpose == "seq2seq"


async def test_norms_are_those_of_the_weights(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    folder = _with_weights(tmp_path, LLAMA)
    found = await read_norms(folder)

    weights = load_file(folder / "model.safetensors")
    by_name = {one.name: one for one in found.modules}
    query, key = (f"model.layers.3.self_attn.{name}_proj.weight" for name in "qk")
    assert by_name[query].frobenius == pytest.approx(np.linalg.norm(weights[query]), rel=1e-6)
    cell = next(one for one in found.cells if (one.layer, one.column) == (3, "attn.qk"))
    both = np.concatenate([weights[query].ravel(), weights[key].ravel()])
    assert cell.rms == pytest.approx(np.sqrt(np.mean(both**2)), rel=1e-6)


@pytest.mark.parametrize(
    ("tensor", "stack", "layer", "column"),
    [
        ("blk.3.attn_output.weight", "layers", 3, "attn.out"),
        ("blk.3.ffn_down.weight", "layers", 3, "mlp.out"),
        ("bert.encoder.layer.1.attention.output.dense.weight", "encoder", 1, "attn.out"),
        ("bert.encoder.layer.1.output.dense.weight", "encoder", 1, "mlp.out"),
        ("decoder.block.2.layer.1.EncDecAttention.q.weight", "decoder", 2, "cross.qk"),
        ("transformer.h.0.mlp.c_proj.weight", "layers", 0, "mlp.out"),
        ("transformer.h.0.attn.c_proj.weight", "layers", 0, "attn.out"),
        ("vision_model.encoder.layers.4.mlp.fc1.weight", "vision", 4, "mlp.in"),
        ("model.layers.5.mlp.experts.7.up_proj.weight", "layers", 5, "mlp.in"),
    ],
)
def test_names_tell_the_place(tensor: str, stack: str, layer: int, column: str) -> None:
    place = place_of(tensor)
    assert (place.stack, place.layer, column_of(place)) == (stack, layer, column)
