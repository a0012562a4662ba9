"""Checkpoints that are whole or do not count.

transformers writes a checkpoint file by file into its final place. A marker, written after every file has
reached the disk, says that it is whole; one without it is what a crash left over.
"""

import os
import re
import shutil
from pathlib import Path

from twotrack.core.folders import sync_folder, write_whole

KEPT = 2
"""The newest is written while the one before it still stands."""

_MARKER = "whole"
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_whole(checkpoint: Path) -> None:
    """Sync every file of the checkpoint, then say that it is whole."""
    for file in checkpoint.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    write_whole(checkpoint / _MARKER, "")
    # Its own entry, too: those before it are removed.
    sync_folder(checkpoint.parent)


def has_whole(folder: Path) -> bool:
    """Whether there is one to go on from; unlike `newest_whole`, it only looks."""
    return any(_NAME.fullmatch(marker.parent.name) for marker in folder.glob(f"*/{_MARKER}"))


def drop_from(folder: Path, step: int) -> None:
    """Remove the checkpoints of this step and of all after it."""
    for entry in folder.iterdir():
        if (found := _NAME.fullmatch(entry.name)) and int(found[1]) >= step:
            shutil.rmtree(entry)


def newest_whole(folder: Path) -> Path | None:
    """The newest whole checkpoint; broken ones are removed."""
    whole: dict[int, Path] = {}
    for entry in folder.iterdir() if folder.is_dir() else ():
        if not (found := _NAME.fullmatch(entry.name)):
            continue
        if (entry / _MARKER).is_file():
            whole[int(found[1])] = entry
        else:
            shutil.rmtree(entry)
    return whole[max(whole)] if whole else None
