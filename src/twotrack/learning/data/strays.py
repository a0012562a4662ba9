"""Bytes of data sets whose row was never written: a crash came between the file and the transaction."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from twotrack.core.database import Database
from twotrack.learning.data import tables
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

STRAY_SECONDS = 24 * 3600.0
"""A younger one may be arriving, or be written by a job of another process: neither takes a day."""


async def sweep(database: Database, layout: Layout) -> list[UUID]:
    """Remove what no row knows and nobody has written to for a day; which sets it would have been.

    What cannot be removed stays for the next time.
    """
    old = await in_thread(_old, tables.root_of(layout))
    if not old:
        return []
    rows = await database.fetch_all("SELECT id FROM data_sets WHERE id = ANY(%s)", [list(old)])
    strays = sorted(old.keys() - {row["id"] for row in rows})
    for one in strays:
        await in_thread(shutil.rmtree, old[one], ignore_errors=True)
    return strays


def _old(root: Path) -> dict[UUID, Path]:
    """Folders of sets that are older than a day; whatever else lies there is not ours to touch."""
    found: dict[UUID, Path] = {}
    for folder in root.iterdir() if root.is_dir() else ():
        # It may be deleted at this moment.
        with suppress(ValueError, OSError):
            written = max(one.stat().st_mtime for one in (folder, *folder.iterdir()))
            if time.time() - written > STRAY_SECONDS and not folder.is_symlink():
                found[UUID(folder.name)] = folder
    return found
