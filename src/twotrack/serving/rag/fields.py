"""What a collection's documents can be filtered by, and with which values."""

from typing import LiteralString
from uuid import UUID

from twotrack.core.database import Database
from twotrack.serving.rag.schemas import FieldValue, FilterField

# Fields with more values than these are for typing, not for choosing.
_VALUES = 40
_FIELDS = 40

_COUNT: LiteralString = """
    WITH held AS (
        SELECT field, value FROM documents CROSS JOIN LATERAL (
            SELECT 'language', to_jsonb(language) UNION ALL SELECT 'media_type', to_jsonb(media_type)
            UNION ALL SELECT key, value FROM jsonb_each(metadata)
        ) AS own (field, value)
        WHERE collection_id = %(collection)s AND state = 'ready'
          AND jsonb_typeof(value) IN ('string', 'number', 'boolean') AND value <> '""'
    ), counted AS (
        SELECT field, value, count(*) AS documents,
            row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) AS place
        FROM held GROUP BY field, value
    )
    SELECT field, value, documents FROM counted WHERE place <= %(values)s + 1
    ORDER BY field NOT IN ('language', 'media_type'), field, place
"""


async def fields_of(database: Database, collection: UUID) -> list[FilterField]:
    """Language and kind first, then the fields of the documents' metadata by their names; of each the values
    that most documents have first."""
    rows = await database.fetch_all(_COUNT, {"collection": collection, "values": _VALUES})
    found: dict[str, list[FieldValue]] = {}
    for row in rows:
        found.setdefault(row["field"], []).append(FieldValue(value=row["value"], documents=row["documents"]))
    return [
        FilterField(field=field, values=values[:_VALUES], more=len(values) > _VALUES)
        for field, values in list(found.items())[:_FIELDS]
    ]
