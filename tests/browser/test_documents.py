"""Documents as people bring them in: chosen, dropped, sent again, cancelled, deleted, embedded anew."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import FileChooser, Locator, Page, expect

from tests.browser import axe, seeds
from tests.browser.conftest import PATIENCE_MS, Open, Studio
from tests.browser.speaker import Speaker
from tests.browser.test_keyboard import tab_to

_RULES = "# Rules of the quay\n\nThe quay closes at nine.\n\n## Dues\n\nA skiff pays four crowns a night.\n"
_TIDES = "The tide turns at noon.\n\nSpring tides come with the full moon.\n"

Begin = Callable[[str], Coroutine[Any, Any, str]]


@pytest.fixture
def papers(tmp_path: Path) -> list[Path]:
    """Three files, the last of them broken."""
    contents = {"rules.md": _RULES.encode(), "tides.txt": _TIDES.encode(), "broken.docx": b"PK\x03\x04"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


@pytest_asyncio.fixture(loop_scope="session")
async def begin(studio: Studio, speaker: Speaker) -> Begin:
    """Makes a collection whose vectors the speaker makes; its address."""

    async def begin(name: str) -> str:
        async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
            # A first try may have left it.
            await client.delete(f"/api/collections/{name}")
            asked = {"name": name, "embedder": speaker.embedder}
            (await client.post("/api/collections", json=asked)).raise_for_status()
        return f"{studio.url}/documents/{name}"

    return begin


@pytest_asyncio.fixture(loop_scope="session")
async def slow(speaker: Speaker) -> AsyncIterator[asyncio.Event]:
    """Texts get their vectors only once this is set."""
    speaker.embeds = asyncio.Event()
    yield speaker.embeds
    speaker.embeds.set()
    speaker.embeds = None


async def choose(page: Page, *files: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose files").click()
    await (await chooser.value).set_files(list(files))


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def activity(page: Page) -> Locator:
    return page.get_by_role("region", name="Activity")


async def test_two_of_three_files_are_taken_in_and_the_third_says_why_not(
    studio: Studio, speaker: Speaker, open_tab: Open, papers: list[Path]
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/documents")
        await page.get_by_role("button", name="New collection").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(seeds.PAPERS["en"])
        await expect(dialog.get_by_text("This name is taken already.")).to_be_visible()
        await dialog.get_by_label("Name").fill("quay")
        await dialog.get_by_role("button", name="Embedder and store").click()
        await dialog.get_by_role("combobox", name="Embedder").select_option("Another server")
        await expect(dialog.get_by_role("button", name="Make the collection")).to_be_disabled()
        await dialog.get_by_label("Address of its API").fill(speaker.url)
        await dialog.get_by_label("Model there").fill("speaker")
        await dialog.get_by_role("button", name="Make the collection").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("quay")
        await expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()

        await choose(page, *papers)
        job = activity(page)
        await expect(job).to_contain_text("2 added")
        await expect(job).to_contain_text("1 could not be read")
        failure = job.get_by_role("list", name="What could not be read").get_by_role("listitem")
        await expect(failure).to_contain_text("broken.docx")
        await expect(failure).to_contain_text("save it anew, or as PDF")
        await expect(row(page, "rules.md")).to_contain_text("Markdown")
        await expect(row(page, "rules.md")).to_contain_text("Ready")
        await expect(row(page, "tides.txt")).to_contain_text(f"{len(_TIDES.strip())} characters")
        await expect(row(page, "broken.docx")).to_contain_text("Not read")
        assert not await axe.violations(page)

        # The same once more costs nothing.
        await choose(page, *papers)
        await expect(job).to_contain_text("2 unchanged")
        await job.get_by_role("button", name="3 files, one by one").first.click()
        files = job.get_by_role("list", name="File by file")
        await expect(files.get_by_role("listitem").filter(has_text="tides.txt")).to_contain_text("unchanged")
        papers[1].write_text(_TIDES + "\nNeap tides come with the half moon.\n")
        await choose(page, papers[1])
        await expect(job).to_contain_text("1 updated")

        # What went wrong is still told after a reload, until somebody has read it.
        await page.reload()
        await expect(failure.first).to_contain_text("broken.docx")
        for _ in range(2):
            await job.get_by_role("button", name="Dismiss: rules.md and 2 more").first.click()
        await expect(job).to_have_count(0)
        await page.reload()
        await expect(row(page, "rules.md")).to_be_visible()
        await expect(job).to_have_count(0)


async def test_documents_are_found_and_one_is_deleted(
    studio: Studio, open_tab: Open, begin: Begin, papers: list[Path], tmp_path: Path
) -> None:
    many = [tmp_path / f"note-{number}.txt" for number in range(8)]
    for number, note in enumerate(many):
        note.write_text(f"Note number {number}.")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("notes"))
        await choose(page, *many, papers[2])
        await expect(activity(page)).to_contain_text("8 added")
        await page.get_by_role("textbox", name="Find by name").fill("NOTE-3")
        await expect(row(page, "uploaded")).to_have_count(1)
        await page.get_by_role("textbox", name="Find by name").fill("nowhere")
        await expect(page.get_by_text("No document fits.")).to_be_visible()
        await page.get_by_role("textbox", name="Find by name").fill("")
        await page.get_by_role("radiogroup", name="Show by state").get_by_text("Not read").click()
        await expect(row(page, "uploaded")).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"\?state=failed$"))
        await page.get_by_role("radiogroup", name="Show by state").get_by_text("All").click()

        await row(page, "note-3").get_by_role("button", name="Actions for").click()
        await page.get_by_role("menuitem", name="Delete").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("1 passage and the kept original go")
        await dialog.get_by_role("button", name="Keep it").click()
        await expect(row(page, "note-3")).to_be_visible()
        await row(page, "note-3").get_by_role("button", name="Actions for").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(row(page, "note-3")).to_have_count(0)
        await expect(page.get_by_text("8 documents · 7 passages · 1 could not be read")).to_be_visible()
        await row(page, "note-4").get_by_role("link").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("note-4")
        await expect(page.get_by_text("Note number 4.")).to_be_visible()


async def test_taking_in_is_seen_through_a_reload_and_cancelled(
    studio: Studio, slow: asyncio.Event, open_tab: Open, begin: Begin, papers: list[Path]
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("unhurried"))
        await choose(page, *papers[:2])
        progress = activity(page).get_by_role("progressbar")
        await expect(progress).to_be_visible()
        await expect(activity(page)).to_contain_text("rules.md and 1 more")
        await page.reload()
        await expect(progress).to_be_visible()
        assert not await axe.violations(page)
        await page.goto(f"{studio.url}/")
        await expect(page.locator("[data-station=documents]")).to_contain_text("Some are being taken in")
        await page.locator("[data-station=documents]").get_by_role("link").click()
        await activity(page).get_by_role("button", name="Cancel").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Documents that are in by now stay")
        await dialog.get_by_role("button", name="Cancel").click()
        slow.set()
        await expect(progress).to_have_count(0)
        await expect(activity(page)).to_contain_text("What had been taken in by then stays.")


async def test_files_are_dropped_anywhere_and_too_large_ones_are_not_even_sent(
    studio: Studio, open_tab: Open, begin: Begin, tmp_path: Path
) -> None:
    large = tmp_path / "film.pdf"
    with large.open("wb") as file:
        file.truncate(200 * 2**20 + 1)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("dropped"))
        await expect(page.get_by_role("button", name="Choose files")).to_be_enabled()
        dragged = await page.evaluate_handle(
            """() => {
              const dragged = new DataTransfer();
              dragged.items.add(new File(['Dropped from above.'], 'leaf.txt'));
              return dragged;
            }"""
        )
        await page.dispatch_event("h1", "dragover", {"dataTransfer": dragged})
        await expect(page.get_by_text("Let go: they are taken into “dropped”")).to_be_visible()
        await page.dispatch_event("h1", "drop", {"dataTransfer": dragged})
        await expect(page.get_by_text("Let go:")).to_have_count(0)
        await expect(activity(page)).to_contain_text("1 added")
        await expect(row(page, "leaf.txt")).to_contain_text("19 characters")

        await choose(page, large)
        await expect(activity(page)).to_contain_text("1 file was not sent")
        await expect(activity(page)).to_contain_text("film.pdf")
        await expect(activity(page)).to_contain_text("More than 210 MB. Split it")
        await activity(page).get_by_role("button", name="Dismiss: 1 file was not sent").click()
        await expect(activity(page)).not_to_contain_text("film.pdf")


async def test_without_a_mouse(studio: Studio, open_tab: Open, begin: Begin, papers: list[Path]) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        opened = asyncio.get_running_loop().create_future()
        # From the start: `expect_file_chooser` does not wait until the browser knows of it; a key is faster.
        page.on("filechooser", lambda chooser: opened.set_result(chooser))
        await page.goto(await begin("by-keyboard"))
        await expect(page.get_by_role("button", name="Choose files")).to_be_enabled()
        await tab_to(page, "Choose files")
        await page.keyboard.press("Enter")
        async with asyncio.timeout(PATIENCE_MS / 1000):
            chooser: FileChooser = await opened
        await chooser.set_files(papers[0])
        await expect(row(page, "rules.md")).to_contain_text("Ready")
        await tab_to(page, "Actions for Rules of the quay")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem", name="Save the original")).to_be_focused()
        await page.keyboard.press("End")
        await expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog").get_by_role("button", name="Keep it").press("Enter")
        await expect(page.get_by_role("button", name="Actions for Rules of the quay")).to_be_focused()


async def test_the_original_comes_as_it_was(
    studio: Studio, open_tab: Open, begin: Begin, papers: list[Path]
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("originals"))
        await choose(page, papers[0])
        await row(page, "rules.md").get_by_role("button", name="Actions for").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name="Save the original").click()
        saved = await download.value
        assert saved.suggested_filename == "rules.md"
        assert Path(await saved.path()).read_bytes() == _RULES.encode()
        # It was asked for here.
        watch.tripped = [one for one in watch.tripped if not one.startswith("download: ")]


async def test_an_embedder_that_is_away_is_named_and_the_same_files_are_sent_again(
    studio: Studio, speaker: Speaker, open_tab: Open, begin: Begin, papers: list[Path]
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("orphaned"))
        speaker.embedder_is_away = True
        try:
            await choose(page, papers[0])
            problem = activity(page).get_by_role("alert")
            await expect(problem).to_contain_text("gave no vectors: HTTP 404")
            await activity(page).get_by_role("button", name="Embed anew").click()
            dialog = page.get_by_role("dialog")
            await expect(dialog.get_by_role("combobox", name="Embedder")).to_have_value("usual")
            await dialog.get_by_role("button", name="Close").last.click()
        finally:
            speaker.embedder_is_away = False
        await problem.get_by_role("button", name="Try again").click()
        await expect(activity(page)).to_contain_text("1 added")


async def test_a_collection_is_embedded_anew_renamed_and_deleted(
    studio: Studio, speaker: Speaker, open_tab: Open, begin: Begin, papers: list[Path]
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(await begin("changing"))
        await choose(page, *papers[:2])
        await expect(activity(page)).to_contain_text("2 added")
        more = page.get_by_role("button", name="More about changing")
        await more.click()
        await page.get_by_role("menuitem", name="Embed anew").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("They were made by openai:")
        await dialog.get_by_role("combobox", name="Embedder").select_option("Another server")
        await dialog.get_by_label("Address of its API").fill(speaker.url)
        await dialog.get_by_label("Model there").fill("speaker")
        await dialog.get_by_label("Half precision").check(force=True)
        await dialog.get_by_role("button", name="Start embedding").click()
        await expect(activity(page)).to_contain_text("embedded anew by openai:")
        await expect(page.get_by_text("64 dimensions, half precision")).to_be_visible()

        await more.click()
        await page.get_by_role("menuitem", name="Rename").click()
        await dialog.get_by_label("New name").fill("a/b")
        await expect(dialog.get_by_text("No slashes in a name.")).to_be_visible()
        await dialog.get_by_label("New name").fill("바뀐 이름")
        await dialog.get_by_role("button", name="Rename").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("바뀐 이름")
        await page.reload()
        await expect(row(page, "tides.txt")).to_be_visible()

        await page.get_by_role("button", name="More about 바뀐 이름").click()
        await page.get_by_role("menuitem", name="Delete the collection").click()
        await expect(dialog).to_contain_text("2 documents with")
        await expect(dialog.get_by_role("button", name="Delete all of it")).to_be_disabled()
        await dialog.get_by_role("textbox").fill("바뀐 이름")
        await dialog.get_by_role("button", name="Delete all of it").click()
        await expect(page).to_have_url(re.compile("/documents$"))
        await expect(page.get_by_role("link", name=re.compile("^바뀐 이름"))).to_have_count(0)


async def test_who_is_no_administrator_adds_documents_and_deletes_none(
    studio: Studio, open_tab: Open, begin: Begin, papers: list[Path]
) -> None:
    address = await begin("for-all")
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
        made = await client.post("/api/admin/keys", json={"name": "lee-phone", "role": "user"})
        secret = made.raise_for_status().json()["secret"]
    async with open_tab(studio.url, width=390, fresh=True) as watch:
        page = watch.page
        await page.add_init_script(f"sessionStorage.setItem('twotrack.key', '{secret}')")
        await page.goto(address)
        await choose(page, papers[0])
        await expect(activity(page)).to_contain_text("1 added")
        await expect(page.get_by_role("button", name="More about for-all")).to_have_count(0)
        await page.get_by_role("button", name="Actions for Rules of the quay").click()
        await expect(page.get_by_role("menuitem", name="Save the original")).to_be_visible()
        await expect(page.get_by_role("menuitem", name="Delete")).to_have_count(0)
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Other sources").click()
        await expect(page.get_by_role("textbox", name="From the web")).to_be_visible()
        await expect(page.get_by_role("textbox", name="From this studio")).to_have_count(0)
        await page.goto(f"{studio.url}/documents")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("link", name=re.compile("^for-all"))).to_be_visible()
        await expect(page.get_by_role("button", name="New collection")).to_have_count(0)


async def test_an_address_of_this_network_is_not_fetched_and_the_watched_folder_is_named(
    studio: Studio, open_tab: Open, begin: Begin
) -> None:
    async with open_tab(studio.url) as watch:
        watch.tolerate("the server responded with a status of 422")
        page = watch.page
        await page.goto(await begin("from-the-web"))
        await page.get_by_role("button", name="Other sources").click()
        field = page.get_by_role("textbox", name="From the web")
        await field.fill(f"{studio.url}/config.json")
        await field.press("Enter")
        await expect(page.get_by_text(re.compile("is not fetched")).first).to_be_visible()
        await page.goto(f"{studio.url}/documents")
        await expect(page.get_by_text(str(studio.home / "data"))).to_be_visible()
