"""Bases, adapters and variants in PostgreSQL. Names and ids both find them; no name looks like an id."""

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString
from uuid import UUID

from twotrack.core.database import Connection, as_jsonb
from twotrack.equalizer.board import Board
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.schemas import Adapter, Base, Variant, VariantAdapter

_BASE: LiteralString = (
    "id, name, source, family, architecture, format, license, parameters, context_length, files, details, "
    "created_at"
)
_ADAPTER: LiteralString = (
    "id, name, base_id, rank, alpha, target_modules, template_hash, data_fingerprint, recipe, files, job_id, "
    "step, created_at"
)
_VARIANT: LiteralString = "id, name, base_id, adapters, base_board, created_at"


async def insert_base(connection: Connection, base: Base) -> Base | None:
    """The base as stored; None if its id or its name is taken."""
    row = await (
        await connection.execute(
            f"INSERT INTO bases ({_BASE}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            f"ON CONFLICT DO NOTHING RETURNING {_BASE}",
            (
                *(base.id, base.name, base.source, base.family, base.architecture, base.format, base.license),
                *(base.parameters, base.context_length, _jsonb(base.files), as_jsonb(base.details)),
                base.created_at,
            ),
        )
    ).fetchone()
    return Base.model_validate(row) if row else None


async def get_base(connection: Connection, id_or_name: str) -> Base:
    """
    Raises:
        ModelNotFound
    """
    row = await (
        await connection.execute(
            f"SELECT {_BASE} FROM bases WHERE id = %(given)s OR name = %(given)s", {"given": id_or_name}
        )
    ).fetchone()
    if row is None:
        raise ModelNotFound(what="base", name=id_or_name)
    return Base.model_validate(row)


async def find_base_by_source(connection: Connection, source: str) -> Base | None:
    row = await (
        await connection.execute(
            f"SELECT {_BASE} FROM bases WHERE source = %s ORDER BY created_at LIMIT 1", (source,)
        )
    ).fetchone()
    return Base.model_validate(row) if row else None


async def list_bases(connection: Connection) -> list[Base]:
    rows = await (await connection.execute(f"SELECT {_BASE} FROM bases ORDER BY created_at, id")).fetchall()
    return [Base.model_validate(row) for row in rows]


async def delete_base(connection: Connection, base_id: str) -> None:
    """Nothing may refer to it any more."""
    await connection.execute("DELETE FROM bases WHERE id = %s", (base_id,))


async def insert_adapter(connection: Connection, adapter: Adapter) -> Adapter | None:
    """The adapter as stored; None if its id, its name or its step of a job is taken."""
    row = await (
        await connection.execute(
            f"INSERT INTO adapters ({_ADAPTER}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            f"ON CONFLICT DO NOTHING RETURNING {_ADAPTER}",
            (
                *(adapter.id, adapter.name, adapter.base_id, adapter.rank, adapter.alpha),
                *(as_jsonb(adapter.target_modules), adapter.template_hash, adapter.data_fingerprint),
                *(as_jsonb(adapter.recipe), _jsonb(adapter.files), adapter.job_id, adapter.step),
                adapter.created_at,
            ),
        )
    ).fetchone()
    return Adapter.model_validate(row) if row else None


async def get_adapter(connection: Connection, id_or_name: UUID | str) -> Adapter:
    """
    Raises:
        ModelNotFound
    """
    row = await (
        await connection.execute(
            f"SELECT {_ADAPTER} FROM adapters WHERE id::text = %(given)s OR name = %(given)s",
            {"given": str(id_or_name)},
        )
    ).fetchone()
    if row is None:
        raise ModelNotFound(what="adapter", name=str(id_or_name))
    return Adapter.model_validate(row)


async def find_adapter_of_job(
    connection: Connection, job_id: UUID, step: int | None = None
) -> Adapter | None:
    """The adapter that a run left at its end, or of one step before it."""
    row = await (
        await connection.execute(
            f"SELECT {_ADAPTER} FROM adapters WHERE job_id = %s AND step IS NOT DISTINCT FROM %s",
            (job_id, step),
        )
    ).fetchone()
    return Adapter.model_validate(row) if row else None


async def list_adapters_of_job(connection: Connection, job_id: UUID) -> list[Adapter]:
    """Those of a run's steps in their order, then that of its end."""
    rows = await (
        await connection.execute(
            f"SELECT {_ADAPTER} FROM adapters WHERE job_id = %s ORDER BY step NULLS LAST", (job_id,)
        )
    ).fetchall()
    return [Adapter.model_validate(row) for row in rows]


