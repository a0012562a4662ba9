"""The Chromium of this machine: where it is, and how it is started so that it speaks to nobody but us."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

VARIABLE = "TWOTRACK_CHROMIUM"
MISSING = (
    "no Chromium here: `apt-get install chromium-headless-shell fonts-noto-cjk` (or chromium), "
    f"or name its program in {VARIABLE}"
)

# The first is Chromium without the parts of a desktop's browser: views take an eighth less time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # A view is there for a second: what V8's optimizing compilers would make of it is not worth their time.
    "--js-flags=--no-maglev --no-turbofan",
    # Whatever a page asks for: no name but this machine's own is looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find() -> str | None:
    """The program, or None."""
    given = os.environ.get(VARIABLE)
    return shutil.which(given) if given else next(filter(None, map(shutil.which, _NAMES)), None)


@asynccontextmanager
async def launched(program: str) -> AsyncGenerator[Browser, None]:
    # Chromium's sandbox refuses to run as root.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*_FLAGS, *sandbox])
        try:
            yield browser
        finally:
            await browser.close()
