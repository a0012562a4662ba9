"""A tab under watch: what it says, asks for and runs while a test uses it."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Dialog, Frame, Page, Request

# The binding is there before any script of the page, and in every frame.
_TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  window.tripped(`policy: ${violatedDirective} ${blockedURI}`));
"""

_STREAM = re.compile("/stream$|/api/jobs/[^/]+/events$")


@dataclass
class Watch:
    """What must not happen, as it happened. `check` ends a test."""

    page: Page
    origins: set[str]
    """Where requests may go."""
    tolerated: list[re.Pattern[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    tripped: list[str] = field(default_factory=list)
    asking: set[Request] = field(default_factory=set)
    """Requests without a whole answer so far, but for streams."""
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def over(cls, page: Page, *urls: str) -> "Watch":
        watch = cls(page, {_origin(url) for url in urls})
        page.on("console", watch._console)
        page.on("pageerror", lambda error: watch.said.append(f"error: {error}"))
        page.on("crash", lambda _: watch.said.append("the tab crashed"))
        page.on("request", watch._request)
        page.on("requestfinished", watch._over)
        page.on("requestfailed", watch._over)
        page.on("dialog", watch._dialog)
        page.on("popup", lambda popup: watch.tripped.append(f"popup: {popup.url}"))
        page.on("framenavigated", watch._navigated)
        page.on("download", lambda download: watch.tripped.append(f"download: {download.url}"))
        await page.expose_binding("tripped", watch._script)
        await page.add_init_script(_TELL_VIOLATIONS)
        return watch

    def begin_again(self, *urls: str) -> None:
        """For another test, in the same tab."""
        self.origins = {_origin(url) for url in urls}
        for noted in (self.tolerated, self.said, self.tripped, self.asking):
            noted.clear()

    def tolerate(self, pattern: str) -> None:
        """Of what the browser itself logs: an answer that the test provoked, such as a 404."""
        self.tolerated.append(re.compile(pattern))

    async def answered(self) -> None:
        """Until nothing that the page asked for is on its way."""
        while self.asking:
            self._answered.clear()
            await self._answered.wait()

    def check(self) -> None:
        unexpected = [one for one in self.said if not any(known.search(one) for known in self.tolerated)]
        assert not self.tripped + unexpected, "\n".join(self.tripped + unexpected)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.said.append(f"{message.type}: {message.text[:400]} ({where})")

    def _request(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if _origin(request.url) not in self.origins:
            self.tripped.append(f"request: {request.method} {request.url}")
        if not _STREAM.search(request.url):
            self.asking.add(request)

    def _over(self, request: Request) -> None:
        self.asking.discard(request)
        self._answered.set()

    def _navigated(self, frame: Frame) -> None:
        if frame.parent_frame is not None:
            self.tripped.append(f"frame: {frame.url}")
        elif frame.url != "about:blank" and _origin(frame.url) not in self.origins:
            self.tripped.append(f"left for {frame.url}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.tripped.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _script(self, source: Any, *said: object) -> None:
        self.tripped.append(f"script: {said}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
