"""Memory from a map is memory from the weights."""

import json
from pathlib import Path

from twotrack.learning.forecast.shape import shape_of
from twotrack.learning.mapping.memory import shape_of_map, with_memory
from twotrack.registry.families import recognize
from twotrack.registry.map.reading import map_model
from twotrack.registry.map.rules import tensors_of

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8_192,
    "intermediate_size": 28_672,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 128_256,
    "max_position_embeddings": 131_072,
    "tie_word_embeddings": False,
    "dtype": "bfloat16",
}


async def test_a_map_of_70_billion_gives_the_sizes_that_its_weights_would_give(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    found = await map_model(tmp_path)

    tensors = tensors_of("llama", "LlamaForCausalLM", CONFIG)
    assert tensors is not None
    assert shape_of_map(found) == shape_of(tensors, CONFIG, recognize(CONFIG))
    assert found.parameters == 70_553_706_496


async def test_qlora_of_70_billion_fits_where_lora_does_not(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    memory = {(one.device, one.method): one for one in with_memory("big", await map_model(tmp_path)).memory}

    assert not memory["a100-80gb", "lora"].fits
    assert memory["a100-80gb", "qlora"].fits
    assert not memory["rtx-3050-4gb", "qlora"].fits
    assert memory["a100-80gb", "qlora"].weight_bytes < memory["a100-80gb", "lora"].weight_bytes / 3
