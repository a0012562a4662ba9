"""axe-core (MPL-2.0) in a tab: barriers for people who use a keyboard, a screen reader, or need contrast.

Read from node_modules, for tests alone; nothing of it is shipped.
"""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

# Rules of WCAG 2.2 at A and AA, and best practice: what axe checks by default, but for nothing.
_RUN = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.flatMap(
  ({ id, help, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(' ')} — ${help}. ${failureSummary.split('\\n').slice(1, 3).join(' ').trim()}`))"""


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """One line for each barrier that the page has as it is."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_script())
    found: Any = await page.evaluate(_RUN)
    return list(found)
