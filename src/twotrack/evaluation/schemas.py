"""What goes into a score and what comes out."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.engines.port import EngineKind
from twotrack.equalizer.board import Board
from twotrack.learning.data.schemas import UsedData
from twotrack.learning.train.recipe import ModelReference

OWN = "own"
"""For a variant's own gains and boards, among the settings that are scored."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Value):
    """`samples` is the text of a messages JSONL file, or empty where `data_id` names a set of the studio.

    `general` is the text of a JSONL file with texts, or empty; texts among the samples count to it.
    """

    samples: str = ""
    data_id: UUID | None = None
    split: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]{0,30}$",
        description="that part of the data set alone, such as tuning or proof",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="so many of the samples at most, evenly spread over them",
    )
    general: str = ""


class NewScore(Texts):
    """The settings hold for all adapters of the variant; a base has none, and is scored at 0 alone."""

    variant: ModelReference
    gains: Annotated[tuple[Any, ...], Field(min_length=1, max_length=32)] = Field(
        default=(0.0, 0.5, 1.0),
        description="settings, each a number from −1 to 2, rows × columns of such numbers, a board with its "
        'fields (cells, expansion, points), or "own" for the variant as it is',
    )
    max_tokens: int = Field(default=64, ge=1, le=1024)
    engine: EngineKind | None = None
    """By default transformers where it is installed: llama.cpp scores some ten tokens a second."""


class ScoreArgs(_Value):
    """Arguments of a job of the kind "score"; what is scored lies in the job's folder."""

    variant: str
    gains: tuple[Any, ...]
    max_tokens: int
    engine: EngineKind | None
    samples_sha256: str
    general_sha256: str | None
    data: UsedData | None = None


class ScoredAnswer(_Value):
    question: str
    answer: str
    key: str | None
    correct: bool | None
    """Whether the key is in the answer; null without a key."""


class GainScore(_Value):
    """One setting: a gain or a board for all adapters, or neither, which is the variant as it is.

    Losses are mean negative log-likelihoods in nats a token. Intervals are of 95 %, over the questions or the
    texts (evaluation/intervals.py); null where there are too few.
    """

    gain: float | None
    board: Board | None = None
    exact: int
    """Greedy answers that contain their key."""
    total: int
    """Questions that have a key."""
    exact_interval: tuple[float, float] | None = None
    """Of the share exact / total, 0 to 1."""
    task_loss: float
    """Of the samples' own answers with their end-of-turn tokens, all tokens weighing the same."""
    learned: float | None = None
    """The fall of task_loss against gain 0, question by question; null where gain 0 was not asked for."""
    learned_interval: tuple[float, float] | None = None
    general_loss: float | None
    forgetting: float | None
    """The rise of general_loss against gain 0, text by text."""
    forgetting_interval: tuple[float, float] | None = None
    answers: tuple[ScoredAnswer, ...]


class ScoreReport(_Value):
    """Result of a job of the kind "score"."""

    variant: str
    base_id: str
    engine: EngineKind
    precision: str
    samples_sha256: str
    general_sha256: str | None
    data: UsedData | None = None
    gains: tuple[GainScore, ...]
