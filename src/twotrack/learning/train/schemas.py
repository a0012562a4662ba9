"""What goes into a training run and what is known of one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from twotrack.core.jobs import Job
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
_RecipeFields = Annotated[dict[str, Any], WithJsonSchema(_inlined(_SCHEMA, _SCHEMA["$defs"]))]


class NewRun(BaseModel):
    """`data` is the text of a messages JSONL file."""

    model_config = ConfigDict(extra="forbid")

    recipe: _RecipeFields
    data: str


class LossPoint(BaseModel):
    """One optimizer step. `loss` is in nats a learned token; `tokens` counts all so far, without padding."""

    step: int
    epoch: float
    loss: float
    learning_rate: float
    tokens: int


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
    recipe: _RecipeFields
    base_id: str
    samples: int
    data_sha256: str
    history: list[LossPoint] = Field(default_factory=list)
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
