"""Data sets as others take them: a copy that nothing changes any more, and the parts of a split."""

from pathlib import Path
from uuid import UUID

from twotrack.core.database import Connection
from twotrack.learning.data import tables
from twotrack.learning.data.errors import NoSuchPart
from twotrack.learning.data.process import run_child
from twotrack.learning.data.schemas import DataSet, DataSetEntry, UsedData
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread, sync

# As many rows as one run can have are read in less.
_SECONDS = 60.0


async def copy_lines(layout: Layout, data: DataSet, target: Path) -> UsedData:
    """Write all samples to `target` as lines that training takes, whole or not at all.

    Raises:
        BrokenLine, DataTooLarge, NoSamples, ColumnsUnknown, DiskFull, …: see learning/data/errors.py.
    """
    source = tables.file_of(layout, data.id)
    staging = target.with_name(f"{target.name}.staging")
    asked = {"path": str(source), "columns": data.columns, "target": str(staging)}
    written = await run_child("lines", asked, name=data.name, seconds=_SECONDS)
    await in_thread(sync, staging)
    staging.rename(target)
    await in_thread(sync, target.parent)
    return UsedData(
        id=data.id,
        name=data.name,
        sha256=data.sha256,
        fingerprint=written["sha256"],
        samples=written["samples"],
    )


async def part_of(
    connection: Connection, data: DataSetEntry, part: str, *, of: UUID | None = None
) -> DataSetEntry:
    """The part of that name: `data` itself, another part of its split, or one of the newest split of it.

    Raises:
        NoSuchPart: there is none, or it is not `of` that owner.
    """
    if data.made is not None and data.made.part == part:
        return data
    row = await (
        await connection.execute(
            """
            SELECT p.id FROM data_sets p, data_sets d
            WHERE d.id = %(id)s AND p.made ->> 'part' = %(part)s
              AND (%(of)s::uuid IS NULL OR p.owner = %(of)s)
              AND (p.made -> 'split' = d.made -> 'split'
                   OR p.id::text IN (
                       SELECT jsonb_array_elements_text(j.result -> 'made') FROM jobs j
                       WHERE j.kind = 'data' AND j.state = 'succeeded' AND j.args ->> 'action' = 'split'
                         AND j.args -> 'data_ids' ->> 0 = d.id::text))
            ORDER BY p.created_at DESC LIMIT 1
            """,
            {"id": data.id, "part": part, "of": of},
        )
    ).fetchone()
    if row is None:
        raise NoSuchPart(name=data.name, part=part)
    return await tables.get(connection, row["id"])
