"""Every view in both languages, at a desk's and a phone's width, light and dark."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import axe
from tests.browser.conftest import Open, Studios
from tests.browser.views import VIEWS, View

_ROUTER = Path(__file__).parents[2] / "web" / "src" / "router.tsx"


def _routes() -> Iterator[str]:
    """The addresses in router.tsx, each with its parents' in front."""
    source = _ROUTER.read_text(encoding="utf-8")
    declared = re.findall(
        r"const (\w+) = createRoute\(\{\s*getParentRoute: \(\) => (\w+),\s*path: '([^']*)'", source
    )
    assert len(declared) == source.count("createRoute({")
    paths = {name: (parent, path) for name, parent, path in declared}
    for name in paths:
        whole, at = "", name
        while at in paths:
            at, path = paths[at]
            whole = path.rstrip("/") + whole
        yield whole or "/"


def test_every_route_has_a_row_in_the_table_of_views() -> None:
    assert {view.route for view in VIEWS if view.route} == set(_routes())


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("view", "width"), [pytest.param(v, w, id=f"{v.name}-{w}") for v in VIEWS for w in v.widths]
)
async def test_a_view_is_whole(
    view: View, width: int, language: str, studios: Studios, open_tab: Open, pytestconfig: pytest.Config
) -> None:
    studio = studios[view.studio]
    pictures: Path | None = pytestconfig.getoption("screenshots")
    async with open_tab(studio.url, language=language, width=width) as watch:
        for status in view.provokes:
            watch.tolerate(f"the server responded with a status of {status}")
        page = watch.page
        await page.emulate_media(color_scheme="light")
        await page.goto(studio.url + view.address(studio.ids, language))
        await settle(page)
        if view.prepare is not None:
            await view.prepare(page)
        assert await page.get_attribute("html", "lang") == language
        assert re.fullmatch(r".+ · Twotrack", await page.title())
        problems: list[str] = []
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await expect(page.locator(f"html[data-mantine-color-scheme={scheme}]")).to_be_attached()
            await page.evaluate("window.calm = 0")
            await page.wait_for_function(_STILL, polling=20)
            if pictures is not None:
                await page.screenshot(path=pictures / f"{view.name}-{language}-{width}-{scheme}.png")
            # In the dark nothing but colours is different.
            problems += await axe.violations(page, of_colours=scheme == "dark")
        problems += await page.evaluate(_OVERFLOW)
        assert not problems, "\n".join(problems)


async def settle(page: Page) -> None:
    """Until what the view asks the studio for has been drawn."""
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.evaluate("document.fonts.ready")


# Even the shortest transition of an inherited colour takes a frame for each level that it goes down.
_STILL = """() => {
  window.calm = document.getAnimations().some(({ playState }) => playState === 'running')
    ? 0 : (window.calm ?? 0) + 1;
  return window.calm > 3;
}"""

# What is wider than the window, without a box around it that scrolls by itself.
_OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth + 1;
  if (document.documentElement.scrollWidth <= wide) return [];
  const scrolls = (one) => one && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(one).overflowX)
    || scrolls(one.parentElement));
  return [...document.body.querySelectorAll('*')]
    .filter((one) => one.getBoundingClientRect().right > wide && !scrolls(one.parentElement))
    .map((one) => `${one.tagName} ${one.className}`).slice(0, 5)
    .concat(`the document is ${document.documentElement.scrollWidth} wide`);
}"""
