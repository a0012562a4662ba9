"""The boards of a base: the grid over its layers with its family's columns, and its own of two columns."""

from collections.abc import Mapping
from typing import Any

from twotrack.equalizer.expansion import Table, expand
from twotrack.equalizer.grid import Grid
from twotrack.registry.branches import branch_ends
from twotrack.registry.families import Family, family_named, recognize
from twotrack.registry.schemas import Base, Variant

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers")
_MOST_LAYERS = 4_096


def family_of(base: Base) -> Family:
    """The family that `base` was registered with; of an unknown one, the columns of its own module tree."""
    config = base.details.get("config") or {}
    family = family_named(base.family, config)
    if not family.fallback:
        return family
    return recognize(config, [name.replace("{}", "0") for name in _modules(base)])


def grid_of(base: Base) -> Grid | None:
    """None where no layers are known: a model on another server, or a checkpoint that does not tell."""
    layers = _layers(base.details.get("config") or {}) or max(_modules(base).values(), default=0)
    if base.format == "remote" or not 1 <= layers <= _MOST_LAYERS:
        return None
    return Grid.over(layers, family_of(base).columns)


def branches_of(base: Base) -> dict[str, str]:
    """Ends of the modules that the base's own board turns, and the column of each; empty where unknown."""
    return branch_ends(family_of(base), base.architecture)


def own_grid_of(base: Base) -> Grid | None:
    """The grid of the base's own board: what its attention and its MLP add, band by band. None where it has
    none, since its layers or the ends of their branches are not known."""
    grid = grid_of(base)
    return grid.branches if grid is not None and branches_of(base) else None


def base_board_of(variant: Variant, base: Base) -> Table | None:
    """What a variant sets its base's own board to, expanded over the layers; None where that is nothing."""
    grid = own_grid_of(base)
    # It was checked against this grid before it was kept.
    return expand(variant.base_board, grid) if variant.base_board is not None and grid is not None else None


def _layers(config: Mapping[str, Any]) -> int:
    inner = config.get("text_config")
    if isinstance(inner, Mapping):
        config = inner
    found = (config.get(key) for key in _LAYERS)
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool) and one > 0), 0)


def _modules(base: Base) -> dict[str, int]:
    """Names of matrices inside the layers, without `.weight`, and how many layers have them."""
    return {
        str(one["name"]).removesuffix(".weight"): int(one.get("count") or 1)
        for one in base.details.get("modules") or ()
        if len(one.get("shape") or ()) == 2 and "{}" in str(one.get("name"))
    }
