"""/v1/files: every data set of the studio is a file whose purpose is "fine-tune".

A finished fine-tuning job has a file of its own with its metrics, whose purpose is "fine-tune-results".
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput, NotFound, TwotrackError
from twotrack.core.language import Language, Text
from twotrack.learning.data import service, tables
from twotrack.learning.data.process import run_child
from twotrack.learning.data.schemas import DataSet, DataSetEntry
from twotrack.learning.data.uploading import take_in_upload
from twotrack.openai_api.errors import UnsupportedParameter
from twotrack.openai_api.fine_tuning import results
from twotrack.openai_api.fine_tuning.tables import TuningRow
from twotrack.openai_api.ids import read_id, write_id
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

PURPOSE = "fine-tune"
_PURPOSES = ("assistants", "batch", PURPOSE, "vision", "user_data", "evals")
_SECONDS = 60.0
_FILE = Text("file", "파일")


async def create(
    database: Database,
    layout: Layout,
    body: AsyncIterator[bytes],
    *,
    content_type: str,
    announced: int,
    by: Caller,
    language: Language,
) -> dict[str, Any]:
    """Every row must be a sample: a file with a broken one is refused, with its line, and nothing stays.

    Raises:
        UnsupportedParameter: another purpose, or an expiry.
        InvalidInput: no purpose.
        What learning/data/uploading.py raises; BrokenLine, NoSamples, DataTooLarge, ColumnsUnknown.
    """
    made = await take_in_upload(
        database, layout, body, content_type=content_type, announced=announced, by=by, look=_look
    )
    return describe(made, language)


async def _look(fields: dict[str, str], file: Path, name: str) -> None:
    purpose = fields.get("purpose", "")
    if purpose != PURPOSE:
        if purpose in _PURPOSES:
            why = Text(f"files are here to be learned from ({PURPOSE})", f"학습용 파일({PURPOSE})만 받습니다")
            raise UnsupportedParameter(what="purpose", why=why)
        why = Text(f"it is {PURPOSE!r} here", f"여기서는 {PURPOSE!r}입니다")
        raise InvalidInput(what="purpose", value=purpose[:60], why=why)
    if any(field.startswith("expires_after") for field in fields):
        why = Text("files stay until they are deleted", "파일은 삭제할 때까지 남습니다")
        raise UnsupportedParameter(what="expires_after", why=why)
    await run_child("lines", {"path": str(file), "columns": {}}, name=name, seconds=_SECONDS)


async def list_files(
    database: Database,
    *,
    of: UUID | None,
    after: str | None,
    limit: int,
    order: Literal["asc", "desc"],
    purpose: str | None,
    language: Language,
) -> dict[str, Any]:
    """
    Raises:
        FileNotFound: `after` is no file of theirs.
    """
    found: list[DataSet] = []
    async with database.transaction() as connection:
        cursor = None if after is None else (await find(database, after, of=of)).id
        if purpose in (None, PURPOSE):
            found = await tables.list_all(
                connection, of=of, before=cursor, limit=limit + 1, oldest_first=order == "asc"
            )
    listed = [describe(one, language) for one in found[:limit]]
    return page_of(listed, has_more=len(found) > limit)


async def retrieve(
    database: Database, layout: Layout, given: str, *, of: UUID | None, language: Language
) -> dict[str, Any]:
    """
    Raises:
        FileNotFound: there is none, or it is not `of` that owner.
    """
    if (job := await find_results(database, given, of=of)) is not None:
        return await in_thread(results.describe, layout, job)
    return describe(await find(database, given, of=of), language)


async def find_results(database: Database, given: str, *, of: UUID | None) -> TuningRow | None:
    """The finished job whose metrics these are."""
    file_id = read_id("file", given)
    return None if file_id is None else await results.find(database, file_id, of=of)


async def delete(database: Database, layout: Layout, given: str, *, of: UUID | None) -> dict[str, Any]:
    """A run that learns from it has a copy and goes on.

    Raises:
        FileNotFound
        ResultsStay: the metrics of a job.
    """
    if await find_results(database, given, of=of) is not None:
        raise ResultsStay(file=given)
    await service.delete(database, layout, (await find(database, given, of=of)).id, of=of)
    return {"id": given, "object": "file", "deleted": True}


def describe(data: DataSet, language: Language) -> dict[str, Any]:
    """A FileObject. One that came another way may have columns that nobody has mapped yet: an "error"."""
    why = data.recognized.why if data.recognized.format is None else None
    return {
        "id": write_id("file", data.id),
        "object": "file",
        "bytes": data.size,
        "created_at": int(data.created_at.timestamp()),
        "expires_at": None,
        "filename": data.name,
        "purpose": PURPOSE,
        "status": "processed" if data.recognized.format else "error",
        "status_details": None if why is None else getattr(why, language),
    }


def page_of(listed: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """A page of a list, as that API's clients turn it."""
    return {
        "object": "list",
        "data": listed,
        "first_id": listed[0]["id"] if listed else None,
        "last_id": listed[-1]["id"] if listed else None,
        "has_more": has_more,
    }


class FileNotFound(NotFound):
    pass


class ResultsStay(TwotrackError):
    status = 400
    detail = Text(
        "The file {file} is a fine-tuning job's metrics and stays with the job.",
        "{file} 파일은 파인튜닝 작업의 결과라서 작업과 함께 남습니다.",
    )


async def find(database: Database, given: str, *, of: UUID | None) -> DataSetEntry:
    """
    Raises:
        FileNotFound: there is none, or it is not `of` that owner.
    """
    data_id = read_id("file", given)
    if data_id is not None:
        async with database.transaction() as connection:
            if (found := await tables.find(connection, data_id, of=of)) is not None:
                return found
    raise FileNotFound(what=_FILE, name=given[:200])
