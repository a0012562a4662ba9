"""The page without a mouse."""

from playwright.async_api import Page, expect

from tests.browser import chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker

_FOCUSED = """() => {
  const { activeElement: one } = document;
  return one.matches(':focus-visible') ? one.getAttribute('aria-label') ?? one.textContent : null;
}"""


async def tab_to(page: Page, name: str) -> None:
    """Until what has this name has the focus."""
    # Past all conversations in the list, each of them two stops.
    for _ in range(300):
        await page.keyboard.press("Tab")
        if (await page.evaluate(_FOCUSED) or "").strip() == name:
            return
    raise AssertionError(f"the tabulator key does not lead to {name}")


async def test_the_first_stop_leads_to_the_content(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main")).to_be_focused()
        assert page.url.endswith("/models")


async def test_one_asks_without_a_mouse(studio: Studio, speaker: Speaker, open_tab: Open) -> None:
    question = "Who has the keyboard?"
    speaker.answers[question] = ("You have.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
        await expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
        await tab_to(page, "Your message")
        await page.keyboard.type(question)
        await page.keyboard.press("Enter")
        await expect(chat.answers(page)).to_contain_text("You have.")
        await chat.answered(page)
        await expect(page.get_by_role("textbox", name="Your message")).to_be_focused()


async def test_a_menu_and_its_dialog_give_the_focus_back(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models/{seeds.SOFTER}")
        more = page.get_by_role("button", name=f"More about {seeds.SOFTER}")
        await expect(more).to_be_visible()
        await more.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem").first).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(more).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem").first).to_be_focused()
        await page.keyboard.press("End")
        await expect(page.get_by_role("menuitem").last).to_be_focused()
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        # What cannot be taken back is not what Enter would press.
        await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        for _ in range(8):
            await page.keyboard.press("Tab")
            assert await dialog.evaluate("(one) => one.contains(document.activeElement)")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(page.get_by_role("heading", level=1)).to_have_text(seeds.SOFTER)
