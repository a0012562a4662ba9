"""News from the database: one connection that listens on behalf of everybody in this process.

PostgreSQL's NOTIFY carries no history. So a subscriber is only woken, and reads the state itself; whoever
subscribes first and reads then misses nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

_CHANNEL = "twotrack"
# A connection whose other side vanished looks like a quiet one: ask now and then.
_QUIET_SECONDS = 30.0
_RETRY_SECONDS = 0.5
_START_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Notifications:
    """Topics are the payloads of the channel "twotrack", such as "job:<id>".

    Nothing is connected before the first `subscribe`. After a lost connection every subscriber is woken,
    since what was sent meanwhile is gone.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._subscribers: dict[str, set[asyncio.Event]] = {}
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever there is news on `topic`; clear it, then read the state.

        Raises:
            TimeoutError: the database could not be listened to for 30 seconds.
        """
        news = asyncio.Event()
        self._subscribers.setdefault(topic, set()).add(news)
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._listen(), name="listen for notifications")
            async with asyncio.timeout(_START_SECONDS):
                await self._listening.wait()
            yield news
        finally:
            self._subscribers[topic].discard(news)
            if not self._subscribers[topic]:
                del self._subscribers[topic]

    @property
    def connected(self) -> bool:
        """Whether news arrive at the moment."""
        return self._listening.is_set()

    def topics(self) -> frozenset[str]:
        """What somebody in this process listens for at the moment."""
        return frozenset(self._subscribers)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _listen(self) -> None:
        try:
            while True:
                try:
                    await self._listen_once()
                except (psycopg.OperationalError, OSError) as error:
                    # Once for each outage, not for each attempt to end it.
                    level = logging.WARNING if self._listening.is_set() else logging.DEBUG
                    _log.log(level, "lost the connection for notifications, trying again: %s", error)
                self._listening.clear()
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._listening.clear()

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            for topic in self._subscribers:
                self._wake(topic)
            self._listening.set()
            while True:
                async for notification in connection.notifies(timeout=_QUIET_SECONDS):
                    self._wake(notification.payload)
                await connection.execute("SELECT 1")

    def _wake(self, topic: str) -> None:
        for news in self._subscribers.get(topic, ()):
            news.set()
