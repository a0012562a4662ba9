"""Peak memory of a training run, from sizes alone: what autograd keeps of the fast path as it is built.

All formulas are in bytes, and counted against real models in tests/learning/forecast/test_memory.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from twotrack.learning.forecast.lora import Trained, lora_of
from twotrack.learning.forecast.shape import ModelShape
from twotrack.learning.train.passes import LOGITS
from twotrack.learning.train.recipe import Recipe

Precision = Literal["fp32", "bf16"]

WIDTH: dict[Precision, int] = {"fp32": 4, "bf16": 2}

# Columns of the board whose modules read something of their own.
_READ = ("attn.qk", "attn.vo", "attn.qkv", "attn.out", "mlp.in", "mlp.out")

# NF4 with double quantization: half a byte an element, a byte for the scale of every 64, and four for the
# scale of every 256 such scales (Dettmers et al. 2023, arXiv:2305.14314, section 3).
_NF4 = 1 / 2 + 1 / 64 + 4 / (64 * 256)

ROW_BYTES = 110
"""A token of a row in the child: its id and its label as Python's objects, and once more in Arrow's table."""


@dataclass(frozen=True)
class Memory:
    """Bytes at the moment when the most is held: the end of the largest pass's way forward."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    rows: int = 0
    fixed: int = 0
    """Interpreter and libraries, or a GPU's context; and what an allocator cannot give back."""

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def memory(
    shape: ModelShape,
    recipe: Recipe,
    columns: Sequence[str],
    precision: Precision,
    *,
    widest: int,
    learned: int,
) -> Memory:
    """Of a run whose largest pass has `widest` tokens, and learns at most `learned` of one pass.

    The adapter, its gradient and AdamW's two moments are fp32, whatever the base is held in.
    """
    trainable = 4 * lora_of(shape, recipe, columns).trainable
    return Memory(
        weights=weight_bytes(shape, precision, quantized=recipe.method == "qlora"),
        adapter=trainable,
        gradients=trainable,
        optimizer=2 * trainable,
        activations=activation_bytes(shape, recipe, columns, precision, widest),
        logits=logit_bytes(shape.vocabulary, learned, precision),
    )


def weight_bytes(shape: ModelShape, precision: Precision, *, quantized: bool) -> int:
    """Embeddings, norms and the output matrix are never quantized."""
    if not quantized:
        return shape.parameters * WIDTH[precision]
    return round(shape.linear * _NF4) + (shape.parameters - shape.linear) * WIDTH[precision]


def activation_bytes(
    shape: ModelShape, recipe: Recipe, columns: Sequence[str], precision: Precision, tokens: int
) -> int:
    """What is kept between the ways forward and back of a pass of `tokens`."""
    lora = lora_of(shape, recipe, columns)
    each = [layer_bytes(shape, recipe, trained, precision) for trained in lora.back]
    width = WIDTH[precision]
    # What comes before the first trained matrix needs no way back, so the first norm keeps nothing.
    layers = sum(each) - 4 * (shape.hidden + 1)
    if recipe.gradient_checkpointing:
        # Of each layer its input; one layer at a time has all of its own.
        layers = len(each) * shape.hidden * width + max(each, default=0)
    # The last norm, the states that the loss is taken of, and their gradient.
    outside = shape.hidden * (4 + 2 * width)
    # Under autocast, each matrix of the adapter is kept in 16 bits until the pass is over.
    copies = 2 * lora.trainable if precision == "bf16" else 0
    return tokens * (layers + outside) + copies


def layer_bytes(shape: ModelShape, recipe: Recipe, trained: Trained, precision: Precision) -> int:
    """For one token in one layer, one with a way back."""
    hidden, query, key, inner = shape.hidden, shape.query_width, shape.key_width, shape.inner
    # A's output, which B's gradient is made of.
    ranks = sum(rank for _, rank in trained)
    inputs = sum(one.columns for one, _ in trained)
    # What A's gradient is made of; modules that read the same share it.
    kinds = {one.kind for one, _ in trained}
    reads = {kind: kind in kinds for kind in _READ}
    shared: float = (
        hidden * (reads["attn.qk"] or reads["attn.vo"] or reads["attn.qkv"])
        + query * (reads["attn.vo"] or reads["attn.out"])
        + hidden * reads["mlp.in"]
        + inner * reads["mlp.out"]
    )
    noise = 0.0
    if recipe.dropout:
        # In fp32, what was dropped of an input is as large as it is, and each module has an input of its own.
        noise = 4 * inputs
        shared = inputs
    if shape.is_fused:
        # The layer's input; query and key rotated, the value within the fused output, attention's result;
        # the activation's input; each norm's mean and deviation.
        kept = 7 * hidden + inner + shared + ranks + 4
        return round(kept * WIDTH[precision] + noise + 4 * shape.heads)
    norms = shape.norms * (hidden + 1)
    heads = query + key + shape.heads + shape.key_heads if shape.normed_heads else 0
    # Attention's query, key, value and result; gate, its activation and up, or the activation's input alone.
    kept = 2 * query + 2 * key + (3 if shape.is_gated else 1) * inner + ranks
    if precision == "fp32":
        return round(4 * (norms + kept + shared + shape.heads + heads) + noise)
    # Norms compute in fp32, and PEFT casts each module's input for itself.
    return round(4 * (norms + shape.heads + heads) + 2 * (kept + inputs) + noise)


def logit_bytes(vocabulary: int, learned: int, precision: Precision) -> int:
    """A part of the logits, and its log-softmax in fp32 (learning/train/objective.py).

    16-bit logits are copied to 32 bits for it; all three are there at once.
    """
    at_once = min(max(learned, 1), max(1, LOGITS // max(vocabulary, 1)))
    return at_once * vocabulary * (8 if precision == "fp32" else 10)
