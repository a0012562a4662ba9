"""What the rules compute is what transformers builds."""

import json
from collections import Counter
from typing import Any

import pytest

from twotrack.registry.map.rules import tensors_of

_SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
_TEXT = {"vocab_size": 300, "max_position_embeddings": 40}
_SHARING = {**_SMALL, **_TEXT, "num_key_value_heads": 2, "head_dim": 24}
_T5 = {"d_model": 64, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4, "d_kv": 8, "d_ff": 96}
_GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 300, "n_positions": 40}

CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("LlamaConfig", "LlamaForCausalLM", _SHARING),
    ("LlamaConfig", "LlamaForCausalLM", {**_SHARING, "attention_bias": True, "mlp_bias": True}),
    ("LlamaConfig", "LlamaForSequenceClassification", {**_SHARING, "num_labels": 5}),
    ("MistralConfig", "MistralForCausalLM", {**_SHARING, "tie_word_embeddings": True}),
    ("Qwen2Config", "Qwen2ForCausalLM", {**_SMALL, **_TEXT, "num_key_value_heads": 2}),
    ("Qwen3Config", "Qwen3ForCausalLM", _SHARING),
    ("Gemma2Config", "Gemma2ForCausalLM", _SHARING),
    ("Gemma3TextConfig", "Gemma3ForCausalLM", _SHARING),
    ("GPTNeoXConfig", "GPTNeoXForCausalLM", {**_SMALL, **_TEXT}),
    ("GPT2Config", "GPT2LMHeadModel", _GPT2),
    ("BertConfig", "BertForMaskedLM", {**_SMALL, **_TEXT}),
    ("BertConfig", "BertModel", {**_SMALL, **_TEXT}),
    ("BertConfig", "BertForTokenClassification", {**_SMALL, **_TEXT, "num_labels": 9}),
    ("BertConfig", "BertForQuestionAnswering", {**_SMALL, **_TEXT}),
    ("RobertaConfig", "RobertaForSequenceClassification", {**_SMALL, **_TEXT}),
    ("T5Config", "T5ForConditionalGeneration", _T5),
    ("T5Config", "T5ForConditionalGeneration", {**_T5, "feed_forward_proj": "gated-gelu"}),
    ("ViTConfig", "ViTForImageClassification", {**_SMALL, "image_size": 32, "patch_size": 8}),
)

# transformers has other names for these while they are loaded than their checkpoints have.
_RENAMED = ("GPTNeoXForCausalLM", "ViTForImageClassification")


@pytest.mark.torch
@pytest.mark.parametrize(
    ("kind", "architecture", "sizes"), CASES, ids=[f"{number}-{case[1]}" for number, case in enumerate(CASES)]
)
def test_every_tensor_is_computed(kind: str, architecture: str, sizes: dict[str, Any]) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    config = getattr(transformers, kind)(**sizes)
    with torch.device("meta"):
        model = getattr(transformers, architecture)(config)
    wanted = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    written = json.loads(config.to_json_string())

    computed = tensors_of(written["model_type"], architecture, written)

    assert computed is not None
    if architecture in _RENAMED:
        assert Counter(shape for _, shape in computed) == Counter(wanted.values())
    else:
        assert dict(computed) == wanted


def test_an_architecture_without_a_rule_is_said_to_have_none() -> None:
    assert tensors_of("mamba", "MambaForCausalLM", {"hidden_size": 64}) is None
    assert tensors_of("llama", "LlamaForTokenClassification", {"hidden_size": 64}) is None
