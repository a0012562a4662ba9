"""What cannot be served by llama.cpp as an adapter is refused with the reason, and nothing is written."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from twotrack.registry.conversion.adapter_gguf import WHOLE, adapter_to_parts
from twotrack.registry.conversion.gguf_reading import read_gguf
from twotrack.registry.conversion_errors import AdapterUnsupported, ConversionUnsupported
from twotrack.registry.families import family_named

PLAIN: dict[str, Any] = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none"}
LAYER = "base_model.model.model.layers.0"
FAMILY = family_named("llama", {})


def pair(module: str, rank: int = 2) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    return {
        f"{module}.lora_A.weight": generator.normal(size=(rank, 64)).astype(np.float32),
        f"{module}.lora_B.weight": generator.normal(size=(64, rank)).astype(np.float32),
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Path]:
    def make(settings: Mapping[str, Any], tensors: Mapping[str, Any]) -> Path:
        folder = tmp_path / "adapter"
        folder.mkdir()
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        save_file(dict(tensors), folder / "adapter_model.safetensors")
        return folder

    return make


def test_a_plain_adapter_keeps_its_alpha_and_its_numbers(
    write: Callable[..., Path],
    tokenizer_folder: Callable[..., Path],
    config_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    tensors = pair(f"{LAYER}.self_attn.o_proj")
    folder = write(PLAIN, tensors)
    adapter_to_parts(folder, tokenizer_folder(config_of("llama")), FAMILY, tmp_path / "parts")
    made = read_gguf(tmp_path / "parts" / WHOLE)
    assert made.metadata == {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 4.0,
    }
    a, b = (made.tensors[f"blk.0.attn_output.weight.lora_{half}"].load() for half in "ab")
    np.testing.assert_array_equal(a, tensors[f"{LAYER}.self_attn.o_proj.lora_A.weight"])
    np.testing.assert_array_equal(b, tensors[f"{LAYER}.self_attn.o_proj.lora_B.weight"])


@pytest.mark.parametrize(
    ("settings", "tensors", "says"),
    [
        ({"use_dora": True}, {}, "use_dora"),
        ({"peft_type": "IA3"}, {}, "IA3"),
        ({"modules_to_save": ["lm_head"]}, {}, "modules_to_save"),
        ({"bias": "all"}, {}, "biases"),
        ({"init_lora_weights": "pissa_niter_16"}, {}, "pissa"),
        ({"layer_replication": [[0, 4], [2, 5]]}, {}, "layer_replication"),
        (
            {},
            {f"{LAYER}.self_attn.q_proj.lora_magnitude_vector.weight": np.zeros(64, np.float32)},
            "magnitude",
        ),
        ({}, {f"{LAYER}.self_attn.q_proj.lora_A.weight": np.zeros((2, 64), np.float32)}, "do not fit"),
        ({}, pair(f"{LAYER}.block_sparse_moe.gate"), "block_sparse_moe"),
        ({"lora_alpha": 0}, pair(f"{LAYER}.self_attn.o_proj"), "alpha is 0"),
        ({}, {}, "empty"),
    ],
)
def test_what_is_no_plain_lora_is_refused_by_name(
    settings: dict[str, Any],
    tensors: dict[str, Any],
    says: str,
    write: Callable[..., Path],
    tokenizer_folder: Callable[..., Path],
    config_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    folder = write({**PLAIN, **settings}, tensors)
    with pytest.raises(AdapterUnsupported, match=says) as refused:
        adapter_to_parts(folder, tokenizer_folder(config_of("llama")), FAMILY, tmp_path / "parts")
    assert "transformers" in str(refused.value.advise("ko"))
    assert not (tmp_path / "parts").exists()


def test_a_change_of_the_shared_output_matrix_is_refused(
    write: Callable[..., Path],
    tokenizer_folder: Callable[..., Path],
    config_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    folder = write(PLAIN, pair("base_model.model.lm_head"))
    with pytest.raises(AdapterUnsupported, match="output matrix"):
        adapter_to_parts(folder, tokenizer_folder(config_of("wide_heads")), FAMILY, tmp_path / "parts")


def test_an_adapter_for_an_unknown_architecture_is_refused_with_the_known_ones(
    write: Callable[..., Path],
    tokenizer_folder: Callable[..., Path],
    config_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    folder = write(PLAIN, pair(f"{LAYER}.self_attn.o_proj"))
    tokenizer = tokenizer_folder({**config_of("llama"), "architectures": ["FalconForCausalLM"]})
    with pytest.raises(ConversionUnsupported, match="FalconForCausalLM"):
        adapter_to_parts(folder, tokenizer, FAMILY, tmp_path / "parts")
