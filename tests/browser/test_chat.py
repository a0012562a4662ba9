"""The chat as people use it: ask, stop, edit, answer again, judge, find, delete; two tabs; a lost studio."""

import asyncio
import re
import signal
from itertools import count
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser import axe, chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker
from twotrack.core.processes import ProcessIdentity
from twotrack.core.run_file import RunFile

_numbers = count(1)


@pytest.fixture
def question() -> str:
    """One that no other test asks, so that the speaker says what this test wants."""
    return f"What is told about day {next(_numbers)}?"


async def begin(page: Page, studio: Studio, question: str) -> None:
    await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
    await chat.send(page, question)


async def test_an_answer_grows_is_kept_and_tells_who_gave_it(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    gate = asyncio.Event()
    speaker.answers[question] = ("The **first** part. ", gate, "The second.")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, question)
        await expect(chat.answers(page)).to_contain_text("The first part.")
        assert not await axe.violations(page)
        gate.set()
        await expect(chat.answers(page)).to_contain_text("The second.")
        await chat.answered(page)
        await expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}"))
        await page.reload()
        await expect(chat.questions(page)).to_contain_text(question)
        await expect(chat.answers(page)).to_have_accessible_name(f"Answer by {seeds.SPEAKER}")
        await expect(chat.answers(page).locator("strong")).to_have_text("first")
        await page.get_by_role("button", name="Details of the answer").click()
        await expect(page.get_by_role("dialog")).to_contain_text("openai_compatible")


async def test_a_stopped_answer_ends_at_its_engine_and_keeps_what_was_said(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    speaker.answers[question] = ("As far as this ", asyncio.Event(), "never")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, question)
        await expect(chat.answers(page)).to_contain_text("As far as this")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(chat.answers(page)).to_contain_text("Cut off: stopped")
        async with asyncio.timeout(20):
            while await speaker.left.get() != question:
                pass
        await page.reload()
        await expect(chat.answers(page)).to_contain_text("As far as this")
        await expect(chat.answers(page)).to_contain_text("Cut off: stopped")


async def test_an_edited_question_and_another_answer_are_versions_that_one_steps_through(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    edited = f"{question} Briefly."
    speaker.answers |= {question: ("At length.",), edited: ("Briefly.",)}
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, question)
        await chat.answered(page)
        await page.get_by_role("button", name="Edit and ask again").click()
        await page.get_by_role("textbox", name="Edited question").fill(edited)
        await chat.questions(page).get_by_role("button", name="Send").click()
        await expect(chat.answers(page)).to_contain_text("Briefly.")
        await chat.answered(page)
        versions = chat.questions(page).get_by_role("group", name="Versions")
        await expect(versions).to_contain_text("2 / 2")
        await versions.get_by_role("button", name="The version before").click()
        await expect(chat.answers(page)).to_contain_text("At length.")
        await expect(versions).to_contain_text("1 / 2")

        speaker.answers[question] = ("Once more, otherwise.",)
        await page.get_by_role("button", name="Answer again").click()
        await expect(chat.answers(page)).to_contain_text("Once more, otherwise.")
        await chat.answered(page)
        await page.reload()
        await expect(chat.answers(page).get_by_role("group", name="Versions")).to_contain_text("2 / 2")
        assert not await axe.violations(page)


async def test_what_one_thinks_of_an_answer_is_kept(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    speaker.answers[question] = ("Not quite so.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, question)
        await chat.answered(page)
        bad = page.get_by_role("button", name="Bad answer")
        await bad.click()
        await expect(bad).to_have_attribute("aria-pressed", "true")
        await page.get_by_role("button", name="Correct this answer").click()
        await page.get_by_label("The answer as it should have been").fill("Quite so.")
        await page.get_by_role("button", name="Save the correction").click()
        await expect(page.get_by_text("Corrected by you")).to_be_visible()
        await page.reload()
        await expect(bad).to_have_attribute("aria-pressed", "true")
        await expect(chat.answers(page)).to_contain_text("Quite so.")
        await page.get_by_role("button", name="Show the original").click()
        await expect(chat.answers(page)).to_contain_text("Not quite so.")
        assert not await axe.violations(page)


async def test_a_conversation_is_found_by_what_was_said_renamed_and_deleted(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    speaker.answers[question] = ("The 등대지기 of day one hundred percent% is asleep.",)
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
        session = await seeds.ask(client, question)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat")
        await page.get_by_role("searchbox").fill("등대지기 of day one hundred percent%")
        found = page.get_by_role("complementary").get_by_role("listitem")
        await expect(found).to_have_count(1)
        await found.get_by_role("link").click()
        await expect(page).to_have_url(re.compile(session))
        await found.get_by_role("button").click()
        await page.get_by_role("menuitem", name="Rename").click()
        await page.get_by_label("Title").fill("The keeper")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="The keeper")).to_be_visible()
        await page.get_by_role("button", name="Actions for “The keeper”").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page).to_have_url(re.compile("/chat$"))
        await expect(page.get_by_role("link", name="The keeper")).to_have_count(0)


