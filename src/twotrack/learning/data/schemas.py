"""Data sets as the API has them: what is asked of them, and what is known."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from twotrack.learning.data.files import FileKind
from twotrack.learning.data.formats import Format
from twotrack.learning.data.mixing import WINDOW, Mixed
from twotrack.learning.data.report import Report, Words
from twotrack.learning.data.shape import Shaped, Shaping
from twotrack.learning.data.splitting import Split

Columns = Annotated[dict[str, str], Field(max_length=20)]
"""What columns mean, said by hand: meaning → name."""
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
# parse_shaping checks it and names the nearest known field for an unknown one.
_ShapingFields = Annotated[dict[str, Any], WithJsonSchema(Shaping.model_json_schema())]


class Recognized(BaseModel):
    """What a file is. Without a `format` its columns are to be mapped by hand; `why` says what is unclear."""

    file: FileKind
    encoding: str
    names: list[str]
    """Columns of the first rows."""
    format: Format | None = None
    columns: dict[str, str] = {}
    unused: list[str] = []
    why: Words | None = None


class Checking(BaseModel):
    """What a check was asked to look at besides the data."""

    base: str | None
    max_length: int | None
    held_out_id: UUID | None


class DataSetMade(BaseModel):
    """How a set came to be: one of the three; of a split, `part` names which part it is."""

    shaped: Shaped | None = None
    mixed: Mixed | None = None
    split: Split | None = None
    part: str | None = None


class DataSet(BaseModel):
    """`owner` is the id of the key that brought it, null for the studio's owner.

    `made` is how a set came to be that was shaped, mixed or split off. `rows` and `samples` are what the last
    check counted, null before there was one.
    """

    id: UUID
    owner: UUID | None
    name: str
    size: int
    sha256: str
    columns: dict[str, str]
    recognized: Recognized
    made: DataSetMade | None
    rows: int | None
    samples: int | None
    created_at: datetime


class DataSetEntry(DataSet):
    """With what the last check found."""

    report: Report | None
    checked: Checking | None


class UsedData(BaseModel):
    """A data set as a run or a score took it. `sha256` is of the bytes that lay there, `fingerprint` of the
    samples."""

    id: UUID
    name: str
    sha256: str
    fingerprint: str
    samples: int


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataSetChange(_Asked):
    name: Name | None = None
    columns: Columns | None = None


class NewCheck(_Asked):
    """`base` is a name or id; `held_out_id` a data set that must not be trained on."""

    base: str | None = Field(default=None, max_length=200)
    max_length: int | None = Field(default=None, ge=8, le=2**20)
    held_out_id: UUID | None = None


class NewShape(NewCheck):
    name: Name | None = None
    shaping: _ShapingFields = Field(default_factory=dict)


class NewPart(_Asked):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    share: float = Field(gt=0, le=1e6)


class NewSplit(_Asked):
    """Without `parts`: train 0.8, tuning 0.1, proof 0.1."""

    parts: list[NewPart] = Field(default_factory=list, max_length=10)
    seed: Seed = 0


class MixSet(_Asked):
    data_id: UUID
    weight: float | None = Field(default=None, ge=0, le=1e9)
    at_least: int = Field(default=0, ge=0, le=1_000_000)


class NewMix(_Asked):
    name: Name
    sets: list[MixSet] = Field(min_length=1, max_length=50)
    seed: Seed = 0
    length: int | None = Field(default=None, ge=1, le=10_000_000)
    window: int = Field(default=WINDOW, ge=1, le=1_000_000)


class TokensAsked(_Asked):
    """Without a `base`, the studio's only one; `count` samples from `line` on."""

    base: str | None = Field(default=None, max_length=200)
    line: int = Field(default=1, ge=1)
    count: int = Field(default=1, ge=1, le=20)
    max_length: int | None = Field(default=None, ge=8, le=2**20)


class DataArgs(BaseModel):
    """Arguments of a job of the kind "data"."""

    action: Literal["check", "shape", "mix", "split"]
    data_ids: list[UUID]
    asked: dict[str, Any]


class DataResult(BaseModel):
    """Result of a job of the kind "data": the sets that it made, and the report of a check."""

    made: list[UUID] = []
    report: Report | None = None
