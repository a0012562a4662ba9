"""What goes into a score and what comes out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from twotrack.engines.port import EngineKind
from twotrack.learning.train.recipe import ModelReference


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Value):
    """`samples` is the text of a messages JSONL file with keys, `general` of one with texts, or empty."""

    samples: str
    general: str = ""


class NewScore(Texts):
    """The gains hold for all adapters of the variant; a base has none, and is scored at 0 alone."""

    variant: ModelReference
    gains: Annotated[tuple[float, ...], Field(min_length=1, max_length=32)] = (0.0, 0.5, 1.0)
    max_tokens: int = Field(default=64, ge=1, le=1024)
    engine: EngineKind | None = None
    """By default transformers where it is installed: llama.cpp scores some ten tokens a second."""


class ScoreArgs(_Value):
    """Arguments of a job of the kind "score"; what is scored lies in the job's folder."""

    variant: str
    gains: tuple[float, ...]
    max_tokens: int
    engine: EngineKind | None
    samples_sha256: str
    general_sha256: str | None


class ScoredAnswer(_Value):
    question: str
    answer: str
    key: str
    correct: bool


class GainScore(_Value):
    """Losses are mean negative log-likelihoods in nats a token."""

    gain: float
    exact: int
    """Greedy answers that contain their key."""
    total: int
    task_loss: float
    """Of the samples' own answers with their end-of-turn tokens, all tokens weighing the same."""
    general_loss: float | None
    forgetting: float | None
    """The rise of general_loss against gain 0."""
    answers: tuple[ScoredAnswer, ...]


class ScoreReport(_Value):
    """Result of a job of the kind "score"."""

    variant: str
    base_id: str
    engine: EngineKind
    precision: str
    samples_sha256: str
    general_sha256: str | None
    gains: tuple[GainScore, ...]
