"""What tests of every package use: data folders, databases on one real server, the starter."""

import asyncio
import gc
import itertools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import pytest
from psycopg import sql

from tests.served import served
from tests.sharing import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.sharing import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from twotrack.core.database import Database, migrate
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.core.file_lock import file_lock
from twotrack.core.settings import Settings
from twotrack.registry.conversion import ensure_safetensors
from twotrack.registry.fingerprint import fingerprint, hash_file
from twotrack.registry.inspection import inspect
from twotrack.registry.layout import Layout
from twotrack.registry.pull import fetch
from twotrack.registry.schemas import Base, Description, ModelFile
from twotrack.registry.service import register_base
from twotrack.registry.sources.starter import STARTER

# As in the studio's own children, and before torch is imported: threads that spin while they wait take the
# processor from whatever runs beside. Beside other work it made tests of training four times as costly.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# What is imported and collected stays; going through it again and again took more than half of that time.
gc.disable()

T = TypeVar("T")

_STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_numbers = itertools.count()

_ROOM_IN_MEMORY = 2 * 2**30
"""Of bytes, for `postgres`: it takes some 200 MB, its log of changes up to 1 GB."""

PlaceStarter = Callable[[Layout, Database], Coroutine[Any, Any, Base]]
Serve = Callable[[Settings, str], AbstractContextManager[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="folder for pictures of the page (tests/browser)")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def layout(home: Path) -> Layout:
    return Layout(home)


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a migrated database and no server: making one writes and syncs a thousand files."""
    made = tmp_path_factory.mktemp("template")
    with EmbeddedPostgres(made) as server:
        migrate(server.url())
    return made


@pytest.fixture(scope="module")
def used_home(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a studio that has run before; the tests of a module use it one after the other."""
    folder = tmp_path_factory.mktemp("used")
    _copy_home(template_home, folder)
    return folder


@pytest.fixture
def home_to_break(template_home: Path, home: Path) -> Path:
    """`used_home` for one test alone."""
    _copy_home(template_home, home)
    return home


def _copy_home(source: Path, target: Path) -> None:
    # shutil.copytree would give the files of the server's user to root.
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)


