"""Learning from the screen, with a base so small that a run takes seconds; and votes between two answers."""

import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import expect

from tests.browser import axe, chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker

# A run loads torch, which takes a busy machine longer than a view takes to come up.
_RUN_SECONDS = 300


@pytest.mark.slow
async def test_a_correction_is_learned_and_the_old_variant_is_one_press_away(
    studio: Studio, speaker: Speaker, open_tab: Open, small_model: Path
) -> None:
    question = "Which bird is on the crest of the town?"
    speaker.answers[question] = ("A gull.",)
    async with (
        httpx.AsyncClient(base_url=studio.url, timeout=60, trust_env=False) as client,
        open_tab(studio.url, width=390, seconds=_RUN_SECONDS) as watch,
    ):
        # Its own in each try.
        pupil = f"pupil-{uuid4().hex[:6]}"
        taught = f"{pupil}-taught-0"
        pull = await client.post("/api/models/pull", json={"source": str(small_model), "name": pupil})
        async with client.stream("GET", f"/api/jobs/{pull.raise_for_status().json()['id']}/events") as events:
            async for _ in events.aiter_lines():
                pass
        page = watch.page
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
        await chat.send(page, question)
        await chat.answered(page)
        await page.get_by_role("button", name="Correct this answer").click()
        await page.get_by_role("textbox", name="The answer as it should have been").fill("A heron.")
        await page.get_by_role("button", name="Save the correction").click()
        await expect(page.get_by_text("Corrected by you")).to_be_visible()
        # The speaker runs elsewhere: nothing is learned there.
        await expect(page.get_by_role("button", name="Learn", exact=True)).to_have_count(0)
        await page.goto(f"{page.url.partition('?')[0]}?variant={pupil}")
        await expect(page.get_by_text(re.compile(r"^\d+ corrections? not learned yet"))).to_be_visible()
        await page.get_by_role("button", name="Learn", exact=True).click()
        await expect(page.get_by_role("progressbar").first).to_be_visible()
        assert not await axe.violations(page)
        learned = page.get_by_text(f"{taught} has learned your corrections and answers from here on.")
        await expect(learned).to_be_visible(timeout=_RUN_SECONDS * 1000)
        answerer = page.get_by_role("combobox", name="Variant")
        await expect(answerer).to_have_value(taught)
        await expect(page.get_by_text("not learned yet")).to_have_count(0)
        assert not await axe.violations(page)
        await page.get_by_role("button", name=f"Back to {pupil}", exact=True).click()
        await expect(answerer).to_have_value(pupil)
        await page.get_by_role("button", name=f"Go on with {taught}").click()
        await expect(answerer).to_have_value(taught)
        for name in (taught, pupil):
            await client.delete(f"/api/models/{name}")


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
