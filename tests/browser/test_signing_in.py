"""A studio that asks for a key: who comes in, as whom, and what becomes of a page whose key ends."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest_asyncio
from playwright.async_api import Page, expect
from pydantic import SecretStr

from tests.browser import axe
from tests.browser.conftest import Open
from tests.conftest import Serve
from twotrack.core.settings import Settings

OWNER = "the-owner's-own-key"
REFUSED = "status of 401"


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(
    fresh_database: Callable[[], AbstractContextManager[str]], serve: Serve, home: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Its owner's way in, from outside of the page."""
    settings = Settings(home=home, api_key=SecretStr(OWNER))
    with fresh_database() as database_url, serve(settings, database_url) as url:
        headers = {"Authorization": f"Bearer {OWNER}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
            yield client


async def make_key(owner: httpx.AsyncClient, name: str, role: str = "user") -> tuple[str, str]:
    made = (await owner.post("/api/admin/keys", json={"name": name, "role": role})).raise_for_status().json()
    return made["key"]["id"], made["secret"]


async def sign_in(page: Page, key: str) -> None:
    await page.get_by_label("Key", exact=True).fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def test_a_key_is_asked_for_checked_and_explained(guarded: httpx.AsyncClient, open_tab: Open) -> None:
    _, secret = await make_key(guarded, "Kim")
    async with open_tab(str(guarded.base_url), fresh=True) as watch:
        watch.tolerate(REFUSED)
        page = watch.page
        await page.goto("/runs")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        await expect(page).to_have_title("Sign in · Twotrack")
        await expect(page.get_by_label("Key", exact=True)).to_be_focused()
        assert not await axe.violations(page)
        await sign_in(page, "열쇠")
        await expect(page.get_by_text("signs of the English keyboard")).to_be_visible()
        await sign_in(page, "ttk-" + "x" * 43)
        await expect(page.get_by_role("alert")).to_contain_text("opens nothing here")
        assert not await axe.violations(page)
        await sign_in(page, f"  {secret} ")
        # The view that the address asked for, as who the key is.
        await expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
        await expect(page.get_by_role("button", name=re.compile("Kim"))).to_contain_text("User")
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
        await page.get_by_role("button", name=re.compile("Kim")).click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert secret not in await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


async def test_a_key_is_kept_on_the_device_only_where_its_user_says_so(
    guarded: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(guarded.base_url), fresh=True) as watch:
        watch.tolerate(REFUSED)
        page = watch.page
        await page.goto("/")
        await page.get_by_text("On this device").click()
        await sign_in(page, OWNER)
        await expect(page.get_by_role("button", name=re.compile("Owner"))).to_be_visible()
        second = await page.context.new_page()
        await second.goto(str(guarded.base_url))
        await expect(second.get_by_role("button", name=re.compile("Owner"))).to_be_visible()
        await second.close()


async def test_a_key_revoked_while_somebody_writes_leads_back_to_the_sign_in_and_the_draft_stays(
    guarded: httpx.AsyncClient, open_tab: Open
) -> None:
    first, secret = await make_key(guarded, "Kim")
    async with open_tab(str(guarded.base_url), fresh=True) as watch:
        watch.tolerate(REFUSED)
        page = watch.page
        await page.goto("/chat")
        await sign_in(page, secret)
        draft = page.get_by_role("textbox", name="Your message")
        await draft.fill("What I have been writing")
        (await guarded.delete(f"/api/admin/keys/{first}")).raise_for_status()
        # The next thing that is asked for: a second one might come to a page that has left for the sign-in.
        await page.get_by_role("link", name="Runs").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        await expect(page.get_by_role("status")).to_contain_text("does not hold any more")
        _, another = await make_key(guarded, "Kim again")
        await sign_in(page, another)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
        await page.get_by_role("link", name="Chat").click()
        await expect(draft).to_have_value("What I have been writing")


async def test_a_user_is_shown_what_is_theirs_and_nothing_else(
    guarded: httpx.AsyncClient, open_tab: Open
) -> None:
    _, secret = await make_key(guarded, "Kim")
    asked: list[str] = []
    async with open_tab(str(guarded.base_url), fresh=True) as watch:
        watch.tolerate(REFUSED)
        page = watch.page
        await page.goto("/admin")
        await sign_in(page, secret)
        sections = page.get_by_role("navigation", name="Sections of the settings")
        await expect(sections.get_by_role("link")).to_have_text(["Answers", "Jobs"])
        await expect(page.get_by_text("Default variant")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)
        page.on("request", lambda request: asked.append(request.url))
        for section in ("keys", "origins", "memory", "log"):
            await page.goto(f"/admin/{section}")
            await expect(page.get_by_text("This is for administrators")).to_be_visible()
        assert not [url for url in asked if re.search("/api/admin/(keys|events|engines)", url)]


async def test_too_many_wrong_keys_are_slowed_and_the_page_says_for_how_long(
    guarded: httpx.AsyncClient, open_tab: Open
) -> None:
    async with open_tab(str(guarded.base_url), fresh=True) as watch:
        watch.tolerate("status of 4(01|29)")
        page = watch.page
        await page.goto("/")
        for number in range(10):
            await guarded.get("/api/me", headers={"Authorization": f"Bearer ttk-guess-{number}"})
        await sign_in(page, "ttk-one-more")
        await expect(page.get_by_role("alert")).to_contain_text("Too many")
        await expect(page.get_by_role("alert")).to_contain_text(re.compile(r"possible in \d+ s"))
        await expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
