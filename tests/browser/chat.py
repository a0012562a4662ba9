"""The chat as people use it."""

import re

from playwright.async_api import Locator, Page, expect


async def send(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Your message").fill(text)
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await page.keyboard.press("Enter")


def answers(page: Page) -> Locator:
    return page.get_by_role("article", name=re.compile("^Answer"))


def questions(page: Page) -> Locator:
    return page.get_by_role("article", name="You", exact=True)


async def answered(page: Page) -> None:
    """Until nothing streams any more."""
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    await expect(page.locator("article[aria-busy=true]")).to_have_count(0)
