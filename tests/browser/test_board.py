"""The board: a cell is turned by keys and by mouse, and the answer comes again with the new gains."""

import json
import re
from typing import Any

import httpx
from playwright.async_api import Locator, Page, Request, expect

from tests.browser import seeds
from tests.browser.conftest import Open, Studio

_ASKED = re.compile("/v1/chat/completions$")


def _gains(request: Request) -> Any:
    return json.loads(request.post_data or "{}").get("gains")


def _cell(page: Page, layers: str, column: str) -> Locator:
    return page.get_by_role("slider", name=f"Layers {layers}, {column}")


async def test_a_turned_cell_is_in_the_next_request_and_the_answer_comes_again(
    studio: Studio, open_tab: Open
) -> None:
    async with open_tab(studio.url) as watch:
        await _turn(watch.page, studio)


async def _turn(page: Page, studio: Studio) -> None:
    await page.goto(f"{studio.url}/models/{seeds.SOFTER}/board")
    cell = _cell(page, "0–7", "Query and key")
    await expect(cell).to_have_attribute("aria-valuetext", "0.60")
    await page.get_by_role("textbox", name="A question to follow").fill("When does the ferry leave?")
    asked: list[Any] = []
    page.on("request", lambda one: asked.append(_gains(one)) if _ASKED.search(one.url) else None)
    await page.get_by_role("button", name="Ask", exact=True).click()
    await _whole(page)
    assert len(asked) == 2
    assert 0 in asked

    async with page.expect_request(_ASKED) as told:
        await cell.press("ArrowDown")
        await cell.press("ArrowDown")
    turned = _gains(await told.value)
    assert turned["cells"][0] == [0.5, 0.6, 0.6, 0.6]
    await _whole(page)
    # Two presses in quick succession asked once, and the base was not asked again.
    assert len(asked) == 3

    other = _cell(page, "23–29", "MLP, outward")
    await other.scroll_into_view_if_needed()
    box = await other.bounding_box()
    assert box is not None
    async with page.expect_request(_ASKED) as told:
        # A third of the height below the top is 1.
        await page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 3)
        await page.mouse.up()
    *others, dragged = _gains(await told.value)["cells"][3]
    assert others == [0.6, 0.6, 0.6]
    # A pixel is some hundredths.
    assert abs(dragged - 1) <= 0.06
    await _whole(page)


async def test_undone_swapped_and_kept_as_a_variant(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        await _keep(watch.page, studio)


async def _keep(page: Page, studio: Studio) -> None:
    await page.goto(f"{studio.url}/models/{seeds.SOFTER}/board")
    cell = _cell(page, "0–7", "Query and key")
    await cell.press("End")
    await expect(cell).to_have_attribute("aria-valuenow", "2")
    await page.keyboard.press("x")
    await expect(cell).to_have_attribute("aria-valuenow", "1")
    await page.keyboard.press("x")
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(cell).to_have_attribute("aria-valuenow", "0.6")
    await page.get_by_role("button", name="Off and on: Value and output").click()
    await expect(_cell(page, "8–14", "Value and output")).to_have_attribute("aria-valuenow", "0")
    await page.get_by_role("button", name="Keep as a variant").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("nurimae-board")
    await page.get_by_role("button", name="Make the variant").click()
    await expect(page.get_by_role("heading", level=1, name="nurimae-board")).to_be_visible()
    try:
        await page.get_by_role("button", name="More about nurimae-board").click()
        await page.get_by_role("menuitem", name="New variant from this").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_text("A board acts here")).to_be_visible()
        await expect(dialog.get_by_role("slider")).to_have_count(0)
        await dialog.get_by_role("button", name="One gain instead").click()
        await expect(dialog.get_by_role("slider")).to_have_attribute("aria-valuenow", "1")
        await dialog.get_by_role("button", name="The board after all").click()
        await dialog.get_by_role("link", name="Open the board").click()
        kept = _cell(page, "8–14", "Value and output")
        await expect(kept).to_have_attribute("aria-valuetext", "0.00")
    finally:
        async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
            (await client.delete("/api/models/nurimae-board")).raise_for_status()


async def test_the_bases_own_board_is_turned_beside_the_adapters_and_kept_with_them(
    studio: Studio, open_tab: Open
) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/models/{seeds.SOFTER}/board")
        await page.get_by_role("radiogroup", name="Whose board").get_by_text("Of the base itself").click()
        cell = _cell(page, "0–7", "MLP")
        await expect(cell).to_have_attribute("aria-valuetext", "1.00")
        await cell.press("ArrowDown")
        await cell.press("ArrowDown")
        await page.get_by_role("button", name="Keep as a variant").click()
        await page.get_by_role("dialog").get_by_role("textbox").fill("nurimae-bent")
        await page.get_by_role("button", name="Make the variant").click()
        await expect(page.get_by_role("heading", level=1, name="nurimae-bent")).to_be_visible()
        await expect(page.get_by_text("the base's own board")).to_be_visible()
        async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as client:
            made = (await client.get("/api/models/nurimae-bent")).json()["variant"]
            (await client.delete("/api/models/nurimae-bent")).raise_for_status()
        assert made["base_board"]["cells"] == [[1, 0.9], [1, 1], [1, 1], [1, 1]]
        assert [part["gain"] for part in made["adapters"]] == [0.6]


async def _whole(page: Page) -> None:
    await expect(page.get_by_text("answering")).to_have_count(0, timeout=60_000)
