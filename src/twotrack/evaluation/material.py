"""What a score or a look at a board asks: brought with the request or taken of a data set, then kept."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.language import Text
from twotrack.evaluation.schemas import Texts
from twotrack.learning.data import tables
from twotrack.learning.data.copying import copy_lines, part_of
from twotrack.learning.data.errors import NoSamples
from twotrack.learning.data.messages import Sample, read_messages, require_questions
from twotrack.learning.data.schemas import DataSet, UsedData
from twotrack.learning.data.texts import PlainText, read_texts
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

_TWICE = Text("there are samples besides it", "samples와 함께 쓸 수 없습니다")
_OF_NOTHING = Text("no data set is named", "data_id가 없습니다")


@dataclass(frozen=True)
class Kept:
    """Fingerprints of the files in the new job's folder; `data` is what was taken of a data set."""

    job_id: UUID
    samples_sha256: str
    general_sha256: str | None
    data: UsedData | None


async def keep(database: Database, layout: Layout, asked: Texts, *, by: Caller) -> Kept:
    """A new job's folder with what it is to ask. Whatever is refused leaves none.

    Raises:
        InvalidInput: samples and a data set, or a part of nothing.
        DataSetNotFound, NoSuchPart
        BrokenLine, NoSamples, DataTooLarge, …: see learning/data/errors.py.
        DiskFull, FolderUnusable
    """
    data = await _data_set(database, asked, by)
    # JSON can carry halves of surrogate pairs; the reading of the data then names their line.
    general = asked.general.encode(errors="surrogatepass")
    if general:
        await in_thread(read_texts, general)
    if data is None:
        await in_thread(_checked, asked.samples.encode(errors="surrogatepass"))
    job_id = uuid4()
    folder = layout.job(job_id)
    used = None
    try:
        with disk_errors(folder, "the samples"):
            await in_thread(folder.mkdir, parents=True)
            await in_thread(write_whole, folder / "general.jsonl", asked.general)
            if data is None:
                await in_thread(write_whole, folder / "samples.jsonl", asked.samples)
            else:
                used = await copy_lines(layout, data, folder / "samples.jsonl")
            samples = await in_thread(_limited, folder / "samples.jsonl", asked.limit)
    except BaseException:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    return Kept(job_id, samples, hashlib.sha256(general).hexdigest() if general else None, used)


def read(folder: Path) -> tuple[list[Sample], list[PlainText]]:
    """The questions and the general texts in a job's folder.

    Raises:
        NoSamples: texts alone.
    """
    samples = _checked((folder / "samples.jsonl").read_bytes())
    general = (folder / "general.jsonl").read_bytes()
    texts = [PlainText(one.line, one.text) for one in samples if one.text is not None]
    return [one for one in samples if one.text is None], texts + (read_texts(general) if general else [])


async def _data_set(database: Database, asked: Texts, by: Caller) -> DataSet | None:
    if asked.data_id is None:
        if asked.split is not None:
            raise InvalidInput(what="split", value=asked.split, why=_OF_NOTHING)
        return None
    if asked.samples.strip():
        raise InvalidInput(what="data_id", value=asked.data_id, why=_TWICE)
    async with database.transaction() as connection:
        of = by.confined_to
        found = await tables.get(connection, asked.data_id, of=of)
        return found if asked.split is None else await part_of(connection, found, asked.split, of=of)


def _checked(data: bytes) -> list[Sample]:
    samples = read_messages(data)
    require_questions(samples)
    if all(one.text is not None for one in samples):
        raise NoSamples()
    return samples


def _limited(file: Path, limit: int | None) -> str:
    """Leave `limit` of the lines, evenly spread; the SHA-256 of what is there then."""
    data = file.read_bytes()
    lines = [line for line in data.split(b"\n") if line.strip()]
    if limit is not None and len(lines) > limit:
        data = b"".join(lines[place * len(lines) // limit] + b"\n" for place in range(limit))
        write_whole(file, data.decode())
    _checked(data)
    return hashlib.sha256(data).hexdigest()
