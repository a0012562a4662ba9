"""A variant's change as matrices: W′ = f·(W + Σᵢ gᵢ·scaleᵢ·Bᵢ·Aᵢ), with the gains expanded over layers and
kinds. f is 1 but for output projections, into which the base's own board is folded.

Runs in the child that writes; nothing here needs torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack.core.language import Text
from twotrack.equalizer.expansion import Table, mean
from twotrack.equalizer.grid import BRANCHES
from twotrack.registry.branches import branch_of
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


@dataclass(frozen=True)
class Fold:
    """The base's own board as factors of the weights in which its branches end."""

    table: Table
    """layers × (attention, MLP)."""
    ends: Mapping[str, str]
    """registry/branches.py; projections only."""

    def factor_of(self, tensor: str) -> float:
        """Of a weight or a bias; 1 for all others."""
        module = tensor.rpartition(".")[0]
        layer, branch = layer_of(module), branch_of(module, self.ends)
        if layer is None or branch is None or layer >= len(self.table):
            return 1.0
        return self.table[layer][BRANCHES.index(branch)]


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
    """A tensor that reads as factor·(W + B·A), computed in 32-bit floats as its rows are read."""

    change: Change | None = None
    factor: float = 1.0

    def rows(self, chunk_bytes: int = CHUNK_BYTES) -> "Iterator[Rows]":
        import numpy as np

        start = 0
        for rows in super().rows(chunk_bytes):
            if self.change is not None:
                rows = rows + self.change.b[start : start + len(rows)] @ self.change.a
            yield rows * np.float32(self.factor)
            start += len(rows)


def apply(
    changes: Mapping[str, Change], stored: Mapping[str, StoredTensor], fold: Fold | None = None
) -> dict[str, StoredTensor]:
    """`stored`, in its order, with every change in its weight, and the base's own board folded in.

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
        result[name] = Changed(**vars(tensor), change=change)
    if fold is None:
        return result
    for name, tensor in result.items():
        if (factor := fold.factor_of(name)) != 1.0:
            inside = tensor.change if isinstance(tensor, Changed) else None
            result[name] = Changed(**vars(stored[name]), change=inside, factor=factor)
    return result