async def find_variants_of_adapters(
    connection: Connection, adapter_ids: Sequence[UUID]
) -> dict[UUID, Variant]:
    """Of each adapter that has one, the oldest variant that is this adapter alone."""
    rows = await (
        await connection.execute(
            f"SELECT DISTINCT ON (adapters->0->>'adapter_id') {_VARIANT} FROM variants "
            "WHERE jsonb_array_length(adapters) = 1 AND base_board IS NULL "
            "AND adapters->0->>'adapter_id' = ANY(%s) "
            "ORDER BY adapters->0->>'adapter_id', created_at, id",
            ([str(one) for one in adapter_ids],),
        )
    ).fetchall()
    found = [Variant.model_validate(row) for row in rows]
    return {variant.adapters[0].adapter_id: variant for variant in found}


async def find_variant_of_adapter(connection: Connection, adapter_id: UUID) -> Variant | None:
    """The oldest variant that is this adapter alone."""
    return (await find_variants_of_adapters(connection, [adapter_id])).get(adapter_id)


async def rename_adapter(connection: Connection, adapter_id: UUID, name: str) -> None:
    """
    Raises:
        psycopg.errors.UniqueViolation: the name is taken.
    """
    await connection.execute("UPDATE adapters SET name = %s WHERE id = %s", (name, adapter_id))


async def list_adapters(connection: Connection, base_id: str | None = None) -> list[Adapter]:
    """The adapters of one base, or all; the oldest first."""
    rows = await (
        await connection.execute(
            f"SELECT {_ADAPTER} FROM adapters WHERE %(base)s::text IS NULL OR base_id = %(base)s "
            "ORDER BY created_at, id",
            {"base": base_id},
        )
    ).fetchall()
    return [Adapter.model_validate(row) for row in rows]


async def delete_adapter(connection: Connection, adapter_id: UUID) -> None:
    await connection.execute("DELETE FROM adapters WHERE id = %s", (adapter_id,))


async def insert_variant(
    connection: Connection,
    name: str,
    base_id: str,
    adapters: Iterable[VariantAdapter] = (),
    base_board: Board | None = None,
) -> Variant | None:
    """The new variant; None if the name is taken, or if it is the base itself, which is there already."""
    row = await (
        await connection.execute(
            f"INSERT INTO variants (name, base_id, adapters, base_board) VALUES (%s, %s, %s, %s) "
            f"ON CONFLICT DO NOTHING RETURNING {_VARIANT}",
            (name, base_id, _jsonb(adapters), base_board and as_jsonb(base_board.model_dump(mode="json"))),
        )
    ).fetchone()
    return Variant.model_validate(row) if row else None


async def get_variant(connection: Connection, id_or_name: UUID | str) -> Variant:
    """
    Raises:
        ModelNotFound
    """
    row = await (
        await connection.execute(
            f"SELECT {_VARIANT} FROM variants WHERE id::text = %(given)s OR name = %(given)s",
            {"given": str(id_or_name)},
        )
    ).fetchone()
    if row is None:
        raise ModelNotFound(what="variant", name=str(id_or_name))
    return Variant.model_validate(row)


async def list_variants(connection: Connection, base_id: str | None = None) -> list[Variant]:
    """The variants of one base, or all; the oldest first."""
    rows = await (
        await connection.execute(
            f"SELECT {_VARIANT} FROM variants WHERE %(base)s::text IS NULL OR base_id = %(base)s "
            "ORDER BY created_at, id",
            {"base": base_id},
        )
    ).fetchall()
    return [Variant.model_validate(row) for row in rows]


async def rename_variant(connection: Connection, variant: Variant, name: str) -> Variant:
    """The base's own variant and the base keep one name between them.

    Raises:
        psycopg.errors.UniqueViolation: the name is taken.
    """
    if variant.is_base:
        await connection.execute("UPDATE bases SET name = %s WHERE id = %s", (name, variant.base_id))
    row = await (
        await connection.execute(
            f"UPDATE variants SET name = %s WHERE id = %s RETURNING {_VARIANT}", (name, variant.id)
        )
    ).fetchone()
    if row is None:
        raise ModelNotFound(what="variant", name=variant.name)
    return Variant.model_validate(row)


async def delete_variant(connection: Connection, variant_id: UUID) -> None:
    await connection.execute("DELETE FROM variants WHERE id = %s", (variant_id,))


async def is_name_taken(connection: Connection, name: str) -> bool:
    """Whether a variant, and so a base, goes by this name."""
    cursor = await connection.execute("SELECT 1 FROM variants WHERE name = %s", (name,))
    return await cursor.fetchone() is not None


async def lock_base(connection: Connection, base_id: str) -> None:
    """Let nobody else add to, take from or remove this base until the transaction ends.

    Adapters are named inside a variant's JSON, where no foreign key watches over them.

    Raises:
        ModelNotFound
    """
    cursor = await connection.execute("SELECT 1 FROM bases WHERE id = %s FOR UPDATE", (base_id,))
    if await cursor.fetchone() is None:
        raise ModelNotFound(what="base", name=base_id)


def _jsonb(values: Iterable[Any]) -> Any:
    return as_jsonb([value.model_dump(mode="json") for value in values])
