"""Answers from documents: cited, declined, asked again; the source beside them; what a search shows."""

import asyncio
import re

from playwright.async_api import Page, expect

from tests.browser import axe, chat, seeds, texts
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker


async def begin(page: Page, studio: Studio, question: str, *, variant: str = "") -> None:
    chosen = f"&variant={variant}" if variant else ""
    await page.goto(f"{studio.url}/chat?documents={seeds.TOWN}{chosen}")
    await chat.send(page, question)
    await chat.answered(page)


async def write(page: Page) -> None:
    await page.get_by_role("button", name="Settings of the answer").click()
    await page.get_by_role("radio", name="Write").check()
    await page.keyboard.press("Escape")


async def test_a_citation_opens_the_source_at_the_passage(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, texts.CITED["en"])
        answer = chat.answers(page)
        await expect(answer).to_have_accessible_name(f"Answer from the documents in “{seeds.TOWN}”")
        await expect(answer).to_contain_text("the motion falls")
        await expect(answer).to_contain_text("Quoted word for word")
        mark = answer.get_by_role("button", name=re.compile("^Source 1: Standing Orders")).first
        await mark.click()
        source = page.get_by_role("complementary", name="Source")
        await expect(source.get_by_role("heading", level=2)).to_contain_text("Standing Orders")
        await expect(source).to_contain_text("2. Quorum and voting")
        passage = source.locator("mark").filter(has_text="the motion falls")
        await expect(passage).to_be_in_viewport()
        await expect(source).to_be_focused()
        assert not await axe.violations(page)
        await page.reload()
        await expect(passage).to_be_in_viewport()
        await expect(chat.answers(page).get_by_role("listitem")).to_contain_text("Standing Orders")
        await page.keyboard.press("Tab")
        await source.get_by_role("button", name="Close the source").press("Enter")
        await expect(source).to_have_count(0)


async def test_on_a_phone_the_source_is_a_sheet_that_going_back_closes(
    studio: Studio, open_tab: Open
) -> None:
    async with open_tab(studio.url, language="ko", width=390) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat/{studio.ids['cited']['ko']}")
        mark = page.get_by_role("button", name=re.compile("^출처 1: ")).first
        await mark.click()
        sheet = page.get_by_role("dialog", name="출처")
        await expect(sheet.locator("mark").first).to_be_in_viewport()
        box = await sheet.bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (390, 844)
        assert not await axe.violations(page)
        await page.go_back()
        await expect(sheet).to_have_count(0)
        await expect(page).to_have_url(re.compile(studio.ids["cited"]["ko"]))
        await mark.click()
        await sheet.get_by_role("button", name="출처 닫기").click()
        await expect(sheet).to_have_count(0)
        await expect(mark).to_be_focused()


