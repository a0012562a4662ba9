"""Sessions: list, open, rename, delete. Each is its owner's alone: for all others it is not there."""

from uuid import UUID

from twotrack.core.database import Database
from twotrack.serving.chat import search, tables
from twotrack.serving.chat.errors import SessionNotFound
from twotrack.serving.chat.places import parse_place, place_text
from twotrack.serving.chat.schemas import Session, SessionPage, SessionWithMessages


async def list_sessions(
    database: Database, *, owner: UUID | None, limit: int, before: str | None, query: str | None = None
) -> SessionPage:
    """A page of the owner's sessions, the last used first, or of those whose title or messages have the words
    of `query`; `before` is an earlier page's `next`.

    Raises:
        InvalidInput: `before` is not one.
    """
    place = parse_place(before)
    # One more than asked for tells whether there is a next page.
    if query is not None and (words := query.strip()):
        found = await search.find_sessions(database, words, owner=owner, limit=limit + 1, before=place)
    else:
        found = await tables.list_sessions(database, owner=owner, limit=limit + 1, before=place)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return SessionPage(sessions=page, next=last and place_text(last.updated_at, last.id))


async def create_session(database: Database, title: str, *, owner: UUID | None) -> Session:
    async with database.transaction() as connection:
        session_id = await tables.insert_session(connection, title, owner=owner)
    return _found(await tables.get_session(database, session_id, owner=owner), session_id)


async def open_session(
    database: Database, session_id: UUID, *, owner: UUID | None, limit: int, before: int | None
) -> SessionWithMessages:
    """A session with its newest `limit` messages, of those before position `before`.

    Raises:
        SessionNotFound: the owner has none of that id.
    """
    session = _found(await tables.get_session(database, session_id, owner=owner), session_id)
    messages = await tables.list_messages(database, session_id, limit=limit, before=before)
    return SessionWithMessages(
        **session.model_dump(), messages=messages, earlier=bool(messages) and messages[0].position > 0
    )


async def rename_session(database: Database, session_id: UUID, title: str, *, owner: UUID | None) -> Session:
    return _found(await tables.rename_session(database, session_id, title, owner=owner), session_id)


async def delete_session(database: Database, session_id: UUID, *, owner: UUID | None) -> None:
    if not await tables.delete_session(database, session_id, owner=owner):
        raise SessionNotFound(name=str(session_id))


def _found(session: Session | None, session_id: UUID) -> Session:
    if session is None:
        raise SessionNotFound(name=str(session_id))
    return session
