"""From a board to the gain of every layer and kind: g(l, m) in W′ = W + g(l, m)·ΔW."""

from collections.abc import Sequence
from itertools import pairwise

from twotrack.equalizer.board import Board, Gains
from twotrack.equalizer.grid import Grid

Table = tuple[tuple[float, ...], ...]
"""layers × columns."""


def expand(gains: Gains, grid: Grid) -> Table:
    """The gain of each layer (row) and kind (column); `gains` fits the grid (`board.check_gains`)."""
    if not isinstance(gains, Board):
        return ((gains,) * len(grid.columns),) * grid.layers
    if gains.expansion == "step":
        return tuple(gains.cells[grid.band_of(layer)] for layer in range(grid.layers))
    curves = [_curve(gains, grid, column) for column in range(len(grid.columns))]
    return tuple(zip(*curves, strict=True))


def is_one(gains: Gains, grid: Grid) -> bool:
    """Whether every layer and column has gain 1: for a base's own board, the base as it is."""
    return all(gain == 1.0 for row in expand(gains, grid) for gain in row)


def mean(table: Table) -> float:
    """Of all its gains, for a module that lies in no cell: as linear in the table as a cell's gain is."""
    return sum(map(sum, table)) / sum(map(len, table))


def middle_of(grid: Grid, band: int) -> float:
    """The depth of a band's middle, from 0 at the first layer to 1 at the last."""
    layers = grid.layers_of(band)
    return (layers[0] + layers[-1]) / 2 / max(1, grid.layers - 1)


def _curve(board: Board, grid: Grid, column: int) -> list[float]:
    if board.points is not None:
        depths = [point.depth for point in board.points[column]]
        gains = [point.gain for point in board.points[column]]
    else:
        depths = [middle_of(grid, band) for band in range(grid.bands)]
        gains = [row[column] for row in board.cells]
    return monotone(depths, gains, [layer / max(1, grid.layers - 1) for layer in range(grid.layers)])


def monotone(xs: Sequence[float], ys: Sequence[float], at: Sequence[float]) -> list[float]:
    """The piecewise cubic Hermite interpolant through (xs, ys), read at `at`; constant outside of xs.

    Between two points it never leaves the range of their values: slopes by Fritsch and Butland 1984
    (doi.org/10.1137/0905021), the weighted harmonic mean of the neighbouring secants, 0 where those differ in
    sign; a secant's own slope at both ends. xs ascend strictly.
    """
    if len(xs) == 1:
        return [ys[0]] * len(at)
    widths = [after - before for before, after in pairwise(xs)]
    secants = [(after - before) / width for (before, after), width in zip(pairwise(ys), widths, strict=True)]
    slopes = [secants[0]]
    for (left, right), (near, far) in zip(pairwise(secants), pairwise(widths), strict=True):
        if left * right <= 0:
            slopes.append(0.0)
        else:
            first, second = 2 * far + near, far + 2 * near
            slopes.append((first + second) / (first / left + second / right))
    slopes.append(secants[-1])
    return [_read_at(x, xs, ys, widths, slopes) for x in at]


def _read_at(
    x: float, xs: Sequence[float], ys: Sequence[float], widths: Sequence[float], slopes: Sequence[float]
) -> float:
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    piece = next(number for number in range(len(widths)) if x < xs[number + 1])
    width, t = widths[piece], (x - xs[piece]) / widths[piece]
    found = (
        (1 + 2 * t) * (1 - t) ** 2 * ys[piece]
        + t * (1 - t) ** 2 * width * slopes[piece]
        + t**2 * (3 - 2 * t) * ys[piece + 1]
        + t**2 * (t - 1) * width * slopes[piece + 1]
    )
    # Rounding must not carry it out of the interval that the interpolant keeps to.
    low, high = sorted((ys[piece], ys[piece + 1]))
    return min(max(found, low), high)
