"""Feedback as a data set, like one that was uploaded."""

import shutil
from pathlib import Path
from uuid import uuid4

from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.folders import disk_errors, write_whole
from twotrack.learning.data import service as data
from twotrack.learning.data import tables
from twotrack.learning.data.canonical import canonical_line
from twotrack.learning.data.schemas import DataSetEntry
from twotrack.lessons.errors import NothingSaid
from twotrack.lessons.schemas import FeedbackExport
from twotrack.lessons.service import samples_of
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread, require_space


async def export_feedback(
    database: Database, layout: Layout, asked: FeedbackExport, *, by: Caller = OWNER
) -> DataSetEntry:
    """
    Raises:
        NothingSaid
        RoleMissing, NotEverybodys: everybody's feedback is asked for, and not allowed.
    """
    samples = await samples_of(
        database, preferences=asked.form == "preference", everybody=asked.everybody, by=by
    )
    if not samples:
        raise NothingSaid
    text = "".join(f"{canonical_line(sample, asked.form)}\n" for sample in samples)
    data_id = uuid4()
    folder = tables.folder_of(layout, data_id)
    name = "preferences.jsonl" if asked.form == "preference" else "feedback.jsonl"
    try:
        await in_thread(_write, tables.file_of(layout, data_id), text)
        return await data.take_in(database, layout, data_id, name=name, by=by)
    except BaseException:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
        raise


def _write(path: Path, text: str) -> None:
    with disk_errors(path.parent, "the data"):
        path.parent.mkdir(parents=True)
        require_space(path.parent, len(text.encode()), "the data")
        write_whole(path, text)
