"""Whether `twotrack up` shows the page: only to a user who looks on."""

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from twotrack.cli.browser import has_desktop


@pytest.mark.parametrize(
    ("environment", "platform", "shown"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, "darwin", False),
        ({"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22", "DISPLAY": "localhost:10.0"}, "linux", False),
        ({"SSH_TTY": "/dev/pts/0", "DISPLAY": ":0"}, "linux", False),
    ],
)
def test_a_browser_opens_only_where_the_user_sits(
    environment: dict[str, str], platform: str, shown: bool
) -> None:
    assert has_desktop(environment, platform) is shown


@pytest.fixture
def desktop(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment whose browser writes what it is to show into a file."""
    shown = tmp_path / "shown"
    os.mkfifo(shown)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    browser.chmod(0o755)
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("SSH_", "DATABASE_URL"))}
    return plain | {"DISPLAY": ":0", "BROWSER": str(browser), "TWOTRACK_LANGUAGE": "en"}, shown


COMMAND = [sys.executable, "-c", "from twotrack.cli import main; main()", "up", "--port", "0"]


def run_on_a_terminal(environment: dict[str, str], *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    return process, ours


def read_until(terminal: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], 60)[0], seen
        seen += os.read(terminal, 4096)
    return seen


def browsers_of(pid: int) -> list[psutil.Process]:
    """It is started before the words are said, and lives until somebody reads what it writes."""
    return [
        child
        for child in psutil.Process(pid).children(recursive=True)
        if "webbrowser" in child.cmdline() or any("/browser" in part for part in child.cmdline())
    ]


def test_up_shows_the_page_to_whoever_started_it_on_a_terminal(
    used_home: Path, desktop: tuple[dict[str, str], Path]
) -> None:
    environment, shown = desktop
    process, terminal = run_on_a_terminal(environment | {"TWOTRACK_HOME": str(used_home)})
    try:
        told = read_until(terminal, b"Ctrl-C")
        assert browsers_of(process.pid)
        # Blocks until the browser writes.
        url = shown.read_text().strip()
        assert url.startswith("http://127.0.0.1:")
        assert url.encode() in told
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        os.close(terminal)


@pytest.mark.parametrize("quiet", ["--no-browser", "--json"])
def test_up_shows_nothing_when_it_is_told_not_to(
    used_home: Path, desktop: tuple[dict[str, str], Path], quiet: str
) -> None:
    environment, _ = desktop
    process, terminal = run_on_a_terminal(environment | {"TWOTRACK_HOME": str(used_home)}, quiet)
    try:
        read_until(terminal, b"http://127.0.0.1:")
        assert not browsers_of(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        os.close(terminal)


def test_up_shows_nothing_to_a_program(used_home: Path, desktop: tuple[dict[str, str], Path]) -> None:
    environment, _ = desktop
    process = subprocess.Popen(
        COMMAND, env=environment | {"TWOTRACK_HOME": str(used_home)}, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert any(b"Ctrl-C" in line for line in process.stdout)
        assert not browsers_of(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
