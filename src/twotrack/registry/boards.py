"""The board of a base: the grid over its layers, with its family's columns."""

from collections.abc import Mapping
from typing import Any

from twotrack.equalizer.grid import Grid
from twotrack.registry.families import Family, family_named, recognize
from twotrack.registry.schemas import Base

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
