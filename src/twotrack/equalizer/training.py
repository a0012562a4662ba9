"""A board while training: which cells of the grid learn, of what rank, how strongly, and how fast.

Stored are the cells; what a layer gets is its band's (`expand_training`). In a recipe:

    board: [freeze, freeze, train, [train, train, freeze, {rank: 8, learning_rate: 0.5}]]
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from twotrack.equalizer.grid import Grid

LARGEST = 256
"""Of a board's rows and of its columns."""

_WORDS = {"train": {"train": True}, "freeze": {"train": False}}


class TrainingCell(BaseModel):
    """What the modules of one cell do while the model learns; what is left out is the recipe's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    train: bool = Field(default=True, description="false: the cell stays frozen, and gets no LoRA")
    rank: int | None = Field(default=None, ge=1, le=512, description="rank of the change in each module")
    alpha: float | None = Field(
        default=None, gt=0, le=4096, description="the change is scaled by alpha / rank"
    )
    learning_rate: float = Field(default=1.0, gt=0, le=100, description="times the recipe's learning rate")


def _cell(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if given.strip().lower() not in _WORDS:
        raise PydanticCustomError("board_cell", "a cell is train, freeze, or rank, alpha and learning_rate")
    return _WORDS[given.strip().lower()]


def _row(given: Any) -> Any:
    # One cell without a list around it stands for the whole band.
    return [given] if isinstance(given, str | Mapping | TrainingCell) else given


_Cell = Annotated[TrainingCell, BeforeValidator(_cell)]
TrainingRow = Annotated[tuple[_Cell, ...], Field(min_length=1, max_length=LARGEST), BeforeValidator(_row)]
TrainingBoard = Annotated[tuple[TrainingRow, ...], Field(min_length=1, max_length=LARGEST)]
"""Rows × columns, row 0 nearest the input. A row of one cell stands for that cell in every column."""

Rows = Sequence[Sequence[TrainingCell]]
"""A TrainingBoard, to read."""

CellTable = tuple[tuple[TrainingCell, ...], ...]
"""layers × columns."""


def full_rows(board: Rows, grid: Grid) -> tuple[tuple[TrainingCell, ...], ...]:
    """The board with every cell written out: bands × columns where it fits the grid.

    What a frozen cell says beside that it is frozen is left out: nothing would read it.
    """
    width = len(grid.columns)
    return tuple(
        tuple(cell if cell.train else _FROZEN for cell in (tuple(row) * width if len(row) == 1 else row))
        for row in board
    )


def expand_training(board: Rows, grid: Grid) -> CellTable:
    """The cell of each layer (row) and kind (column); `board` fits the grid, with every cell written out."""
    return tuple(tuple(board[grid.band_of(layer)]) for layer in range(grid.layers))


_FROZEN = TrainingCell(train=False)
