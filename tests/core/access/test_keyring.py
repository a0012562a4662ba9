"""Keys held in memory: how long they are trusted, and when their time is over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from twotrack.core import events
from twotrack.core.access import keys
from twotrack.core.access.caller import OWNER
from twotrack.core.access.keyring import Keyring, Rules
from twotrack.core.access.schemas import KeyChange, NewKey
from twotrack.core.database import Database

Watched = Callable[..., AbstractAsyncContextManager[Keyring]]


class WallClock:
    """A machine's clock, which may be set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def counted() -> list[int]:
    """How often the rules were read, which is as often as the keys."""
    return [0]


@pytest.fixture
def watched(database: Database, counted: list[int]) -> Watched:
    async def load_rules(_: Database) -> Rules:
        counted[0] += 1
        return Rules()

    @asynccontextmanager
    async def opened(clock: Callable[[], datetime] | None = None) -> AsyncIterator[Keyring]:
        keyring = Keyring(load_rules, clock=clock or WallClock())
        await keyring.open(database)
        yield keyring
        await keyring.close()

    return opened


async def _until_trusted(keyring: Keyring) -> None:
    async with asyncio.timeout(30):
        while not keyring._is_trusted():
            await keyring.current()
            await asyncio.sleep(0)


async def test_a_thousand_requests_read_the_keys_once(watched: Watched, counted: list[int]) -> None:
    async with watched() as keyring:
        await _until_trusted(keyring)
        counted[0] = 0
        for _ in range(1000):
            await keyring.current()
        assert counted[0] == 0


async def test_the_rules_are_read_before_anybody_comes_with_a_key(
    watched: Watched, database: Database, counted: list[int]
) -> None:
    # Where the process listens already, nothing wakes a new listener.
    async with asyncio.timeout(30), database.notifications.subscribe("other"), watched():
        while not counted[0]:
            await asyncio.sleep(0)


async def test_requests_that_come_while_it_reads_share_the_next_reading(
    watched: Watched, counted: list[int]
) -> None:
    async with watched() as keyring:
        await _until_trusted(keyring)
        counted[0] = 0
        keyring._heard += 1
        first = asyncio.create_task(keyring.current())
        await asyncio.sleep(0)
        # The reading that is under way may have begun too early for these.
        await asyncio.gather(first, *(keyring.current() for _ in range(50)))
        assert counted[0] == 2


async def test_a_change_during_a_reading_is_read_again(watched: Watched, database: Database) -> None:
    async with watched() as keyring:
        await _until_trusted(keyring)
        reading = asyncio.create_task(keyring._read_once())
        await asyncio.sleep(0)
        keyring._heard += 1
        await reading
        assert not keyring._is_trusted()


async def test_without_news_from_the_database_nothing_in_memory_is_trusted(
    watched: Watched, database: Database, counted: list[int]
) -> None:
    async with watched() as keyring:
        await _until_trusted(keyring)
        # The listening connection is lost and does not come back; those of the pool stay.
        name = str(psycopg.conninfo.conninfo_to_dict(database.url)["dbname"])
        admin = psycopg.conninfo.make_conninfo(database.url, dbname="postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND query LIKE 'LISTEN%%'",
                [name],
            )
        while database.notifications.connected:
            await asyncio.sleep(0)
        made = await keys.create_key(database, NewKey(name="a"), OWNER)
        assert (await keyring.current()).by_id.keys() == {made.key.id}
        await keys.revoke_key(database, made.key.id, OWNER)
        assert not (await keyring.current()).by_id
        before = counted[0]
        await keyring.current()
        assert counted[0] == before + 1


async def test_an_expired_key_stays_dead_when_the_clock_is_set_back(
    watched: Watched, database: Database
) -> None:
    clock = WallClock()
    hour = timedelta(hours=1)
    made = await keys.create_key(database, NewKey(name="a", expires_at=clock.now + hour), OWNER)
    async with watched(clock) as keyring:
        (key,) = (await keyring.current()).by_id.values()
        assert not keyring.is_expired(key)
        clock.now += hour
        assert keyring.is_expired(key)
        clock.now -= 2 * hour
        assert keyring.is_expired(key)
    # And after a restart, by a clock that never was right.
    async with watched(clock) as keyring:
        (key,) = (await keyring.current()).by_id.values()
        assert keyring.is_expired(key)
    assert (await keys.list_keys(database))[0].state == "expired"
    assert [event.kind for event in await events.list_events(database)] == ["key.expired", "key.created"]
    # It lives again only when somebody says so.
    later = KeyChange(expires_at=datetime.now(UTC) + 5 * hour)
    await keys.change_key(database, made.key.id, later, OWNER)
    async with watched(clock) as keyring:
        (key,) = (await keyring.current()).by_id.values()
        assert not keyring.is_expired(key)


async def test_a_clock_that_jumps_ahead_ends_only_what_expires(watched: Watched, database: Database) -> None:
    clock = WallClock()
    await keys.create_key(database, NewKey(name="lasting"), OWNER)
    await keys.create_key(database, NewKey(name="expiring", expires_at=clock.now + timedelta(days=1)), OWNER)
    async with watched(clock) as keyring:
        found: Any = {key.name: key for key in (await keyring.current()).by_id.values()}
        clock.now += timedelta(days=36500)
        assert not keyring.is_expired(found["lasting"])
        assert keyring.is_expired(found["expiring"])


async def test_a_key_that_was_given_a_later_end_meanwhile_is_not_marked(
    watched: Watched, database: Database
) -> None:
    clock = WallClock()
    made = await keys.create_key(database, NewKey(name="a", expires_at=clock.now + timedelta(hours=1)), OWNER)
    async with watched(clock) as keyring:
        (key,) = (await keyring.current()).by_id.values()
        later = KeyChange(expires_at=clock.now + timedelta(days=2))
        await keys.change_key(database, made.key.id, later, OWNER)
        clock.now += timedelta(hours=2)
        # By what was read before the change, its time is over; the row says otherwise.
        assert keyring.is_expired(key)
    assert (await keys.list_keys(database))[0].state == "active"
    assert await events.list_events(database, kind="key.expired") == []
