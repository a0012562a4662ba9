"""The settings as administrators use them: keys shown once, two at one form, a studio that goes away."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser import axe
from tests.browser.conftest import Open
from tests.conftest import Serve
from twotrack.core.settings import Settings


@pytest_asyncio.fixture(loop_scope="session")
async def own(
    fresh_database: Callable[[], AbstractContextManager[str]], serve: Serve, home: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A studio of the test's own, and somebody else who uses it."""
    with fresh_database() as database_url, serve(Settings(home=home), database_url) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client


async def act(page: Page, name: str, action: str) -> None:
    await page.get_by_role("button", name=f"Actions for {name}").click()
    await page.get_by_role("menuitem", name=action).click()


async def test_a_key_is_made_shown_once_renewed_and_revoked(own: httpx.AsyncClient, open_tab: Open) -> None:
    async def opens(secret: str) -> bool:
        answer = await own.get("/api/me", headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code == 200

    async with open_tab(str(own.base_url), fresh=True) as watch:
        page = watch.page
        await page.goto("/admin/keys")
        await page.get_by_role("button", name="New key").click()
        await page.get_by_label("Name").fill("Kim’s laptop")
        await page.get_by_label("Expires").select_option("In 30 days")
        assert not await axe.violations(page)
        await page.get_by_role("button", name="Make the key").click()
        shown = page.get_by_role("dialog").locator("code")
        secret = await shown.inner_text()
        assert await opens(secret)
        assert not await axe.violations(page)
        # Nobody can show it again: neither Escape nor a click beside it closes it.
        await page.keyboard.press("Escape")
        await page.mouse.click(5, 400)
        await expect(shown).to_have_text(secret)
        await page.get_by_role("button", name="I have kept it").click()
        await expect(page.get_by_role("rowheader", name="Kim’s laptop")).to_be_visible()
        assert secret not in await page.content()

        await act(page, "Kim’s laptop", "Renew")
        await page.get_by_role("dialog").get_by_role("button", name="Renew").click()
        await expect(shown).to_have_text(re.compile("^ttk-"))
        renewed = await shown.inner_text()
        assert await opens(renewed)
        assert not await opens(secret)
        await page.get_by_role("button", name="I have kept it").click()

        await act(page, "Kim’s laptop", "Change")
        await page.get_by_label("Name").fill("Kim’s desk")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("rowheader", name="Kim’s desk")).to_be_visible()
        await act(page, "Kim’s desk", "Revoke")
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        assert not await opens(renewed)
        await page.goto("/admin/log?kind=key")
        await expect(page.get_by_role("group").first).to_contain_text("Key Kim’s desk revoked")
        await expect(page.get_by_role("group")).to_have_count(4)


async def test_what_somebody_else_saved_meanwhile_is_explained_and_nothing_is_lost(
    own: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(own.base_url), fresh=True) as watch:
        watch.tolerate("status of 409")
        page = watch.page
        await page.goto("/admin")
        await page.get_by_label("Temperature").fill("0.2")
        await page.get_by_label("System prompt").fill("Answer as a ferry captain.")
        theirs = {"temperature": 1.5, "max_tokens": 99}
        (await own.put("/api/admin/settings", json=theirs)).raise_for_status()
        # The edit outlives a look at another section.
        await page.get_by_role("link", name="Keys").click()
        await page.get_by_role("link", name="Answers").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Somebody else has changed the settings")).to_be_visible()
        await expect(page.get_by_text("Meanwhile set to 1.5 by somebody else.")).to_be_visible()
        await expect(page.get_by_label("Longest answer")).to_have_value("99")
        await expect(page.get_by_label("Temperature")).to_have_value("0.2")
        assert not await axe.violations(page)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("button", name="Save")).to_be_disabled()
        saved = (await own.get("/api/admin/settings")).json()
        assert (saved["temperature"], saved["max_tokens"]) == (0.2, 99)
        assert saved["system_prompt"] == "Answer as a ferry captain."


async def test_an_origin_is_checked_added_beside_others_changes_and_removed(
    own: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(own.base_url), fresh=True) as watch:
        watch.tolerate("status of 409")
        page = watch.page
        await page.goto("/admin/origins")
        entry = page.get_by_role("textbox", name="Add an origin")
        await entry.fill("https://Docs.example/guide")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_text("Without a path: https://docs.example")).to_be_visible()
        await entry.fill("https://Docs.example/")
        theirs = {"allowed_origins": ["https://theirs.example"]}
        (await own.put("/api/admin/settings", json=theirs)).raise_for_status()
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("listitem").filter(has_text="https://docs.example")).to_be_visible()
        listed = (await own.get("/api/admin/settings")).json()["allowed_origins"]
        assert listed == ["https://theirs.example", "https://docs.example"]
        await page.get_by_role("button", name="Remove: https://docs.example").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("button", name="Remove: https://docs.example")).to_have_count(0)


async def test_a_studio_that_goes_away_is_said_calmly_and_comes_back_by_itself(
    own: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(own.base_url), fresh=True) as watch:
        watch.tolerate("net::ERR_FAILED")
        page = watch.page
        away = page.get_by_role("status").filter(has_text="The studio does not answer")
        await page.goto("/admin/keys")
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        await page.route("**/api/**", lambda route: route.abort())
        await page.get_by_role("link", name="Jobs").click()
        await expect(away).to_be_visible()
        assert not await axe.violations(page)
        await page.unroute("**/api/**")
        await expect(away).to_have_count(0)
        await expect(page.get_by_text("No jobs yet")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_who_goes_by_keyboard_arrives_at_the_heading_and_each_view_has_its_title(
    own: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(own.base_url), fresh=True) as watch:
        page = watch.page
        await page.goto("/")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main")).to_be_focused()
        assert "#" not in page.url
        for link, title in (
            ("Settings", "Answers · Settings · Twotrack"),
            ("Keys", "Keys · Settings · Twotrack"),
        ):
            await page.get_by_role("link", name=link, exact=True).focus()
            await page.keyboard.press("Enter")
            await expect(page).to_have_title(title)
            await expect(page.get_by_role("heading", level=1)).to_be_focused()
        current = page.locator("[aria-current=page]")
        await expect(current).to_have_text(["Settings", "Keys"])
