"""The grid: a base's layers in bands of depth (rows), its linear modules by kind (columns).

A cell is the set of modules of one kind in the layers of one band. Row 0 is the band nearest the input.
Layers count from 0 wherever they are shown too, as in the checkpoint's own names (`model.layers.0`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text

BANDS = 4
"""How many bands a board has, unless its base has fewer layers."""

BRANCHES = ("attn", "mlp")
"""Columns of the base's own board: what a layer's attention, and what its MLP adds to the residual stream."""


@dataclass(frozen=True)
class Grid:
    """`layers` layers in `bands` bands, split evenly; `columns` in the order of the board.

    Raises:
        InvalidInput: no layer, no column, a column twice, or more bands than layers.
    """

    layers: int
    columns: tuple[str, ...]
    bands: int

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise InvalidInput(what="layers", value=self.layers, why=_NO_LAYER)
        if not 1 <= self.bands <= self.layers:
            why = Text(
                f"with {self.layers} layers there are between 1 and {self.layers} bands",
                f"레이어가 {self.layers}개이므로 구간은 1개 이상 {self.layers}개 이하여야 합니다",
            )
            raise InvalidInput(what="bands", value=self.bands, why=why)
        if not self.columns or len(set(self.columns)) != len(self.columns):
            raise InvalidInput(what="columns", value=list(self.columns), why=_COLUMNS)

    @classmethod
    def over(cls, layers: int, columns: Iterable[str], bands: int = BANDS) -> "Grid":
        """A grid of `bands` bands, or of as many as there are layers."""
        return cls(layers, tuple(columns), max(1, min(bands, layers)))

    @property
    def shape(self) -> tuple[int, int]:
        """(bands, columns)."""
        return self.bands, len(self.columns)

    @property
    def branches(self) -> "Grid":
        """The grid of the base's own board: the same bands over its residual branches."""
        return Grid(self.layers, BRANCHES, self.bands)

    def band_of(self, layer: int) -> int:
        """The band of a layer, both counted from 0 at the input.

        Raises:
            IndexError: the base has no such layer.
        """
        if not 0 <= layer < self.layers:
            raise IndexError(f"layer {layer} of {self.layers}")
        return layer * self.bands // self.layers

    def layers_of(self, band: int) -> range:
        """The layers of a band. Bands differ by at most one layer.

        Raises:
            IndexError: the grid has no such band.
        """
        if not 0 <= band < self.bands:
            raise IndexError(f"band {band} of {self.bands}")
        return range(_ceiling(band * self.layers, self.bands), _ceiling((band + 1) * self.layers, self.bands))


def _ceiling(number: int, by: int) -> int:
    return -(-number // by)


_NO_LAYER = Text("a base has at least one layer", "베이스에는 레이어가 하나 이상 있어야 합니다")
_COLUMNS = Text(
    "a board has at least one column, each once", "보드에는 서로 다른 열이 하나 이상 있어야 합니다"
)
