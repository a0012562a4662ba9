"""Rows' squared gradients as figures of cells, layers and modules, each with its error over samples."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from twotrack.equalizer.grid import Grid
from twotrack.equalizer.suggested import SensedCell, Suggestion, suggest
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.child import SensedModule
from twotrack.learning.sensitivity.kept import MeasuredRow
from twotrack.learning.sensitivity.schemas import (
    CellSensitivity,
    LayerSensitivity,
    ModuleSensitivity,
    Sensitivity,
    SuggestedBoard,
)

Squares = npt.NDArray[np.float64]
"""samples × modules."""


class Summary:
    """`measured` has the rows by what they are known as (`keys`, in the order of `rows`). A sample that is
    several rows counts once: as the mean over them."""

    def __init__(
        self,
        grid: Grid,
        modules: Sequence[SensedModule],
        rows: Sequence[Row],
        keys: Sequence[str],
        measured: Mapping[str, MeasuredRow],
    ) -> None:
        self._grid = grid
        # A layer beyond the base's own would have no band.
        self._at = [place for place, one in enumerate(modules) if one.layer < grid.layers]
        self._modules = [modules[place] for place in self._at]
        lines: dict[int, list[MeasuredRow]] = {}
        for row, key in zip(rows, keys, strict=True):
            lines.setdefault(row.line, []).append(measured[key])
        self._squares: Squares = np.array(
            [np.mean([row.squares for row in of], axis=0)[self._at] for of in lines.values()]
        )
        self.loss = float(np.mean([np.mean([row.loss for row in of]) for of in lines.values()]))
        self.samples = len(lines)
        self._per_rank = [one.inputs + one.outputs for one in self._modules]
        self.square = float(self._squares.sum(axis=1).mean())
        self._mean = self.square / sum(self._per_rank)

    def cells(self) -> tuple[CellSensitivity, ...]:
        """Those that hold modules, band by band."""
        return tuple(
            CellSensitivity(
                band=band,
                column=column,
                parameters=sum(self._per_rank[place] for place in places),
                **self._of(places),
            )
            for band in range(self._grid.bands)
            for column in self._grid.columns
            if (places := self._cell(band, column))
        )

    def layers(self) -> tuple[LayerSensitivity, ...]:
        return tuple(
            LayerSensitivity(layer=layer, column=column, **self._of(places))
            for layer in range(self._grid.layers)
            for column in self._grid.columns
            if (places := [p for p, one in enumerate(self._modules) if _lies(one, [layer], column)])
        )

    def modules(self) -> tuple[ModuleSensitivity, ...]:
        return tuple(
            ModuleSensitivity(**one.model_dump(), **self._of([place]))
            for place, one in enumerate(self._modules)
        )

    def suggested(self, *, rank: int, alpha: float, freeze_below: float) -> SuggestedBoard:
        means = self._squares.mean(axis=0)
        cells = [
            [self._sensed(self._cell(band, column), means) for column in self._grid.columns]
            for band in range(self._grid.bands)
        ]
        made: Suggestion = suggest(cells, rank=rank, alpha=alpha, freeze_below=freeze_below)
        return SuggestedBoard(
            rank=rank,
            alpha=alpha,
            freeze_below=freeze_below,
            board=[[cell.model_dump(exclude_defaults=True) for cell in row] for row in made.board],
            parameters=made.parameters,
            uniform_parameters=made.uniform,
        )

    def _cell(self, band: int, column: str) -> list[int]:
        layers = self._grid.layers_of(band)
        return [place for place, one in enumerate(self._modules) if _lies(one, layers, column)]

    def _sensed(self, places: Sequence[int], means: Squares) -> SensedCell | None:
        if not places:
            return None
        held = [self._modules[place] for place in places]
        return SensedCell(
            square=float(means[list(places)].sum()),
            per_rank=sum(self._per_rank[place] for place in places),
            largest=min(min(one.inputs, one.outputs) for one in held),
        )

    def _of(self, places: Sequence[int]) -> dict[str, float | None]:
        each = self._squares[:, list(places)].sum(axis=1)
        square = float(each.mean())
        error = float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else None
        # A base that nothing moves has no sensitive place.
        unit = sum(self._per_rank[place] for place in places) * self._mean or math.inf
        found = Sensitivity(
            square=square,
            error=error,
            relative=square / unit,
            relative_error=None if error is None else error / unit,
        )
        return found.model_dump()


def _lies(module: SensedModule, layers: Sequence[int], column: str) -> bool:
    return module.column == column and module.layer in layers
