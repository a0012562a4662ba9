"""The watched folder: what is put into `data` of the data folder is taken in by itself.

It is looked at from time to time, since notifications of the system miss network disks. A job is started once
the folder has stayed the same from one look to the next: nobody is still copying into it then.
"""

import asyncio
import hashlib
import logging
import os
import time

import psycopg

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.file_lock import file_lock
from twotrack.learning.ingest.places import ENDINGS, files_below
from twotrack.learning.ingest.schemas import DEFAULT_COLLECTION, IngestArgs
from twotrack.registry.layout import Layout

_PAUSE_S = 5.0
# Of a folder with very many files, looking must not become the machine's occupation.
_PART_OF_THE_TIME = 0.02

_log = logging.getLogger(__name__)


class Watch:
    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout
        self._folder = layout.home / "data"
        # What was handed to a job last, so that a worker that starts anew starts no job of its own.
        self._record = layout.home / "derived" / "watched"
        self._seen: str | None = None

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
        found = await asyncio.to_thread(self._state)
        settled, self._seen = found == self._seen, found
        if found is None or not settled:
            return False
        async with file_lock(self._layout.staging / "locks" / "watch"):
            if self._record.is_file() and self._record.read_text() == found:
                return False
            args = IngestArgs(collection=DEFAULT_COLLECTION, path=str(self._folder.resolve()))
            await jobs.enqueue(self._database, "ingest", args.model_dump())
            self._record.parent.mkdir(parents=True, exist_ok=True)
            self._record.write_text(found)
        return True

    def _state(self) -> str | None:
        """A hash of names, sizes and times; None where there is no document."""
        if not self._folder.is_dir():
            return None
        root = self._folder.resolve()
        digest = hashlib.sha256()
        files = sorted(file for file in files_below(root) if file.suffix.lower() in ENDINGS)
        for file in files:
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            digest.update(os.fsencode(file) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        return digest.hexdigest() if files else None
