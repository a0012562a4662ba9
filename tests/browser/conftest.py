"""What the browser tests share: one Chromium, studios with and without anything in them, tabs under watch."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect
from pydantic import SecretStr
from tokenizers import Tokenizer

import hatch_build
from tests.browser import axe, chromium, seeds
from tests.browser.speaker import Speaker, speaking
from tests.browser.watch import Watch
from tests.conftest import PlaceStarter, Serve
from tests.embedders.conftest import embedder_layout as embedder_layout
from tests.serving.rag.conftest import lend_embedder
from twotrack.cli.background import started_for
from twotrack.core.database import Database
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.core.settings import Settings
from twotrack.page import FOLDER
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.layout import Layout

PATIENCE_MS = 20_000
"""For whatever a test waits for. Two busy cores are slow."""
BOOTSTRAP_KEY = "the key of the keyed studio"


@dataclass(frozen=True)
class Studio:
    """A whole studio in processes of its own, with a worker."""

    url: str
    home: Path
    ids: Mapping[str, Mapping[str, str]]
    """Of what has an address: name → language → id."""


Studios = Mapping[str, Studio]
Open = Callable[..., AbstractAsyncContextManager[Watch]]

_FOLDER = Path(__file__).parent
_WEB = _FOLDER.parents[1] / "web"
# A browser lives in the event loop that started it.
_session = pytest_asyncio.fixture(scope="session", loop_scope="session")


def window(width: int) -> ViewportSize:
    return {"width": width, "height": 900 if width > 500 else 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker("browser")
            # Chromium on two busy cores now and then misses a moment; what fails twice is a fault. A second
            # try is named in pytest's summary (RERUN).
            item.add_marker(pytest.mark.flaky(reruns=1))
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium_program() -> str:
    found = chromium.find()
    if found is None:
        required = os.environ.get("CI") == "true" or os.environ.get("TWOTRACK_REQUIRE_BROWSER") == "1"
        (pytest.fail if required else pytest.skip)(chromium.MISSING)
    # A page of yesterday passes and fails for reasons that are nowhere in its sources.
    assert hatch_build.is_newer(FOLDER / "index.html", _WEB), (
        "the page is not built from its sources as they are: python hatch_build.py run build"
    )
    assert axe.SCRIPT.is_file(), "axe-core is not installed: python hatch_build.py ci"
    return found


@_session
async def browser(chromium_program: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium.launched(chromium_program) as launched:
        yield launched


@_session
async def open_tab(browser: Browser) -> AsyncIterator[Open]:
    """`async with open_tab(studio.url, language="ko", width=390) as watch`: a tab under watch.

    Tabs of the same look share a context, and with it its cache. With `again` it is the tab that was opened
    last with `again` in that look, whose process has the page's scripts compiled: for tests that do no more
    than load views.
    """
    async with AsyncExitStack() as contexts:
        kept: dict[tuple[Any, ...], BrowserContext] = {}
        left: dict[tuple[Any, ...], Watch] = {}

        @asynccontextmanager
        async def open_one(
            *urls: str,
            language: str = "en",
            width: int = 1440,
            fresh: bool = False,
            again: bool = False,
            seconds: float = PATIENCE_MS / 1000 * 4,
            **look: Any,
        ) -> AsyncGenerator[Watch, None]:
            key = (language, width, *sorted(look.items()))
            context = None if fresh else kept.get(key)
            if context is None:
                context = await browser.new_context(
                    base_url=urls[0],
                    locale={"en": "en-GB", "ko": "ko-KR"}[language],
                    timezone_id="Asia/Seoul",
                    viewport=window(width),
                    reduced_motion="reduce",
                    **look,
                )
                context.set_default_timeout(PATIENCE_MS)
                contexts.push_async_callback(context.close)
                if not fresh:
                    kept[key] = context
            watch = left.pop(key, None) if again else None
            if watch is None:
                watch = await Watch.over(await context.new_page(), *urls)
            else:
                watch.begin_again(*urls)
                await watch.page.set_viewport_size(window(width))
            # What runs in the page has no limit of its own.
            async with asyncio.timeout(seconds):
                yield watch
            if again:
                await _leave(watch.page)
                left[key] = watch
            else:
                await watch.page.close()
            watch.check()

        yield open_one


async def _leave(page: Page) -> None:
    """Nothing of it is left for the next view, not even where the pointer was."""
    await page.evaluate("sessionStorage.clear()")
    await page.goto("about:blank")
    await page.mouse.move(0, 0)
    await page.emulate_media(color_scheme="null")


@_session
async def planted(
    template_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
    place_starter: PlaceStarter,
    embedder_layout: Layout,
) -> tuple[Path, seeds.Seeds, Path]:
    """A data folder with everything but conversations; its seeds; the starter's tokenizer."""
    home = tmp_path_factory.mktemp("seeded")
    # As the other fixtures do: shutil.copytree would give the files of the server's user to root.
    subprocess.run(["cp", "-a", f"{template_home}/.", str(home)], check=True)
    layout = Layout(home)
    lend_embedder(embedder_layout, home)
    with EmbeddedPostgres(home) as server:
        database = Database(server.url())
        await database.open()
        base = await place_starter(layout, database)
        planted = await seeds.plant(database, layout, base)
        await database.close()
    return home, planted, await ensure_tokenizer(layout, base)


