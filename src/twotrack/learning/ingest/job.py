"""The job "ingest": a folder, uploads or URLs into a collection, one document at a time.

Reading runs ahead of embedding. Every document is written in one transaction of the attempt, with its text,
chunks, terms and vectors: killed at any moment, the job finds what is done by its SHA-256 and goes on.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.file_lock import file_lock
from twotrack.core.jobs import Attempt, JobCancelled, StaleAttempt
from twotrack.embedders.port import Embedder
from twotrack.embedders.service import Embedders
from twotrack.learning.ingest import errors, fetch, originals, places, report, service, tables
from twotrack.learning.ingest.ahead import in_groups
from twotrack.learning.ingest.chunks import cut
from twotrack.learning.ingest.formats import LARGEST_DOCUMENT
from twotrack.learning.ingest.indexing import Indexed, Reading, Writer, index, repair, title_of
from twotrack.learning.ingest.places import Item, Place
from twotrack.learning.ingest.readers.process import Readers
from twotrack.learning.ingest.refusals import OF_THE_DOCUMENT, PASSING, worded
from twotrack.learning.ingest.schemas import IngestArgs, IngestReport, Outcome
from twotrack.registry.layout import Layout
from twotrack.registry.storage import disk_full, disk_full_named, in_thread, require_space
from twotrack.stores import documents, lexical, spare
from twotrack.stores.choice import Stores
from twotrack.stores.errors import CollectionNotFound, VectorsGone
from twotrack.stores.schemas import Collection

_EMBEDDED_AT_ONCE = 256
"""Chunks; small documents share a call."""
_NOTED_AT_ONCE = 500


@dataclass(frozen=True)
class _Failed:
    item: Item
    sha256: str
    size: int
    error: TwotrackError
    passing: bool = False
    """Whether it says nothing of the document itself: what was read of it before stays."""


@dataclass(frozen=True)
class _Copy:
    item: Item
    copy: Path
    sha256: str
    size: int
    twin: UUID


@dataclass(frozen=True)
class _Unchanged:
    source: str
    document: UUID


_Outcome = Reading | _Failed | _Copy | _Unchanged
"""What became of reading an item."""


@dataclass
class _Counts:
    """Of this attempt, for its progress; the job's are in the notes (report.py)."""

    total: int
    done: int = 0
    failed: int = 0
    chunks: int = 0


async def ingest_job(
    attempt: Attempt, *, database: Database, layout: Layout, embedders: Embedders, stores: Stores
) -> dict[str, Any]:
    """Body of a job of the kind "ingest"; args as IngestArgs has them."""
    args = IngestArgs.model_validate(attempt.args)
    await attempt.report("preparing")
    place = await asyncio.to_thread(_place, args, layout.job(attempt.job_id))
    collection, embedder = await service.open_collection(
        database, embedders, stores, args.collection, attempt.transaction
    )

    async def waiting() -> None:
        await attempt.report("waiting")

    async with (
        file_lock(service.lock_of(layout, collection.id), waiting=waiting),
        _workspace(layout, attempt) as workspace,
    ):
        ingest = _Ingest(attempt, database, layout, embedders, collection, embedder, stores, place, workspace)
        try:
            result = await ingest.run()
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.UndefinedTable, VectorsGone) as error:
            # Somebody removed it in the middle.
            raise CollectionNotFound(name=collection.name) from error
        except psycopg.errors.DiskFull as error:
            # Tried again and again, as when the database was away, it would only stay full.
            raise disk_full(layout.home, LARGEST_DOCUMENT, collection.name) from error
    await asyncio.to_thread(shutil.rmtree, uploads_of(layout.job(attempt.job_id)), ignore_errors=True)
    return result.model_dump(mode="json")


def uploads_of(job_folder: Path) -> Path:
    return job_folder / "uploads"


def _place(args: IngestArgs, job_folder: Path) -> Place:
    if args.path is not None:
        return places.of_path(Path(args.path))
    if args.uploads:
        return places.of_uploads(uploads_of(job_folder), args.uploads)
    return places.of_urls(args.urls)


