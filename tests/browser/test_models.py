"""Models as people bring them in: from a folder and a server, with progress, cancelled, renamed, removed."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from tests.browser import axe, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker
from twotrack.registry.layout import Layout


@pytest_asyncio.fixture(loop_scope="session")
async def slow(speaker: Speaker) -> AsyncIterator[asyncio.Event]:
    """The speaker tells its models only once this is set."""
    gate = speaker.ready = asyncio.Event()
    yield gate
    gate.set()


def tokenizer_of(studio: Studio) -> Path:
    return next((Layout(studio.home).home / "derived" / "bases").glob("*/tokenizer-*"))


async def test_a_fetch_is_seen_through_a_reload_and_cancelled(
    studio: Studio, speaker: Speaker, slow: asyncio.Event, open_tab: Open
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models")
        await page.get_by_role("radiogroup", name="Where from").get_by_text("Another server").click()
        await page.get_by_label("Address of its OpenAI-compatible API").fill(speaker.url)
        await page.get_by_label("Tokenizer").fill(str(tokenizer_of(studio)))
        await page.get_by_label("Name in the studio").fill("never-here")
        await page.get_by_role("button", name="Fetch", exact=True).click()
        await expect(page.get_by_role("progressbar")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("progressbar")).to_be_visible()
        assert not await axe.violations(page)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("progressbar")).to_have_count(0)
        await expect(page.get_by_text("Cancelled").first).to_be_visible()
        await page.goto(f"{studio.url}/admin/jobs")
        await expect(page.get_by_role("listitem").filter(has_text="Cancelled").first).to_be_visible()


async def test_a_folder_of_this_machine_becomes_a_base_that_is_renamed_and_removed(
    studio: Studio, tmp_path: Path, open_tab: Open, small_model: Path
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models")
        await page.get_by_role("radiogroup", name="Where from").get_by_text("This machine").click()
        address = page.get_by_label("Folder or .gguf file")
        await address.fill("not/absolute")
        await expect(page.get_by_text("The path must be absolute")).to_be_visible()
        await address.fill(str(small_model))
        await page.get_by_label("Name in the studio").fill("small")
        await page.get_by_role("button", name="Fetch", exact=True).click()
        await expect(page.get_by_text("small is here.")).to_be_visible()
        await page.get_by_role("link", name="Look at it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("small")

        more = page.get_by_role("button", name=re.compile("^More about "))
        await more.click()
        await page.get_by_role("menuitem", name="Rename").click()
        await page.get_by_label("New name").fill("smaller.1")
        await page.get_by_role("dialog").get_by_role("button", name="Rename").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("smaller.1")
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("smaller.1")
        await more.click()
        await page.get_by_role("menuitem", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page).to_have_url(re.compile("/models$"))
        await expect(page.get_by_role("link", name="smaller.1")).to_have_count(0)


async def test_what_would_go_with_a_base_is_named_before_it_goes(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models/SmolLM2-135M-Instruct")
        await page.get_by_role("button", name=re.compile("^More about ")).click()
        await page.get_by_role("menuitem", name="Remove").click()
        dialog = page.get_by_role("dialog")
        for name in (seeds.VARIANT, seeds.SOFTER, seeds.KOREAN):
            await expect(dialog).to_contain_text(name)
        await dialog.get_by_role("button", name="Keep it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("SmolLM2-135M-Instruct")


async def test_a_variant_is_made_of_an_adapter_at_another_gain(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models")
        await page.get_by_role("button", name="New variant").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(seeds.VARIANT)
        await dialog.get_by_role("checkbox").first.check()
        # The name is taken.
        await expect(dialog.get_by_role("button", name="Make the variant")).to_be_disabled()
        await dialog.get_by_label("Name").fill("nurimae-half")
        await dialog.get_by_role("slider").first.focus()
        await page.keyboard.press("ArrowLeft")
        await dialog.get_by_role("button", name="Make the variant").click()
        await expect(dialog).to_have_count(0)
        await expect(page.get_by_role("heading", level=1)).to_have_text("nurimae-half")
