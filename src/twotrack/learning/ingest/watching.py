"""The watched folder: what is put into `data` of the data folder is taken in by itself.

It is looked at from time to time, since notifications of the system miss network disks. A job is started once
the folder has stayed the same from one look to the next: nobody is still copying into it then.
"""

import asyncio
import hashlib
import logging
import os
import time
from pathlib import Path
from uuid import UUID

import psycopg
from pydantic import BaseModel, ConfigDict, ValidationError

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import encodable
from twotrack.core.file_lock import file_lock
from twotrack.core.language import Language, Text
from twotrack.learning.ingest.formats import ENDINGS
from twotrack.learning.ingest.places import files_below
from twotrack.learning.ingest.schemas import DEFAULT_COLLECTION, IngestArgs, WatchedFolder, WatchState
from twotrack.registry.layout import Layout

_PAUSE_S = 5.0
# Of a folder with very many files, looking must not become the machine's occupation.
_PART_OF_THE_TIME = 0.02

_UNREADABLE = Text("{path} cannot be read: {why}", "읽을 수 없는 경로입니다({path}): {why}")

_log = logging.getLogger(__name__)


class _Look(BaseModel):
    """What was seen: `digest` of names, sizes and times, None where there is no document."""

    model_config = ConfigDict(frozen=True)

    there: bool = False
    files: int = 0
    digest: str | None = None
    unreadable: tuple[str, str] | None = None
    """The first path that could not be read, and why."""


class _Record(BaseModel):
    """What outlives the worker, so that a new one starts no job of its own; the API shows it too."""

    look: _Look = _Look()
    handed_over: str | None = None
    """The digest that a job was started for last."""
    job_id: UUID | None = None


class Watch:
    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout
        self._folder = folder(layout)
        self._last: _Look | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            start = time.monotonic()
            try:
                await self.look()
            except (psycopg.Error, OSError) as error:
                _log.warning("the folder %s could not be watched: %s", self._folder, error)
            spent = time.monotonic() - start
            await asyncio.sleep(max(_PAUSE_S, spent / _PART_OF_THE_TIME))

    async def look(self) -> bool:
        """Whether a job was started."""
        found = await asyncio.to_thread(_look, self._folder)
        settled, self._last = found == self._last, found
        async with file_lock(self._layout.staging / "locks" / "watch"):
            known = _recall(self._layout)
            if not settled or found.digest in (None, known.handed_over):
                if known.look != found:
                    _keep(self._layout, known.model_copy(update={"look": found}))
                return False
            args = IngestArgs(collection=DEFAULT_COLLECTION, path=str(self._folder.resolve()))
            job = await jobs.enqueue(self._database, "ingest", args.model_dump())
            _keep(self._layout, _Record(look=found, handed_over=found.digest, job_id=job))
        return True


def folder(layout: Layout) -> Path:
    return layout.home / "data"


def watched(layout: Layout, *, language: Language = "en") -> WatchedFolder:
    """The folder as the worker saw it last."""
    known = _recall(layout)
    look = known.look
    problem = None
    if look.unreadable is not None:
        path, why = look.unreadable
        problem = _UNREADABLE.show(language, path=path, why=why)
    return WatchedFolder(
        path=encodable(str(folder(layout))),
        collection=DEFAULT_COLLECTION,
        state=_state(known),
        files=look.files,
        job_id=known.job_id,
        problem=problem,
    )


def _state(known: _Record) -> WatchState:
    look = known.look
    if not look.there:
        return "absent"
    if look.digest is None:
        return "empty" if look.unreadable is None else "unreadable"
    return "taken_in" if look.digest == known.handed_over else "changing"


def _look(root: Path) -> _Look:
    try:
        root = root.resolve(strict=True)
    except (OSError, RuntimeError):
        return _Look()
    digest = hashlib.sha256()
    troubles: list[OSError] = []
    files = sorted(file for file in files_below(root, troubles) if file.suffix.lower() in ENDINGS)
    for file in files:
        try:
            status = file.stat()
        except FileNotFoundError:
            continue
        digest.update(os.fsencode(file) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    trouble = next(iter(troubles), None)
    return _Look(
        there=True,
        files=len(files),
        digest=digest.hexdigest() if files else None,
        unreadable=trouble and (encodable(str(trouble.filename)), trouble.strerror or str(trouble)),
    )


def _path(layout: Layout) -> Path:
    return layout.home / "derived" / "watched.json"


def _recall(layout: Layout) -> _Record:
    try:
        return _Record.model_validate_json(_path(layout).read_bytes())
    except (FileNotFoundError, ValidationError):
        return _Record()


def _keep(layout: Layout, record: _Record) -> None:
    path = _path(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".new")
    whole.write_text(record.model_dump_json())
    whole.replace(path)
