"""The living keys and the rules of access, held in memory so that a request costs no query.

Trusted only while the database is listened to: a change there wakes the keyring (topic "access"), and what
changes keys in this process has it read again before it answers. Without that connection every request reads
anew. Nothing older than ten seconds is trusted, since a connection whose other side vanished looks quiet.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from twotrack.core import events
from twotrack.core.access.caller import Caller, Role
from twotrack.core.database import Database

_TRUSTED_SECONDS = 10.0
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LivingKey:
    """A key that is not revoked; it may have expired."""

    id: UUID
    name: str
    role: Role
    hash: bytes
    expires_at: datetime | None
    expired: bool

    @property
    def caller(self) -> Caller:
        return Caller(self.id, self.name, self.role)


@dataclass(frozen=True)
class Rules:
    """What the administrator has set of access."""

    allowed_origins: frozenset[str] = frozenset()
    requests_per_minute: int | None = None


@dataclass(frozen=True)
class Snapshot:
    by_hash: Mapping[bytes, LivingKey] = field(default_factory=dict)
    by_id: Mapping[UUID, LivingKey] = field(default_factory=dict)
    rules: Rules = Rules()


LoadRules = Callable[[Database], Awaitable[Rules]]


class Keyring:
    """`open` first, `close` last. `changed` is called after every reading, with what holds then."""

    def __init__(
        self,
        load_rules: LoadRules,
        *,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.snapshot = Snapshot()
        """As it was read last; for whom must it not be outdated, see `current`."""
        self._load_rules = load_rules
        self._changed = changed
        self._clock = clock
        self._database: Database | None = None
        self._watch: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[psycopg.OperationalError | None] | None = None
        self._readings = 0
        self._listening = False
        # Counts changes that were heard of; `_read` is the count when the last good reading began.
        self._heard = 1
        self._read = 0
        self._read_at = 0.0
        self._seen_expired: set[tuple[UUID, datetime]] = set()
        self._writing: set[asyncio.Task[None]] = set()

    async def open(self, database: Database) -> None:
        self._database = database
        self._watch = asyncio.create_task(self._listen(database), name="watch keys")

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._writing:
            await asyncio.wait(self._writing, timeout=5)

    async def current(self) -> Snapshot:
        """What holds now.

        Raises:
            psycopg.OperationalError: it has to be read, and the database does not answer.
        """
        if not self._is_trusted():
            await self._read_again()
        return self.snapshot

    async def reread(self) -> None:
        """Called after a change of keys or settings by this process, before the change is answered."""
        self._heard += 1
        try:
            await self._read_again()
        except psycopg.OperationalError as error:
            # The change stands, and its answer may hold a secret; until it is read, nothing is trusted.
            _log.warning("a change of keys is not read yet: %s", error)

    def is_expired(self, key: LivingKey) -> bool:
        """Whether its time is over, or ever was: a clock that is set back revives no key.

        The first time is written down.
        """
        if key.expired or (key.expires_at is not None and (key.id, key.expires_at) in self._seen_expired):
            return True
        if key.expires_at is None or self._clock() < key.expires_at:
            return False
        self._seen_expired.add((key.id, key.expires_at))
        self.soon(self._write_expired(key), "note an expired key")
        return True

    def seconds_left(self, key: LivingKey) -> float | None:
        return None if key.expires_at is None else (key.expires_at - self._clock()).total_seconds()

    def soon(self, writing: Awaitable[None], name: str) -> None:
        """Write something beside the request; `close` waits for it for a moment."""

        async def write() -> None:
            try:
                await writing
            except psycopg.Error as error:
                _log.warning("could not %s: %s", name, error)

        task = asyncio.create_task(write(), name=name)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    @property
    def busy_writing(self) -> int:
        return len(self._writing)

    @property
    def database(self) -> Database:
        assert self._database is not None, "the keyring is not open"
        return self._database

    def _is_trusted(self) -> bool:
        return (
            self._listening
            and self.database.notifications.connected
            and self._read == self._heard
            and time.monotonic() - self._read_at < _TRUSTED_SECONDS
        )

    async def _read_again(self) -> None:
        """A reading that begins after the call; callers that come meanwhile share the next one."""
        wanted = self._readings + 1
        while True:
            if self._reading is None or self._reading.done():
                self._readings += 1
                self._reading = asyncio.create_task(self._read_once(), name="read keys")
            number, reading = self._readings, self._reading
            # Not awaited itself: who waits here may be cancelled, and others wait for the same.
            await asyncio.wait([reading])
            if number >= wanted:
                if error := reading.result():
                    raise error
                return

    async def _read_once(self) -> psycopg.OperationalError | None:
        heard, at = self._heard, time.monotonic()
        try:
            rows = await self.database.fetch_all(
                "SELECT id, name, role, hash, expires_at, expired_at IS NOT NULL AS expired"
                " FROM api_keys WHERE revoked_at IS NULL"
            )
            rules = await self._load_rules(self.database)
        except psycopg.OperationalError as error:
            return error
        keys = [LivingKey(**row) for row in rows]
        self.snapshot = Snapshot({key.hash: key for key in keys}, {key.id: key for key in keys}, rules)
        self._read, self._read_at = heard, at
        self._changed()
        return None

    async def _listen(self, database: Database) -> None:
        while True:
            try:
                async with database.notifications.subscribe("access") as news:
                    self._heard += 1
                    self._listening = True
                    # Also where nobody has a key: the rules hold for all.
                    await self._read_again()
                    while True:
                        await news.wait()
                        news.clear()
                        self._heard += 1
                        await self._read_again()
            except (psycopg.Error, OSError, TimeoutError) as error:
                _log.warning("keys are read for every request until they can be watched again: %s", error)
            finally:
                self._listening = False
            await asyncio.sleep(_RETRY_SECONDS)

    async def _write_expired(self, key: LivingKey) -> None:
        async with self.database.transaction() as connection:
            cursor = await connection.execute(
                "UPDATE api_keys SET expired_at = now()"
                " WHERE id = %s AND expires_at = %s AND expired_at IS NULL AND revoked_at IS NULL",
                [key.id, key.expires_at],
            )
            if cursor.rowcount:
                await events.append(
                    connection, "key.expired", key_id=key.id, name=key.name, expires_at=key.expires_at
                )
