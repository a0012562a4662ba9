"""Operations that a training run takes, and the time of devices that are not here.

A multiplication with its addition counts as two, as makers of devices count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.learning.forecast.devices import Device
from twotrack.learning.forecast.lora import lora_of
from twotrack.learning.forecast.memory import WIDTH, Precision, activation_bytes, weight_bytes
from twotrack.learning.forecast.shape import ModelShape
from twotrack.learning.forecast.workload import Load, Workload
from twotrack.learning.train.recipe import Recipe

# Of a device's published rate, what matrix products of some hundred tokens reach in torch: assumed, since it
# is not here to be measured.
_REACHED = 0.4
# Of its published bandwidth.
_REACHED_BANDWIDTH = 0.7
# Libraries and the base, before the first step.
_START_SECONDS = 15.0
# Each operation in a layer starts some 180 kernels on its way forward and back, each of which takes the
# processor some 8 µs: small models wait for that.
_LAUNCHES_PER_LAYER = 1.5e-3
# What is kept of a token is written, read, and read and written again for its gradient.
_TOUCHED = 4


@dataclass(frozen=True)
class Flops:
    base: float
    """The frozen matrices: forward, and back to their inputs. There is no gradient of theirs."""
    adapter: float
    attention: float
    logits: float

    @property
    def total(self) -> float:
        return self.base + self.adapter + self.attention + self.logits


def flops(shape: ModelShape, recipe: Recipe, columns: Sequence[str], load: Load) -> Flops:
    """Of all that `load` holds.

    A frozen matrix costs 2 a parameter and token forward and 2 back; one of the adapter 2 and 4 (Hu et al.
    2021, section 4.1: only A and B get gradients), and nothing back below the first layer that learns. Causal
    attention is 2·tokens² times the width of the
    queries forward and 2.5 times that back (Dao 2023, arXiv:2307.08691, section 4.1). Logits exist where an
    answer is learned; their gradient is as much again. Checkpointing computes layers forward once more.
    """
    again = 1 if recipe.gradient_checkpointing else 0
    lora = lora_of(shape, recipe, columns)
    back = len(lora.back)
    first = shape.layers - back
    linear_back = sum(
        one.rows * one.columns for one in shape.matrices for layer in one.layers if layer >= first
    )
    forward_and_back = 2 * shape.layers + (5 + 2 * again) * back
    return Flops(
        base=load.tokens * (2 * shape.linear + (2 + 2 * again) * linear_back),
        adapter=load.tokens * lora.trainable * (6 + 2 * again),
        attention=load.square * shape.query_width * forward_and_back,
        logits=load.learned * shape.vocabulary * shape.hidden * 4,
    )


def attention_in_tokens(shape: ModelShape, recipe: Recipe, columns: Sequence[str]) -> float:
    """How many tokens' operations outside of attention one token squared takes in it."""
    one = flops(shape, recipe, columns, Load(tokens=1, square=1))
    return one.attention / (one.base + one.adapter)


def precision_on(device: Device, recipe: Recipe) -> Precision:
    """What training computes in there: bf16 where the hardware has it, unless the recipe says otherwise."""
    if recipe.precision != "auto":
        return recipe.precision
    return "fp32" if device.bf16 is None else "bf16"


def seconds_on(
    device: Device, shape: ModelShape, recipe: Recipe, columns: Sequence[str], work: Workload
) -> float:
    """Seconds of the clock on a device that is not here, from published figures.

    A pass computes and moves: its weights forward and back, its activations, and for QLoRA the matrices that
    are made of four bits each time. Starting kernels overlaps with that.
    """
    precision = precision_on(device, recipe)
    load = work.load
    # bf16 without hardware for it is computed as fp32.
    rate = (device.bf16 or device.fp32) if precision == "bf16" else device.fp32
    width = WIDTH[precision]
    lora = lora_of(shape, recipe, columns)
    # How often the layers are gone through: forward all of them, back those that have a way back.
    times = 1 + (2 if recipe.gradient_checkpointing else 1) * len(lora.back) / max(shape.layers, 1)
    moved = times * load.passes * weight_bytes(shape, precision, quantized=recipe.method == "qlora")
    if recipe.method == "qlora":
        moved += times * load.passes * 2 * width * shape.linear
    moved += (
        _TOUCHED
        * load.passes
        * activation_bytes(shape, recipe, columns, precision, round(load.tokens / max(load.passes, 1)))
    )
    # AdamW reads and writes the adapter and its moments.
    moved += work.steps * 28 * lora.trainable
    busy = flops(shape, recipe, columns, load).total / (rate * _REACHED) + moved / (
        device.bandwidth * _REACHED_BANDWIDTH
    )
    return _START_SECONDS + max(busy, load.passes * shape.layers * _LAUNCHES_PER_LAYER * times / 2)
