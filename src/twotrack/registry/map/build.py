"""From tensors to the map."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twotrack.core.language import Text
from twotrack.equalizer.grid import Grid
from twotrack.registry.errors import ImpossibleConfiguration
from twotrack.registry.families import Family
from twotrack.registry.map import explain
from twotrack.registry.map.places import COLUMNS, Place, column_of, place_of, role_of
from twotrack.registry.map.rules import is_tied
from twotrack.registry.map.schemas import MapBand, MapCell, MapModule, MapSizes, MapStack, ModelMap
from twotrack.registry.map.sizes import MOST_LAYERS, sizes_of

Tensor = tuple[str, tuple[int, ...], str]
"""Name, shape, dtype."""

# Buffers that old checkpoints carry: masks and rotary tables are no parameters.
_BUFFERS = (".inv_freq", ".masked_bias", ".position_ids", "rope_freqs", ".rotary_emb.inv_freq")
_TIED = ("lm_head", "embed_out", "cls.predictions.decoder", "lm_head.decoder")
_SHARED = ("encoder.embed_tokens", "decoder.embed_tokens")
_OF_THREE = 3


@dataclass
class _Module:
    place: Place
    parts: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)

    @property
    def weight(self) -> tuple[tuple[int, ...], str]:
        return self.parts.get("weight") or next(iter(self.parts.values()))

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for shape, _ in self.parts.values())


def build_map(
    tensors: Iterable[Tensor],
    config: Mapping[str, Any],
    *,
    architecture: str,
    family: Family,
    way: Literal["headers", "config", "meta"],
    form: Literal["safetensors", "gguf", "config"],
    quantization: str | None,
) -> ModelMap:
    """
    Raises:
        ImpossibleConfiguration: sizes that no model can have.
    """
    sizes = sizes_of(config)
    tied = is_tied(config)
    modules = _grouped(_modules(tensors, tied), None if family.fallback else family)
    stacks = _stacks(modules)
    present = {module.column for module in modules}
    columns = tuple(column for column in COLUMNS if column in present)
    weighed = Counter[str]()
    dtypes = Counter[str]()
    for module in modules:
        every = module.parameters * module.count * max(1, len(module.layers))
        weighed[module.role if module.stack is None else "layers"] += every
        dtypes[module.dtype] += every
    total = weighed.total()
    if not total:
        raise ImpossibleConfiguration(key="parameters", value="0", why=_NOTHING)
    found = ModelMap(
        architecture=architecture[:200],
        model_type=str(config.get("model_type") or "unknown")[:200],
        family=family.name,
        purpose=explain.purpose_of(architecture, config),
        way=way,
        format=form,
        parameters=total,
        body=total - weighed["embedding"] - weighed["head"],
        embeddings=weighed["embedding"],
        head=weighed["head"],
        is_tied=tied,
        quantization=quantization,
        dtypes=dict(dtypes.most_common()),
        sizes=MapSizes(
            hidden=sizes.hidden,
            heads=sizes.heads,
            key_heads=sizes.key_heads,
            head_width=sizes.head_width,
            inner=sizes.inner,
            vocabulary=sizes.vocabulary,
            context=sizes.context,
        ),
        stacks=stacks,
        columns=columns,
        cells=_cells(modules, stacks, columns),
        modules=modules,
        explanation=(),
    )
    return found.model_copy(update={"explanation": explain.explain(found, config)})


def _modules(tensors: Iterable[Tensor], tied: bool) -> list[_Module]:
    known = {name: (shape, dtype) for name, shape, dtype in tensors}
    has_shared = "shared.weight" in known
    found: dict[str, _Module] = {}
    for name, (shape, dtype) in known.items():
        place = place_of(name)
        if name.endswith(_BUFFERS) or (place.parameter == "bias" and len(shape) > 1):
            continue
        # What is there once, under two names.
        if tied and place.module in _TIED:
            continue
        if has_shared and place.module in _SHARED:
            continue
        module = name.rpartition(".")[0] if name.endswith((".weight", ".bias")) else name
        found.setdefault(module, _Module(place)).parts[place.parameter] = shape, dtype
    return list(found.values())


def _grouped(modules: Iterable[_Module], family: Family | None) -> tuple[MapModule, ...]:
    modules = list(modules)
    columns = {id(module): _column(module, family) for module in modules}
    fused = {module.place.stack for module in modules if columns[id(module)] == "attn.qkv"}
    groups: dict[tuple[Any, ...], Counter[int | None]] = defaultdict(Counter)
    for module in modules:
        column = columns[id(module)]
        if column == "cross.out" or (column == "attn.out" and module.place.stack not in fused):
            column = column.replace(".out", ".vo")
        shape, dtype = module.weight
        role = role_of(module.place, len(shape))
        key = (module.place.module, module.place.stack, role, column, shape, dtype, module.parameters)
        groups[key][module.place.layer] += 1
    return tuple(_module(key, layers) for key, layers in groups.items())


def _module(key: tuple[Any, ...], layers: Counter[int | None]) -> MapModule:
    name, stack, role, column, shape, dtype, parameters = key
    numbers = tuple(sorted(layer for layer in layers if layer is not None))
    if numbers and numbers[-1] >= MOST_LAYERS:
        raise ImpossibleConfiguration(key="layers", value=str(numbers[-1]), why=_TOO_MANY)
    return MapModule(
        name=name[:300],
        stack=stack,
        layers=numbers,
        count=max(layers.values()),
        role=role,
        column=column,
        shape=shape,
        dtype=dtype,
        parameters=parameters,
        largest_rank=min(shape) if role == "linear" else None,
    )


def _column(module: _Module, family: Family | None) -> str | None:
    shape, _ = module.weight
    if role_of(module.place, len(shape)) != "linear":
        # Experts whose matrices lie in one tensor weigh in their column, though no adapter is put on them.
        if module.place.layer is None or len(shape) != _OF_THREE or "experts" not in module.place.module:
            return None
    known = family.kind_of(module.place.module) if family else None
    return known or column_of(module.place)


def _stacks(modules: Iterable[MapModule]) -> tuple[MapStack, ...]:
    layers: dict[str, int] = {}
    for module in modules:
        if module.stack is not None:
            layers[module.stack] = max(layers.get(module.stack, 0), module.layers[-1] + 1)
    found = []
    for name, count in layers.items():
        grid = Grid.over(count, ("any",))
        layers_of = [grid.layers_of(band) for band in range(grid.bands)]
        bands = tuple(MapBand(first=one[0], last=one[-1]) for one in layers_of)
        found.append(MapStack(name=name, layers=count, bands=bands))
    return tuple(found)


def _cells(
    modules: Iterable[MapModule], stacks: Iterable[MapStack], columns: tuple[str, ...]
) -> tuple[MapCell, ...]:
    parameters = Counter[tuple[str, int, str]]()
    counts = Counter[tuple[str, int, str]]()
    grids = {stack.name: Grid.over(stack.layers, ("any",)) for stack in stacks}
    for module in modules:
        if module.stack is None or module.column is None:
            continue
        for layer in module.layers:
            place = module.stack, grids[module.stack].band_of(layer), module.column
            parameters[place] += module.parameters * module.count
            counts[place] += module.count
    return tuple(
        MapCell(stack=name, band=band, column=column, parameters=parameters[place], modules=counts[place])
        for name, grid in grids.items()
        for band in range(grid.bands)
        for column in columns
        if (place := (name, band, column)) in counts
    )


_NOTHING = Text("there is not one parameter", "파라미터가 하나도 없습니다")
_TOO_MANY = Text(f"there are at most {MOST_LAYERS:,} layers", f"레이어는 {MOST_LAYERS:,}개까지입니다")
