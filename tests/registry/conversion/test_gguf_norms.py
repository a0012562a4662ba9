"""The norms of a GGUF file against those of the safetensors that it was made of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from twotrack.registry.conversion.model_files import safetensors_to_gguf
from twotrack.registry.map.norms import read_norms
from twotrack.registry.map.rules import tensors_of


# Of values that are rounded to 11 bits, and to steps of a 127th of the largest of 32: the errors are as often
# up as down, and their squares add to about 1e-8 and 1e-5 of the whole.
@pytest.mark.parametrize(("kind", "tolerance"), [("f32", 1e-6), ("f16", 1e-4), ("q8_0", 1e-3)])
async def test_the_norms_of_a_gguf_are_those_of_its_safetensors(
    kind: str,
    tolerance: float,
    config_of: Callable[[str], dict[str, Any]],
    tokenizer_folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    config = config_of("llama")
    shapes = tensors_of("llama", "LlamaForCausalLM", config)
    assert shapes is not None
    numbers = np.random.default_rng(0)
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    # Each of another size, so that no two can be taken for one another.
    weights = {
        name: (numbers.standard_normal(shape) * (1 + 0.1 * place)).astype(np.float32)
        for place, (name, shape) in enumerate(shapes)
    }
    save_file(weights, folder / "model.safetensors")
    target = tmp_path / "model.gguf"
    files = ["model.safetensors", "config.json"]
    safetensors_to_gguf(folder, files, tokenizer_folder(config), kind, target, "tiny")

    stored, found = await read_norms(folder), await read_norms(target)
    # The modules have other names there, and lie in the same places.
    assert len(found.modules) == len(stored.modules) == sum(len(one.shape) == 2 for one in weights.values())
    sizes = sorted(one.frobenius for one in stored.modules)
    assert sorted(one.frobenius for one in found.modules) == pytest.approx(sizes, rel=tolerance)
    cells = {(one.layer, one.column): one for one in found.cells}
    assert len(cells) == len(found.cells) == len(stored.cells) == 3 * 4
    for one in stored.cells:
        same = cells[one.layer, one.column]
        assert same.frobenius == pytest.approx(one.frobenius, rel=tolerance)
        assert same.rms == pytest.approx(one.rms, rel=tolerance)
