"""What goes into a forecast and what comes out."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.learning.train.schemas import RecipeFields


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewEstimate(_Value):
    """As a run is asked for, its data too: text, or a data set named here or in the recipe. `devices`: "here"
    for this machine, or names of known ones; empty for all."""

    recipe: RecipeFields
    data: str | None = None
    data_id: UUID | None = None
    devices: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=16)] = ()


class EstimateArgs(_Value):
    """Arguments of a job of the kind "estimate"; the data lies in the job's folder."""

    recipe: dict[str, Any]
    base_id: str
    devices: tuple[str, ...]
    samples: int
    data_sha256: str


class MemoryParts(_Value):
    """Bytes at the moment when the most is held."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    rows: int
    fixed: int


class Remedy(_Value):
    """Fields of the recipe that would make it fit, with the peak that follows. `rows_left_out` are longer
    than its max_length, and their answers stand beyond it: they are to be left out or split."""

    changes: dict[str, Any]
    peak_bytes: int
    rows_left_out: int = 0


class DeviceForecast(_Value):
    """On one device. `seconds` are the processor's, of all threads, on a GPU the clock's; null where this
    machine could not be measured. `plan` says that it means days. `measured` is false for what follows from
    published figures alone."""

    device: str
    name: str
    measured: bool
    precision: Literal["fp32", "bf16"]
    fits: bool
    capacity_bytes: int
    peak_bytes: int
    memory: MemoryParts
    seconds: float | None
    clock_seconds: float | None
    tokens_per_second: float | None
    days: float | None
    plan: Literal["days", "pretraining"] | None
    rows_in_a_day: int | None
    """How many of the rows one day is enough for, in as many epochs; set where `plan` is."""
    remedies: tuple[Remedy, ...]


class Forecast(_Value):
    """Result of a job of the kind "estimate". `tokens` are all that are seen, `learned` those whose
    prediction is learned, over all epochs; `flops` what they take."""

    base_id: str
    base: str
    rows: int
    steps: int
    tokens: int
    learned: int
    longest_row: int
    largest_pass: int
    trainable_parameters: int
    flops: float
    calibration: Literal["new", "kept"] | None
    """Whether this machine was measured for it, or had been; null where it was not."""
    devices: tuple[DeviceForecast, ...]
