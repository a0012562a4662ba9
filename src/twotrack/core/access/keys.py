"""Keys in the database: made, renewed, changed, revoked; each with a line in the log of what happened.

The secret has 32 random bytes, so a plain SHA-256 keeps it: there is nothing to guess that a slow hash would
make dearer.
"""

import hashlib
import secrets
from typing import Any
from uuid import UUID

import psycopg

from twotrack.core import events
from twotrack.core.access.caller import Caller
from twotrack.core.access.errors import KeyNameTaken, KeyNotFound, KeyOver, KeyPastItsTime
from twotrack.core.access.schemas import Key, KeyChange, KeyWithSecret, NewKey
from twotrack.core.database import Connection, Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text

PREFIX = "ttk-"
_HINT = 4

_COLUMNS = """
    id, name, role, hint, created_at, last_used_at, expires_at, revoked_at,
    CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
         WHEN expired_at IS NOT NULL OR expires_at <= now() THEN 'expired'
         ELSE 'active' END AS state
"""
_PAST = Text("it lies in the past", "지난 시각입니다")
_NULL = Text("it cannot be null", "비워 둘 수 없습니다")


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def list_keys(database: Database) -> list[Key]:
    """All that there ever were: the living before the revoked, the newest first."""
    rows = await database.fetch_all(
        f"SELECT {_COLUMNS} FROM api_keys ORDER BY revoked_at IS NOT NULL, created_at DESC, id"
    )
    return [Key.model_validate(row) for row in rows]


async def create_key(database: Database, new: NewKey, by: Caller) -> KeyWithSecret:
    """
    Raises:
        KeyNameTaken
        InvalidInput: it would have expired already.
    """
    secret, values = _new_secret()
    try:
        async with database.transaction() as connection:
            await _refuse_past(connection, new.expires_at)
            key = await _write(
                connection,
                "INSERT INTO api_keys (name, role, hash, hint, expires_at)"
                " VALUES (%(name)s, %(role)s, %(hash)s, %(hint)s, %(expires_at)s)",
                {**new.model_dump(), **values},
            )
            await _log(connection, "created", key, by, role=key.role, expires_at=key.expires_at)
    except psycopg.errors.UniqueViolation:
        raise KeyNameTaken(name=new.name) from None
    return KeyWithSecret(key=key, secret=secret)


async def change_key(database: Database, key_id: UUID, change: KeyChange, by: Caller) -> Key:
    """Another name, role or end; a key that has expired lives again when its end is moved.

    Raises:
        KeyNotFound, KeyOver, KeyNameTaken
        InvalidInput: it would have expired already, or a name or role is null.
    """
    named = change.model_dump(include=change.model_fields_set)
    for what in ("name", "role"):
        if what in named and named[what] is None:
            raise InvalidInput(what=what, value=None, why=_NULL)
    try:
        async with database.transaction() as connection:
            before = await _lock(connection, key_id)
            await _refuse_past(connection, named.get("expires_at"))
            values = {"id": key_id, **before.model_dump(include={"name", "role", "expires_at"}), **named}
            key = await _write(
                connection,
                "UPDATE api_keys SET name = %(name)s, role = %(role)s, expires_at = %(expires_at)s"
                + (", expired_at = NULL" if "expires_at" in named else "")
                + " WHERE id = %(id)s",
                values,
            )
            differing = {
                field: {"before": getattr(before, field), "after": getattr(key, field)}
                for field in ("name", "role", "expires_at")
                if getattr(before, field) != getattr(key, field)
            }
            if differing:
                await _log(connection, "changed", key, by, changes=differing)
    except psycopg.errors.UniqueViolation:
        raise KeyNameTaken(name=str(named["name"])) from None
    return key


async def renew_key(database: Database, key_id: UUID, by: Caller) -> KeyWithSecret:
    """The same identity with another secret; the one it had opens nothing from now on.

    Raises:
        KeyNotFound, KeyOver
        KeyPastItsTime: it has expired.
    """
    secret, values = _new_secret()
    async with database.transaction() as connection:
        before = await _lock(connection, key_id)
        if before.state == "expired":
            raise KeyPastItsTime(name=before.name)
        key = await _write(
            connection,
            "UPDATE api_keys SET hash = %(hash)s, hint = %(hint)s WHERE id = %(id)s",
            {"id": key_id, **values},
        )
        await _log(connection, "renewed", key, by)
    return KeyWithSecret(key=key, secret=secret)


async def revoke_key(database: Database, key_id: UUID, by: Caller) -> None:
    """A key that is revoked already stays as it is.

    Raises:
        KeyNotFound
    """
    async with database.transaction() as connection:
        try:
            await _lock(connection, key_id)
        except KeyOver:
            return
        key = await _write(
            connection, "UPDATE api_keys SET revoked_at = now() WHERE id = %(id)s", {"id": key_id}
        )
        await _log(connection, "revoked", key, by)


def _new_secret() -> tuple[str, dict[str, Any]]:
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, {"hash": hashed(secret), "hint": secret[-_HINT:]}


async def _lock(connection: Connection, key_id: UUID) -> Key:
    """A living key, held until the transaction ends: of two admins at once, the second sees the first."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = %s FOR UPDATE".encode(), [key_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise KeyNotFound(name=str(key_id))
    key = Key.model_validate(row)
    if key.state == "revoked":
        raise KeyOver(name=key.name)
    return key


async def _write(connection: Connection, statement: str, values: dict[str, Any]) -> Key:
    cursor = await connection.execute(f"{statement} RETURNING {_COLUMNS}".encode(), values)
    return Key.model_validate(await cursor.fetchone())


async def _refuse_past(connection: Connection, expires_at: Any) -> None:
    # By the database's clock, which is the one that all of the studio's processes share.
    row = await (await connection.execute("SELECT %s::timestamptz <= now() AS past", [expires_at])).fetchone()
    assert row is not None
    if row["past"]:
        raise InvalidInput(what="expires_at", value=expires_at.isoformat(), why=_PAST)


async def _log(connection: Connection, happening: str, key: Key, by: Caller, **details: Any) -> None:
    await events.append(
        connection, f"key.{happening}", by=by.details(), key_id=key.id, name=key.name, **details
    )