async def test_what_the_documents_do_not_hold_can_be_put_to_the_model_alone(
    studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    question = texts.DECLINED["en"]
    speaker.answers[question] = ("Brewing under quasars.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, question, variant=seeds.SPEAKER)
        answer = chat.answers(page)
        await expect(answer).to_contain_text("The documents do not seem to answer this.")
        await expect(answer).to_contain_text("Not found in the documents")
        assert not await axe.violations(page)
        await answer.get_by_role("button", name="Ask the model alone").click()
        await expect(answer).to_contain_text("Brewing under quasars.")
        await expect(answer).to_have_accessible_name(f"Answer by {seeds.SPEAKER}")
        versions = answer.get_by_role("group", name="Versions")
        await expect(versions).to_contain_text("2 / 2")
        await versions.get_by_role("button", name="The version before").click()
        await answer.get_by_role("link", name="Look through what was found").click()
        await expect(page).to_have_url(re.compile(f"/documents/{seeds.TOWN}/search"))
        await expect(page.get_by_role("searchbox")).to_have_value(question)


async def test_the_switch_is_in_the_address_and_a_conversation_remembers_it(
    studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    question = "How many seats does the council have by itself?"
    speaker.answers[question] = ("As many as it likes.",)
    async with open_tab(studio.url) as watch:
        page = watch.page
        switch = page.get_by_role("combobox", name="Answers come from")
        await page.goto(f"{studio.url}/chat/{studio.ids['cited']['en']}?variant={seeds.SPEAKER}")
        await expect(switch).to_have_value(seeds.TOWN)
        await switch.click()
        await page.get_by_role("option", name="The model alone").click()
        await expect(page).to_have_url(re.compile("documents=false"))
        await page.reload()
        await expect(switch).to_have_value("The model alone")
        await chat.send(page, question)
        await expect(chat.answers(page).last).to_contain_text("As many as it likes.")
        await chat.answered(page)
        await switch.click()
        await page.get_by_role("option", name=seeds.TOWN).click()
        await page.reload()
        await expect(switch).to_have_value(seeds.TOWN)
        await page.goto(f"{studio.url}/chat?documents=gone")
        await expect(page.get_by_text("There is no collection “gone” here.")).to_be_visible()


async def test_a_written_answer_is_cited_sentence_by_sentence_and_asked_again_in_other_words(
    studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    question, edited = texts.CITED["en"], "What is done when the votes are equal, in short?"
    said = "When the votes are **equal**, the motion falls. The clerk then buys a horse."
    speaker.answers |= {question: (said,), edited: ("When the votes are equal, the motion falls.",)}
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?documents={seeds.TOWN}&variant={seeds.SPEAKER}")
        await write(page)
        await chat.send(page, question)
        await chat.answered(page)
        answer = chat.answers(page)
        await expect(answer).to_have_accessible_name(f"Answer by {seeds.SPEAKER}")
        await expect(answer.get_by_role("paragraph").first).to_have_text(
            "When the votes are equal, the motion falls.1 The clerk then buys a horse."
        )
        await expect(answer).to_contain_text("Sentences without a number do not stand in the passages")
        await expect(answer).to_contain_text(f"Written by {seeds.SPEAKER}")
        await page.get_by_role("button", name="Edit and ask again").click()
        await page.get_by_role("textbox", name="Edited question").fill(edited)
        await chat.questions(page).get_by_role("button", name="Send").click()
        await expect(chat.questions(page).get_by_role("group", name="Versions")).to_contain_text("2 / 2")
        await chat.answered(page)
        await page.get_by_role("button", name="Answer again").click()
        await expect(answer.get_by_role("group", name="Versions")).to_contain_text("2 / 2")
        await chat.answered(page)
        await page.reload()
        await expect(answer.get_by_role("button", name=re.compile("^Source 1: "))).to_have_count(1)
        await expect(answer).not_to_contain_text("horse")


async def test_a_stopped_answer_from_documents_keeps_what_was_said(
    studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    question = "Which votes are taken by raising the hand?"
    speaker.answers[question] = ("Votes are taken ", asyncio.Event(), "never")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?documents={seeds.TOWN}&variant={seeds.SPEAKER}")
        await write(page)
        await chat.send(page, question)
        await expect(chat.answers(page)).to_contain_text("Votes are taken")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(chat.answers(page)).to_contain_text("Cut off: stopped")
        await page.reload()
        await expect(chat.answers(page)).to_contain_text("Votes are taken")
        await expect(chat.answers(page)).to_contain_text("Cut off: stopped")


async def test_a_follow_up_says_what_was_searched_for(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await begin(page, studio, texts.CITED["en"])
        await chat.send(page, "And a quorum?")
        await chat.answered(page)
        await expect(chat.answers(page).last).to_contain_text(
            f"Searched for: {texts.CITED['en']} / And a quorum?"
        )


async def test_a_korean_question_is_answered_from_korean_documents(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url, language="ko") as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?documents={seeds.TOWN}")
        await page.get_by_role("textbox", name="보낼 메시지").fill(texts.CITED["ko"])
        await page.keyboard.press("Enter")
        answer = page.get_by_role("article", name=f"“{seeds.TOWN}” 문서에서 찾은 답변")
        await expect(answer).to_contain_text("50타른")
        await answer.get_by_role("button", name=re.compile("^출처 1: ")).first.click()
        source = page.get_by_role("complementary", name="출처")
        await expect(source.locator("mark").filter(has_text="50타른")).to_be_in_viewport()


async def test_a_search_tells_why_each_passage_came_and_leads_to_it(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/documents/{seeds.TOWN}/search")
        await page.get_by_role("searchbox").fill(texts.CITED["en"])
        await page.keyboard.press("Enter")
        findings = page.get_by_role("region", name=re.compile("passages")).get_by_role("listitem")
        first = findings.filter(has_text="the motion falls").first
        why = first.locator("dl")
        await expect(why).to_contain_text(re.compile(r"By meaningplace \d+similarity 0\.\d{3}"))
        await expect(why).to_contain_text(re.compile(r"By wordsplace \d+BM25 \d+\.\d\d"))
        await expect(why).to_contain_text(re.compile(r"Togetherplace \d+(combined score|match) \S?\d+\.\d+"))
        await expect(first.locator("mark").filter(has_text="equal")).to_have_count(1)
        await page.get_by_role("radiogroup", name="Search by").get_by_text("Words", exact=True).click()
        await expect(page).to_have_url(re.compile("legs=lexical"))
        await expect(why).to_contain_text("By meaningnot searched")
        await page.get_by_role("combobox", name="Language").click()
        await page.get_by_role("option", name=re.compile("^Korean")).click()
        await expect(
            page.get_by_text("salt-coop-bylaws.hwpx").or_(page.get_by_text("Nothing found")).first
        ).to_be_visible()
        await expect(first).to_have_count(0)
        await page.go_back()
        await first.get_by_role("link").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Standing Orders")
        await expect(page.locator("mark").filter(has_text="the motion falls")).to_be_in_viewport()