@_session
async def speaker(planted: tuple[Path, seeds.Seeds, Path]) -> AsyncIterator[Speaker]:
    async with speaking(Tokenizer.from_file(str(planted[2] / "tokenizer.json"))) as one:
        yield one


@_session
async def studio(planted: tuple[Path, seeds.Seeds, Path], speaker: Speaker) -> AsyncIterator[Studio]:
    """The studio of seeds.py. Tests share it: each makes what it changes."""
    home, planted_seeds, tokenizer = planted
    with started_for(Settings(home=home, threads=1)) as url:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            asked = {"source": speaker.source, "name": seeds.SPEAKER, "tokenizer": str(tokenizer)}
            pull = (await client.post("/api/models/pull", json=asked)).raise_for_status().json()
            async with client.stream("GET", f"/api/jobs/{pull['id']}/events") as events:
                async for _ in events.aiter_lines():
                    pass
            await seeds.furnish(client)
            talks = await seeds.talk(client, speaker)
            documents = await seeds.take_in(client)
            papers = await seeds.file(client, speaker)
            data = await seeds.bring_data(client)
        yield Studio(url, home, {**talks, **documents, **papers, **data, **planted_seeds.ids()})


@pytest.fixture(scope="session")
def empty_studio(
    fresh_database: Callable[[], AbstractContextManager[str]],
    serve: Serve,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """As it is on the first day."""
    home = tmp_path_factory.mktemp("empty")
    with fresh_database() as database_url, serve(Settings(home=home), database_url) as url:
        yield Studio(url, home, {})


@pytest.fixture(scope="session")
def keyed_studio(
    fresh_database: Callable[[], AbstractContextManager[str]],
    serve: Serve,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """One that asks for a key."""
    settings = Settings(home=tmp_path_factory.mktemp("keyed"), api_key=SecretStr(BOOTSTRAP_KEY))
    with fresh_database() as database_url, serve(settings, database_url) as url:
        yield Studio(url, settings.home, {})


@pytest.fixture(scope="session")
def studios(studio: Studio, empty_studio: Studio, keyed_studio: Studio) -> Studios:
    return {"seeded": studio, "empty": empty_studio, "keyed": keyed_studio}


@pytest.fixture(scope="session")
def small_model(planted: tuple[Path, seeds.Seeds, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Llama of random weights and the starter's tokenizer."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(planted[2] / name, folder / name)
    seeds.write_model(folder)
    return folder
