"""What a map says."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from twotrack.registry.map.places import Role

Purpose = Literal[
    "causal",
    "masked",
    "seq2seq",
    "classification",
    "tokens",
    "answers",
    "embeddings",
    "images",
    "image-features",
    "other",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MapModule(_Value):
    """Modules that are alike: one in each of `layers`, or `count` of them (experts).

    `name` has the layer's number as {}. `shape` is the weight's as torch writes it, [out, in] of a linear
    module; `parameters` those of one module, its bias with it.
    """

    name: str
    stack: str | None
    """The pile of layers that it lies in; null outside of all."""
    layers: tuple[int, ...]
    count: int = 1
    role: Role
    column: str | None
    """Of the board; null for what is not linear."""
    shape: tuple[int, ...]
    dtype: str
    parameters: int
    largest_rank: int | None
    """Of a low-rank change; null where none can be put."""


class MapBand(_Value):
    """First and last layer of a band of the board."""

    first: int
    last: int


class MapStack(_Value):
    name: str
    layers: int
    bands: tuple[MapBand, ...]


class MapCell(_Value):
    stack: str
    band: int
    column: str
    parameters: int
    modules: int


class MapWords(_Value):
    """One fact about a checkpoint, in both languages."""

    topic: str
    en: str
    ko: str


class MapSizes(_Value):
    """0 stands for what the configuration does not say."""

    hidden: int
    heads: int
    key_heads: int
    head_width: int
    inner: int
    vocabulary: int
    context: int


class ModelMap(_Value):
    """`way` says where the shapes come from: the weights' headers, computed from the configuration, or a
    model that transformers built of it without weights."""

    architecture: str
    model_type: str
    family: str
    purpose: Purpose
    way: Literal["headers", "config", "meta"]
    format: Literal["safetensors", "gguf", "config"]
    parameters: int = Field(ge=1)
    body: int
    """Parameters of the layers and of what lies between them and the embeddings."""
    embeddings: int
    head: int
    """0 where the output matrix is the embedding."""
    is_tied: bool
    quantization: str | None
    dtypes: dict[str, int]
    """Parameters of each type; the most frequent first."""
    sizes: MapSizes
    stacks: tuple[MapStack, ...]
    columns: tuple[str, ...]
    cells: tuple[MapCell, ...]
    modules: tuple[MapModule, ...]
    explanation: tuple[MapWords, ...]


class ModuleNorm(_Value):
    """Of one tensor, read as 32-bit floats: the Frobenius norm, and the root mean square of its elements."""

    name: str
    layer: int | None
    stack: str | None
    column: str | None
    frobenius: float
    rms: float


class CellNorm(_Value):
    stack: str
    layer: int
    column: str
    frobenius: float
    rms: float


class MapNorms(_Value):
    modules: tuple[ModuleNorm, ...]
    cells: tuple[CellNorm, ...]
    """Layers × columns: of all linear modules of a column in one layer together."""
