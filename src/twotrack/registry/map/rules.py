"""Every tensor of the architectures that are met most, computed from their sizes: no torch, no weights.

Names and shapes are those of transformers' checkpoints; tests/registry/map/test_rules.py compares each
architecture with the model that transformers builds.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twotrack.core.language import Text
from twotrack.registry.errors import ImpossibleConfiguration
from twotrack.registry.map.sizes import Sizes, body_of, number, sizes_of

Tensor = tuple[str, tuple[int, ...]]
Tensors = Iterator[Tensor]

_TIED_BY_DEFAULT = ("gemma", "gemma2", "gemma3_text", "gpt2", "bert", "roberta", "xlm-roberta", "t5", "mt5")


def tensors_of(model_type: str, architecture: str, config: Mapping[str, Any]) -> list[Tensor] | None:
    """None for an architecture without a rule here.

    Raises:
        ImpossibleConfiguration: sizes that are missing, or that no model can have.
    """
    sizes = sizes_of(config)
    rule = _RULES.get(model_type)
    if rule is None or not _has_known_head(model_type, architecture):
        return None
    for name in ("layers", "hidden", "heads"):
        if not getattr(sizes, name):
            why = Text("the configuration does not say it", "설정에 값이 없습니다")
            raise ImpossibleConfiguration(key=name, value="–", why=why)
    return list(rule(sizes, body_of(config), architecture))


def is_tied(config: Mapping[str, Any]) -> bool:
    """Whether the output matrix is the embedding."""
    body = body_of(config)
    said = body.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    return bool(said) if said is not None else str(body.get("model_type")) in _TIED_BY_DEFAULT


def labels_of(config: Mapping[str, Any]) -> int:
    """How many classes a classifier tells apart; transformers takes two where nothing is said."""
    named = config.get("id2label")
    return len(named) if isinstance(named, Mapping) and named else number(config, "num_labels") or 2


def _has_known_head(model_type: str, architecture: str) -> bool:
    ends = _HEADS.get(model_type, ("ForCausalLM", "ForSequenceClassification", "Model"))
    return architecture.endswith(ends)


_HEADS = {
    "gpt2": ("LMHeadModel", "Model"),
    "t5": ("ForConditionalGeneration",),
    "mt5": ("ForConditionalGeneration",),
    "vit": ("ForImageClassification", "Model"),
    **dict.fromkeys(
        ("bert", "roberta", "xlm-roberta"),
        (
            "ForMaskedLM",
            "ForSequenceClassification",
            "ForTokenClassification",
            "ForQuestionAnswering",
            "Model",
        ),
    ),
}


def _linear(name: str, rows: int, columns: int, bias: bool = True) -> Tensors:
    yield f"{name}.weight", (rows, columns)
    if bias:
        yield f"{name}.bias", (rows,)


def _norm(name: str, width: int) -> Tensors:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _llama(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    kind = str(config.get("model_type"))
    inner = s.inner or 4 * s.hidden
    query, key = s.heads * s.head_width, s.key_heads * s.head_width
    bias = bool(config.get("attention_bias", False))
    of_qkv = bias or kind == "qwen2"
    of_mlp = bool(config.get("mlp_bias", False))
    body = "" if architecture.endswith("Model") else "model."
    norms = ["input_layernorm", "post_attention_layernorm"]
    if kind in ("gemma2", "gemma3_text"):
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    yield f"{body}embed_tokens.weight", (s.vocabulary, s.hidden)
    for layer in range(s.layers):
        at = f"{body}layers.{layer}."
        yield from _linear(f"{at}self_attn.q_proj", query, s.hidden, of_qkv)
        yield from _linear(f"{at}self_attn.k_proj", key, s.hidden, of_qkv)
        yield from _linear(f"{at}self_attn.v_proj", key, s.hidden, of_qkv)
        yield from _linear(f"{at}self_attn.o_proj", s.hidden, query, bias)
        yield from _linear(f"{at}mlp.gate_proj", inner, s.hidden, of_mlp)
        yield from _linear(f"{at}mlp.up_proj", inner, s.hidden, of_mlp)
        yield from _linear(f"{at}mlp.down_proj", s.hidden, inner, of_mlp)
        for norm in norms:
            yield f"{at}{norm}.weight", (s.hidden,)
        if kind in ("qwen3", "gemma3_text"):
            yield f"{at}self_attn.q_norm.weight", (s.head_width,)
            yield f"{at}self_attn.k_norm.weight", (s.head_width,)
    yield f"{body}norm.weight", (s.hidden,)
    yield from _decoder_head("lm_head", s, config, architecture)


def _decoder_head(name: str, s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    if architecture.endswith("ForSequenceClassification"):
        yield "score.weight", (labels_of(config), s.hidden)
    elif not architecture.endswith("Model") and not is_tied(config):
        yield f"{name}.weight", (s.vocabulary, s.hidden)


def _gpt_neox(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    inner = s.inner or 4 * s.hidden
    bias = bool(config.get("attention_bias", True))
    body = "" if architecture.endswith("Model") else "gpt_neox."
    yield f"{body}embed_in.weight", (s.vocabulary, s.hidden)
    for layer in range(s.layers):
        at = f"{body}layers.{layer}."
        yield from _norm(f"{at}input_layernorm", s.hidden)
        yield from _norm(f"{at}post_attention_layernorm", s.hidden)
        yield from _linear(f"{at}attention.query_key_value", 3 * s.hidden, s.hidden, bias)
        yield from _linear(f"{at}attention.dense", s.hidden, s.hidden, bias)
        yield from _linear(f"{at}mlp.dense_h_to_4h", inner, s.hidden)
        yield from _linear(f"{at}mlp.dense_4h_to_h", s.hidden, inner)
    yield from _norm(f"{body}final_layer_norm", s.hidden)
    yield from _decoder_head("embed_out", s, config, architecture)


def _gpt2(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    inner = s.inner or 4 * s.hidden
    body = "transformer." if architecture.endswith("LMHeadModel") else ""
    yield f"{body}wte.weight", (s.vocabulary, s.hidden)
    yield f"{body}wpe.weight", (s.context, s.hidden)
    for layer in range(s.layers):
        at = f"{body}h.{layer}."
        yield from _norm(f"{at}ln_1", s.hidden)
        yield from _norm(f"{at}ln_2", s.hidden)
        # Its matrices lie the other way round, [in, out].
        for name, rows, columns in (
            ("attn.c_attn", s.hidden, 3 * s.hidden),
            ("attn.c_proj", s.hidden, s.hidden),
            ("mlp.c_fc", s.hidden, inner),
            ("mlp.c_proj", inner, s.hidden),
        ):
            yield f"{at}{name}.weight", (rows, columns)
            yield f"{at}{name}.bias", (columns,)
    yield from _norm(f"{body}ln_f", s.hidden)
    if architecture.endswith("LMHeadModel") and not is_tied(config):
        yield "lm_head.weight", (s.vocabulary, s.hidden)


def _encoder_layer(at: str, s: Sizes, attention: str) -> Tensors:
    inner = s.inner or 4 * s.hidden
    for name in ("query", "key", "value"):
        yield from _linear(f"{at}attention.{attention}.{name}", s.hidden, s.hidden)
    yield from _linear(f"{at}attention.output.dense", s.hidden, s.hidden)
    yield from _linear(f"{at}intermediate.dense", inner, s.hidden)
    yield from _linear(f"{at}output.dense", s.hidden, inner)


def _bert(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    is_bert = config.get("model_type") == "bert"
    name = "bert" if is_bert else "roberta"
    body = "" if architecture.endswith("Model") else f"{name}."
    yield f"{body}embeddings.word_embeddings.weight", (s.vocabulary, s.hidden)
    yield f"{body}embeddings.position_embeddings.weight", (s.context, s.hidden)
    types = number(config, "type_vocab_size") or 2
    yield f"{body}embeddings.token_type_embeddings.weight", (types, s.hidden)
    yield from _norm(f"{body}embeddings.LayerNorm", s.hidden)
    for layer in range(s.layers):
        at = f"{body}encoder.layer.{layer}."
        yield from _encoder_layer(at, s, "self")
        yield from _norm(f"{at}attention.output.LayerNorm", s.hidden)
        yield from _norm(f"{at}output.LayerNorm", s.hidden)
    if architecture.endswith("Model") or (is_bert and architecture.endswith("ForSequenceClassification")):
        yield from _linear(f"{body}pooler.dense", s.hidden, s.hidden)
    yield from _bert_head(s, config, architecture, is_bert)


def _bert_head(s: Sizes, config: Mapping[str, Any], architecture: str, is_bert: bool) -> Tensors:
    if architecture.endswith("ForMaskedLM"):
        at = "cls.predictions." if is_bert else "lm_head."
        yield from _linear(f"{at}transform.dense" if is_bert else f"{at}dense", s.hidden, s.hidden)
        yield from _norm(f"{at}transform.LayerNorm" if is_bert else f"{at}layer_norm", s.hidden)
        yield f"{at}bias", (s.vocabulary,)
        if not is_tied(config):
            yield f"{at}decoder.weight", (s.vocabulary, s.hidden)
    elif architecture.endswith("ForQuestionAnswering"):
        yield from _linear("qa_outputs", 2, s.hidden)
    elif architecture.endswith("ForSequenceClassification") and not is_bert:
        yield from _linear("classifier.dense", s.hidden, s.hidden)
        yield from _linear("classifier.out_proj", labels_of(config), s.hidden)
    elif architecture.endswith("Classification"):
        yield from _linear("classifier", labels_of(config), s.hidden)


def _t5(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    inner = s.inner or 4 * s.hidden
    width = s.heads * s.head_width
    gated = str(config.get("feed_forward_proj", "relu")).startswith("gated")
    buckets = number(config, "relative_attention_num_buckets") or 32
    yield "shared.weight", (s.vocabulary, s.hidden)

    def attention(at: str, number_: int, name: str, biased: bool) -> Tensors:
        for matrix in ("q", "k", "v"):
            yield f"{at}layer.{number_}.{name}.{matrix}.weight", (width, s.hidden)
        yield f"{at}layer.{number_}.{name}.o.weight", (s.hidden, width)
        if biased:
            yield f"{at}layer.{number_}.{name}.relative_attention_bias.weight", (buckets, s.heads)
        yield f"{at}layer.{number_}.layer_norm.weight", (s.hidden,)

    for stack, layers in (("encoder", s.layers), ("decoder", s.decoder_layers or s.layers)):
        for layer in range(layers):
            at = f"{stack}.block.{layer}."
            yield from attention(at, 0, "SelfAttention", layer == 0)
            last = 1
            if stack == "decoder":
                yield from attention(at, 1, "EncDecAttention", False)
                last = 2
            for matrix in ("wi_0", "wi_1") if gated else ("wi",):
                yield f"{at}layer.{last}.DenseReluDense.{matrix}.weight", (inner, s.hidden)
            yield f"{at}layer.{last}.DenseReluDense.wo.weight", (s.hidden, inner)
            yield f"{at}layer.{last}.layer_norm.weight", (s.hidden,)
        yield f"{stack}.final_layer_norm.weight", (s.hidden,)
    if not is_tied(config):
        yield "lm_head.weight", (s.vocabulary, s.hidden)


def _vit(s: Sizes, config: Mapping[str, Any], architecture: str) -> Tensors:
    body = "" if architecture.endswith("Model") else "vit."
    image = number(config, "image_size") or 224
    patch = number(config, "patch_size") or 16
    colours = number(config, "num_channels") or 3
    yield f"{body}embeddings.cls_token", (1, 1, s.hidden)
    yield f"{body}embeddings.position_embeddings", (1, (image // patch) ** 2 + 1, s.hidden)
    yield f"{body}embeddings.patch_embeddings.projection.weight", (s.hidden, colours, patch, patch)
    yield f"{body}embeddings.patch_embeddings.projection.bias", (s.hidden,)
    for layer in range(s.layers):
        at = f"{body}encoder.layer.{layer}."
        yield from _encoder_layer(at, s, "attention")
        yield from _norm(f"{at}layernorm_before", s.hidden)
        yield from _norm(f"{at}layernorm_after", s.hidden)
    yield from _norm(f"{body}layernorm", s.hidden)
    if architecture.endswith("Model"):
        yield from _linear(f"{body}pooler.dense", s.hidden, s.hidden)
    else:
        yield from _linear("classifier", labels_of(config), s.hidden)


_RULES: Mapping[str, Callable[[Sizes, Mapping[str, Any], str], Tensors]] = {
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"),
        _llama,
    ),
    "gpt_neox": _gpt_neox,
    "gpt2": _gpt2,
    **dict.fromkeys(("bert", "roberta", "xlm-roberta"), _bert),
    **dict.fromkeys(("t5", "mt5"), _t5),
    "vit": _vit,
}
