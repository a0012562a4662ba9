"""What the worker hands to the training child, and what stays of a run in its folder.

data.jsonl      the data as it was when the run was started
held_out.jsonl  what is not learned, where there is such a part
plan.json       everything the child needs; the same for every attempt
choices.json    what the first attempt decided by measuring; later attempts do the same
checkpoints/    the newest two
history.jsonl   one line for each optimizer step
held_out_loss.jsonl  the loss on the held-out part after each epoch
kept/step-N/    PEFT folders of earlier epochs
answers.jsonl   what the goal's prompts were answered on the way
adapter/        the finished PEFT folder
log.txt         what the libraries said
paused          there while the run is to be gone on with later
lock            held by the one child that works here
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from twotrack.learning.data.tokens import Row
from twotrack.learning.train.recipe import Recipe
from twotrack.learning.train.schemas import RunAnswer


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data.jsonl"

    @property
    def held_out(self) -> Path:
        return self.path / "held_out.jsonl"

    @property
    def held_out_loss(self) -> Path:
        return self.path / "held_out_loss.jsonl"

    @property
    def kept(self) -> Path:
        return self.path / "kept"

    def kept_at(self, step: int) -> Path:
        return self.kept / f"step-{step}"

    def kept_steps(self) -> list[int]:
        """Of the adapters that are whole, in their order."""
        names = [entry.name for entry in self.kept.glob("step-*")] if self.kept.is_dir() else []
        return sorted(int(number) for name in names if (number := name.removeprefix("step-")).isdecimal())

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def choices(self) -> Path:
        return self.path / "choices.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def history(self) -> Path:
        return self.path / "history.jsonl"

    @property
    def answers(self) -> Path:
        return self.path / "answers.jsonl"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def paused(self) -> Path:
        return self.path / "paused"

    @property
    def lock(self) -> Path:
        return self.path / "lock"


class AskedPrompt(BaseModel):
    """A prompt of the goal, as a chat would send it."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    input_ids: tuple[int, ...]


class Sampling(BaseModel):
    """What is asked while the run trains. `tokenizer` is the file that turns tokens into text."""

    model_config = ConfigDict(frozen=True)

    prompts: tuple[AskedPrompt, ...]
    stop_ids: tuple[int, ...]
    tokenizer: Path


class Plan(BaseModel):
    """Paths are this machine's. `kinds` is the family's table: a module name's end → its column."""

    model_config = ConfigDict(frozen=True)

    recipe: Recipe
    model: Path
    base_id: str
    base_name: str
    base_source: str
    family: str
    kinds: dict[str, str]
    columns: tuple[str, ...]
    layers: int = 0
    """For a board alone: what its bands are of."""
    template_hash: str
    data_sha256: str
    rows: tuple[Row, ...]
    held_out_rows: tuple[Row, ...] = ()
    seconds_between_checkpoints: float
    sampling: Sampling | None = None


class Choices(BaseModel):
    """Fixed by the first attempt, so that a resumed run computes exactly what an unbroken one would."""

    model_config = ConfigDict(frozen=True)

    device: Literal["cpu", "cuda"]
    precision: Literal["fp32", "bf16"]
    threads: int
    tokens_per_pass: int
    """How many tokens go through the model at once; a longer row goes alone."""
    versions: dict[str, str]


class Event(BaseModel):
    """One line that the child says; which fields are set depends on `kind`."""

    kind: Literal["waiting", "loading", "started", "step", "sampled", "saving", "done", "failed"]
    total_steps: int | None = None
    step: int | None = None
    epoch: float | None = None
    loss: float | None = None
    learning_rate: float | None = None
    tokens: int | None = None
    at: float | None = None
    memory: int | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    precision: Literal["fp32", "bf16"] | None = None
    device: str | None = None
    trainable_parameters: int | None = None
    answers: list[RunAnswer] | None = None
    error: str | None = None
    """Class of the error, for "failed"; `values` are its values."""
    values: dict[str, Any] | None = None