class _Ingest:
    def __init__(
        self,
        attempt: Attempt,
        database: Database,
        layout: Layout,
        embedders: Embedders,
        collection: Collection,
        embedder: Embedder,
        stores: Stores,
        place: Place,
        workspace: Path,
    ) -> None:
        self._attempt = attempt
        self._database = database
        self._layout = layout
        self._morphemes = embedders.morphemes
        self._collection = collection
        self._embedder = embedder
        self._stores = stores
        self._store = stores.store_for(collection)
        self._place = place
        self._workspace = workspace
        self._known: dict[str, tables.Known] = {}
        self._counts = _Counts(total=len(place.items))
        self._unchanged: dict[str, UUID] = {}
        self._current = ""
        self._changed = False
        self._writer = Writer(
            attempt.job_id, collection, self._store, layout, attempt.transaction, place.metadata
        )

    async def run(self) -> IngestReport:
        await spare.sweep(self._database, self._stores)
        async with self._attempt.transaction() as connection:
            await originals.sweep(connection, self._layout)
            self._known = await tables.known_documents(connection, self._collection.id)
        if self._collection.store != "pgvector":
            await repair(self._database, self._collection, self._store, self._embedder, self._repairing)
        try:
            # Read ahead of embedding, and embedded ahead of writing: the three overlap.
            read = in_groups(self._outcomes(), weight=_chunks, limit=_EMBEDDED_AT_ONCE)
            embedded = in_groups(self._embedded(read), weight=lambda _: 1, limit=1)
            async with aclosing(embedded):
                async for groups in embedded:
                    for group, indexed in groups:
                        await self._write(group, indexed)
            await self._note_unchanged()
            await self._note_unreadable()
            await self._delete_what_is_gone()
        finally:
            # Also of half a job: what it wrote is searched from here on.
            if self._changed and self._attempt.interruption in (None, JobCancelled):
                with suppress(StaleAttempt):
                    async with self._attempt.transaction() as connection:
                        await lexical.refresh_statistics(connection, self._collection.id)
        return await report.summarize(
            self._database, self._attempt.job_id, self._collection, skipped=self._place.skipped
        )

    async def _outcomes(self) -> AsyncGenerator[_Outcome, None]:
        readers = Readers()
        try:
            for number, item in enumerate(self._place.items):
                self._current = item.source
                yield await self._read(readers, self._with_source(item), number)
        finally:
            await readers.close()

    def _with_source(self, item: Item) -> Item:
        """The name that the item has in the collection: two folders may have a file of one name each."""
        known = self._known.get(item.source)
        if known is None or (known.origin, known.folder_id) == (item.origin, self._place.folder_id):
            return item
        prefix = self._place.metadata.get("folder") or item.origin
        for other in (f"{prefix}/{item.source}", f"{self._place.folder_id or item.origin}:/{item.source}"):
            known = self._known.get(other)
            if known is None or (known.origin, known.folder_id) == (item.origin, self._place.folder_id):
                break
        return Item(other, item.origin, item.path)

    async def _read(self, readers: Readers, item: Item, number: int) -> _Outcome:
        await self._report("reading")
        copy = self._workspace / str(number)
        sha256, size = "", 0
        try:
            path, name = item.path, item.name
            if path is None:
                fetched = await fetch.fetch(item.source, copy, progress=self._fetching)
                path, name = copy, places.name_for_reader(item.name, fetched.media_type)
            size = path.stat().st_size
            if size > LARGEST_DOCUMENT:
                raise _too_large(item)
            sha256 = await in_thread(_hash, path)
            known = self._known.get(item.source)
            if known is not None and known.ready and known.sha256 == sha256:
                copy.unlink(missing_ok=True)
                return _Unchanged(item.source, known.id)
            if path is not copy:
                require_space(self._workspace, size, item.source)
                with disk_full_named(self._workspace, size, item.source):
                    copied = await in_thread(originals.copy_in, path, copy, largest=LARGEST_DOCUMENT)
                if copied is None:
                    raise _too_large(item)
                sha256, size = copied
            if self._writer.copies and (twin := await self._twin(item, sha256)):
                return _Copy(item, copy, sha256, size, twin)
            media_type, extracted = await readers.read(copy, name)
            chunks = await cut(extracted, self._embedder.count, self._collection.chunking)
            return Reading(item, copy, sha256, size, media_type, extracted, chunks)
        except OF_THE_DOCUMENT as error:
            return _Failed(item, sha256, size, worded(error, item.source), isinstance(error, PASSING))

    async def _embedded(
        self, groups: AsyncGenerator[list[_Outcome], None]
    ) -> AsyncGenerator[tuple[list[_Outcome], Indexed], None]:
        async with aclosing(groups):
            async for group in groups:
                readings = [outcome for outcome in group if isinstance(outcome, Reading)]
                texts = [text for reading in readings for text in reading.texts]
                rule = self._collection.chunking
                yield group, await index(texts, self._embedder, self._morphemes, rule)

    async def _write(self, group: Sequence[_Outcome], indexed: Indexed) -> None:
        start = 0
        for outcome in group:
            match outcome:
                case Reading():
                    stop = start + len(outcome.chunks)
                    written = self._outcome(outcome.item)
                    await self._writer.write(outcome, indexed.part(start, stop), written)
                    start = stop
                    self._counts.chunks += len(outcome.chunks)
                    self._changed = True
                case _Copy(item, copy, sha256, size, twin):
                    written = self._outcome(item)
                    count = await self._writer.write_copy(item, copy, size, sha256, twin, written)
                    self._counts.chunks += count
                    self._changed = True
                case _Failed():
                    await self._write_failure(outcome)
                case _Unchanged(source, document):
                    self._unchanged[source] = document
                    if len(self._unchanged) >= _NOTED_AT_ONCE:
                        await self._note_unchanged()
            self._counts.done += 1
            await self._report("indexing")

    def _outcome(self, item: Item) -> Outcome:
        return "updated" if item.source in self._known else "added"

    async def _note_unchanged(self) -> None:
        unchanged, self._unchanged = self._unchanged, {}
        if unchanged:
            async with self._attempt.transaction() as connection:
                await report.note_all(connection, self._attempt.job_id, "unchanged", unchanged)

    async def _note_unreadable(self) -> None:
        for source, trouble in self._place.unreadable:
            error = errors.DocumentInaccessible(name=source, why=trouble.strerror or str(trouble))
            async with self._attempt.transaction() as connection:
                noted = report.Noted("failed", error=error)
                await report.note(connection, self._attempt.job_id, source, noted)

    async def _write_failure(self, failed: _Failed) -> None:
        item, error = failed.item, failed.error
        self._counts.failed += 1
        known = self._known.get(item.source)
        if failed.passing and known is not None and known.ready:
            async with self._attempt.transaction() as connection:
                noted = report.Noted("failed", known.id, error=error)
                await report.note(connection, self._attempt.job_id, item.source, noted)
            return
        async with self._attempt.transaction() as connection:
            document = await documents.begin_document(
                connection,
                self._collection.id,
                item.source,
                origin=item.origin,
                title=title_of(item),
                media_type="",
                sha256=failed.sha256,
                size=failed.size,
            )
            ids = await tables.chunk_ids(connection, [document])
            await documents.fail_document(connection, document, failed.sha256, error)
            await tables.set_metadata(connection, document, title_of(item), self._place.metadata)
            noted = report.Noted("failed", document, error=error)
            await report.note(connection, self._attempt.job_id, item.source, noted)
        await service.forget_vectors(self._collection, self._store, ids)
        self._changed = self._changed or bool(ids)

    async def _delete_what_is_gone(self) -> None:
        if not self._place.whole:
            return
        there = {self._with_source(item).source for item in self._place.items}
        gone = {
            source: known.id
            for source, known in self._known.items()
            if known.folder_id == self._place.folder_id and source not in there
        }
        if gone:
            async with self._attempt.transaction() as connection:
                ids = await service.delete_rows(connection, list(gone.values()))
                await report.note_all(connection, self._attempt.job_id, "deleted", gone)
            await service.forget(self._layout, self._collection, self._store, list(gone.values()), ids)
            self._changed = True

    async def _twin(self, item: Item, sha256: str) -> UUID | None:
        async with self._database.transaction() as connection:
            return await tables.find_twin(
                connection,
                self._collection.id,
                sha256,
                other_than=item.source,
                ending=Path(item.name.lower()).suffix,
            )

    async def _fetching(self, size: int) -> None:
        await self._report("fetching", bytes=size)

    async def _repairing(self) -> None:
        await self._report("repairing")

    async def _report(self, stage: str, **more: Any) -> None:
        counts = self._counts
        await self._attempt.report(
            stage,
            fraction=counts.done / max(1, counts.total),
            done=counts.done,
            total=counts.total,
            failed=counts.failed,
            chunks=counts.chunks,
            file=self._current,
            **more,
        )


def _too_large(item: Item) -> errors.DocumentTooLarge:
    return errors.DocumentTooLarge(name=item.source, limit_mib=LARGEST_DOCUMENT // 2**20)


def _chunks(outcome: _Outcome) -> int:
    return len(outcome.chunks) if isinstance(outcome, Reading) else 0


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@asynccontextmanager
async def _workspace(layout: Layout, attempt: Attempt) -> AsyncGenerator[Path, None]:
    """Copies of documents while they are read. Named after the token, since files are not fenced."""
    for other in layout.staging.glob(f"ingest-{attempt.job_id}-*"):
        await in_thread(shutil.rmtree, other, ignore_errors=True)
    folder = layout.staging / f"ingest-{attempt.job_id}-{attempt.token}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