@pytest.fixture(scope="session")
def postgres(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One embedded server for the whole session, with a migrated database `template_studio` to clone."""
    with _in_memory() as folder:
        folder = folder or tmp_path_factory.mktemp("server")
        _copy_home(template_home, folder)
        with EmbeddedPostgres(folder) as server:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                # Its data ends with the session; tests of durability run servers of their own.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute("ALTER DATABASE twotrack RENAME TO template_studio")
            yield server


@contextmanager
def _in_memory() -> Iterator[Path | None]:
    """A folder on Linux's /dev/shm that ends with the context; None where there is none, or no room.

    A database has 450 files, and ext4 looks at each inode that was freed in the last seconds before it takes
    another one (`recently_deleted`): beside others that are dropped, a database costs 0.36 s of a processor
    there, and 0.02 s in memory.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < _ROOM_IN_MEMORY:
        yield None
        return
    # A killed session could not remove its own.
    for left in memory.glob("twotrack-tests-*"):
        pid = int(left.name.rpartition("-")[2])
        if pid == os.getpid() or not psutil.pid_exists(pid):
            shutil.rmtree(left, ignore_errors=True)
    folder = memory / f"twotrack-tests-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A fresh migrated database, dropped afterwards even when connections are left open."""
    with _cloned(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def fresh_database(postgres: EmbeddedPostgres) -> Callable[[], AbstractContextManager[str]]:
    """Databases like `database_url`, for as long as their users want."""
    return lambda: _cloned(postgres)


@contextmanager
def _cloned(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template_studio STRATEGY file_copy").format(
                sql.Identifier(name)
            )
        )
        yield postgres.url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def starter_gguf() -> Path:
    """The starter's weights, fetched once by the studio's own source, in .cache or TWOTRACK_TEST_CACHE."""
    given = os.environ.get("TWOTRACK_TEST_CACHE")
    return _run(_starter_in(Path(given) if given else Path(__file__).parent.parent / ".cache"))


@pytest.fixture(scope="session")
def starter_description(starter_gguf: Path) -> tuple[Description, ModelFile]:
    async def look() -> tuple[Description, ModelFile]:
        return await inspect(starter_gguf), await hash_file(starter_gguf)

    return _run(look())


@pytest.fixture(scope="session")
def starter_conversions(
    starter_gguf: Path,
    starter_description: tuple[Description, ModelFile],
    fresh_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What the studio derives from the starter for its engines: the tokenizer, and safetensors in fp32."""
    layout = Layout(tmp_path_factory.mktemp("converted"))

    async def convert(url: str) -> Path:
        database = Database(url)
        await database.open()
        base = await _register_starter(layout, database, starter_gguf, *starter_description)
        await database.close()
        await ensure_safetensors(layout, base)
        return layout.derived(base.id)

    with fresh_database() as url:
        return _run(convert(url))


@pytest.fixture(scope="session")
def place_starter(
    starter_gguf: Path, starter_description: tuple[Description, ModelFile], starter_conversions: Path
) -> PlaceStarter:
    """Makes the starter a base of any data folder and database, converted already.

    Its files are hard links that all tests share: a test that alters one must unlink it and write another.
    """

    async def place(layout: Layout, database: Database) -> Base:
        base = await _register_starter(layout, database, starter_gguf, *starter_description)
        shutil.copytree(starter_conversions, layout.derived(base.id), copy_function=_link)
        return base

    return place


@pytest.fixture
async def starter_base(layout: Layout, database: Database, place_starter: PlaceStarter) -> Base:
    """The starter as a registered base of the test's data folder."""
    return await place_starter(layout, database)


@pytest.fixture(scope="session")
def studio_database_url(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The database of `studio_url`."""
    with fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def studio_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of `studio_url`."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="session")
def studio_url(
    studio_database_url: str, studio_home: Path, place_starter: PlaceStarter, serve: Serve
) -> Iterator[str]:
    """A whole studio over HTTP with the starter in it, one for the session: its engine loads once.

    Tests share its database; each makes sessions of its own and puts back the settings that it changes.
    """

    async def prepare() -> None:
        database = Database(studio_database_url)
        await database.open()
        await place_starter(Layout(studio_home), database)
        await database.close()

    _run(prepare())
    with serve(Settings(home=studio_home, threads=1), studio_database_url) as url:
        yield url


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves a studio's API over HTTP in a thread, without a worker, and gives its URL."""
    return served


async def _register_starter(
    layout: Layout, database: Database, gguf: Path, description: Description, file: ModelFile
) -> Base:
    place = layout.base(fingerprint([file]))
    place.mkdir(parents=True)
    _link(gguf, place / file.path)
    place.chmod(0o555)
    async with database.transaction() as connection:
        return await register_base(
            connection,
            source=STARTER.address,
            description=description,
            files=[file],
            suggestion="SmolLM2-135M-Instruct",
        )


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end beside the event loops of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def _starter_in(cache: Path) -> Path:
    async def silent(stage: str, done: int, total: int | None) -> None:
        pass

    folder, workspace = cache / "starter", cache / "starter.unfinished"
    async with file_lock(cache / "starter.lock"):
        written = [(await hash_file(file)).sha256 for file in folder.glob("*")]
        if written != [_STARTER_SHA256]:
            shutil.rmtree(folder, ignore_errors=True)
            async with STARTER.open(workspace, silent) as catalogue:
                (file,) = await fetch(catalogue, workspace, silent)
            (workspace / "files" / file.path).chmod(0o444)
            (workspace / "files").rename(folder)
            shutil.rmtree(workspace)
    (gguf,) = folder.glob("*.gguf")
    return gguf
