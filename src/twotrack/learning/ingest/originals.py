"""The bytes of documents as they came, in the data folder: documents/<document's id>/<their SHA-256>.

Named by their content, so that a file is in its place before the row that speaks of it is, and an old one
goes only after.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from twotrack.core.database import Connection
from twotrack.registry.layout import Layout
from twotrack.registry.storage import sync

_STRAY_SECONDS = 3600


def original(layout: Layout, document: UUID, sha256: str) -> Path:
    return _folder(layout) / str(document) / sha256


def copy_in(source: Path, target: Path, *, largest: int) -> tuple[str, int] | None:
    """Copy and hash in one go, since a file may change meanwhile: its SHA-256 and its size then; None where
    it has grown beyond `largest`."""
    digest = hashlib.sha256()
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(descriptor, "rb") as file, target.open("wb") as copy:
        while chunk := file.read(2**20):
            if file.tell() > largest:
                return None
            digest.update(chunk)
            copy.write(chunk)
        return digest.hexdigest(), copy.tell()


def place(copy: Path, layout: Layout, document: UUID, sha256: str) -> None:
    target = original(layout, document, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(copy)
    copy.replace(target)


def keep_only(layout: Layout, document: UUID, sha256: str) -> None:
    """Remove what the document's bytes were before."""
    for file in original(layout, document, sha256).parent.glob("*"):
        if file.name != sha256:
            file.unlink(missing_ok=True)


def remove(layout: Layout, documents: Iterable[UUID]) -> None:
    for document in documents:
        shutil.rmtree(_folder(layout) / str(document), ignore_errors=True)


async def sweep(connection: Connection, layout: Layout) -> None:
    """Remove the originals of documents that are gone, such as those whose row was never written."""
    names = {folder.name for folder in _folder(layout).glob("*")}
    cursor = await connection.execute(
        "SELECT name FROM unnest(%s::text[]) AS there (name)"
        " WHERE NOT EXISTS (SELECT FROM documents WHERE id::text = name)",
        (list(names),),
    )
    for row in await cursor.fetchall():
        folder = _folder(layout) / row["name"]
        # A younger one may be that of another job's document, whose transaction is not through yet.
        if time.time() - folder.stat().st_mtime > _STRAY_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _folder(layout: Layout) -> Path:
    return layout.home / "documents"
