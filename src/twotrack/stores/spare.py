"""Places of vectors that are no collection's: being filled by a job, or left behind and to be dropped.

A place that lies outside of PostgreSQL cannot come and go in its transactions. So its name is written down
first, and struck out when it belongs to a collection or is gone: what a crash leaves is found here.
"""

import logging
from uuid import UUID

from twotrack.core.database import Connection, Database
from twotrack.core.errors import TwotrackError
from twotrack.stores.choice import Stores
from twotrack.stores.schemas import StoreKind

_log = logging.getLogger(__name__)


async def write_down(connection: Connection, place: UUID, store: StoreKind, job: UUID | None = None) -> None:
    """Of a job's place: it is the job's for as long as that is not over."""
    await connection.execute(
        "INSERT INTO spare_vectors (id, store, job_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (place, store, job),
    )


async def strike_out(connection: Connection, place: UUID) -> None:
    await connection.execute("DELETE FROM spare_vectors WHERE id = %s", (place,))


async def drop(database: Database, stores: Stores, place: UUID, store: StoreKind) -> None:
    """
    Raises:
        StoreUnknown, StoreAway: it stays written down.
    """
    await stores.store(store).drop(place)
    async with database.transaction() as connection:
        await strike_out(connection, place)
        await connection.execute("DELETE FROM staged_chunks WHERE place = %s", (place,))


async def sweep(database: Database, stores: Stores) -> None:
    """Drop what nobody fills or asks any more; what cannot be reached now is tried again another time."""
    rows = await database.fetch_all(
        "SELECT id, store FROM spare_vectors WHERE NOT EXISTS (SELECT FROM jobs"
        " WHERE jobs.id = job_id AND state IN ('queued', 'running'))"
        # Of a place that was left just now somebody may still be reading.
        " AND (job_id IS NOT NULL OR created_at < now() - interval '1 minute')"
    )
    for row in rows:
        try:
            await drop(database, stores, row["id"], row["store"])
        except TwotrackError as error:
            _log.warning("the vectors %s could not be dropped yet: %s", row["id"], error)
