"""axe-core (MPL-2.0) in a tab: barriers for people who use a keyboard, a screen reader, or need contrast.

Read from node_modules, for tests alone; nothing of it is shipped.
"""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

# By default axe checks WCAG 2.2 at A and AA, and best practice.
_RUN = """async (rules) => (await axe.run(document, { resultTypes: ['violations'],
    ...(rules.length ? { runOnly: { type: 'rule', values: rules } } : {}) })).violations.map(
  ({ id, help, nodes }) => `${id}: ${help}; ` + nodes.slice(0, 3).map(({ target, failureSummary }) =>
    `${target.join(' ')} (${failureSummary.split('\\n')[1].trim()})`).join('; ')
    + (nodes.length > 3 ? ` and ${nodes.length - 3} more` : ''))"""
_OF_COLOURS = ["color-contrast", "link-in-text-block"]


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


async def violations(page: Page, *, of_colours: bool = False) -> list[str]:
    """One line for each rule that the page breaks as it is; `of_colours` looks at those rules alone."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_script())
    found: Any = await page.evaluate(_RUN, _OF_COLOURS if of_colours else [])
    return list(found)
