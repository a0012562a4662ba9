"""Chat's types at the edge: questions, answers, sessions, messages."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from twotrack.core.errors import encodable
from twotrack.equalizer.board import Gains

# Characters, not tokens: what no context holds is refused before it costs time.
LONGEST_TEXT = 2_000_000


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("it contains the character U+0000, which no database text can hold")
    if encodable(text) != text:
        raise ValueError("it contains half of a surrogate pair, which is no character")
    return text


StoredText = Annotated[str, AfterValidator(_storable)]
"""Text that a database holds, or is asked for."""
ModelName = Annotated[StoredText, Field(min_length=1, max_length=300)]
Stop = Annotated[StoredText, Field(min_length=1, max_length=256)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choices(_Body):
    """How to answer. What is left out comes from the admin settings."""

    variant: ModelName | None = Field(default=None, description="name or id of the variant that answers")
    system: Annotated[StoredText, Field(max_length=LONGEST_TEXT)] | None = Field(
        default=None, description="system prompt; an empty one asks for none"
    )
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1, le=131_072)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: tuple[Stop, ...] = Field(default=(), max_length=16)
    gains: Any = Field(
        default=None,
        description="for all adapters of the variant, instead of their own: a number from −1 to 2, "
        "rows × columns of such numbers, or a board with its fields (cells, expansion, points). Without "
        'adapters, rows × (attn, mlp) turn the base\'s own branches; {"adapters": …, "base": …} sets '
        "either or both",
    )


class Question(Choices):
    message: Annotated[StoredText, Field(min_length=1, max_length=LONGEST_TEXT)] | None = Field(
        default=None, description="required, but not with `again`"
    )
    session_id: UUID | None = Field(
        default=None, description="the session to continue; without one, a new session is made"
    )
    replaces: UUID | None = Field(
        default=None,
        description="a question of the session that this one is asked instead of; that one is kept, "
        "with all after it, as another branch",
    )
    again: UUID | None = Field(
        default=None, description="an answer of the session: its question is answered once more"
    )
    keep: bool = Field(default=True, description="false: answer, and write nothing down")

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        if self.again is None and self.message is None:
            raise ValueError("`message` is missing")
        if self.again is not None and (self.message is not None or self.replaces is not None):
            raise ValueError("`again` takes neither `message` nor `replaces`: it asks the same question")
        if self.session_id is None and (self.again is not None or self.replaces is not None):
            raise ValueError("`replaces` and `again` need the `session_id`")
        return self


class Batch(Choices):
    """Many independent questions with the same choices. None of them is kept."""

    messages: tuple[Annotated[StoredText, Field(min_length=1, max_length=LONGEST_TEXT)], ...] = Field(
        min_length=1, max_length=10_000
    )


class Usage(BaseModel):
    prompt_tokens: int
    cached_tokens: int = Field(description="tokens of the prompt that came from the prefix cache")
    completion_tokens: int


class Timing(BaseModel):
    waited_seconds: float = Field(description="in the queue")
    first_token_seconds: float | None = Field(description="from the slot in the engine to the first token")
    seconds: float = Field(description="from the slot in the engine to the end")
    tokens_per_second: float | None = Field(description="while decoding, without the first token")


class AnsweredBy(BaseModel):
    """Whatever answered, as it was then."""

    variant: str
    variant_id: UUID
    base_id: str
    engine: str
    template_hash: str
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None
    stop: tuple[str, ...]
    gains: dict[str, Gains] = Field(description="adapter, or base for its own branches → gain, or board")
    system: str
    settings_revision: int
    left_out: int = Field(
        description="messages of the session, oldest first, that the context had no room for"
    )


class Started(BaseModel):
    """The answer begins; the ids are null where nothing is kept."""

    session_id: UUID | None
    question_id: UUID | None
    answer_id: UUID | None
    waiting: int = Field(description="other requests in the queue")
    by: AnsweredBy


class Answer(BaseModel):
    text: str
    finish_reason: Literal["stop", "length"]
    session_id: UUID | None
    question_id: UUID | None
    answer_id: UUID | None
    usage: Usage
    timing: Timing
    by: AnsweredBy


class BatchAnswer(BaseModel):
    """In the order of the questions: either `answer`, or `error` as a problem document (RFC 9457)."""

    answer: Answer | None = None
    error: dict[str, Any] | None = None


class Session(BaseModel):
    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime


class Match(BaseModel):
    """Where a search found its words in a session: the first place in the first message that has them."""

    message_id: UUID
    position: int
    before: str = Field(description="what stands before the words, begins with … where more does")
    match: str
    after: str = Field(description="what follows the words, ends with … where more does")


class ListedSession(Session):
    match: Match | None = Field(description="null without a search, and where only the title has its words")


class SessionPage(BaseModel):
    sessions: list[ListedSession]
    next: str | None = Field(description="the `before` of the next page; null at the end")


class Title(_Body):
    title: Annotated[StoredText, Field(max_length=200)]


class Feedback(BaseModel):
    """What a reader thinks of an answer."""

    rating: Literal[-1, 1] | None
    correction: str | None = Field(description="the answer as it should have been")
    created_at: datetime
    updated_at: datetime


class NewFeedback(_Body):
    """All of it: what is left out is taken back. With neither, no feedback is left."""

    rating: Literal[-1, 1] | None = None
    correction: Annotated[StoredText, Field(min_length=1, max_length=LONGEST_TEXT)] | None = None


class FeedbackEntry(Feedback):
    """Feedback with what it is about."""

    message_id: UUID
    session_id: UUID
    variant: str | None = Field(description="name, at that time, of the variant that answered")
    question: str
    answer: str


class FeedbackPage(BaseModel):
    feedback: list[FeedbackEntry]
    next: str | None = Field(description="the `before` of the next page; null at the end")


class Message(BaseModel):
    id: UUID
    position: int
    role: Literal["system", "user", "assistant"]
    content: str
    state: Literal["complete", "streaming", "cut_off"]
    details: dict[str, Any]
    created_at: datetime
    siblings: list[UUID] = Field(
        description="all versions of this message in the order in which they were made, itself included"
    )
    feedback: Feedback | None


class SessionWithMessages(Session):
    messages: list[Message] = Field(description="of the active path")
    earlier: bool = Field(description="whether there are messages before these; see `before`")


class Branch(_Body):
    message_id: UUID = Field(description="a message of the branch that is to be shown")
