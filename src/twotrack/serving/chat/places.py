"""Where a page of a list ends, as text that an address can carry: the next page begins there."""

from datetime import UTC, datetime
from uuid import UUID

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text

_BAD_PAGE = Text("it is not the `next` of an earlier page", "앞 페이지의 `next` 값이 아닙니다")

Place = tuple[datetime, UUID] | tuple[None, None]
"""Of the last row of a page; of two rows of one time the id decides. Nones before the first page."""


def place_text(at: datetime, row_id: UUID) -> str:
    # With Z for the zone: a plus sign would need escaping in an address.
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{row_id}"


def parse_place(text: str | None) -> Place:
    """
    Raises:
        InvalidInput: `place_text` does not write such a text.
    """
    if text is None:
        return None, None
    at, _, row_id = text.partition("~")
    try:
        return datetime.fromisoformat(at), UUID(row_id)
    except ValueError:
        raise InvalidInput(what="before", value=text, why=_BAD_PAGE) from None
