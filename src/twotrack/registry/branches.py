"""Where a base's layers write into the residual stream: the modules that its own two-column board turns.

A layer computes x + attention(x), then y + MLP(y), or both at once (GPT-NeoX, Cohere). Either way a branch
ends in one module whose output is what is added: the output projection, or the norm behind it where a family
has one there (a gain before that norm would be divided out again).
"""

from collections.abc import Mapping

from twotrack.registry.families import Family

_PROJECTIONS = {
    "o_proj": "attn",
    "attention.dense": "attn",
    "self_attn.out_proj": "attn",
    "self_attention.dense": "attn",
    "attn.c_proj": "attn",
    "down_proj": "mlp",
    "mlp.dense_4h_to_h": "mlp",
    "mlp.c_proj": "mlp",
    "fc2": "mlp",
}
_AFTER_FEEDFORWARD = {"post_attention_layernorm": "attn", "post_feedforward_layernorm": "mlp"}
# `post_attention_layernorm` stands before the MLP in most architectures: only these have it behind a branch.
_NORMS = {
    "Gemma2ForCausalLM": _AFTER_FEEDFORWARD,
    "Gemma3ForCausalLM": _AFTER_FEEDFORWARD,
    "Gemma3ForConditionalGeneration": _AFTER_FEEDFORWARD,
    "Exaone4ForCausalLM": _AFTER_FEEDFORWARD,
    "Olmo2ForCausalLM": _AFTER_FEEDFORWARD,
    "Olmo3ForCausalLM": _AFTER_FEEDFORWARD,
    "Glm4ForCausalLM": {"post_self_attn_layernorm": "attn", "post_mlp_layernorm": "mlp"},
}


def branch_ends(family: Family, architecture: str) -> dict[str, str]:
    """End of a module's name (whole dotted parts) → "attn" or "mlp"; empty where either is not known.

    What is not in the families' table is a guess, which the engine tries out before it relies on it.
    """
    ends = _NORMS.get(architecture) or {
        end: branch for end, branch in _PROJECTIONS.items() if end in family.kinds
    }
    return dict(ends) if {"attn", "mlp"} <= set(ends.values()) else {}


def branch_of(module_name: str, ends: Mapping[str, str]) -> str | None:
    """The branch that ends in a module such as `model.layers.3.self_attn.o_proj`; None if none does."""
    parts = module_name.split(".")
    return next((ends[end] for start in range(len(parts)) if (end := ".".join(parts[start:])) in ends), None)
