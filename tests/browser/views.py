"""Every view of the page, as people come to it: a new route without a row here fails (test_views.py)."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Page, expect

from tests.browser import seeds

Prepare = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class View:
    name: str
    route: str | None
    """As router.tsx spells it; None for addresses that no route knows."""
    path: str
    """{words} stand for ids of the studio."""
    prepare: Prepare | None = None
    """Brings up what does not show by itself, such as a dialog."""
    studio: Literal["seeded", "empty"] = "seeded"
    asks_what_is_missing: bool = False
    """The browser logs a 404."""


def press(name: str, then: str | None = None) -> Prepare:
    """Presses the button with this name (a pattern for both languages), then one in what opened."""

    async def prepare(page: Page) -> None:
        await page.get_by_role("button", name=re.compile(name)).first.click()
        if then is not None:
            await page.get_by_role("menuitem", name=re.compile(then)).click()

    return prepare


async def _menu(page: Page) -> None:
    if burger := await page.query_selector(
        "header button[aria-expanded], header .mantine-Burger-root:visible"
    ):
        await burger.click()


async def _settled(page: Page) -> None:
    await expect(page.get_by_role("dialog").first).to_be_visible()


VIEWS = (
    View("home", "/", "/"),
    View("home-empty", "/", "/", studio="empty"),
    View("chat", "/chat", "/chat"),
    View("chat-empty", "/chat", "/chat", studio="empty"),
    View("chat-session", "/chat/$sessionId", "/chat/{talk}"),
    View("chat-long", "/chat/$sessionId", "/chat/{long}"),
    View("chat-beside", "/chat/$sessionId", f"/chat/{{talk}}?beside={seeds.VARIANT}"),
    View("models", "/models", "/models"),
    View("models-empty", "/models", "/models", studio="empty"),
    View("model-base", "/models/$name", "/models/SmolLM2-135M-Instruct"),
    View("model-variant", "/models/$name", f"/models/{seeds.SOFTER}"),
    View("runs", "/runs", "/runs"),
    View("runs-empty", "/runs", "/runs", studio="empty"),
    View("run-finished", "/runs/$runId", "/runs/{finished}"),
    View("run-failed", "/runs/$runId", "/runs/{failed}"),
    View("run-cancelled", "/runs/$runId", "/runs/{cancelled}"),
    View("settings", "/admin", "/admin"),
    View("settings-empty", "/admin", "/admin", studio="empty"),
    View("keys", "/admin/keys", "/admin/keys"),
    View("keys-empty", "/admin/keys", "/admin/keys", studio="empty"),
    View("origins", "/admin/origins", "/admin/origins"),
    View("origins-empty", "/admin/origins", "/admin/origins", studio="empty"),
    View("memory", "/admin/memory", "/admin/memory"),
    View("memory-empty", "/admin/memory", "/admin/memory", studio="empty"),
    View("log", "/admin/log", "/admin/log"),
    View("log-empty", "/admin/log", "/admin/log", studio="empty"),
    View("jobs", "/admin/jobs", "/admin/jobs"),
    View("jobs-empty", "/admin/jobs", "/admin/jobs", studio="empty"),
    View("not-found", None, "/no/such/place"),
)
