"""The page's files as the API serves them, or as a copy for a static host: with a strict content security
policy.
"""

import html
import json
import os
import shutil
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from twotrack.core.access.origins import check_origin
from twotrack.core.errors import Conflict, InvalidInput, TwotrackError
from twotrack.core.folders import disk_errors
from twotrack.core.language import Text

FOLDER = Path(__file__).parent / "static"

# Of a parsed page only this directive has no meaning in a meta element; browsers complain about it there.
_FRAMES = "frame-ancestors 'none'"
_FURTHER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_META = '<meta http-equiv="Content-Security-Policy"'
# Vite names assets after their content; everything else must be asked for again.
_KEPT = "public, max-age=31536000, immutable"


class PageMissing(TwotrackError):
    status = 409
    detail = Text("This installation has no page.", "이 설치에는 화면이 들어 있지 않습니다.")
    remedy = Text(
        "Install a released wheel, or build it with `python hatch_build.py run build`.",
        "배포된 휠을 설치하거나 `python hatch_build.py run build`로 화면을 만드세요.",
    )


class FolderTaken(Conflict):
    detail = Text(
        "{folder} holds something else: {name!r}.", "폴더에 다른 것이 들어 있습니다: {folder} ({name!r})"
    )
    remedy = Text(
        "Name an empty folder, one that does not exist yet, or an earlier copy of the page.",
        "빈 폴더, 아직 없는 폴더, 또는 이전에 만든 화면 사본을 지정하세요.",
    )


class Page(StaticFiles):
    """The built page; a path without a file is one of its own addresses and gets index.html."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(directory=folder, html=True)
        self._headers = {"Content-Security-Policy": f"{_policy()}; {_FRAMES}", **_FURTHER_HEADERS}

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # What looks like a file, and everything below the API's prefixes, is missing indeed. A model's
            # name may look like one.
            is_file = "." in path.rsplit("/", 1)[-1] and not path.startswith("models/")
            if error.status_code != 404 or is_file or path.startswith(("api/", "v1/")):
                raise
            response = await super().get_response("index.html", scope)
        response.headers.update(self._headers)
        kept = path.startswith("assets/") and response.status_code == 200
        response.headers["Cache-Control"] = _KEPT if kept else "no-cache"
        return response


def served(folder: Path = FOLDER) -> ASGIApp:
    """The page, compressed; nothing else of the studio is: what streams must not wait in a compressor."""
    return GZipMiddleware(Page(folder), minimum_size=1024, compresslevel=6)


def write_copy(folder: Path, api: str | None, *, built: Path = FOLDER) -> str | None:
    """A copy of the page for a static host that speaks to the studio at `api`; without one, its user
    says where.

    A copy that is being served is replaced without a gap: index.html comes last, which names all the others.

    Returns:
        The studio's origin as the page uses it.

    Raises:
        InvalidInput: `api` is not the origin of a studio.
        FolderTaken: the folder holds something that is no earlier copy.
        PageMissing: the page was not built.
    """
    origin = None if api is None else _origin(api)
    if not (built / "index.html").is_file():
        raise PageMissing()
    # A studio that is entered later may be anywhere.
    policy = _policy("https: http:" if origin is None else origin)
    with disk_errors(folder, "index.html"):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(folder)
        names = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
        for name in sorted(names - {Path("index.html"), Path("config.json")}):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(built / name, folder / name)
        _write(folder / "config.json", json.dumps({"api": origin or "", "changeable": origin is None}) + "\n")
        _write(folder / "_headers", _host_headers(policy))
        # Hosts that look for one of these two answer the page's own addresses with it.
        _write(folder / "_redirects", "/* /index.html 200\n")
        page = _with_policy((built / "index.html").read_text(encoding="utf-8"), policy)
        _write(folder / "404.html", page)
        # Without it GitHub Pages leaves out files whose names begin with an underscore.
        _write(folder / ".nojekyll", "")
        _write(folder / "index.html", page)
        for path in (folder / "assets").iterdir():
            if path.relative_to(folder) not in names:
                path.unlink()
    return origin


def _policy(connect: str = "") -> str:
    """Scripts come from our own files alone: none inline, none evaluated, none of others (CSP level 3)."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # The component library writes the colours of its theme into style elements.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {connect}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _origin(api: str) -> str:
    try:
        return check_origin(api)
    except ValueError as error:
        raise InvalidInput(what="--api", value=api, why=str(error)) from error


def _refuse_strangers(folder: Path) -> None:
    index = folder / "index.html"
    if (folder / "config.json").is_file() and index.is_file() and _META in index.read_text(encoding="utf-8"):
        return
    for path in sorted(folder.iterdir()):
        # A repository of the host's own, such as .git, stays.
        if not path.name.startswith("."):
            raise FolderTaken(folder=folder, name=path.name)


def _with_policy(page: str, policy: str) -> str:
    before, head, after = page.partition("<head>")
    meta = f'{_META} content="{html.escape(policy)}" />'
    # First of all, since it holds for what comes after it.
    return f"{before}{head}\n    {meta}{after}"


def _host_headers(policy: str) -> str:
    """For hosts that read a file of headers (Netlify, Cloudflare Pages)."""
    everywhere = {"Content-Security-Policy": f"{policy}; {_FRAMES}", **_FURTHER_HEADERS}
    lines = ["/*", *(f"  {name}: {value}" for name, value in everywhere.items())]
    return "\n".join([*lines, "/assets/*", f"  Cache-Control: {_KEPT}", ""])


def _write(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}.part")
    staged.write_text(text, encoding="utf-8")
    os.replace(staged, path)
