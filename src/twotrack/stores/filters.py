"""Filters over documents: which of a collection are meant, decided in SQL before anything is searched.

A field is one of a document's own (source, title, language, media_type) or one of its metadata.
"""

from collections.abc import Mapping
from typing import Annotated, Any, LiteralString, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from twotrack.core.database import Database, as_jsonb
from twotrack.core.errors import encodable


def _storable(text: str) -> str:
    if "\0" in text or encodable(text) != text:
        raise ValueError("it contains U+0000 or half of a surrogate pair, which no document's fields hold")
    return text


String = Annotated[str, AfterValidator(_storable)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = String | bool | int | Number


class Range(BaseModel):
    """Numbers by size, texts (such as ISO dates) by the order of their characters; both ends are inside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gte: String | int | Number | None = None
    lte: String | int | Number | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.gte is None and self.lte is None:
            raise ValueError("a range needs `gte`, `lte` or both")
        return self


Filters = Annotated[
    dict[Annotated[String, Field(min_length=1, max_length=200)], Value | list[Value] | Range],
    Field(
        max_length=20,
        description='field → value, list of values, or {"gte": …, "lte": …}; all of them must hold',
    ),
]

_OWN: dict[str, LiteralString] = {
    "source": "to_jsonb(source)",
    "title": "to_jsonb(title)",
    "language": "to_jsonb(language)",
    "media_type": "to_jsonb(media_type)",
}


async def matching_documents(
    database: Database, collection: UUID, filters: Mapping[str, Value | list[Value] | Range]
) -> list[UUID] | None:
    """Documents of the collection that pass every filter; None where there is no filter at all.

    A document without the field passes no filter on it, nor does one whose value is of another type.
    """
    if not filters:
        return None
    conditions: list[LiteralString] = []
    values: list[Any] = [collection]
    for name, wanted in filters.items():
        # As JSON, so that 3 is not "3", and 3.0 is 3.
        field: LiteralString = _OWN.get(name, "metadata -> %s")
        own = () if name in _OWN else (name,)
        if isinstance(wanted, Range):
            for bound, comparison in ((wanted.gte, _AT_LEAST), (wanted.lte, _AT_MOST)):
                if bound is not None:
                    conditions.append(comparison.replace("{field}", field))
                    values += [*own, as_jsonb(bound), *own, as_jsonb(bound)]
        else:
            chosen = wanted if isinstance(wanted, list) else [wanted]
            conditions.append(f"{field} = ANY(%s::jsonb[])")
            values += [*own, [as_jsonb(one) for one in chosen]]
    rows = await database.fetch_all(
        f"SELECT id FROM documents WHERE collection_id = %s AND {' AND '.join(conditions)}", values
    )
    return [row["id"] for row in rows]


# Across types jsonb has an order too, which nobody means.
_AT_LEAST: LiteralString = "(jsonb_typeof({field}) = jsonb_typeof(%s) AND {field} >= %s)"
_AT_MOST: LiteralString = "(jsonb_typeof({field}) = jsonb_typeof(%s) AND {field} <= %s)"
