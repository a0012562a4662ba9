"""What a crash between a file and its row leaves behind."""

import os
import time
from pathlib import Path
from uuid import uuid4

from twotrack.core.database import Database
from twotrack.learning.data import service, tables
from twotrack.learning.data.strays import STRAY_SECONDS, sweep
from twotrack.registry.layout import Layout

_ROW = b'{"instruction": "Who is the mayor?", "output": "Odalia Senn."}\n'


def _age(folder: Path) -> None:
    then = time.time() - STRAY_SECONDS - 60
    for one in (*folder.iterdir(), folder):
        os.utime(one, (then, then))


def _put(layout: Layout, *, old: bool, name: str = "data") -> Path:
    folder = tables.folder_of(layout, uuid4())
    folder.mkdir(parents=True)
    (folder / name).write_bytes(_ROW)
    if old:
        _age(folder)
    return folder


async def test_what_no_row_knows_goes_after_a_day(database: Database, layout: Layout) -> None:
    known, arriving = uuid4(), _put(layout, old=False, name="0")
    kept = tables.folder_of(layout, known)
    kept.mkdir(parents=True)
    (kept / "data").write_bytes(_ROW)
    await service.take_in(database, layout, known, name="known.jsonl")
    _age(kept)
    # Begun long ago, and still being written.
    slow = _put(layout, old=True)
    (slow / "data").touch()
    foreign = tables.root_of(layout) / "notes"
    foreign.mkdir()
    _age(foreign)
    strays = [_put(layout, old=True), _put(layout, old=True, name="0")]
    assert {str(one) for one in await sweep(database, layout)} == {folder.name for folder in strays}
    assert not any(folder.exists() for folder in strays)
    assert all((folder / "data").is_file() for folder in (kept, slow))
    assert (arriving / "0").is_file()
    assert foreign.is_dir()
    assert await sweep(database, layout) == []


async def test_there_is_nothing_to_sweep_on_the_first_day(database: Database, layout: Layout) -> None:
    assert await sweep(database, layout) == []
