"""From a tensor's name to where it lies: its stack of layers, its layer, its column, its role."""

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["linear", "norm", "embedding", "head", "other"]

# In this order columns stand on the map; the first ones are the board's.
COLUMNS = (
    *("attn.qkv", "attn.qk", "attn.vo", "attn.out"),
    *("cross.qk", "cross.vo", "mlp.in", "mlp.out", "other"),
)

_LAYER = re.compile(
    r"(?:^|\.)(?P<stack>(?:\w+\.)*?)(?P<list>layers|layer|h|blocks|block|blk|resblocks)\.(?P<number>\d+)\."
)
_STACKS = ("encoder", "decoder", "enc", "dec")
_TOWERS = ("vision", "visual", "audio", "image")

# The last parts of a module's name; the first that fits wins.
_QK = r"(?:q_proj|k_proj|query|key|q_lin|k_lin|q|k|to_q|to_k|attn_q|attn_k|wq|wk)"
_VALUE = r"(?:v_proj|value|v_lin|v|to_v|attn_v|wv)"
_QKV = r"(?:query_key_value|c_attn|qkv_proj|Wqkv|qkv|in_proj|attn_qkv|qkv_lin)"
_OUT = (
    r"(?:o_proj|(?:self_attn|attn|attention|encoder_attn)\.(?:out_proj|c_proj|proj|dense|out)|out_lin"
    r"|(?:attention|self)\.output\.dense|attn_output|o|wo_attn|attention\.wo|self_attention\.dense)"
)
_IN = (
    r"(?:gate_proj|up_proj|gate_up_proj|dense_h_to_4h|fc1|c_fc|wi|wi_0|wi_1|intermediate\.dense|fc_in|lin1"
    r"|ffn_gate|ffn_up|w1|w3|dense_in|ffn)"
)
_DOWN = (
    r"(?:down_proj|dense_4h_to_h|fc2|(?:mlp)\.c_proj|wo|output\.dense|fc_out|lin2|ffn_down|w2|dense_out"
    r"|ffn_output)"
)
_RULES = tuple(
    (re.compile(rf"(?:^|\.){pattern}$"), column)
    for pattern, column in (
        (_QKV, "attn.qkv"),
        (_QK, "attn.qk"),
        (_VALUE, "attn.vo"),
        (_OUT, "attn.out"),
        (_IN, "mlp.in"),
        (_DOWN, "mlp.out"),
    )
)
_NORM = re.compile(r"(?:norm|(?:^|[._])ln(?:$|[._])|layernorm|ln_\w+$)", re.IGNORECASE)
_EMBEDDING = re.compile(
    r"(?:embed|(?:^|\.)(?:wte|wpe|shared|token_embd|position_embd|token_types|cls_token|pos_embed)(?:$|\.))"
)
_HEAD = re.compile(
    r"^(?:lm_head|embed_out|score|classifier|cls\.|qa_outputs|output(?:$|\.)|classification_head|pre_classifier"
    r"|vocab_transform|vocab_layer_norm|vocab_projector|regression_head)"
)


@dataclass(frozen=True)
class Place:
    """`module` has its layer's number as {} and numbers behind it (experts) as *."""

    module: str
    parameter: str
    """weight, bias, or the parameter's own name."""
    stack: str | None
    layer: int | None

    @property
    def is_cross(self) -> bool:
        return bool(re.search(r"EncDecAttention|encoder_attn|crossattention|cross_attn", self.module))


def place_of(tensor: str) -> Place:
    module, _, parameter = tensor.rpartition(".")
    if parameter not in ("weight", "bias"):
        module, parameter = tensor, "weight"
    found = _LAYER.search(f"{module}.")
    if found is None:
        return Place(module, parameter, None, None)
    start, end = found.span("number")
    inside = re.sub(r"(?<=\.)\d+(?=\.|$)", "*", module[end:]) if _is_repeated(module[end:]) else module[end:]
    return Place(f"{module[:start]}{{}}{inside}", parameter, _stack(module[:start]), int(found["number"]))


def _is_repeated(inside: str) -> bool:
    """Whether numbers behind the layer's count modules that are alike."""
    return "experts." in inside


def _stack(before: str) -> str:
    parts = before.lower().split(".")
    tower = next((one for one in _TOWERS if any(part.startswith(one) for part in parts)), None)
    if tower is not None:
        return tower
    named = next((part for part in parts if part in _STACKS), "layers")
    return {"enc": "encoder", "dec": "decoder"}.get(named, named)


def column_of(place: Place) -> str:
    """The column of a linear module inside a layer, by its name; `attn.out` is settled by the builder."""
    for pattern, column in _RULES:
        if pattern.search(place.module):
            return column.replace("attn.", "cross.") if place.is_cross else column
    return "other"


def role_of(place: Place, dimensions: int) -> Role:
    """`dimensions` is how many the weight has."""
    last = place.module.rpartition(".")[2]
    if place.layer is None and _HEAD.search(place.module):
        return "head"
    if dimensions == 1 and _NORM.search(last):
        return "norm"
    if place.layer is None:
        return "embedding" if _EMBEDDING.search(place.module) else "other"
    if dimensions == 2 and "relative_attention_bias" not in place.module and "embed" not in last:
        return "linear"
    return "other"
