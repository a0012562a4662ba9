"""Tiny models with random weights, one of each architecture that people train here."""

from typing import Any

VOCABULARY = 64

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {"num_key_value_heads": 2}

# Architecture → what its config says besides the sizes. Mi:dm 2.0 is a Llama with its own head dimension,
# KoAlpaca a GPT-NeoX that rotates a part of each head; a window shorter than the rows is looked through.
CONFIGS: dict[str, dict[str, Any]] = {
    "LlamaForCausalLM": {**_GROUPED, "tie_word_embeddings": True},
    "MistralForCausalLM": {**_GROUPED, "sliding_window": 5},
    "GPTNeoXForCausalLM": {"rotary_pct": 0.25, "hidden_dropout": 0.0, "attention_dropout": 0.0},
    "Qwen2ForCausalLM": {**_GROUPED, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1},
    "Qwen3ForCausalLM": {**_GROUPED, "head_dim": 16},
    "GemmaForCausalLM": {**_GROUPED, "head_dim": 8},
    "Gemma3ForCausalLM": {**_GROUPED, "head_dim": 8, "sliding_window": 5, "query_pre_attn_scalar": 8},
}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, config) for name, config in CONFIGS.items()},
    "Mi:dm 2.0": ("LlamaForCausalLM", {**_GROUPED, "head_dim": 16, "tie_word_embeddings": False}),
    "Llama 3": (
        "LlamaForCausalLM",
        {
            **_GROUPED,
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 500000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            },
        },
    ),
    # Neither is known to keep the rows of one pass apart.
    "Gemma2ForCausalLM": ("Gemma2ForCausalLM", {**_GROUPED, "head_dim": 8, "sliding_window": 5}),
    "OlmoForCausalLM": ("OlmoForCausalLM", _GROUPED),
}


def tiny(variant: str, **changed: Any) -> Any:
    """The same weights each time."""
    import torch
    import transformers

    architecture, config = VARIANTS[variant]
    model_class = getattr(transformers, architecture)
    torch.manual_seed(7)
    return model_class(model_class.config_class(**{**_SIZES, **config, **changed}))
