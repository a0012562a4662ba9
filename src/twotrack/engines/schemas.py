"""Engines and their memory, as the API shows them. Memory is in MiB, as in the settings."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from twotrack.engines.port import EngineKind
from twotrack.registry.schemas import Adapter, Base, Variant


class Memory(BaseModel):
    """What a model needs, against what the studio may use for models."""

    needed_mib: int = Field(description="an estimate, with all requests that are answered at the same time")
    free_mib: int = Field(description="of the budget, beside the models that are loaded")
    budget_mib: int
    total_mib: int = Field(description="of the machine, or of its container")
    fits: bool = Field(description="within the budget, once idle models are unloaded")
    how: str = Field(
        description="the form in which it would be loaded: its own (gguf), converted (q8_0, q4_0), "
        "in transformers (fp32, nf4), or not here at all (remote)"
    )


class Band(BaseModel):
    """A band of depth: its first and its last layer, from 0 at the input."""

    first: int
    last: int


class BoardLayout(BaseModel):
    """The grid of a base: what a board of gains over it has."""

    columns: tuple[str, ...] = Field(description="kinds of modules")
    bands: tuple[Band, ...] = Field(description="rows, the one nearest the input first")
    layers: int


class ModelDetails(BaseModel):
    """One variant, its base, the adapters that it uses, and the memory that they need."""

    variant: Variant
    base: Base
    adapters: tuple[Adapter, ...]
    memory: Memory
    board: BoardLayout | None = Field(description="null where the layers are not known")
    own_board: BoardLayout | None = Field(
        description="of the base's own residual branches; null where these are not known, or run elsewhere"
    )


class LoadedEngine(BaseModel):
    id: UUID
    model: str = Field(description="the variant that it was loaded for; others of its base may use it too")
    kind: EngineKind
    state: str = Field(
        description="starting, idle, busy, or draining (replaced by a newer one, ends with its last request)"
    )
    requests: int = Field(description="in flight")
    adapters: list[str] = Field(description="ids")
    reserved_mib: int = Field(description="of the budget, by estimate")
    memory_mib: int | None = Field(description="what it takes, where it can tell")
    precision: str | None
    context_length: int
    since: datetime | None = Field(description="when it was loaded; null while it starts")


class LoadedEngines(BaseModel):
    engines: list[LoadedEngine]
    budget_mib: int
    reserved_mib: int
    total_mib: int
