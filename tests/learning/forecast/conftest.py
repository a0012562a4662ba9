"""What the tests of forecasts share: shapes of models that nobody has to have, and rows."""

from typing import Any

import pytest

from twotrack.learning.forecast.forecast import Question
from twotrack.learning.forecast.shape import ModelShape, shape_of
from twotrack.learning.forecast.workload import RowSize
from twotrack.learning.train.recipe import Recipe
from twotrack.registry.families import recognize

# Published config.json of Llama 3 8B and of Mi:dm 2.0 Mini, as far as sizes go.
CONFIGS: dict[str, dict[str, Any]] = {
    "llama-3-8b": {
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": 128_256,
        "hidden_size": 4_096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "tie_word_embeddings": False,
    },
    "midm-2-mini": {
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": 131_384,
        "hidden_size": 1_792,
        "intermediate_size": 4_608,
        "num_hidden_layers": 48,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "tie_word_embeddings": True,
    },
}


def llama_shape(name: str) -> ModelShape:
    """The shape of a Llama of these sizes, from the tensors that its checkpoint has."""
    config = CONFIGS[name]
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    width = config.get("head_dim", hidden // config["num_attention_heads"])
    query, key = width * config["num_attention_heads"], width * config["num_key_value_heads"]
    tensors: list[tuple[str, tuple[int, ...]]] = [
        ("model.embed_tokens.weight", (config["vocab_size"], hidden)),
        ("model.norm.weight", (hidden,)),
    ]
    if not config["tie_word_embeddings"]:
        tensors.append(("lm_head.weight", (config["vocab_size"], hidden)))
    for layer in range(config["num_hidden_layers"]):
        place = f"model.layers.{layer}"
        tensors += [
            (f"{place}.self_attn.q_proj.weight", (query, hidden)),
            (f"{place}.self_attn.k_proj.weight", (key, hidden)),
            (f"{place}.self_attn.v_proj.weight", (key, hidden)),
            (f"{place}.self_attn.o_proj.weight", (hidden, query)),
            (f"{place}.mlp.gate_proj.weight", (inner, hidden)),
            (f"{place}.mlp.up_proj.weight", (inner, hidden)),
            (f"{place}.mlp.down_proj.weight", (hidden, inner)),
            (f"{place}.input_layernorm.weight", (hidden,)),
            (f"{place}.post_attention_layernorm.weight", (hidden,)),
        ]
    return shape_of(tensors, config, recognize(config))


def asked(name: str, rows: list[RowSize] | None = None, **recipe: Any) -> Question:
    """A question about a model of CONFIGS; by default with 80 rows, answers at their ends."""
    rows = rows or [RowSize(tokens, tokens // 4, tokens - tokens // 4) for tokens in range(100, 900, 10)]
    columns = recognize(CONFIGS[name]).columns
    made = Recipe.model_validate({"base": name, "name": "x", **recipe})
    return Question(llama_shape(name), made, tuple(columns), rows)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(base="tiny", name="x", rank=4)
