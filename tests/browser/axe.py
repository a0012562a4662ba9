"""axe-core (MPL-2.0) in a tab: barriers for people who use a keyboard, a screen reader, or need contrast.

Read from node_modules, for tests alone; nothing of it is shipped.
"""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

# What axe checks by default: WCAG 2.2 at A and AA, and best practice.
_RUN = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(
  ({ id, help, nodes }) => `${id}: ${help}; ` + nodes.slice(0, 3).map(({ target, failureSummary }) =>
    `${target.join(' ')} (${failureSummary.split('\\n')[1].trim()})`).join('; ')
    + (nodes.length > 3 ? ` and ${nodes.length - 3} more` : ''))"""


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """One line for each rule that the page breaks as it is."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_script())
    found: Any = await page.evaluate(_RUN)
    return list(found)
