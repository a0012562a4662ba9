"""Who sends a request, and what that allows."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

Role = Literal["admin", "user"]


@dataclass(frozen=True)
class Caller:
    """`key_id` is the key's row, None for the studio's owner: loopback without a login, or the key of the
    environment."""

    key_id: UUID | None
    name: str
    role: Role

    @property
    def confined_to(self) -> UUID | None:
        """Whose jobs and runs this caller sees: those of this key, or all where it is None."""
        return None if self.role == "admin" else self.key_id

    def details(self) -> dict[str, Any]:
        """As the log of what happened names it."""
        return {"key_id": self.key_id, "name": self.name}


OWNER = Caller(None, "owner", "admin")


def starter(key_id: UUID | None, name: str | None) -> Caller:
    """Who started what is done later, for the log; it has no more rights than anybody."""
    return OWNER if key_id is None else Caller(key_id, name or "", "user")
