"""What goes into a measurement of sensitivity and what comes out."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.learning.data.schemas import UsedData
from twotrack.learning.data.tokens import TooLong


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Asked(_Value):
    samples: int = Field(default=64, ge=1, le=4096, description="how many are drawn from the data, at most")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the draw")
    rank: int = Field(
        default=16, ge=1, le=512, description="of the uniform board that the suggested one is as large as"
    )
    alpha: float = Field(default=32.0, gt=0, le=1024, description="of the uniform board")
    freeze_below: float = Field(
        default=0.1, ge=0, le=1, description="cells less sensitive than this share of the average are frozen"
    )
    max_length: int | None = Field(default=None, ge=8, le=2**20, description="longest row in tokens")
    too_long: TooLong = "refuse"
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class NewSensitivity(_Asked):
    """`data` is the text of a messages JSONL file; `data_id` instead, a data set."""

    data: str | None = None
    data_id: UUID | None = None


class SensitivityArgs(_Asked):
    """Arguments of a job of the kind "sensitivity"; the data lies in the job's folder."""

    base_id: str
    base: str
    data_sha256: str
    data_set: UsedData | None


class Sensitivity(_Value):
    """`square` is E‖∂L/∂W‖² over samples, summed over the modules of a place: the trace of the empirical
    Fisher information (Kunstner et al. 2019, arXiv:1905.12558, section 2) of its weights, in (nats a token)²
    per squared unit of weight. `error` is its standard error over samples, null for a single one.

    `relative` is `square` for each parameter of an adapter of rank 1 there, as a multiple of the same of the
    whole body; `relative_error` its standard error, with the whole taken to be known.
    """

    square: float
    error: float | None
    relative: float
    relative_error: float | None


class CellSensitivity(Sensitivity):
    """A cell of the board. `parameters` are those of an adapter of rank 1 on it."""

    band: int
    column: str
    parameters: int


class LayerSensitivity(Sensitivity):
    layer: int
    column: str


class ModuleSensitivity(Sensitivity):
    """One linear module; its weight is [`outputs`, `inputs`]."""

    name: str
    layer: int
    column: str
    outputs: int
    inputs: int


class SuggestedBoard(_Value):
    """As `board` of a recipe with this `rank` and `alpha`: bands × columns. `parameters` learn with it,
    `uniform_parameters` with the same rank everywhere."""

    rank: int
    alpha: float
    freeze_below: float
    board: Annotated[list[list[dict[str, Any]]], Field(min_length=1)]
    parameters: int
    uniform_parameters: int


class SensitivityReport(_Value):
    """Result of a job of the kind "sensitivity". `loss` is the base's on these samples, in nats a learned
    token, each sample weighing the same."""

    base: str
    base_id: str
    data_sha256: str
    data_set: UsedData | None
    template_sha256: str
    samples: int
    seed: int
    tokens: int
    precision: Literal["fp32", "bf16"]
    device: str
    loss: float
    columns: tuple[str, ...]
    bands: int
    square: float
    """Of all modules together."""
    cells: tuple[CellSensitivity, ...]
    layers: tuple[LayerSensitivity, ...]
    modules: tuple[ModuleSensitivity, ...]
    suggested: SuggestedBoard
    measured: int
    """How many rows were measured for this report; the others were known from earlier ones."""
