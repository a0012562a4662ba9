"""Wraps a model with LoRA, then holds what was built against what was asked for.

PEFT passes over patterns that match no module without a word, so nothing is believed: every module's rank,
scaling, trainable flag and learning rate is read back, and a difference is an error.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twotrack.equalizer.grid import Grid
from twotrack.equalizer.training import CellTable, expand_training
from twotrack.learning.train.errors import BuiltOtherwise, CellEmpty, RankTooLarge
from twotrack.learning.train.recipe import Recipe, fitted_board
from twotrack.registry.families import Family, layer_of

ADAPTER = "default"
_PREFIX = "base_model.model."
_SIDES = ("out_features", "in_features")


@dataclass(frozen=True)
class LoraSize:
    """Rank and alpha of one module's change: ΔW = (alpha / rank)·B·A (Hu et al. 2021, section 4.1), or with
    `rank_stabilized` (alpha / √rank)·B·A (Kalajdzievski 2023, arXiv:2312.03732, theorem 3.2).
    `learning_rate` multiplies the run's."""

    rank: int
    alpha: float
    rank_stabilized: bool = False
    learning_rate: float = 1.0

    @property
    def scaling(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)


def linear_modules(model: Any) -> tuple[str, ...]:
    """Names of the model's linear modules inside its layers."""
    import torch
    from transformers.pytorch_utils import Conv1D

    return tuple(
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and layer_of(name) is not None
    )


def ask(
    model: Any,
    family: Family,
    columns: tuple[str, ...],
    size: LoraSize,
    cells: CellTable | None = None,
) -> dict[str, LoraSize]:
    """What each module of the columns is to hold, by the module's full name.

    With `cells`, layers × all of the family's columns, each module as its cell says; `size` is what a cell
    leaves out.

    Raises:
        RankTooLarge: a matrix whose every change has a smaller rank.
        BuiltOtherwise: the model has more layers than `cells`.
    """
    asked: dict[str, LoraSize] = {}
    for name in linear_modules(model):
        kind = family.kind_of(name)
        if kind not in columns:
            continue
        made = size if cells is None else _as_cell(name, family.columns.index(kind), size, cells)
        if made is None:
            continue
        module = model.get_submodule(name)
        # A Conv1D has no such attributes, and a 4-bit weight has another shape.
        sides = [getattr(module, side, None) or module.weight.shape[at] for at, side in enumerate(_SIDES)]
        if made.rank > min(sides):
            raise RankTooLarge(rank=made.rank, module=name, largest=min(sides))
        asked[name] = made
    return asked


def asked_by(
    model: Any, recipe: Recipe, family: Family, columns: tuple[str, ...], layers: int
) -> dict[str, LoraSize]:
    """`ask` for what a recipe says; `layers` are the base's, as its board sees them.

    Raises:
        CellEmpty: a cell that is to learn, and no module of the model lies in it.
        RankTooLarge
    """
    size = LoraSize(recipe.rank, recipe.alpha, rank_stabilized=recipe.method == "rslora")
    if recipe.board is None:
        return ask(model, family, columns, size)
    grid = Grid.over(layers, family.columns)
    board = fitted_board(recipe, grid)
    assert board is not None
    asked = ask(model, family, columns, size, expand_training(board, grid))
    # A cell that was asked for in vain would be missed by nobody.
    found = {(grid.band_of(layer_of(name) or 0), family.kind_of(name)) for name in asked}
    for band, row in enumerate(board):
        for column, cell in zip(grid.columns, row, strict=True):
            if cell.train and (band, column) not in found:
                raise CellEmpty(column=column, band=band + 1)
    return asked


def _as_cell(name: str, column: int, size: LoraSize, cells: CellTable) -> LoraSize | None:
    layer = layer_of(name) or 0
    if layer >= len(cells):
        raise BuiltOtherwise(module=name, what="layers", found=layer + 1, asked=len(cells))
    cell = cells[layer][column]
    if not cell.train:
        return None
    return LoraSize(
        cell.rank or size.rank,
        cell.alpha or size.alpha,
        rank_stabilized=size.rank_stabilized,
        learning_rate=cell.learning_rate,
    )


