"""Shows the page in the user's browser, where there is a desktop to show it on."""

import os
import subprocess
import sys
from collections.abc import Mapping


def has_desktop(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser would open where the user sits: not at the far end of an SSH connection."""
    if any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return False
    if platform in ("darwin", "win32"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def open_browser(url: str) -> None:
    """Without waiting: in a process of its own, whose words are not for the studio's terminal.

    Only for a user who looks on: nothing opens when a script or another program reads what the command says.
    """
    if not (sys.stdout.isatty() and has_desktop(os.environ, sys.platform)):
        return
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # What becomes of it is not this process's to learn.
    process.returncode = 0
