"""Vectors in PostgreSQL: one table with an HNSW index for each collection, in the studio's own database."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from twotrack.core.database import Connection, Database
from twotrack.stores.errors import TooManyDimensions, VectorsGone
from twotrack.stores.port import Row, Vector
from twotrack.stores.schemas import Hit

# Up to so many vectors behind a filter are compared one by one: exact, and faster than an index that has to
# pass over most of what it finds.
_EXACT = 20_000
_LEAST_EF = 200
"""hnsw.ef_search: how many candidates the index keeps. With this and `ef_construction` below, 0.99 of the ten
nearest among 100,000 are found, at a tenth of a scan's time (docs/decisions/0017)."""
_LARGEST_EF = 1000
# Numbers of a vector that an HNSW index of pgvector takes.
_LARGEST_WHOLE, _LARGEST_HALF = 2000, 4000


class PgVectorStore:
    """See port.VectorStore. The index is searched again and again until k are found behind a filter
    (`hnsw.iterative_scan`): without it a filter that keeps a tenth loses more than half of the neighbours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, collection: UUID, dimensions: int, *, half: bool = False, bound: bool = True
    ) -> None:
        async with self._database.transaction() as connection:
            await create_table(connection, collection, dimensions, half=half, bound=bound)

    async def drop(self, collection: UUID) -> None:
        async with self._database.transaction() as connection:
            await drop_table(connection, collection)

    async def put(self, collection: UUID, rows: Sequence[Row]) -> None:
        async with self._asked() as connection:
            await put_rows(connection, collection, rows)

    async def remove(self, collection: UUID, chunk_ids: Sequence[int]) -> None:
        query = sql.SQL("DELETE FROM {} WHERE chunk_id = ANY(%s)").format(_table(collection))
        async with self._asked() as connection:
            await connection.execute(query, (list(chunk_ids),))

    async def search(
        self, collection: UUID, vector: Vector, k: int, *, documents: Sequence[UUID] | None = None
    ) -> list[Hit]:
        if documents is not None and not documents:
            return []
        async with self._asked() as connection:
            if documents is None:
                # The settings and the search in one round trip.
                async with connection.pipeline():
                    return await _search(connection, collection, vector, k)
            chosen = list(documents)
            among = await _count_among(connection, collection, chosen)
            return await _search(connection, collection, vector, k, chosen, exact=among <= _EXACT)

    async def missing(self, collection: UUID, chunk_ids: Sequence[int]) -> list[int]:
        query = sql.SQL(
            "SELECT id FROM unnest(%s::bigint[]) AS asked (id)"
            " WHERE NOT EXISTS (SELECT FROM {} WHERE chunk_id = asked.id) ORDER BY id"
        ).format(_table(collection))
        async with self._asked() as connection:
            rows = await (await connection.execute(query, (list(chunk_ids),))).fetchall()
        return [row["id"] for row in rows]

    async def ids(self, collection: UUID, after: int, limit: int) -> list[int]:
        query = sql.SQL("SELECT chunk_id FROM {} WHERE chunk_id > %s ORDER BY chunk_id LIMIT %s").format(
            _table(collection)
        )
        async with self._asked() as connection:
            rows = await (await connection.execute(query, (after, limit))).fetchall()
        return [row["chunk_id"] for row in rows]

    async def count(self, collection: UUID) -> int:
        query = sql.SQL("SELECT count(*) AS count FROM {}").format(_table(collection))
        async with self._asked() as connection:
            row = await (await connection.execute(query)).fetchone()
        assert row is not None
        count: int = row["count"]
        return count

    @asynccontextmanager
    async def _asked(self) -> AsyncGenerator[Connection, None]:
        try:
            async with self._database.transaction() as connection:
                yield connection
        except psycopg.errors.UndefinedTable as error:
            raise VectorsGone() from error


async def create_table(
    connection: Connection, collection: UUID, dimensions: int, *, half: bool = False, bound: bool = True
) -> None:
    """The collection's table with its indexes, in the caller's transaction. One that is there stays.

    `bound` vectors go with their chunks; others may come before them (`bind`).

    Raises:
        TooManyDimensions: for an HNSW index.
    """
    limit = _LARGEST_HALF if half else _LARGEST_WHOLE
    if dimensions > limit:
        raise TooManyDimensions(dimensions=dimensions, limit=limit, half_limit=_LARGEST_HALF)
    cursor = await connection.execute(
        "SELECT to_regclass(%s) IS NOT NULL AS there", (f"vectors_{collection.hex}",)
    )
    row = await cursor.fetchone()
    if row is not None and row["there"]:
        return
    kind = "halfvec" if half else "vector"
    await connection.execute(
        sql.SQL(
            "CREATE TABLE {table} ("
            " chunk_id bigint PRIMARY KEY{bound},"
            " document_id uuid NOT NULL,"
            " embedding {kind} NOT NULL)"
        ).format(
            table=_table(collection),
            kind=sql.SQL(f"{kind}({int(dimensions)})"),
            bound=sql.SQL(" REFERENCES chunks ON DELETE CASCADE" if bound else ""),
        )
    )
    # Compressed or moved out of the row, a vector would be fetched a second time for every comparison.
    await connection.execute(
        sql.SQL("ALTER TABLE {} ALTER COLUMN embedding SET STORAGE PLAIN").format(_table(collection))
    )
    await connection.execute(
        sql.SQL("CREATE INDEX {} ON {} USING hnsw (embedding {}) WITH (ef_construction = 128)").format(
            _index(collection, "near"), _table(collection), sql.SQL(f"{kind}_cosine_ops")
        )
    )
    await connection.execute(
        sql.SQL("CREATE INDEX {} ON {} (document_id)").format(
            _index(collection, "document"), _table(collection)
        )
    )


async def bind(connection: Connection, collection: UUID) -> None:
    """From here on the vectors go with their chunks; those whose chunks have gone go now."""
    await connection.execute(
        sql.SQL("DELETE FROM {} WHERE NOT EXISTS (SELECT FROM chunks WHERE id = chunk_id)").format(
            _table(collection)
        )
    )
    await connection.execute(
        sql.SQL("ALTER TABLE {} ADD FOREIGN KEY (chunk_id) REFERENCES chunks ON DELETE CASCADE").format(
            _table(collection)
        )
    )


async def drop_table(connection: Connection, collection: UUID) -> None:
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(collection)))


async def put_rows(connection: Connection, collection: UUID, rows: Sequence[Row]) -> None:
    """COPY into a passing table, then over: the caller's transaction decides whether they stay."""
    if not rows:
        return
    table = _table(collection)
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS arriving"))
    await connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE arriving (LIKE {}) ON COMMIT DROP").format(table)
    )
    async with connection.cursor().copy(
        "COPY arriving (chunk_id, document_id, embedding) FROM STDIN"
    ) as copy:
        for chunk_id, document_id, vector in rows:
            await copy.write_row((chunk_id, document_id, _literal(vector)))
    await connection.execute(
        sql.SQL(
            "INSERT INTO {} SELECT * FROM arriving ON CONFLICT (chunk_id)"
            " DO UPDATE SET document_id = excluded.document_id, embedding = excluded.embedding"
        ).format(table)
    )


