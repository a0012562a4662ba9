"""A variant's change as matrices: W′ = W + Σᵢ gᵢ·scaleᵢ·Bᵢ·Aᵢ, with the gains expanded over layers and kinds.

Runs in the child that writes; nothing here needs torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack.core.language import Text
from twotrack.equalizer.expansion import Table, mean
from twotrack.registry.conversion.adapter_gguf import read_lora
from twotrack.registry.conversion.gguf_reading import CHUNK_BYTES, StoredTensor
from twotrack.registry.conversion_errors import AdapterUnsupported
from twotrack.registry.families import Family, layer_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """One adapter of a variant: its PEFT folder, and its gain or expanded gains."""

    folder: Path
    gains: float | Table


@dataclass(frozen=True)
class Change:
    """Of one module: a [rank, in], and b [out, rank] with scale and gain in it."""

    a: "Rows"
    b: "Rows"


def gain_of(gains: float | Table, module: str, family: Family) -> float:
    """What acts on `module`: its cell's gain, or the mean of the table for one that lies in no cell, as in
    the engines."""
    if isinstance(gains, float | int):
        return float(gains)
    layer, column = layer_of(module), family.kind_of(module)
    if layer is None or column is None or not 0 <= layer < len(gains):
        return mean(gains)
    return gains[layer][family.columns.index(column)]


def changes_of(parts: Sequence[Part], family: Family) -> dict[str, Change]:
    """Module → its change, in the order of the modules' names; adapters stand side by side in the rank.

    Raises:
        AdapterUnsupported: more than plain LoRA, or adapters whose matrices do not fit each other.
        BrokenModelFile
    """
    import numpy as np

    found: dict[str, Change] = {}
    for part in parts:
        for module, (a, b, scale) in read_lora(part.folder).items():
            gain = gain_of(part.gains, module, family)
            own = Change(a.load(), b.load() * np.float32(scale * gain))
            if (before := found.get(module)) is None:
                found[module] = own
                continue
            if (before.a.shape[1], before.b.shape[0]) != (own.a.shape[1], own.b.shape[0]):
                why = Text(
                    f"its adapters do not fit each other at {module:.100}",
                    f"어댑터들의 크기가 서로 맞지 않습니다: {module:.100}",
                )
                raise AdapterUnsupported(why=why)
            found[module] = Change(
                np.concatenate([before.a, own.a]), np.concatenate([before.b, own.b], axis=1)
            )
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Changed(StoredTensor):
    """A weight that reads as W + B·A, computed in 32-bit floats as its rows are read."""

    change: Change

    def rows(self, chunk_bytes: int = CHUNK_BYTES) -> "Iterator[Rows]":
        start = 0
        for rows in super().rows(chunk_bytes):
            yield rows + self.change.b[start : start + len(rows)] @ self.change.a
            start += len(rows)


def apply(changes: Mapping[str, Change], stored: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """`stored`, in its order, with every change in its weight.

    Raises:
        AdapterUnsupported: a change that has no weight, or one of another shape.
    """
    result = dict(stored)
    for module, change in changes.items():
        name = f"{module}.weight"
        tensor = result.get(name)
        shape = (change.b.shape[0], change.a.shape[1])
        if tensor is None or tensor.shape != shape:
            why = Text(
                f"the base has no weight {name:.100} of shape {shape}",
                f"베이스에 크기가 {shape}인 가중치 {name:.100}이(가) 없습니다",
            )
            raise AdapterUnsupported(why=why)
        result[name] = Changed(
            tensor.name, tensor.shape, tensor.dtype, tensor.path, tensor.offset, tensor.size, change
        )
    return result
