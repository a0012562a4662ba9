"""Who one is, the keys, and the log of what happened: /api/me, /api/admin/keys, /api/admin/events."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from twotrack.core import events
from twotrack.core.access import keys
from twotrack.core.access.guard import Guard
from twotrack.core.access.roles import admin_only, caller_of
from twotrack.core.access.schemas import Key, KeyChange, KeyWithSecret, Me, NewKey
from twotrack.core.database import Database
from twotrack.core.events import Event

router = APIRouter()
admin = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[admin_only])


@router.get("/api/me", tags=["access"])
async def who_am_i(request: Request) -> Me:
    caller = caller_of(request)
    login: bool = request.state.key_required
    return Me(name=caller.name, role=caller.role, key_id=caller.key_id, login=login)


@admin.get("/keys")
async def list_keys(request: Request) -> list[Key]:
    """All that there ever were: the living first."""
    return await keys.list_keys(_database(request))


@admin.post("/keys", status_code=201)
async def create_key(request: Request, new: NewKey) -> KeyWithSecret:
    """A key for somebody; the secret is shown this once."""
    made = await keys.create_key(_database(request), new, caller_of(request))
    await _guard(request).keyring.reread()
    return made


@admin.patch("/keys/{key_id}")
async def change_key(request: Request, key_id: UUID, change: KeyChange) -> Key:
    """Another name, role or end. A change of role ends the requests of the key that are running."""
    changed = await keys.change_key(_database(request), key_id, change, caller_of(request))
    await _guard(request).keyring.reread()
    return changed


@admin.post("/keys/{key_id}/renew")
async def renew_key(request: Request, key_id: UUID) -> KeyWithSecret:
    """Another secret for the same identity, shown this once; the one before opens nothing from now on."""
    renewed = await keys.renew_key(_database(request), key_id, caller_of(request))
    await _guard(request).keyring.reread()
    return renewed


@admin.delete("/keys/{key_id}", status_code=204)
async def revoke_key(request: Request, key_id: UUID) -> None:
    """At once: requests of the key that are running end too. It stays in the list."""
    await keys.revoke_key(_database(request), key_id, caller_of(request))
    await _guard(request).keyring.reread()


@admin.get("/events")
async def list_events(
    request: Request,
    kind: Annotated[
        str | None, Query(max_length=100, description='whole ("job.failed") or its first part ("job")')
    ] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**63, description="an event's id")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[Event]:
    """What happened, the newest first. `before`: only older ones."""
    return await events.list_events(_database(request), kind=kind, before=before, limit=limit)


router.include_router(admin)


def _guard(request: Request) -> Guard:
    guard: Guard = request.app.state.access
    return guard


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
