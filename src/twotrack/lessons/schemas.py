"""Learning from the screen as the API has it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.core.jobs import Job
from twotrack.serving.chat.schemas import LONGEST_TEXT, ModelName, StoredText


class _LessonBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Skipped(BaseModel):
    """Feedback that is not learned, by its reason."""

    disliked: int = Field(description="a thumb down without a correction says only what not to say")
    from_documents: int = Field(description="praised, but it was the documents that answered")
    cut_off: int = Field(description="praised, but not whole")
    superseded: int = Field(description="the same question has a newer answer, or a corrected one")
    unfit: int = Field(description="too long for the base, or its chat template does not take it")


class LessonRun(BaseModel):
    """A run that learned feedback. `variant` is what came out of it, null before that or once it is removed;
    `before` is the variant that answered until then, null once it is removed."""

    job: Job
    corrections: int
    praised: int
    variant: str | None
    before: str | None


class LearnStatus(BaseModel):
    """What of the feedback could be learned, on the base of `variant`."""

    variant: str
    base: str
    trainable: bool = Field(description="whether this studio can train on that base")
    corrections: int = Field(description="not learned yet")
    praised: int = Field(description="good answers, not learned yet")
    learned: int = Field(
        description="learned by an earlier run; the next one learns them along, since it begins at the base"
    )
    learning: int = Field(description="being learned by the run that is under way")
    skipped: Skipped
    preferences: int = Field(description="votes and corrections, as pairs of a better and a worse answer")
    latest: LessonRun | None = Field(description="one's newest run on this base")
    everybody: bool = Field(description="whether everybody's feedback may be learned by this caller")


class NewLesson(_LessonBody):
    """Without a `variant`, the one that answers by default; without a `name`, one that is free."""

    variant: ModelName | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    everybody: bool = Field(
        default=False, description="everybody's feedback; for administrators, where the settings allow it"
    )
    again: bool = Field(default=False, description="also where nothing is new")


class NewVote(_LessonBody):
    """Of two answers to one question that stood side by side. `better` null takes the vote back."""

    message_id: UUID = Field(description="the answer that was kept")
    other: Annotated[StoredText, Field(min_length=1, max_length=LONGEST_TEXT)] = Field(
        description="the text of the one beside it"
    )
    other_variant: ModelName
    better: Literal["kept", "other"] | None


class Vote(BaseModel):
    better: Literal["kept", "other"]


class FeedbackExport(_LessonBody):
    """`preference`: prompt, chosen, rejected; `messages`: what would be learned."""

    form: Literal["messages", "preference"]
    everybody: bool = False
