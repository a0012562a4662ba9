"""Rows of data sets, and where their bytes lie: data-sets/<id>/data in the data folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from twotrack.core.database import Connection, as_jsonb
from twotrack.learning.data.errors import DataSetNotFound
from twotrack.learning.data.schemas import Checking, DataSet, DataSetEntry, Recognized
from twotrack.registry.layout import Layout

_COLUMNS = (
    "id, owner, name, size, sha256, columns, recognized, made, created_at,"
    " (report->>'rows')::bigint AS rows, (report->>'samples')::bigint AS samples"
)


def root_of(layout: Layout) -> Path:
    return layout.home / "data-sets"


def folder_of(layout: Layout, data_id: UUID) -> Path:
    return root_of(layout) / str(data_id)


def file_of(layout: Layout, data_id: UUID) -> Path:
    return folder_of(layout, data_id) / "data"


async def insert(
    connection: Connection,
    data_id: UUID,
    *,
    owner: UUID | None,
    name: str,
    size: int,
    sha256: str,
    recognized: Recognized,
    made: Mapping[str, Any] | None = None,
) -> None:
    await connection.execute(
        "INSERT INTO data_sets (id, owner, name, size, sha256, recognized, made)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
        (
            *(data_id, owner, name, size, sha256, as_jsonb(recognized.model_dump(mode="json"))),
            None if made is None else as_jsonb(made),
        ),
    )


async def get(connection: Connection, data_id: UUID, *, of: UUID | None = None) -> DataSetEntry:
    """
    Raises:
        DataSetNotFound: there is none, or it is not `of` that owner.
    """
    found = await find(connection, data_id, of=of)
    if found is None:
        raise DataSetNotFound(name=str(data_id))
    return found


async def find(connection: Connection, data_id: UUID, *, of: UUID | None = None) -> DataSetEntry | None:
    cursor = await connection.execute(
        f"SELECT {_COLUMNS}, report, checked FROM data_sets WHERE id = %s", (data_id,)
    )
    row = await cursor.fetchone()
    if row is None or (of is not None and row["owner"] != of):
        return None
    return DataSetEntry.model_validate(row)


async def list_all(
    connection: Connection,
    *,
    of: UUID | None,
    before: UUID | None,
    limit: int,
    oldest_first: bool = False,
) -> list[DataSet]:
    """The newest first, everybody's or `of` one owner; `before` is a set's id: only those behind it."""
    older, descending = ("<", "DESC") if not oldest_first else (">", "ASC")
    cursor = await connection.execute(
        f"""
        SELECT {_COLUMNS} FROM data_sets
        WHERE (%(of)s::uuid IS NULL OR owner = %(of)s)
          AND (%(before)s::uuid IS NULL
               OR (created_at, id) {older} (
                   SELECT created_at, id FROM data_sets
                   WHERE id = %(before)s AND (%(of)s::uuid IS NULL OR owner = %(of)s)))
        ORDER BY created_at {descending}, id {descending} LIMIT %(limit)s
        """,
        {"of": of, "before": before, "limit": limit},
    )
    return [DataSet.model_validate(row) for row in await cursor.fetchall()]


async def change(
    connection: Connection,
    data_id: UUID,
    *,
    name: str | None,
    columns: Mapping[str, str] | None,
    recognized: Recognized | None,
) -> None:
    """Set what is not None. With other columns, what a check found holds no more."""
    if name is not None:
        await connection.execute("UPDATE data_sets SET name = %s WHERE id = %s", (name, data_id))
    if columns is not None and recognized is not None:
        await connection.execute(
            "UPDATE data_sets SET columns = %s, recognized = %s, report = NULL, checked = NULL WHERE id = %s",
            (as_jsonb(dict(columns)), as_jsonb(recognized.model_dump(mode="json")), data_id),
        )


async def set_report(
    connection: Connection, data_id: UUID, report: Mapping[str, Any], checked: Checking
) -> None:
    await connection.execute(
        "UPDATE data_sets SET report = %s, checked = %s WHERE id = %s",
        (as_jsonb(dict(report)), as_jsonb(checked.model_dump(mode="json")), data_id),
    )


async def delete(connection: Connection, data_id: UUID) -> None:
    await connection.execute("DELETE FROM data_sets WHERE id = %s", (data_id,))
