"""Hostile content stays text: while it streams, from history, in titles, names, paths and errors.

hostile/ holds what models, people and files may say to do harm in somebody's browser, after advisories in
neighbouring systems: AnythingLLM CVE-2026-32626 (streamed), Open WebUI CVE-2026-109288, -54011, -70492,
-45318, -54013. `tripped` is the wire of watch.py; elsewhere.example is nobody's.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser import chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker
from tests.browser.test_views import settle
from tests.browser.views import VIEWS, View

_ANSWERS = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parent / "hostile").iterdir())
}
# For whatever is one line: titles, names, paths.
_LINE = (
    """"><img src=x onerror=tripped('line')><svg/onload=tripped('line')>'-tripped('line')-'{{7*7}}${7*7}"""
)

# What hostile text would have become, had any of it become more than text.
_MADE = """() => [...document.body.querySelectorAll('*')].filter((one) =>
    one.matches('script:not([src^="/assets/"]), iframe, object, embed, link, meta, base, video, '
      + 'style:not([data-mantine-styles]), form[action], [href*="script:" i], [href^="data:" i]')
    || (one.tagName === 'IMG' && /^(https?:)?\\/\\//.test(one.getAttribute('src')))
    || [...one.attributes].some(({ name }) => name.startsWith('on')))
  .map((one) => one.outerHTML.slice(0, 200))"""
_LINKS = "[...document.querySelectorAll('article a')].map((one) => one.getAttribute('href'))"


async def inert(page: Page) -> None:
    """Whatever was going to run had the time that drawing takes."""
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    assert await page.evaluate(_MADE) == []
    for link in await page.evaluate(_LINKS):
        # The page's own links, such as the one to the search, lead to views of it.
        assert re.match(r"https?://|mailto:|/documents/", link), link


async def test_the_wire_trips(studio: Studio, open_tab: Open) -> None:
    """What the other tests rely on."""

    async def be_tripped() -> None:
        async with open_tab(studio.url, fresh=True) as watch:
            await watch.page.set_content(
                "<img src=x onerror=\"tripped('img')\"><img src=https://elsewhere.example/i.png>"
                "<iframe src=https://elsewhere.example/></iframe>"
            )
            await watch.page.evaluate("alert('hello')")
            assert len(await watch.page.evaluate(_MADE)) == 3

    with pytest.raises(AssertionError) as found:
        await be_tripped()
    for sign in ("script: ('img',)", "request: GET https://elsewhere.example/i.png", "dialog: hello"):
        assert sign in str(found.value)


@pytest.mark.parametrize("kind", _ANSWERS)
async def test_an_answer_is_inert_while_it_streams_and_from_history(
    kind: str, studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    question = f"Say something hostile: {kind} {_LINE}"
    text = _ANSWERS[kind]
    # Cut so that every construct is half open at some moment.
    speaker.answers[question] = [text[at : at + 7] for at in range(0, len(text), 7)] + ["\n\nThe end."]
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}")
        await chat.send(page, question)
        await expect(chat.answers(page).last).to_contain_text("The end.")
        await chat.answered(page)
        await inert(page)
        await page.reload()
        await expect(page.get_by_role("article").last).to_contain_text("The end.")
        await inert(page)


async def test_titles_and_what_is_found_in_them_are_text(
    studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
        session = await seeds.ask(client, _LINE)
        title = f"titled {_LINE}"
        await client.patch(f"/api/chat/sessions/{session}", json={"title": title})
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat/{session}")
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        await page.get_by_role("searchbox").fill("onerror=tripped('line')")
        await expect(page.get_by_role("link", name=title)).to_be_visible()
        await inert(page)
        await page.get_by_role("button", name=f"Actions for “{title}”").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.get_by_role("dialog")).to_contain_text(title)
        await inert(page)


async def test_files_and_what_is_wrong_with_them_are_shown_as_text(studio: Studio, open_tab: Open) -> None:
    broken = FilePayload(
        name=f"{_LINE.replace('/', '')}.jsonl",
        mimeType="application/jsonl",
        buffer=json.dumps({"messages": [{"role": _LINE, "content": _LINE}]}).encode(),
    )
    async with open_tab(studio.url) as watch:
        watch.tolerate("status of 422")
        page = watch.page
        await page.goto(f"{studio.url}/runs")
        await page.get_by_role("button", name="New run").click()
        await page.locator("input[type=file]").set_input_files(broken)
        await expect(page.get_by_text("onerror=tripped('line')").first).to_be_visible()
        await page.get_by_role("textbox", name="Name of the variant").fill("anything")
        await page.get_by_role("button", name="Start training").click()
        # The file may have been reported on by itself before.
        refused = page.get_by_role("alert").filter(has_text="<img src=x onerror=")
        await expect(refused.first).to_be_visible()
        await inert(page)


