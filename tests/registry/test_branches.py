"""Which modules write into the residual stream, family by family."""

import pytest

from twotrack.registry.branches import branch_ends, branch_of
from twotrack.registry.families import recognize

O_AND_DOWN = {"o_proj": "attn", "down_proj": "mlp"}
NORMS = {"post_attention_layernorm": "attn", "post_feedforward_layernorm": "mlp"}


@pytest.mark.parametrize(
    ("architecture", "modules", "ends"),
    [
        ("LlamaForCausalLM", (), O_AND_DOWN),
        ("Qwen3ForCausalLM", (), O_AND_DOWN),
        ("GemmaForCausalLM", (), O_AND_DOWN),
        ("GPTNeoXForCausalLM", (), {"attention.dense": "attn", "mlp.dense_4h_to_h": "mlp"}),
        ("Gemma2ForCausalLM", (), NORMS),
        ("Gemma3ForConditionalGeneration", (), NORMS),
        (
            "GPT2LMHeadModel",
            ("h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc", "h.0.mlp.c_proj"),
            {"attn.c_proj": "attn", "mlp.c_proj": "mlp"},
        ),
        ("MambaForCausalLM", ("layers.0.mixer.in_proj", "layers.0.mixer.out_proj"), {}),
        ("HalfForCausalLM", ("layers.0.self_attn.o_proj", "layers.0.experts.w2"), {}),
    ],
)
def test_the_ends_of_a_familys_branches(
    architecture: str, modules: tuple[str, ...], ends: dict[str, str]
) -> None:
    family = recognize({"architectures": [architecture]}, modules)
    assert branch_ends(family, architecture) == ends


def test_an_end_is_whole_parts_of_a_name() -> None:
    assert branch_of("model.layers.3.self_attn.o_proj", O_AND_DOWN) == "attn"
    assert branch_of("model.layers.3.mlp.down_proj", O_AND_DOWN) == "mlp"
    assert branch_of("model.layers.3.mlp.top_down_proj", O_AND_DOWN) is None
    assert branch_of("h.1.crossattn.c_proj", {"attn.c_proj": "attn"}) is None
