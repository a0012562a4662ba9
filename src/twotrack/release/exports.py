"""Where exports lie: exports/<id>/ with its files and export.json, put there whole by one rename."""

import asyncio
import os
import shutil
import tarfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from twotrack.core.database import Database
from twotrack.registry.layout import Layout
from twotrack.registry.storage import discard, in_thread
from twotrack.release.errors import ExportNotFound
from twotrack.release.schemas import ExportReport

RECORD = "export.json"
STAGED = "export-"
"""Before <id>-<attempt>, the folders in staging that exports are written in."""
_CHUNK = 2**20
_BLOCK = tarfile.BLOCKSIZE


def place_of(layout: Layout, export_id: UUID) -> Path:
    return layout.exports / str(export_id)


def find(layout: Layout, export_id: UUID) -> ExportReport:
    """
    Raises:
        ExportNotFound
    """
    folder = place_of(layout, export_id)
    try:
        report = ExportReport.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        raise ExportNotFound(id=str(export_id)) from None
    return report.model_copy(update={"path": str(folder)})


def list_of(layout: Layout, variant_id: UUID | None = None) -> list[ExportReport]:
    """Of one variant or of all, the newest first."""
    found = []
    for folder in layout.exports.iterdir() if layout.exports.is_dir() else ():
        try:
            report = find(layout, UUID(folder.name))
        except (ValueError, ExportNotFound):
            # Somebody's own folder, or one that is being removed.
            continue
        if variant_id is None or report.variant_id == variant_id:
            found.append(report)
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def remove(layout: Layout, export_id: UUID) -> None:
    """
    Raises:
        ExportNotFound
    """
    find(layout, export_id)
    discard(place_of(layout, export_id), layout.staging)


async def clear_left(database: Database, layout: Layout) -> None:
    """Remove what exports left half-written that are over: killed, and then cancelled or given up."""
    left: dict[UUID, list[Path]] = {}
    for folder in await in_thread(lambda: list(layout.staging.glob(f"{STAGED}*"))):
        with suppress(ValueError):
            left.setdefault(UUID(folder.name.removeprefix(STAGED)[:36]), []).append(folder)
    if not left:
        return
    going = await database.fetch_all(
        "SELECT id FROM jobs WHERE id = ANY(%s) AND state IN ('queued', 'running')", [list(left)]
    )
    for one in left.keys() - {row["id"] for row in going}:
        for folder in left[one]:
            await in_thread(shutil.rmtree, folder, ignore_errors=True)


def archive_size(report: ExportReport) -> int:
    """Bytes of the archive."""
    files = sum(_BLOCK + -(-file.size // _BLOCK) * _BLOCK for file in report.files)
    return files + 2 * _BLOCK


async def archive(layout: Layout, report: ExportReport) -> AsyncIterator[bytes]:
    """The files as a tar archive (POSIX ustar), without ever holding more than a piece of one."""
    folder = place_of(layout, report.id)
    for file in report.files:
        entry = tarfile.TarInfo(file.path)
        entry.size, entry.mode = file.size, 0o644
        entry.mtime = int(report.created_at.timestamp())
        # GNU's form: sizes beyond 8 GiB stay in one block, so that the archive's length is known.
        yield entry.tobuf(tarfile.GNU_FORMAT)
        with (folder / file.path).open("rb") as opened:
            left = file.size
            while left:
                part = await asyncio.to_thread(opened.read, min(_CHUNK, left))
                if not part:
                    raise EOFError(f"{file.path} became shorter while it was read")
                left -= len(part)
                yield part
        yield bytes(-file.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def seal(staging: Path, target: Path) -> None:
    """Put a finished folder, with folders in it, to `target`: everything on the disk, then one rename."""
    for folder, _, files in os.walk(staging, topdown=False):
        for name in files:
            path = Path(folder) / name
            path.chmod(0o444)
            _sync(path)
        _sync(Path(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
