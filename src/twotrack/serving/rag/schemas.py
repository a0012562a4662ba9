"""Types of the rag routes at the edge."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from twotrack.serving.chat.schemas import ModelName, Question, StoredText
from twotrack.serving.rag.confidence import THRESHOLD
from twotrack.stores.filters import Filters
from twotrack.stores.schemas import Leg, Passage

Mode = Literal["quote", "write"]

Asked = Annotated[StoredText, Field(min_length=1, max_length=20_000)]
CollectionName = Annotated[StoredText, Field(min_length=1, max_length=300)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Where(_Body):
    collection: CollectionName | None = Field(
        default=None, description="name or id; without one, the oldest collection"
    )
    filters: Filters = Field(default_factory=dict)


class Search(Where):
    question: Asked
    k: int = Field(default=10, ge=1, le=100, description="passages at most")
    legs: Literal["both", "dense", "lexical"] = Field(
        default="both", description="vectors, terms, or both fused by their scores"
    )


class Passages(BaseModel):
    """The best first, each with why it came."""

    collection: str
    passages: list[Passage]
    confidence: float = Field(description="probability that the first one holds the answer")
    leg: Leg = Field(description="the lexical index that was searched")
    terms: list[str] = Field(description="what was looked for in it")
    rarities: dict[str, float] = Field(
        description="term → how much it tells, by how few chunks have it; 0 where none has"
    )
    forms: dict[str, list[str]] = Field(
        description="stem → the words of these passages that it stands for; other terms are not here"
    )


class FieldValue(BaseModel):
    value: str | int | float | bool
    documents: int


class FilterField(BaseModel):
    """A field that filters may name, with the values that most documents of the collection have."""

    field: str
    values: list[FieldValue]
    more: bool = Field(description="whether there are other values than these")


class RagChoices(Where):
    variant: ModelName | None = Field(default=None, description="name or id of the variant that writes")
    mode: Mode | None = Field(
        default=None,
        description="`quote`: the best sentences word for word; `write`: the model writes. "
        "Without one, models below a billion parameters quote",
    )
    k: int = Field(default=6, ge=1, le=20, description="passages that the answer may rest on")
    min_confidence: float = Field(
        default=THRESHOLD,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="the documents are said not to hold the answer where their first passage holds it with a "
        "lower probability; 0 always answers",
    )
    temperature: float = Field(default=0.0, ge=0, le=2, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1, le=131_072)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    gains: Any = Field(
        default=None,
        description="for all adapters of the variant that writes, instead of their own: a number from −1 "
        "to 2, rows × columns of such numbers, or a board with its fields (cells, expansion, points). "
        "Without adapters, rows × (attn, mlp) turn the base's own branches; "
        '{"adapters": …, "base": …} sets either or both',
    )


class RagQuestion(RagChoices):
    question: Asked | None = Field(default=None, description="required, but not with `again`")
    session_id: UUID | None = Field(
        default=None, description="a session that the question follows: what it leaves unsaid is found there"
    )
    keep: bool = Field(
        default=False, description="write question and answer down, in that session or in a new one"
    )
    replaces: UUID | None = Field(
        default=None,
        description="a question of the session that this one is asked instead of; that one is kept, "
        "with all after it, as another branch",
    )
    again: UUID | None = Field(
        default=None, description="an answer of the session: its question is answered once more"
    )

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        if self.again is None and self.question is None:
            raise ValueError("`question` is missing")
        if self.again is not None and (self.question is not None or self.replaces is not None):
            raise ValueError("`again` takes neither `question` nor `replaces`: it asks the same question")
        if self.session_id is None and (self.again is not None or self.replaces is not None):
            raise ValueError("`replaces` and `again` need the `session_id`")
        return self

    def place(self) -> Question:
        """As chat asks it: the same rules say where it goes in its session."""
        return Question(
            message=self.question,
            session_id=self.session_id,
            keep=self.keep,
            replaces=self.replaces,
            again=self.again,
        )


class RagBatch(RagChoices):
    """Independent questions with the same choices; nothing is kept."""

    questions: tuple[Asked, ...] = Field(min_length=1, max_length=10_000)


class Citation(BaseModel):
    """Words of a document that a sentence of the answer rests on: its text from `start` to `end`."""

    document: UUID
    title: str
    source: str
    page: int | None
    heading: str = Field(description="path of the headings above it")
    start: int = Field(description="in characters of the document's text")
    end: int
    text: str
    score: float = Field(description="0 to 1: how much of the sentence these words cover")


class Sentence(BaseModel):
    """A sentence of the answer, and which citations it rests on; on none: nothing found says so."""

    start: int = Field(description="in characters of the answer")
    end: int
    citations: list[int] = Field(description="places in the list of citations, from 0")


class RagAnswer(BaseModel):
    answer: str
    citations: list[Citation]
    sentences: list[Sentence]
    abstained: bool = Field(description="the documents do not hold the answer, as far as was found")
    confidence: float = Field(description="probability that the first passage holds the answer")
    mode: Mode
    searched: str = Field(description="the question as it was searched for, with what the history adds")
    collection: str
    variant: str | None = Field(description="what wrote the answer; null where it is quoted")
    passages: list[Passage]
    finish_reason: Literal["stop", "length"] | None = Field(
        default=None, description="why the model ended; null where no model was asked"
    )
    session_id: UUID | None = None
    question_id: UUID | None = None
    answer_id: UUID | None = None


class RagStarted(BaseModel):
    """What was found, before the answer begins; the ids are null where nothing is kept."""

    collection: str
    mode: Mode
    variant: str | None
    searched: str
    confidence: float
    passages: list[Passage]
    session_id: UUID | None = None
    question_id: UUID | None = None
    answer_id: UUID | None = None


class RagBatchAnswer(BaseModel):
    """In the order of the questions: either `answer`, or `error` as a problem document (RFC 9457)."""

    answer: RagAnswer | None = None
    error: dict[str, Any] | None = None