async def test_a_second_variant_answers_beside_the_first(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    speaker.answers[question] = ("The same from both.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
        await page.get_by_role("button", name="Compare with").click()
        await page.get_by_role("menuitem", name=seeds.SPEAKER).click()
        await chat.send(page, question)
        await expect(chat.answers(page)).to_have_count(2)
        await chat.answered(page)
        for answer in await chat.answers(page).all():
            await expect(answer).to_contain_text("The same from both.")
        assert not await axe.violations(page)


async def test_the_second_tab_of_a_conversation_sees_the_answer_come(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    gate = asyncio.Event()
    speaker.answers[question] = ("Here ", gate, "and there.")
    async with open_tab(studio.url) as watch, open_tab(studio.url) as other:
        await begin(watch.page, studio, question)
        await expect(watch.page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}"))
        await expect(chat.answers(watch.page)).to_contain_text("Here")
        await other.page.goto(watch.page.url)
        await expect(chat.answers(other.page)).to_be_visible()
        gate.set()
        await expect(chat.answers(other.page)).to_contain_text("Here and there.")
        await expect(chat.answers(watch.page)).to_contain_text("Here and there.")


async def test_a_studio_that_dies_in_mid_stream_leaves_what_was_said_and_answers_again(
    studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    """The supervisor starts another one on the same socket."""
    speaker.answers[question] = ("As far as it came ", asyncio.Event())
    async with open_tab(studio.url) as watch:
        watch.tolerate("net::ERR_")
        page = watch.page
        await begin(page, studio, question)
        await expect(chat.answers(page)).to_contain_text("As far as it came")
        running = RunFile.read(studio.home)
        assert running is not None
        api = ProcessIdentity.of(running.pids["api"])
        assert api is not None
        api.send(signal.SIGKILL)
        await expect(page.get_by_role("alert")).to_contain_text("The connection to the studio broke off")
        await expect(chat.answers(page)).to_contain_text("As far as it came")
        speaker.answers[question] = ("Here again.",)
        await page.get_by_role("button", name="Try again").click()
        await expect(chat.answers(page).last).to_contain_text("Here again.")
        await chat.answered(page)


async def test_a_session_deleted_in_another_tab_is_said_to_be_gone(
    studio: Studio, open_tab: Open, question: str
) -> None:
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
        session = await seeds.ask(client, question)
        async with open_tab(studio.url) as watch:
            watch.tolerate("status of 404")
            page = watch.page
            await page.goto(f"{studio.url}/chat/{session}")
            await expect(chat.answers(page)).to_be_visible()
            (await client.delete(f"/api/chat/sessions/{session}")).raise_for_status()
            await chat.send(page, "Are you still there?")
            await expect(page.get_by_role("alert")).to_be_visible()
            await page.reload()
            await expect(page.get_by_text("This conversation does not exist")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one endless line", "x" * 50_000),
        ("right to left and combining", "שלום עולם \u202etxet\u202c é̂̃̄ 👩\u200d👩\u200d👧 " * 40),
        ("nested without end", "> " * 3_000 + "deep"),
        ("a fence that never closes", "```python\nprint(1)\n" * 50),
    ],
)
async def test_text_that_is_hard_to_draw_neither_stalls_nor_widens_the_page(
    name: str, text: str, studio: Studio, speaker: Speaker, open_tab: Open, question: str
) -> None:
    speaker.answers[question] = (
        *(text[at : at + 2_000] for at in range(0, len(text), 2_000)),
        "\n\nThe end.",
    )
    async with open_tab(studio.url, width=390) as watch:
        page = watch.page
        await begin(page, studio, question)
        await chat.answered(page)
        await expect(chat.answers(page)).to_contain_text("The end.")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_every_view_is_at_its_address_after_a_reload_and_a_step_back(
    studio: Studio, open_tab: Open
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(studio.url)
        walked = []
        addresses = {
            "Chat": "/chat",
            "Models": "/models",
            "Runs": "/runs",
            "Settings": "/admin",
            "Home": "/$",
        }
        for name, address in addresses.items():
            # The title is the new view's before the view itself is there, so the heading is waited for too.
            shown = page.get_by_role("heading", level=1)
            title, left = await page.title(), await shown.inner_text()
            await page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
            await expect(page).to_have_url(re.compile(address))
            await expect(page).not_to_have_title(title)
            await expect(shown).not_to_have_text(left)
            heading = await shown.inner_text()
            path = urlsplit(page.url).path
            await page.reload()
            await expect(shown).to_have_text(heading)
            assert urlsplit(page.url).path == path
            walked.append(path)
        for path in reversed(walked[:-1]):
            await page.go_back()
            await expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
