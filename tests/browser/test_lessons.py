"""What was corrected waits to be learned, on whatever can be trained here; votes between two answers.

The run itself is not waited for: it loads torch, and tests/lessons follows one to its end.
"""

import re
from pathlib import Path
from uuid import uuid4

import httpx
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


async def test_what_was_corrected_of_a_model_elsewhere_waits_for_one_that_is_here(
    studio: Studio, speaker: Speaker, open_tab: Open, small_model: Path
) -> None:
    question = "Which bird is on the crest of the town?"
    speaker.answers[question] = ("A gull.",)
    # Its own in each try.
    pupil = f"pupil-{uuid4().hex[:6]}"
    async with (
        httpx.AsyncClient(base_url=studio.url, timeout=60, trust_env=False) as client,
        open_tab(studio.url, width=390) as watch,
    ):
        pull = await client.post("/api/models/pull", json={"source": str(small_model), "name": pupil})
        async with client.stream("GET", f"/api/jobs/{pull.raise_for_status().json()['id']}/events") as events:
            async for _ in events.aiter_lines():
                pass
        page = watch.page
        learn = page.get_by_role("button", name="Learn", exact=True)
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
        await chat.send(page, question)
        await chat.answered(page)
        await page.get_by_role("button", name="Correct this answer").click()
        await page.get_by_role("textbox", name="The answer as it should have been").fill("A heron.")
        await page.get_by_role("button", name="Save the correction").click()
        await expect(page.get_by_text("Corrected by you")).to_be_visible()
        # The speaker runs elsewhere: nothing is learned there.
        await expect(learn).to_have_count(0)
        await page.goto(f"{page.url.partition('?')[0]}?variant={pupil}")
        await expect(page.get_by_text(re.compile(r"^\d+ corrections? .*not learned yet"))).to_be_visible()
        await expect(learn).to_be_enabled()
        (await client.delete(f"/api/models/{pupil}")).raise_for_status()