@pytest.fixture(scope="module")
def words(studio: Studio) -> set[str]:
    """All words that the API's types list."""
    return _enumerated(httpx.get(f"{studio.url}/api/openapi.json", trust_env=False).json())


_QUESTION = "Who keeps the zygomatic lantern of Velmora?"


@pytest.mark.parametrize("mode", ["Quote", "Write"])
async def test_a_document_is_text_wherever_it_is_shown(
    mode: str, studio: Studio, speaker: Speaker, open_tab: Open
) -> None:
    """In an answer that quotes it or was written after it, its source, a search, and its own view."""
    said = f"The zygomatic lantern of Velmora is kept by nobody {_LINE}."
    hostile = "\n\n".join([f"# Lantern {_LINE}", said, *_ANSWERS.values()])
    speaker.answers[_QUESTION] = (f"{said}\n\n{_ANSWERS['html']}\n\n{_ANSWERS['links']}",)
    name, collection = _LINE.replace("/", "") + ".txt", f"{mode} {_LINE.replace('/', '')}"[:100]
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False, timeout=60) as client:
        await seeds.ingest(client, collection, [("files", (name, hostile.encode()))])
    asked = f"{_QUESTION} {_LINE}"
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/chat?variant={seeds.SPEAKER}&documents={quote(collection)}")
        await page.get_by_role("button", name="Settings of the answer").click()
        await page.get_by_role("radio", name=mode).check()
        await page.keyboard.press("Escape")
        await chat.send(page, _QUESTION)
        await chat.answered(page)
        await expect(chat.answers(page)).to_contain_text("kept by nobody")
        await inert(page)
        await page.get_by_role("button", name=re.compile("^Source 1: ")).first.click()
        passage = page.locator("mark").filter(has_text="kept by nobody")
        await expect(passage).to_be_in_viewport()
        await inert(page)
        await page.reload()
        await expect(passage).to_be_in_viewport()
        await inert(page)
        await page.get_by_role("link", name="Open the whole document").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("onerror=tripped('line')")
        await inert(page)
        await page.goto(f"{studio.url}/documents/{quote(collection)}/search?query={quote(asked)}")
        await expect(page.locator("li mark").first).to_be_visible()
        await inert(page)


@pytest.mark.parametrize(
    "view", [v for v in VIEWS if v.studio == "seeded" and not v.prepare], ids=lambda view: view.name
)
async def test_whatever_the_studio_tells_is_shown_as_text(
    view: View, studio: Studio, words: set[str], open_tab: Open
) -> None:
    """Every string of every answer is hostile, but for those that make the answer what it is."""

    async def poison(route: Route) -> None:
        # What the page asks for by a poisoned name is there all the same, in a path or a query.
        url = route.request.url
        for unquoted in ("!~*'()", "!~*()"):
            url = url.replace(quote(f" {_LINE}", safe=unquoted), "")
        response = await route.fetch(url=url)
        if response.headers.get("content-type", "").endswith("json"):
            await route.fulfill(response=response, json=_poisoned(await response.json(), words))
        else:
            await route.fulfill(response=response)

    async with open_tab(studio.url, again=True) as watch:
        for status in view.provokes:
            watch.tolerate(f"status of {status}")
        page = watch.page
        await page.route(re.compile("/api/(?!openapi)"), poison)
        await page.goto(studio.url + view.address(studio.ids, "en"))
        await settle(watch)
        await inert(page)
        # What is still on its way when the tab closes is nobody's error.
        await page.unroute_all(behavior="ignoreErrors")


def _enumerated(document: Any) -> set[str]:
    if isinstance(document, dict):
        own = [*document.get("enum", ()), document.get("const")]
        return {one for one in own if isinstance(one, str)}.union(*map(_enumerated, document.values()))
    return set().union(*map(_enumerated, document)) if isinstance(document, list) else set()


_STRUCTURE = re.compile(r"[0-9a-f-]{36}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT.*|[\d.]+|")


def _poisoned(value: Any, words: set[str]) -> Any:
    if isinstance(value, dict):
        poisoned = {key: _poisoned(one, words) for key, one in value.items()}
        return poisoned | {"content": "".join(_ANSWERS.values())} if "content" in value else poisoned
    if isinstance(value, list):
        return [_poisoned(one, words) for one in value]
    if not isinstance(value, str) or value in words or _STRUCTURE.fullmatch(value):
        return value
    # With its own words in front: what was different stays different.
    return f"{value} {_LINE}"
