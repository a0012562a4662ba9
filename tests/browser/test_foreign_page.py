"""The page on a static host elsewhere: admitted by its origin, let in by a key, answers streamed by fetch."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import expect

from tests.browser import chat, seeds
from tests.browser.conftest import Open, Studio
from tests.browser.speaker import Speaker
from twotrack.page import write_copy

_REFUSAL = """
url => new Promise((resolve) => {
  document.addEventListener('securitypolicyviolation', (event) => {
    if (url.startsWith(event.blockedURI)) resolve(event.effectiveDirective);
  });
  fetch(url).then(() => resolve('reached'), () => undefined);
})
"""


class StaticHost(SimpleHTTPRequestHandler):
    """Files, and index.html for every other address, as `_redirects` asks for."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != HTTPStatus.NOT_FOUND:
            super().send_error(code, message, explain)
            return
        page = Path(self.directory, "index.html").read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(StaticHost, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


async def admit(client: httpx.AsyncClient, origin: str) -> None:
    settings = (await client.get("/api/admin/settings")).json()
    origins = [*settings["allowed_origins"], origin]
    (await client.put("/api/admin/settings", json={"allowed_origins": origins})).raise_for_status()


async def test_a_page_of_a_static_host_chats_once_its_origin_is_listed(
    studio: Studio, speaker: Speaker, open_tab: Open, tmp_path: Path
) -> None:
    write_copy(tmp_path / "copy", studio.url)
    go_on = asyncio.Event()
    speaker.answers["From elsewhere?"] = ("Yes, ", go_on, "from elsewhere.")
    with hosted(tmp_path / "copy") as origin:
        async with (
            httpx.AsyncClient(base_url=studio.url, trust_env=False) as owner,
            open_tab(origin, studio.url, fresh=True) as watch,
        ):
            watch.tolerate("CORS policy|net::ERR_FAILED|status of 401")
            page = watch.page
            await page.goto(f"/chat?variant={seeds.SPEAKER}")
            # To the page, a studio that does not admit it looks like one that is away.
            await expect(page.get_by_role("status").first).to_contain_text("does not answer")
            made = (await owner.post("/api/admin/keys", json={"name": f"Page at {origin}"})).json()
            await admit(owner, origin)
            # It is asked again by itself, and asks for the key.
            key = page.get_by_label("Key", exact=True)
            await key.fill(made["secret"])
            await page.get_by_role("button", name="Sign in").click()
            await chat.send(page, "From elsewhere?")
            answer = chat.answers(page).last
            await expect(answer).to_contain_text("Yes,")
            await expect(answer).not_to_contain_text("from elsewhere.")
            go_on.set()
            await expect(answer).to_contain_text("from elsewhere.")
            await chat.answered(page)
            # Its own address survives a reload there too.
            await page.reload()
            await expect(chat.answers(page).last).to_contain_text("Yes, from elsewhere.")


async def test_its_policy_lets_the_page_speak_to_no_other_studio(
    studio: Studio, open_tab: Open, tmp_path: Path
) -> None:
    write_copy(tmp_path / "copy", "https://studio.invalid")
    with hosted(tmp_path / "copy") as origin:
        async with open_tab(origin, "https://studio.invalid", fresh=True) as watch:
            watch.tolerate("net::ERR|Content Security Policy")
            await watch.page.goto("/")
            assert await watch.page.evaluate(_REFUSAL, f"{studio.url}/api/health") == "connect-src"
            watch.tripped.clear()


async def test_a_copy_without_an_address_asks_its_user_for_one(
    studio: Studio, open_tab: Open, tmp_path: Path
) -> None:
    write_copy(tmp_path / "copy", None)
    with hosted(tmp_path / "copy") as origin:
        async with (
            httpx.AsyncClient(base_url=studio.url, trust_env=False) as owner,
            open_tab(origin, studio.url, fresh=True) as watch,
        ):
            watch.tolerate("CORS policy|net::ERR_FAILED|status of 401")
            page = watch.page
            made = (await owner.post("/api/admin/keys", json={"name": f"Anywhere {origin}"})).json()
            await page.goto("/models")
            await page.get_by_label("Key", exact=True).fill(made["secret"])
            address = page.get_by_label("Address of the studio")
            await address.fill(f"{studio.url}/chat")
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_text("without a path is needed").or_(address)).to_be_visible()
            await address.fill(studio.url)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("alert")).to_contain_text(f"adds {origin} under Settings, Origins")
            await admit(owner, origin)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Models")
