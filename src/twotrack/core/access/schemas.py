"""Keys as people see them; a secret is shown once, by the answer that made it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from twotrack.core.access.caller import Role


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("it contains characters that cannot be shown")
    return name


KeyName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_printable),
]


class Key(BaseModel):
    """A key is an identity: what it made stays its own when its secret is renewed."""

    id: UUID
    name: str
    role: Role
    state: Literal["active", "expired", "revoked"]
    hint: str = Field(description="the last characters of the secret")
    created_at: datetime
    last_used_at: datetime | None = Field(description="to within a minute or so")
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyWithSecret(BaseModel):
    key: Key
    secret: str = Field(description="shown this once: only its hash is kept")


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewKey(_Body):
    name: KeyName
    role: Role = "user"
    expires_at: AwareDatetime | None = Field(default=None, description="null: never")


class KeyChange(_Body):
    """What is left out stays as it is."""

    name: KeyName | None = None
    role: Role | None = None
    expires_at: AwareDatetime | None = Field(default=None, description="null: never")


class Me(BaseModel):
    """Who asks."""

    name: str
    role: Role
    key_id: UUID | None = Field(description="null for the studio's owner")
    login: bool = Field(description="whether the studio asks for a key where this came from")