async def copy_vectors(connection: Connection, collection: UUID, source: UUID, target: UUID) -> None:
    """The vectors of one document for the chunks of another that was cut alike."""
    await connection.execute(
        sql.SQL(
            "INSERT INTO {table} (chunk_id, document_id, embedding)"
            " SELECT theirs.id, theirs.document_id, vectors.embedding FROM {table} AS vectors"
            " JOIN chunks AS ours ON ours.id = vectors.chunk_id"
            " JOIN chunks AS theirs ON theirs.document_id = %s AND theirs.position = ours.position"
            " WHERE ours.document_id = %s"
        ).format(table=_table(collection)),
        (target, source),
    )


async def _count_among(connection: Connection, collection: UUID, documents: list[UUID]) -> int:
    # Counted no further than the answer needs.
    query = sql.SQL(
        "SELECT count(*) AS count FROM (SELECT FROM {} WHERE document_id = ANY(%s) LIMIT %s) AS among"
    ).format(_table(collection))
    row = await (await connection.execute(query, (documents, _EXACT + 1))).fetchone()
    assert row is not None
    count: int = row["count"]
    return count


async def _search(
    connection: Connection,
    collection: UUID,
    vector: Vector,
    k: int,
    documents: list[UUID] | None = None,
    *,
    exact: bool = False,
) -> list[Hit]:
    values: dict[str, Any] = {"vector": _literal(vector), "k": k, "documents": documents}
    # Without a cast the vector takes the column's own type, whole or half.
    nearest = sql.SQL("SELECT chunk_id, document_id, embedding <=> %(vector)s AS distance FROM {}").format(
        _table(collection)
    )
    filtered = sql.SQL(" WHERE document_id = ANY(%(documents)s)")
    ordered = sql.SQL(" ORDER BY distance LIMIT %(k)s")
    if exact:
        # Materialized, so that the distances are not taken for a reason to walk the index.
        query = sql.SQL("WITH every AS MATERIALIZED ({}) SELECT * FROM every {}").format(
            nearest + filtered, ordered
        )
    else:
        ef = min(_LARGEST_EF, max(_LEAST_EF, 4 * k))
        await connection.execute(
            sql.SQL(
                "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
                " set_config('hnsw.ef_search', {}, true),"
                " set_config('hnsw.max_scan_tuples', '200000', true),"
                # The planner takes an index scan of k rows for dearer than it is.
                " set_config('enable_seqscan', 'off', true)"
            ).format(sql.Literal(str(ef)))
        )
        inner = nearest + (filtered if documents is not None else sql.SQL("")) + ordered
        # Relaxed order means: almost in order.
        query = sql.SQL("WITH near AS MATERIALIZED ({}) SELECT * FROM near ORDER BY distance").format(inner)
    rows = await (await connection.execute(query, values)).fetchall()
    return [Hit(row["chunk_id"], row["document_id"], 1.0 - float(row["distance"])) for row in rows]


def _literal(vector: Vector) -> str:
    # One format for all numbers: three times as fast as NumPy's own formatting.
    return "[" + ",".join(["%.7g"] * len(vector)) % tuple(vector.tolist()) + "]"


def _table(collection: UUID) -> sql.Identifier:
    return sql.Identifier(f"vectors_{collection.hex}")


def _index(collection: UUID, what: str) -> sql.Identifier:
    return sql.Identifier(f"vectors_{collection.hex}_{what}")
