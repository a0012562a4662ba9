"""How the built page is served, and how it is copied for others to serve."""

import html
import json
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from twotrack.core.errors import InvalidInput
from twotrack.page import FolderTaken, PageMissing, served, write_copy


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Twotrack</title>")
    (tmp_path / "assets" / "view-1a2b.js").write_text("export {}")
    (tmp_path / "assets" / "large-3c4d.js").write_text("export {};" * 1000)
    (tmp_path.parent / "secret.txt").write_text("outside")
    app = Starlette()
    app.router.default = served(tmp_path)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/chat/0190-ab", "/models/starter", "/models/qwen2.5", "/runs"]
)
async def test_the_pages_own_addresses_survive_a_reload(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert "Twotrack" in response.text
    assert response.headers["Cache-Control"] == "no-cache"


async def test_no_script_but_our_own_files_may_run(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self'"
    assert directives["default-src"] == directives["frame-ancestors"] == "'none'"


async def test_assets_are_kept_by_the_browser_since_their_names_change_with_them(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/assets/view-1a2b.js")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["content-type"].startswith("text/javascript")


async def test_large_files_travel_compressed_to_whoever_can_read_that(client: httpx.AsyncClient) -> None:
    packed = await client.get("/assets/large-3c4d.js")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < 1000 < len(packed.text)
    plain = await client.get("/assets/large-3c4d.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == packed.text


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/api/nothing", "/v1/nothing", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
)
async def test_what_is_missing_or_outside_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert "outside" not in response.text


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """As Vite builds it."""
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8" />\n'
        '    <script type="module" src="/assets/view-1a2b.js"></script>\n  </head>\n</html>\n'
    )
    (folder / "config.json").write_text('{ "api": "" }\n')
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "view-1a2b.js").write_text("export {}")
    return folder


def policy_of(page: str) -> dict[str, str]:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert found
    return dict(part.strip().split(" ", 1) for part in html.unescape(found[1]).split(";"))


def test_a_copy_speaks_to_its_studio_and_to_nobody_else(tmp_path: Path, built: Path) -> None:
    copy = tmp_path / "deep" / "copy"
    assert write_copy(copy, "https://Studio.Example:443/", built=built) == "https://studio.example"
    assert json.loads((copy / "config.json").read_text()) == {
        "api": "https://studio.example",
        "changeable": False,
    }
    page = (copy / "index.html").read_text()
    policy = policy_of(page)
    assert policy["connect-src"] == "'self' https://studio.example"
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    # What stands before it would not be held to it; in a meta element the last one makes browsers complain.
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert "frame-ancestors" not in policy
    assert "frame-ancestors 'none'" in (copy / "_headers").read_text()
    assert (copy / "404.html").read_text() == page
    assert (copy / "assets" / "view-1a2b.js").read_text() == "export {}"
    assert (copy / "icon.svg").is_file()


def test_a_copy_without_a_studio_lets_its_user_name_one(tmp_path: Path, built: Path) -> None:
    assert write_copy(tmp_path / "copy", None, built=built) is None
    assert json.loads((tmp_path / "copy" / "config.json").read_text()) == {"api": "", "changeable": True}
    assert policy_of((tmp_path / "copy" / "index.html").read_text())["connect-src"] == "'self' https: http:"


def test_an_earlier_copy_is_replaced_and_loses_what_the_page_no_longer_has(
    tmp_path: Path, built: Path
) -> None:
    copy = tmp_path / "copy"
    (copy / ".git").mkdir(parents=True)
    write_copy(copy, "https://one.example", built=built)
    (built / "assets" / "view-1a2b.js").rename(built / "assets" / "view-3c4d.js")
    write_copy(copy, "https://two.example", built=built)
    assert "https://two.example" in policy_of((copy / "index.html").read_text())["connect-src"]
    assert [path.name for path in (copy / "assets").iterdir()] == ["view-3c4d.js"]
    assert (copy / ".git").is_dir()
    assert not list(copy.glob(".*.part"))


def test_a_folder_with_something_else_in_it_stays_as_it_is(tmp_path: Path, built: Path) -> None:
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("<title>Somebody's own</title>")
    (tmp_path / "site" / "config.json").write_text("{}")
    with pytest.raises(FolderTaken, match="assets"):
        write_copy(tmp_path / "site", "https://studio.example", built=built)
    assert (tmp_path / "site" / "index.html").read_text() == "<title>Somebody's own</title>"
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == [
        "assets",
        "config.json",
        "index.html",
    ]


@pytest.mark.parametrize(
    "api",
    [
        "studio.example",
        "https://studio.example/path",
        "javascript:alert(1)",
        "https://*.example",
        "https://studio.example; script-src *",
        'https://studio.example"><script>',
        "",
    ],
)
def test_what_is_no_origin_gets_no_copy(tmp_path: Path, built: Path, api: str) -> None:
    with pytest.raises(InvalidInput):
        write_copy(tmp_path / "copy", api, built=built)
    assert not (tmp_path / "copy").exists()


def test_an_installation_without_a_page_says_so(tmp_path: Path) -> None:
    with pytest.raises(PageMissing):
        write_copy(tmp_path / "copy", None, built=tmp_path / "nothing")
    assert not (tmp_path / "copy").exists()