def wrap(model: Any, asked: Mapping[str, LoraSize], *, dropout: float) -> Any:
    """`model` as a PEFT model with one LoRA adapter, checked by `compare`.

    Raises:
        BuiltOtherwise: what PEFT built is not what was asked for.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    stabilized = {size.rank_stabilized for size in asked.values()}
    if len(stabilized) != 1:
        raise BuiltOtherwise(module="model", what="number of methods", found=len(stabilized), asked=1)
    rank = _commonest(size.rank for size in asked.values())
    alpha = _commonest(size.alpha for size in asked.values())
    wrapped = get_peft_model(
        model,
        LoraConfig(
            r=rank,
            lora_alpha=alpha,
            # PEFT matches a pattern from a dot of the module's name on to its end.
            rank_pattern={re.escape(name): one.rank for name, one in asked.items() if one.rank != rank},
            alpha_pattern={re.escape(name): one.alpha for name, one in asked.items() if one.alpha != alpha},
            use_rslora=stabilized.pop(),
            lora_dropout=dropout,
            target_modules=_targets(model, asked),
            task_type=TaskType.CAUSAL_LM,
        ),
        adapter_name=ADAPTER,
    )
    compare(wrapped, asked)
    return wrapped


def _commonest(values: Iterable[Any]) -> Any:
    """Of several that come as often, the first."""
    return Counter(values).most_common(1)[0][0]


def _targets(model: Any, asked: Mapping[str, LoraSize]) -> list[str]:
    """Short names, which every reader of adapters understands; full ones where short ones take too much."""
    short = {name.rpartition(".")[2] for name in asked}
    taken = {name for name in linear_modules(model) if name.rpartition(".")[2] in short}
    # compare() sees what they matched.
    return sorted(short if taken == asked.keys() else asked)


def rate_groups(wrapped: Any, asked: Mapping[str, LoraSize]) -> dict[float, list[Any]]:
    """The parameters that learn, by what multiplies their learning rate; in the model's order."""
    groups: dict[float, list[Any]] = {}
    for name, parameter in wrapped.named_parameters():
        if parameter.requires_grad:
            module = name.removeprefix(_PREFIX).partition(".lora_")[0]
            groups.setdefault(asked[module].learning_rate, []).append(parameter)
    return groups


def compare_rates(optimizer: Any, wrapped: Any, asked: Mapping[str, LoraSize], learning_rate: float) -> None:
    """Whether each module's learning rate, at its highest, is what was asked for.

    Raises:
        BuiltOtherwise: the first module whose is not, or that the optimizer does not have.
    """
    found = {
        id(one): float(group.get("initial_lr", group["lr"]))
        for group in optimizer.param_groups
        for one in group["params"]
    }
    for name, parameter in wrapped.named_parameters():
        if not parameter.requires_grad:
            continue
        module = name.removeprefix(_PREFIX).partition(".lora_")[0]
        should, is_ = learning_rate * asked[module].learning_rate, found.get(id(parameter))
        if is_ is None or not math.isclose(is_, should, rel_tol=1e-9):
            raise BuiltOtherwise(module=name, what="learning rate", found=str(is_), asked=str(should))


def compare(wrapped: Any, asked: Mapping[str, LoraSize]) -> None:
    """
    Raises:
        BuiltOtherwise: the first module whose LoRA differs from what was asked, is missing or is too many;
            or a parameter outside the adapter that would be trained.
    """
    from peft.tuners.lora import LoraLayer

    found = {
        name.removeprefix(_PREFIX): module
        for name, module in wrapped.named_modules()
        if isinstance(module, LoraLayer)
    }
    for name in sorted(asked.keys() ^ found.keys()):
        raise BuiltOtherwise(module=name, what="LoRA", found=str(name in found), asked=str(name in asked))
    for name, size in asked.items():
        module = found[name]
        weights = (module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight)
        for what, is_, should in (
            ("adapters", sorted(module.r), [ADAPTER]),
            ("rank", module.r.get(ADAPTER), size.rank),
            ("rank of A", weights[0].shape[0], size.rank),
            ("rank of B", weights[1].shape[1], size.rank),
            ("scaling", module.scaling.get(ADAPTER), size.scaling),
            ("precision", {str(weight.dtype) for weight in weights}, {"torch.float32"}),
            ("trainable", all(weight.requires_grad for weight in weights), True),
            ("active adapters", list(module.active_adapters), [ADAPTER]),
            ("merged", module.merged, False),
        ):
            if is_ != should:
                raise BuiltOtherwise(module=name, what=what, found=str(is_), asked=str(should))
    for name, parameter in wrapped.named_parameters():
        belongs = f".lora_A.{ADAPTER}." in name or f".lora_B.{ADAPTER}." in name
        if parameter.requires_grad != belongs:
            raise BuiltOtherwise(
                module=name, what="trainable", found=str(parameter.requires_grad), asked=str(belongs)
            )
