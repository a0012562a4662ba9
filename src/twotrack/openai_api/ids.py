"""Ids of that API's objects are ours behind a word: file-<data set>, ftjob-<run>, ftckpt-<adapter>."""

import re
from typing import Literal
from uuid import UUID

Kind = Literal["file", "ftjob", "ftckpt"]


def write_id(kind: Kind, id: UUID) -> str:
    return f"{kind}-{id.hex}"


def read_id(kind: Kind, given: str) -> UUID | None:
    """None where it is no id of that kind."""
    found = re.fullmatch(rf"{kind}-([0-9a-f]{{32}})", given)
    return UUID(found[1]) if found else None
