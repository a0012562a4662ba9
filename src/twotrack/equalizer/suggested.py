"""A board suggested from how sensitive each cell is: more rank where a parameter has more to do.

A cell of rank r costs r × `per_rank` parameters, Σ(in + out) over its modules (Hu et al. 2021,
arXiv:2106.09685, section 4.1). Its `square` is the sum over the same modules of E‖∂L/∂W‖². Ranks follow
√(square / per_rank): AdamW's steps are of one size whatever the size of the gradient, so what a first step
gains is linear in the gradient, not in its square. alpha / rank is one number on the whole board, so that a
cell is no louder for its rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.equalizer.training import TrainingCell

LARGEST_RATIO = 4
"""A cell gets at most so many times the uniform rank, unless the parameters would not be used up."""

LARGEST_RANK, LARGEST_ALPHA = 512, 4096.0
"""As TrainingCell allows."""


@dataclass(frozen=True)
class SensedCell:
    """What is known of a cell. `largest` is the smallest side of its matrices: no rank is higher."""

    square: float
    per_rank: int
    largest: int


@dataclass(frozen=True)
class Suggestion:
    board: tuple[tuple[TrainingCell, ...], ...]
    parameters: int
    """That learn with this board."""
    uniform: int
    """That learn with the same rank in every cell."""


def suggest(
    cells: Sequence[Sequence[SensedCell | None]], *, rank: int, alpha: float, freeze_below: float = 0.1
) -> Suggestion:
    """The board for bands × columns, with no more parameters than `rank` in every cell has, and hardly fewer.

    None stands for a cell without modules. Frozen is a cell whose sensitivity per parameter is below
    `freeze_below` of the whole board's, most sensitive ones excepted where the others could not take up the
    parameters. A cell that is more sensitive per parameter than another never has a smaller rank. What is
    left over is less than one more rank costs in the cell where it costs the most.

    Raises:
        ValueError: no cell has modules, `rank` is below 1, or a figure is negative or no number.
    """
    held = {
        (band, column): cell
        for band, row in enumerate(cells)
        for column, cell in enumerate(row)
        if cell is not None
    }
    if not held or rank < 1 or not all(_is_usable(cell) for cell in held.values()):
        raise ValueError(f"no board can be suggested from {len(held)} cells for rank {rank}")
    # One limit for all: a lower one for some cells could turn their order around.
    limit = min(LARGEST_RANK, *(cell.largest for cell in held.values()))
    rank = min(rank, limit)
    per_rank = {place: cell.per_rank for place, cell in held.items()}
    uniform = rank * sum(per_rank.values())
    density = {place: cell.square / cell.per_rank for place, cell in held.items()}
    # The most sensitive first; of equals, the one nearest the input.
    order = sorted(held, key=lambda place: (-density[place], place))
    mean = sum(cell.square for cell in held.values()) / sum(per_rank.values())
    trained = max(1, sum(density[place] >= freeze_below * mean for place in order))
    # What may be at most is raised before a cell is trained that has next to nothing to do.
    most = min(limit, LARGEST_RATIO * rank)
    if most * _total(per_rank, order[:trained]) < uniform:
        most = limit
    while most * _total(per_rank, order[:trained]) < uniform:
        trained += 1
    order = order[:trained]
    ranks = _fill(order, {place: math.sqrt(density[place]) for place in order}, per_rank, uniform, most)
    board = tuple(
        tuple(
            TrainingCell(rank=given, alpha=min(LARGEST_ALPHA, alpha * given / rank))
            if (given := ranks.get((band, column), 0))
            else TrainingCell(train=False)
            for column in range(len(row))
        )
        for band, row in enumerate(cells)
    )
    return Suggestion(board, sum(given * per_rank[place] for place, given in ranks.items()), uniform)


def _is_usable(cell: SensedCell) -> bool:
    return math.isfinite(cell.square) and cell.square >= 0 and cell.per_rank > 0 and cell.largest > 0


_Place = tuple[int, int]


def _total(per_rank: dict[_Place, int], places: Sequence[_Place]) -> int:
    return sum(per_rank[place] for place in places)


def _fill(
    order: Sequence[_Place],
    weight: dict[_Place, float],
    per_rank: dict[_Place, int],
    budget: int,
    most: int,
) -> dict[_Place, int]:
    """Ranks in proportion to `weight`, from 0 to `most`, rounded down; then one more each as long as it fits,
    the first in `order` first and none above the one before it."""
    if not any(weight.values()):
        weight = dict.fromkeys(order, 1.0)

    def at(factor: float) -> dict[_Place, int]:
        return {place: math.floor(min(float(most), factor * weight[place])) for place in order}

    def costs(ranks: dict[_Place, int]) -> int:
        return sum(per_rank[place] * given for place, given in ranks.items())

    low, high = 0.0, (most + 1) / min(one for one in weight.values() if one > 0)
    if costs(at(high)) <= budget:
        low = high
    for _ in range(200):
        middle = (low + high) / 2
        if costs(at(middle)) <= budget:
            low = middle
        else:
            high = middle
    ranks = at(low)
    left = budget - costs(ranks)
    has_grown = True
    while has_grown:
        has_grown = False
        above = most
        for place in order:
            if ranks[place] < above and per_rank[place] <= left:
                ranks[place] += 1
                left -= per_rank[place]
                has_grown = True
            above = ranks[place]
    return ranks
