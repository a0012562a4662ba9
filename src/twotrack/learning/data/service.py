"""What people do with data sets: bring one, map its columns, have it checked, shaped, mixed and split."""

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.learning.data import tables
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.process import run_child
from twotrack.learning.data.requests import parse_shaping
from twotrack.learning.data.schemas import (
    DataArgs,
    DataSetChange,
    DataSetEntry,
    NewCheck,
    NewMix,
    NewShape,
    NewSplit,
    Recognized,
    TokensAsked,
)
from twotrack.learning.data.token_view import SeenRow, view_tokens
from twotrack.registry import tables as models
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread, sync

Action = Literal["check", "shape", "split"]
"""What is done with one data set."""

KIND = "data"
LARGEST = 2 * 2**30
"""Bytes of one data set."""

# What answers a request reads a few hundred rows.
_SECONDS = 60.0


async def take_in(
    database: Database, layout: Layout, data_id: UUID, *, name: str, by: Caller = OWNER
) -> DataSetEntry:
    """Make a data set of the file that was put in its place (tables.file_of).

    Raises:
        FileUnknown, DataUnreadable, ParquetNotInstalled: it is nothing that can be read.
    """
    path = tables.file_of(layout, data_id)
    recognized = await recognize(path, name, {})
    sha256 = await in_thread(hash_and_sync, path)
    async with database.transaction() as connection:
        await tables.insert(
            connection,
            data_id,
            owner=by.key_id,
            name=name,
            size=path.stat().st_size,
            sha256=sha256,
            recognized=recognized,
        )
        return await tables.get(connection, data_id)


async def recognize(path: Path, name: str, columns: Mapping[str, str]) -> Recognized:
    """
    Raises:
        FileUnknown, DataUnreadable, ParquetNotInstalled, ColumnRefused
        ColumnsUnknown: the mapped columns do not say what this is.
    """
    asked = {"path": str(path), "columns": dict(columns)}
    return Recognized.model_validate(await run_child("recognize", asked, name=name, seconds=_SECONDS))


async def change(
    database: Database, layout: Layout, data_id: UUID, asked: DataSetChange, *, of: UUID | None = None
) -> DataSetEntry:
    """Another name, or what its columns mean.

    Raises:
        DataSetNotFound, and what `recognize` raises.
    """
    async with database.transaction() as connection:
        found = await tables.get(connection, data_id, of=of)
    recognized = None
    if asked.columns is not None:
        recognized = await recognize(tables.file_of(layout, data_id), found.name, asked.columns)
    async with database.transaction() as connection:
        await tables.change(
            connection, data_id, name=asked.name, columns=asked.columns, recognized=recognized
        )
        return await tables.get(connection, data_id, of=of)


async def delete(database: Database, layout: Layout, data_id: UUID, *, of: UUID | None = None) -> None:
    """
    Raises:
        DataSetNotFound
    """
    async with database.transaction() as connection:
        await tables.get(connection, data_id, of=of)
        await tables.delete(connection, data_id)
    await in_thread(shutil.rmtree, tables.folder_of(layout, data_id), ignore_errors=True)


async def start(
    database: Database,
    action: Action,
    data_id: UUID,
    asked: NewCheck | NewShape | NewSplit,
    *,
    by: Caller = OWNER,
) -> UUID:
    """Enqueue a job of one data set; its id. What can be refused at once is refused here.

    Raises:
        DataSetNotFound: the set, or the held-out one.
        ModelNotFound, InvalidInput
    """
    if isinstance(asked, NewShape):
        parse_shaping(asked.shaping)
    needed = [data_id]
    if isinstance(asked, NewCheck):
        needed += [asked.held_out_id] if asked.held_out_id else []
        if asked.base is not None:
            await base_named(database, asked.base)
    return await _enqueue(database, action, needed, asked.model_dump(mode="json"), by)


async def start_mix(database: Database, asked: NewMix, *, by: Caller = OWNER) -> UUID:
    """
    Raises:
        DataSetNotFound
    """
    return await _enqueue(
        database, "mix", [one.data_id for one in asked.sets], asked.model_dump(mode="json"), by
    )


async def _enqueue(
    database: Database,
    action: Literal["check", "shape", "mix", "split"],
    needed: list[UUID],
    asked: dict[str, Any],
    by: Caller,
) -> UUID:
    async with database.transaction() as connection:
        for one in needed:
            await tables.get(connection, one, of=by.confined_to)
    args = DataArgs(action=action, data_ids=needed, asked=asked)
    return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by)


async def show_tokens(
    database: Database,
    layout: Layout,
    prompts: Prompts,
    data_id: UUID,
    asked: TokensAsked,
    *,
    of: UUID | None = None,
) -> list[SeenRow]:
    """Samples as training sees them.

    Raises:
        DataSetNotFound, ModelNotFound
        InvalidInput: no base is named, and there is not just one.
        SampleTooLong, NothingToLearn, …: see learning/data/errors.py.
    """
    async with database.transaction() as connection:
        found = await tables.get(connection, data_id, of=of)
    base = await base_named(database, asked.base)
    codec = await prompts.for_base(base)
    request = {
        "path": str(tables.file_of(layout, data_id)),
        "columns": found.columns,
        "line": asked.line,
        "count": asked.count,
    }
    samples = [
        Sample(**{**one, "messages": tuple(one["messages"])})
        for one in await run_child("samples", request, name=found.name, seconds=_SECONDS)
    ]
    limit = min(asked.max_length or base.context_length, base.context_length)
    return await view_tokens(codec, samples, model=base.name, max_length=limit)


async def base_named(database: Database, name: str | None) -> Base:
    """The base of that name or id, or of the variant of that name; without a name, the only one.

    Raises:
        ModelNotFound
        InvalidInput: there is not just one.
    """
    async with database.transaction() as connection:
        if name is not None:
            with suppress(ModelNotFound):
                return await models.get_base(connection, name)
            variant = await models.get_variant(connection, name)
            return await models.get_base(connection, variant.base_id)
        bases = await models.list_bases(connection)
    if len(bases) == 1:
        return bases[0]
    listed = ", ".join(base.name for base in bases) or "—"
    why = Text(f"name one of: {listed}", f"하나를 고르세요: {listed}")
    raise InvalidInput(what=Text("base", "베이스"), value=None, why=why)


def hash_and_sync(path: Path) -> str:
    """The SHA-256 of a file whose bytes are on the disk from then on."""
    sync(path)
    sync(path.parent)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
