"""URLs that lead where the studio must not ask for strangers.

After Open WebUI CVE-2026-45400 (parsers that differ), -45401 (redirect), CVE-2025-65958 and vLLM
CVE-2026-24779. A real server answers on loopback; what may be reached is decided where the connection is
made.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpcore
import httpx
import pytest

from twotrack.learning.ingest.errors import AddressRefused, DocumentTooLarge, FetchFailed
from twotrack.learning.ingest.fetch import PublicOnly, check_url, fetch, is_public


class _Site(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []
    hosts: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        _Site.asked.append(self.path)
        _Site.hosts.append(self.headers["Host"])
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        body = b"x" * 2**20 if self.path == "/large" else b"<html><p>The tide tables.</p></html>"
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[int]:
    """A server on loopback, standing for one of the public web where a test lets it."""
    _Site.asked.clear()
    _Site.hosts.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(server.serve_forever, 0.01)
        yield server.server_address[1]
        server.shutdown()
        server.server_close()


class _World:
    """Names and where they lead, by look-up: the last answer stays."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): found for name, found in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        found = self.answers.get(host, [host])
        return [found.pop(0) if len(found) > 1 else found[0]]

    def backend(self) -> PublicOnly:
        """In which 127.0.0.1 is public, so that a server can be had, and 127.0.0.2 is not."""
        return PublicOnly(
            resolve=self.resolve,
            is_allowed=lambda address: str(address) == "127.0.0.1" or is_public(address),
        )


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a9fe:a9fe"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::80ff:fffe"),
    ],
)
def test_an_address_that_is_not_everybodys_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://example.com/x",
            "gopher://example.com/",
            "data:text/plain,x",
            "http:///x",
        ),
        *(
            "http://user:word@example.com/",
            "http://example.com@127.0.0.1/",
            "http://example.com\\@127.0.0.1/",
        ),
        *(
            "http://exa mple.com/",
            "http://example.com/\r\nHost: x",
            "http://example.com:99999/",
            "//example.com",
        ),
        *("http://[::1/", "http://" + "a" * 5000),
    ],
)
def test_what_is_no_plain_web_address_is_refused_unasked(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
        ),
        "LOCALHOST.",
    ],
)
async def test_loopback_is_not_reached_however_it_is_written(site: int, host: str, tmp_path: Path) -> None:
    with pytest.raises((AddressRefused, FetchFailed)):
        await fetch(f"http://{host}:{site}/", tmp_path / "got")
    assert _Site.asked == []


async def test_a_page_of_the_web_arrives(site: int, tmp_path: Path) -> None:
    world = _World(harbour_example=["127.0.0.1"])
    url = f"http://harbour.example:{site}/tides?day=1"
    found = await fetch(url, tmp_path / "got", backend=world.backend())
    assert (tmp_path / "got").read_text() == "<html><p>The tide tables.</p></html>"
    assert found.media_type == "text/html"
    # Connected to by its address, asked for by its name.
    assert _Site.hosts == [f"harbour.example:{site}"]


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2/", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[::1]/"],
)
async def test_a_redirect_leads_no_further_than_the_first_address_might(
    site: int, target: str, tmp_path: Path
) -> None:
    world = _World(harbour_example=["127.0.0.1"])
    with pytest.raises(AddressRefused):
        await fetch(f"http://harbour.example:{site}/to/{target}", tmp_path / "got", backend=world.backend())
    assert not (tmp_path / "got").exists()


async def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    site: int, tmp_path: Path
) -> None:
    """There is no second time: what was checked is what is connected to."""
    world = _World(harbour_example=["127.0.0.1", "127.0.0.2"])
    await fetch(f"http://harbour.example:{site}/", tmp_path / "got", backend=world.backend())
    assert world.asked == ["harbour.example"]
    with pytest.raises(AddressRefused):
        await fetch(f"http://harbour.example:{site}/", tmp_path / "got", backend=world.backend())


async def test_one_private_address_among_public_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    async def both(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    with pytest.raises(AddressRefused):
        await fetch("http://harbour.example/", tmp_path / "got", backend=PublicOnly(resolve=both))


async def test_redirects_come_to_an_end(site: int, tmp_path: Path) -> None:
    world = _World(harbour_example=["127.0.0.1"])
    round_about = "/to/" * 6 + "/"
    with pytest.raises(FetchFailed, match="redirects"):
        await fetch(f"http://harbour.example:{site}{round_about}", tmp_path / "got", backend=world.backend())
    assert len(_Site.asked) == 6


@pytest.mark.parametrize(
    ("path", "error"), [("/large", DocumentTooLarge), ("/packed", FetchFailed), ("/missing", FetchFailed)]
)
async def test_what_is_too_large_packed_or_missing_is_refused(
    site: int, path: str, error: type[Exception], tmp_path: Path
) -> None:
    world = _World(harbour_example=["127.0.0.1"])
    with pytest.raises(error):
        await fetch(
            f"http://harbour.example:{site}{path}", tmp_path / "got", backend=world.backend(), largest=2**16
        )


async def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    class Silent(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(FetchFailed, match="seconds"):
        await fetch("http://harbour.example/", tmp_path / "got", backend=Silent(), seconds=0.01)


async def test_a_certificate_must_be_for_the_name_not_for_the_address(site: int, tmp_path: Path) -> None:
    """The server speaks no TLS at all: nothing of the page may arrive as if it had."""
    world = _World(harbour_example=["127.0.0.1"])
    with pytest.raises(FetchFailed):
        await fetch(
            f"https://harbour.example:{site}/",
            tmp_path / "got",
            backend=world.backend(),
            tls=ssl.create_default_context(),
        )


async def test_the_api_refuses_before_there_is_a_job(person: Any) -> None:
    user = await person("user")
    for url in ("file:///etc/passwd", "http://a:b@example.com/", "gopher://x/"):
        answer: httpx.Response = await user.http.post("/api/ingest", json={"urls": [url]})
        assert answer.status_code == 422, url
        assert answer.json()["type"] == "urn:twotrack:error:address-refused"
    assert (await user.http.get("/api/jobs")).json() == []
