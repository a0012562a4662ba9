"""What a recipe trains in each layer of a base: the matrices, and the rank of the change in each."""

from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.equalizer.grid import Grid
from twotrack.equalizer.training import CellTable, expand_training
from twotrack.learning.forecast.shape import Matrix, ModelShape
from twotrack.learning.train.errors import RankTooLarge
from twotrack.learning.train.recipe import Recipe, fitted_board

Trained = tuple[tuple[Matrix, int], ...]
"""Of one layer: each matrix that learns, with its rank."""


@dataclass(frozen=True)
class Lora:
    """`layers` holds each layer's, from the input on."""

    layers: tuple[Trained, ...]

    @property
    def trainable(self) -> int:
        """Parameters of the adapter: A is [rank, in], B is [out, rank]."""
        return sum(rank * (one.rows + one.columns) for layer in self.layers for one, rank in layer)

    @property
    def back(self) -> tuple[Trained, ...]:
        """The layers that have a way back: none below the first that learns."""
        first = next((number for number, layer in enumerate(self.layers) if layer), len(self.layers))
        return self.layers[first:]


def lora_of(shape: ModelShape, recipe: Recipe, columns: Sequence[str]) -> Lora:
    """`columns` are those that the recipe trains in some layer at least.

    Raises:
        RecipeInvalid: its board does not fit the base.
    """
    cells: CellTable | None = None
    if recipe.board is not None:
        grid = Grid.over(shape.layers, shape.columns)
        cells = expand_training(fitted_board(recipe, grid) or (), grid)
    trained = shape.trained(columns)
    layers = []
    for layer in range(shape.layers):
        found = []
        for matrix in trained:
            if layer not in matrix.layers:
                continue
            cell = None if cells is None else cells[layer][shape.columns.index(str(matrix.kind))]
            if cell is None or cell.train:
                found.append((matrix, recipe.rank if cell is None else cell.rank or recipe.rank))
        layers.append(tuple(found))
    return Lora(tuple(layers))


def check_ranks(lora: Lora) -> None:
    """
    Raises:
        RankTooLarge: a matrix whose every change has a smaller rank.
    """
    for number, layer in enumerate(lora.layers):
        for matrix, rank in layer:
            if rank > min(matrix.rows, matrix.columns):
                name = matrix.name.replace("{}", str(number))
                raise RankTooLarge(rank=rank, module=name, largest=min(matrix.rows, matrix.columns))
