"""What the gate knows: who holds which key, who came how often, whose requests are running."""

import asyncio
import hmac
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.types import Scope

from twotrack.core import events
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.access.errors import (
    KeyEnded,
    KeyExpired,
    KeyRequired,
    KeyUnknown,
    TooManyRequests,
    TooManyWrongKeys,
)
from twotrack.core.access.keyring import Keyring, LivingKey, LoadRules, Rules
from twotrack.core.access.keys import PREFIX, hashed
from twotrack.core.access.limits import Allowance, WrongKeys, address_group
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError

# A key's last use is written down at most this often.
_USE_SECONDS = 60.0
# Lines about refusals: of one kind from one address, and in all; and how many are written at once.
_REFUSALS_A_MINUTE = (1, 30)
_MOST_WRITINGS = 100
# How often a running request looks whether its key's time is over: clocks jump, timers do not.
_CLOCK_SECONDS = 1.0


class Running:
    """One request of a key, so that it can be ended; `ended` becomes the reason."""

    def __init__(self, key: LivingKey) -> None:
        self.key = key
        self.ended: asyncio.Future[TwotrackError] = asyncio.get_running_loop().create_future()

    def end(self, reason: TwotrackError) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)


class Guard:
    """One for a studio's API process; `open` first, `close` last."""

    def __init__(self, *, owner_key: str | None, load_rules: LoadRules) -> None:
        self.login = owner_key is not None
        self.keyring = Keyring(load_rules, changed=self._end_outdated)
        self.requests = Allowance()
        self.wrong_keys = WrongKeys()
        self._owner_key = owner_key
        self._running: dict[UUID, set[Running]] = {}
        self._used: dict[UUID, float] = {}
        self._lines = Allowance()
        self._unwritten = 0

    async def open(self, database: Database) -> None:
        await self.keyring.open(database)

    async def close(self) -> None:
        await self.keyring.close()

    async def rules(self) -> Rules:
        return (await self.keyring.current()).rules

    async def authenticate(
        self, bearer: str | None, address: str, *, required: bool
    ) -> tuple[Caller, LivingKey | None]:
        """Who a request with this bearer key is. Where no key is `required`, only keys of ours are looked at:
        OpenAI's clients always send one, be it "none".

        Raises:
            KeyRequired, KeyUnknown, KeyExpired, TooManyWrongKeys
        """
        ours = bearer is not None and bearer.startswith(PREFIX)
        if bearer is None or not (required or ours):
            if required:
                raise KeyRequired
            return OWNER, None
        address = address_group(address)
        wait = self.wrong_keys.wait(address)
        if ours:
            # 256 random bits are not guessed: neighbours of a guesser go on.
            key = (await self.keyring.current()).by_hash.get(hashed(bearer))
            if key is not None:
                if self.keyring.is_expired(key):
                    raise KeyExpired(name=key.name)
                self._note_use(key)
                return key.caller, key
        if not wait and self._is_owner_key(bearer):
            return OWNER, None
        if wait:
            raise TooManyWrongKeys(retry_after=wait)
        self.wrong_keys.note(address, hashed(bearer))
        raise KeyUnknown

    def count(self, caller: Caller, address: str) -> None:
        """
        Raises:
            TooManyRequests
        """
        # The last known limit will do: without its database, no request may wait here for what it may need
        # nothing of.
        limit = self.keyring.snapshot.rules.requests_per_minute
        if limit is None:
            return
        name = str(caller.key_id) if caller.key_id else address_group(address)
        if wait := self.requests.take(name, limit):
            raise TooManyRequests(limit=limit, retry_after=wait)

    def begin(self, key: LivingKey) -> Running:
        running = Running(key)
        self._running.setdefault(key.id, set()).add(running)
        return running

    def finish(self, running: Running) -> None:
        of_key = self._running[running.key.id]
        of_key.discard(running)
        if not of_key:
            del self._running[running.key.id]

    async def watch(self, running: Running, task: "asyncio.Task[None]") -> TwotrackError | None:
        """Wait for the request's end; the reason, where its key ends before."""
        while True:
            left = self.keyring.seconds_left(running.key)
            timeout = None if left is None else min(_CLOCK_SECONDS, max(0.0, left))
            either: set[asyncio.Future[Any]] = {task, running.ended}
            await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return None
            if running.ended.done():
                return running.ended.result()
            if self.keyring.is_expired(running.key):
                return KeyExpired(name=running.key.name)

    def note_refusal(self, scope: Scope, error: TwotrackError, caller: Caller | None = None) -> None:
        """A line in the log of what happened, unless there are too many of them."""
        address = scope["client"][0] if scope.get("client") else ""
        one, all_of_them = _REFUSALS_A_MINUTE
        if (
            self.keyring.busy_writing >= _MOST_WRITINGS
            or self._lines.take(f"{error.code} {address_group(address)}", one)
            or self._lines.take("", all_of_them)
        ):
            self._unwritten += 1
            return
        unwritten, self._unwritten = self._unwritten, 0
        headers = dict(scope["headers"])
        details = {
            "reason": error.code,
            "by": caller.details() if caller else None,
            "address": address,
            "method": scope["method"],
            "path": scope["path"][:200],
            "host": headers.get(b"host", b"").decode("latin-1")[:200],
            "origin": headers.get(b"origin", b"").decode("latin-1")[:200],
            "unwritten": unwritten,
        }
        self.keyring.soon(self._write_refusal(details), "note a refusal")

    async def _write_refusal(self, details: dict[str, object]) -> None:
        async with self.keyring.database.transaction() as connection:
            await events.append(connection, "access.refused", **details)

    def _is_owner_key(self, bearer: str) -> bool:
        if self._owner_key is None:
            return False
        return hmac.compare_digest(
            bearer.encode("utf-8", "surrogatepass"), self._owner_key.encode("utf-8", "surrogatepass")
        )

    def _note_use(self, key: LivingKey) -> None:
        now = time.monotonic()
        if now - self._used.get(key.id, -_USE_SECONDS) < _USE_SECONDS:
            return
        self._used[key.id] = now
        self.keyring.soon(self._write_use(key.id), "note a key's use")

    async def _write_use(self, key_id: UUID) -> None:
        await self.keyring.database.execute(
            "UPDATE api_keys SET last_used_at = %s WHERE id = %s", [datetime.now(UTC), key_id]
        )

    def _end_outdated(self) -> None:
        living = self.keyring.snapshot.by_id
        for key_id, requests in self._running.items():
            key = living.get(key_id)
            for running in requests:
                # Another role too: what it is reading may be an administrator's alone.
                if key is None or (key.hash, key.role) != (running.key.hash, running.key.role):
                    running.end(KeyEnded(name=running.key.name))
