"""The sizes that a config.json names, under whatever names its architecture has for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twotrack.core.language import Text
from twotrack.registry.errors import ImpossibleConfiguration

MOST_LAYERS = 4_096
_LARGEST = 2**27

_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
_DECODER_LAYERS = ("num_decoder_layers", "decoder_layers")
_HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads")
_KEY_HEADS = ("num_key_value_heads",)
_HEAD_WIDTH = ("head_dim", "d_kv")
_INNER = ("intermediate_size", "n_inner", "d_ff", "ffn_dim", "encoder_ffn_dim", "hidden_dim")
_VOCABULARY = ("vocab_size",)
_CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length")


@dataclass(frozen=True)
class Sizes:
    """0 stands for what the configuration does not say."""

    layers: int
    decoder_layers: int
    hidden: int
    heads: int
    key_heads: int
    head_width: int
    inner: int
    vocabulary: int
    context: int


def sizes_of(config: Mapping[str, Any]) -> Sizes:
    """
    Raises:
        ImpossibleConfiguration: a size that no model can have.
    """
    config = body_of(config)
    hidden = number(config, *_HIDDEN)
    heads = number(config, *_HEADS)
    key_heads = number(config, *_KEY_HEADS) or heads
    head_width = number(config, *_HEAD_WIDTH)
    if heads and not head_width:
        if hidden % heads:
            why = Text(
                f"{hidden} columns cannot be split evenly among {heads} heads",
                f"폭 {hidden}을 헤드 {heads}개로 나눌 수 없습니다",
            )
            raise ImpossibleConfiguration(key="num_attention_heads", value=str(heads), why=why)
        head_width = hidden // heads
    if heads and (heads % key_heads):
        why = Text(
            f"{heads} query heads cannot share {key_heads} key heads evenly",
            f"쿼리 헤드 {heads}개가 키 헤드 {key_heads}개를 고르게 나눠 쓸 수 없습니다",
        )
        raise ImpossibleConfiguration(key="num_key_value_heads", value=str(key_heads), why=why)
    return Sizes(
        layers=number(config, *_LAYERS, largest=MOST_LAYERS),
        decoder_layers=number(config, *_DECODER_LAYERS, largest=MOST_LAYERS),
        hidden=hidden,
        heads=heads,
        key_heads=key_heads,
        head_width=head_width,
        inner=number(config, *_INNER),
        vocabulary=number(config, *_VOCABULARY),
        context=number(config, *_CONTEXT),
    )


def body_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part that describes the language model, where a configuration describes several parts."""
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, Mapping) else config


def number(config: Mapping[str, Any], *keys: str, largest: int = _LARGEST) -> int:
    """The first of the keys that says something; 0 if none does.

    Raises:
        ImpossibleConfiguration: it is no whole number from 1 to `largest`.
    """
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            why = Text(
                f"it must be a whole number from 1 to {largest:,}",
                f"1 이상 {largest:,} 이하의 정수여야 합니다",
            )
            raise ImpossibleConfiguration(key=key, value=repr(value)[:60], why=why)
        return value
    return 0
