"""A whole studio that asks for a key, with the starter in it, and people who use it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from twotrack.core.access.caller import Caller, Role
from twotrack.core.database import Database
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

T = TypeVar("T")

OWNER_KEY = "the key of the environment"


@dataclass(frozen=True)
class Studio:
    url: str
    database_url: str
    home: Path


@dataclass(frozen=True)
class Person:
    """Somebody with a key, and their connection."""

    caller: Caller
    secret: str
    http: httpx.AsyncClient

    @property
    def name(self) -> str:
        return self.caller.name


@pytest.fixture(scope="module")
def studio(
    fresh_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
    place_starter: Callable[[Layout, Database], Coroutine[Any, Any, Base]],
    serve: Callable[[Settings, str], AbstractContextManager[str]],
) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("guarded")

    async def prepare(url: str) -> None:
        database = Database(url)
        await database.open()
        await place_starter(Layout(home), database)
        await database.close()

    with fresh_database() as database_url:
        run(prepare(database_url))
        settings = Settings(home=home, threads=1, api_key=SecretStr(OWNER_KEY))
        with serve(settings, database_url) as url:
            yield Studio(url, database_url, home)


@pytest.fixture
async def studio_database(studio: Studio) -> AsyncIterator[Database]:
    database = Database(studio.database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def owner(studio: Studio) -> AsyncIterator[Person]:
    async with client(studio, OWNER_KEY) as http:
        yield Person(Caller(None, "owner", "admin"), OWNER_KEY, http)


@pytest.fixture
async def person(studio: Studio, owner: Person) -> AsyncIterator[Callable[..., Any]]:
    """`await person("kim", "user")`: somebody with a new key, which is revoked after the test."""
    made: list[Person] = []

    async def make(name: str, role: Role = "user") -> Person:
        answer = await owner.http.post("/api/admin/keys", json={"name": name, "role": role})
        assert answer.status_code == 201, answer.text
        key, secret = answer.json()["key"], answer.json()["secret"]
        made.append(Person(Caller(UUID(key["id"]), name, role), secret, client(studio, secret)))
        return made[-1]

    yield make
    for one in made:
        await one.http.aclose()
        await owner.http.delete(f"/api/admin/keys/{one.caller.key_id}")


def client(studio: Studio, key: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=studio.url, headers=headers, trust_env=False, timeout=60)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end beside the event loops of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
