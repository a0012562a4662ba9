"""Memory for LoRA and QLoRA on the devices that a forecast knows, from a map alone."""

from typing import Literal

from twotrack.learning.forecast.devices import DEVICES
from twotrack.learning.forecast.forecast import Question, forecast_on
from twotrack.learning.forecast.shape import Matrix, ModelShape
from twotrack.learning.forecast.workload import RowSize
from twotrack.learning.mapping.schemas import MapMemory, MappedModel
from twotrack.learning.train.passes import PACKED
from twotrack.learning.train.recipe import Recipe
from twotrack.registry.map.schemas import MapModule, ModelMap

RANK = 16
TOKENS = 512


def with_memory(name: str, found: ModelMap) -> MappedModel:
    """The map with memory for a row of TOKENS at RANK in all columns."""
    shape = shape_of_map(found)
    columns = tuple({one.kind for one in shape.matrices if one.kind is not None})
    rows = [RowSize(TOKENS, TOKENS, 0)]
    methods: tuple[Literal["lora", "qlora"], ...] = ("lora", "qlora")
    memory = []
    for method in methods:
        recipe = Recipe(base="map", name="map", method=method, rank=RANK, batch_size=1, epochs=1)
        question = Question(shape, recipe, columns, rows)
        for device in DEVICES:
            one = forecast_on(device, question)
            # A row of this length is what is asked about; a shorter one is no remedy.
            remedy = next((r for r in one.remedies if "max_length" not in r.changes), None)
            memory.append(
                MapMemory(
                    device=device.key,
                    name=device.name,
                    method=method,
                    precision=one.precision,
                    fits=one.fits,
                    peak_bytes=one.peak_bytes,
                    weight_bytes=one.memory.weights,
                    capacity_bytes=one.capacity_bytes,
                    fits_with=remedy.changes if remedy else None,
                )
            )
    return MappedModel(
        name=name,
        map=found,
        rank=RANK,
        tokens=TOKENS,
        is_approximate=found.purpose != "causal" or found.architecture not in PACKED,
        trainable_parameters=shape.trainable(columns, RANK),
        memory=tuple(memory),
    )


def shape_of_map(found: ModelMap) -> ModelShape:
    """What a forecast takes for a base's sizes."""
    sizes = found.sizes
    # One stack's layers are counted on from those of the stack before it.
    before: dict[str | None, int] = {}
    layers = 0
    for stack in found.stacks:
        before[stack.name] = layers
        layers += stack.layers
    matrices = tuple(
        Matrix(one.name, one.column, one.shape[0], one.shape[1], _numbers(one, before))
        for one in found.modules
        if one.role == "linear"
    )
    norms = {one.name for one in found.modules if one.role == "norm" and one.stack is not None}
    wide = {name for name in norms if not name.endswith(("q_norm", "k_norm"))}
    into = [one for one in matrices if one.kind == "mlp.in"]
    heads = max(1, sizes.heads)
    return ModelShape(
        layers=layers,
        hidden=sizes.hidden,
        heads=heads,
        key_heads=sizes.key_heads or heads,
        head_width=sizes.head_width or sizes.hidden // heads,
        inner=max((one.rows for one in into), default=sizes.inner or 4 * sizes.hidden),
        vocabulary=sizes.vocabulary,
        columns=found.columns,
        parameters=found.parameters,
        matrices=matrices,
        is_gated=len({one.name for one in into}) > 1,
        is_fused=any("query_key_value" in one.name for one in matrices),
        norms=len(wide) or 2,
        normed_heads=len(wide) < len(norms),
        is_packed=found.architecture in PACKED,
    )


def _numbers(module: MapModule, before: dict[str | None, int]) -> tuple[int, ...]:
    """The layers that have it, each as often as it is there (experts)."""
    first = before.get(module.stack, 0)
    return tuple(first + layer for layer in module.layers for _ in range(module.count))
