"""Votes between two answers beside each other."""

from playwright.async_api import expect

from tests.browser import chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker


async def test_one_of_two_answers_is_voted_better(studio: Studio, speaker: Speaker, open_tab: Open) -> None:
    question = "Which of the two ferries is faster?"
    speaker.answers[question] = ("The white one.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        # The same speaker twice: what is said is the same, whose it is, is not.
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}&beside={seeds.SPEAKER}")
        await chat.send(page, question)
        await chat.answered(page)
        better = page.get_by_role("button", name="This one was better")
        await expect(better).to_have_count(2)
        await better.last.click()
        await expect(better.last).to_have_attribute("aria-pressed", "true")
        await better.first.click()
        await expect(better.first).to_have_attribute("aria-pressed", "true")
        await expect(better.last).to_have_attribute("aria-pressed", "false")
        await better.first.click()
        await expect(better.first).to_have_attribute("aria-pressed", "false")
