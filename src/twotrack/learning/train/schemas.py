"""What goes into a training run and what is known of one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from twotrack.core.jobs import Job
from twotrack.learning.data.schemas import UsedData
from twotrack.learning.train.recipe import Recipe


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """`schema` without references: they would point nowhere in a document that it becomes a part of."""
    if isinstance(schema, dict):
        if name := str(schema.get("$ref", "")).removeprefix("#/$defs/"):
            return _inlined(definitions[name], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items() if key != "$defs"}
    return [_inlined(one, definitions) for one in schema] if isinstance(schema, list) else schema


_SCHEMA = Recipe.model_json_schema()

# Checked by parse_recipe, which names the nearest known key for an unknown one; a run that was started by an
# older version keeps the fields of its time.
RecipeFields = Annotated[dict[str, Any], WithJsonSchema(_inlined(_SCHEMA, _SCHEMA["$defs"]))]


class NewRun(BaseModel):
    """`data` is the text of a messages JSONL file; `data_id` instead, here or in the recipe, a data set.

    `held_out_id` is a data set that is not learned: the loss on it is taken after each epoch.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: RecipeFields
    data: str | None = None
    data_id: UUID | None = None
    held_out_id: UUID | None = None
    force: bool = Field(
        default=False, description="train even where the forecast says that the memory is not enough"
    )


class NewSweep(BaseModel):
    """Several runs that differ in their seed, their board, or both: one for each seed on each board.

    Each is named after the recipe, its board and its seed. `id` makes a repeated request harmless: the same
    one, with the same recipe, finds the runs that it has started and starts those that are missing.
    """

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    recipe: RecipeFields
    seeds: Annotated[list[int], Field(max_length=32)] = []
    boards: Annotated[
        dict[str, Any],
        Field(max_length=16),
        WithJsonSchema(
            {
                "type": "object",
                "title": "Boards",
                "additionalProperties": _inlined(_SCHEMA["properties"]["board"], _SCHEMA["$defs"]),
            }
        ),
    ] = {}
    data: str | None = None
    data_id: UUID | None = None
    held_out_id: UUID | None = None
    force: bool = False


class LossPoint(BaseModel):
    """One optimizer step. `loss` is in nats a learned token; `tokens` counts all so far, without padding.

    `at` is the moment that it was reached, in seconds since 1970; `memory` what the training process held
    then of the machine's, in bytes. Runs of older versions have neither.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    tokens: int
    at: float | None = None
    memory: int | None = None


class HeldOutPoint(BaseModel):
    """The loss on the held-out part after a step, in nats a token; nothing was learned from it."""

    step: int
    loss: float


class RunAnswer(BaseModel):
    """What a prompt of the goal was answered after a step: a few dozen tokens, always the likeliest."""

    step: int
    prompt: str
    answer: str


class Run(BaseModel):
    """A training run: its job, how it was asked for, and the loss so far.

    `paused` while somebody has stopped it to go on later; `can_resume` also after an end from which it can.
    """

    job: Job
    paused: bool = False
    can_resume: bool = False
    recipe: RecipeFields
    base_id: str
    samples: int
    data_sha256: str
    data_set: UsedData | None = None
    """Where the data came from, if from a data set; `held_out` is what is not learned."""
    held_out: UsedData | None = None
    sweep: UUID | None = None
    """What the runs that were started together have in common."""
    setting: str | None = None
    """The name of its board among those of the sweep."""
    force: bool = False
    """Asked for even where the forecast says that the memory is not enough."""
    history: list[LossPoint] = Field(default_factory=list)
    held_out_history: list[HeldOutPoint] = Field(default_factory=list)
    answers: list[RunAnswer] = Field(default_factory=list)


class RunData(BaseModel):
    """What a run learns from, as it was when it was started: to look at, or to start another run with."""

    data: str


class RunArgs(BaseModel):
    """Arguments of a job of the kind "train"."""

    recipe: dict[str, Any]
    base_id: str
    samples: int
    data_sha256: str
    data_set: UsedData | None = None
    held_out: UsedData | None = None
    force: bool = False
    sweep: UUID | None = None
    setting: str | None = None


class Checkpoint(BaseModel):
    """What a run left of a step before its end."""

    step: int
    adapter_id: UUID
    variant_id: UUID
    name: str


class RunResult(BaseModel):
    """Result of a job of the kind "train". `tokens` counts what was trained on, without padding."""

    adapter_id: UUID
    variant_id: UUID
    name: str
    base_id: str
    steps: int
    tokens: int
    loss: float
    precision: Literal["fp32", "bf16"]
    device: str
    held_out_loss: float | None = None
    checkpoints: list[Checkpoint] = []
