"""What goes into a look at a board's effect and what comes out."""

from pydantic import BaseModel, ConfigDict, Field

from twotrack.engines.port import EngineKind
from twotrack.equalizer.board import Gain
from twotrack.evaluation.schemas import Texts
from twotrack.learning.data.schemas import UsedData
from twotrack.learning.train.recipe import ModelReference


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewEffect(Texts):
    """What each cell of a variant's board does: each is turned to `to` by itself, and all is asked again."""

    variant: ModelReference
    to: Gain = 0.0
    max_tokens: int = Field(default=0, ge=0, le=256, description="of a greedy answer; 0 asks for none")
    engine: EngineKind | None = None
    """By default transformers where it is installed: llama.cpp scores some ten tokens a second."""


class EffectArgs(_Value):
    """Arguments of a job of the kind "effect"; what is asked lies in the job's folder."""

    variant: str
    to: float
    max_tokens: int
    engine: EngineKind | None
    samples_sha256: str
    general_sha256: str | None
    data: UsedData | None = None


class Change(_Value):
    """A rise of a loss, in nats a token, and its standard error.

    The mean over questions (or texts) of the paired difference of their mean losses, and √(s²/n) of these
    differences (Miller 2024, arXiv:2411.00640, section 4.2); null for the error of a single one.
    """

    rise: float
    error: float | None


class CellEffect(_Value):
    """One cell turned, against the board as it is."""

    band: int
    column: str
    task: Change
    general: Change | None
    answers_changed: int | None = Field(
        description="greedy answers that are others; null where none was asked"
    )


class EffectReport(_Value):
    """Result of a job of the kind "effect"."""

    variant: str
    base_id: str
    engine: EngineKind
    precision: str
    to: float
    columns: tuple[str, ...]
    bands: int
    samples_sha256: str
    general_sha256: str | None
    data: UsedData | None = None
    questions: int
    task_loss: float
    """With the board as it is, the mean over questions, in nats a token."""
    general_loss: float | None
    cells: tuple[CellEffect, ...]
    measured: int
    """How many settings were measured for this report; the others were known from earlier ones."""
