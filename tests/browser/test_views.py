"""Every view in both languages, at a desk's and a phone's width, light and dark."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import axe
from tests.browser.conftest import Open, Studios, window
from tests.browser.views import VIEWS, View
from tests.browser.watch import Watch

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
@pytest.mark.parametrize("view", [pytest.param(view, id=view.name) for view in VIEWS])
async def test_a_view_is_whole(
    view: View, language: str, studios: Studios, open_tab: Open, pytestconfig: pytest.Config
) -> None:
    studio = studios[view.studio]
    pictures: Path | None = pytestconfig.getoption("screenshots")
    # A window changes its width in a fraction of the time that a page takes to load. In one language the view
    # is loaded at a desk's width and made narrow, in the other at a phone's and made wide.
    first, *others = view.widths if language == "en" else reversed(view.widths)
    problems: list[str] = []
    async with open_tab(studio.url, language=language, width=first, again=True) as watch:
        for status in view.provokes:
            watch.tolerate(f"the server responded with a status of {status}")
        page = watch.page
        address = studio.url + view.address(studio.ids, language)
        await _load(view, address, watch)
        assert await page.get_attribute("html", "lang") == language
        assert re.fullmatch(r".+ · Twotrack", await page.title())
        problems += await _problems(view, language, first, page, pictures, whole=True)
        for width in others:
            prepared = await page.evaluate(_OVERLAYS)
            await page.set_viewport_size(window(width))
            await settle(watch)
            # Only of a dialog or a menu is it certain that it has outlived the other width.
            if view.prepare and (not prepared or await page.evaluate(_OVERLAYS) != prepared):
                await _load(view, address, watch)
            problems += await _problems(view, language, width, page, pictures, whole=False)
        assert not problems, "\n".join(problems)


async def _load(view: View, address: str, watch: Watch) -> None:
    page = watch.page
    await page.emulate_media(color_scheme="light")
    await page.goto(address)
    await settle(watch)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    if view.prepare is not None:
        await view.prepare(page)


async def _problems(
    view: View, language: str, width: int, page: Page, pictures: Path | None, *, whole: bool
) -> list[str]:
    """`whole` goes by all of axe's rules, and into the dark: each language does so once, and each width."""
    problems: list[str] = []
    for scheme in ("light", "dark") if whole or pictures else ("light",):
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_function(_IN_SCHEME, arg=scheme, polling=20)
        await still(page)
        if pictures is not None:
            await page.screenshot(path=pictures / f"{view.name}-{language}-{width}-{scheme}.png")
        # In the dark nothing but colours is different.
        problems += await axe.violations(page, of_colours=scheme == "dark" or not whole)
    problems += await page.evaluate(_OVERFLOW)
    return [f"{width} wide: {one}" for one in problems]


async def settle(watch: Watch) -> None:
    """Until what the view asks the studio for has been drawn."""
    while True:
        # `expect` would look again after 100, 250, 500 and 1,000 ms.
        await watch.page.wait_for_function(_DRAWN, polling=20)
        await watch.answered()
        await watch.page.evaluate("document.fonts.ready")
        await still(watch.page)
        # An answer may have been what the next question waited for.
        if not watch.asking and await watch.page.evaluate(_DRAWN):
            return


async def still(page: Page) -> None:
    """Until nothing moves and some frames have passed."""
    await page.evaluate(_STILL)


_DRAWN = """() => document.querySelectorAll('h1').length === 1
  && document.querySelector('[aria-busy=true]') === null"""

_IN_SCHEME = "(scheme) => document.documentElement.dataset.mantineColorScheme === scheme"

_OVERLAYS = """() => [...document.querySelectorAll('#overlays [role=dialog], #overlays [role=menu]')]
  .filter((one) => one.checkVisibility()).map((one) => one.role)"""

# Even the shortest transition of an inherited colour takes a frame for each level that it goes down.
_STILL = """() => new Promise((still) => {
  let calm = 0;
  const look = () => {
    calm = document.getAnimations().some(({ playState }) => playState === 'running') ? 0 : calm + 1;
    if (calm > 3) still(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""

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
