"""A board: the gains of one adapter over a grid, in the form in which they are set, stored and shown.

Stored are the cells, and for curves the points that somebody dragged; what every layer gets is derived
(expansion.py).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.core.language import Text
from twotrack.equalizer.gains import check_gain
from twotrack.equalizer.grid import Grid

MAX_POINTS = 32
"""On one curve."""
_LARGEST = 1_024


def _gain(value: object) -> float:
    try:
        return check_gain(value)
    except InvalidInput as error:
        raise ValueError(str(error)) from None


Gain = Annotated[float, BeforeValidator(_gain)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Point(_Value):
    """A point of a curve: at `depth`, 0 for the first layer and 1 for the last, the gain is `gain`."""

    depth: float = Field(ge=0, le=1)
    gain: Gain


def _ascending(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if any(one.depth >= after.depth for one, after in zip(points, points[1:], strict=False)):
        raise ValueError("the points of a curve go from the first layer to the last, each at its own depth")
    return points


Curve = Annotated[tuple[Point, ...], Field(min_length=1, max_length=MAX_POINTS), AfterValidator(_ascending)]


class Board(_Value):
    """Gains over a grid: `cells` is bands × columns, row 0 nearest the input.

    With `step` every layer takes its band's gain. With `smooth` the gain of a column is interpolated
    monotonically over depth: through `points` (a curve for each column) if they are given, and otherwise
    through the cells, each at the middle of its band.
    """

    cells: Annotated[tuple[Annotated[tuple[Gain, ...], Field(min_length=1)], ...], Field(min_length=1)]
    expansion: Literal["step", "smooth"] = "step"
    points: tuple[Curve, ...] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(bands, columns); of an uneven board the columns of its first row."""
        return len(self.cells), len(self.cells[0])


Gains = float | Board
"""What acts on an adapter: one gain everywhere, or a board."""


def uniform(grid: Grid, gain: float) -> Board:
    """A board with `gain` in every cell.

    Raises:
        InvalidInput: no gain.
    """
    return Board(cells=((check_gain(gain),) * len(grid.columns),) * grid.bands)


def check_gains(asked: object, grid: Grid) -> Gains:
    """What a request asks for: a number; rows × columns of numbers; or a board with its fields.

    Raises:
        InvalidInput: none of these, a gain outside its limits, or a board of another shape than `grid`.
    """
    if isinstance(asked, Board):
        return _fitting(asked, grid)
    if isinstance(asked, Mapping):
        return _fitting(_read(asked), grid)
    if _is_rows(asked):
        return _fitting(_read({"cells": asked}), grid)
    return check_gain(asked)


def _is_rows(asked: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(asked, Sequence) and not isinstance(asked, str | bytes)


def _read(fields: Mapping[Any, Any]) -> Board:
    cells = fields.get("cells")
    if _is_rows(cells):
        # Before every number is looked at: a million of them would be read for nothing.
        if len(cells) > _LARGEST or any(_is_rows(row) and len(row) > _LARGEST for row in cells):
            raise InvalidInput(what="gains", value=f"{len(cells)} × …", why=_HOW)
        for row in cells:
            for gain in row if _is_rows(row) else ():
                check_gain(gain)
    try:
        return Board.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        why = Text(f"{place}: {first['msg']}", f"{place}: 올바르지 않습니다. {_HOW.ko}")
        raise InvalidInput(what="gains", value=str(first["input"])[:80], why=why) from None


def _fitting(board: Board, grid: Grid) -> Board:
    rows, columns = grid.shape
    for row in board.cells:
        if len(board.cells) != rows or len(row) != columns:
            raise _misshapen(f"{len(board.cells)} × {len(row)}", grid)
    if board.points is not None and len(board.points) != columns:
        raise _misshapen(Text(f"{len(board.points)} curves", f"곡선 {len(board.points)}개"), grid)
    return board


def _misshapen(found: str | Text, grid: Grid) -> TwotrackError:
    rows, columns = grid.shape
    names = ", ".join(grid.columns)
    why = Text(
        f"this board has {rows} bands of depth × {columns} columns ({names})",
        f"이 보드는 깊이 구간 {rows}개 × 열 {columns}개({names})입니다",
    )
    return InvalidInput(what="gains", value=found, why=why)


_HOW = Text(
    "gains are a number from −1 to 2, or rows × columns of such numbers",
    "게인은 −1에서 2 사이의 숫자이거나 그런 숫자로 된 행 × 열이어야 합니다",
)
