"""A file of training data that comes in a multipart request: written as it arrives, a data set or nothing."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.learning.data import service, tables
from twotrack.learning.data.errors import FileMissing
from twotrack.learning.data.schemas import DataSetEntry
from twotrack.learning.ingest.uploads import Uploads
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread, require_space

Look = Callable[[dict[str, str], Path, str], Awaitable[None]]
"""Looks at the other fields, the file and its name, and raises what is wrong with them."""


async def take_in_upload(
    database: Database,
    layout: Layout,
    body: AsyncIterator[bytes],
    *,
    content_type: str,
    announced: int = 0,
    by: Caller = OWNER,
    look: Look | None = None,
) -> DataSetEntry:
    """Make a data set of the one file in a request's body. `announced`: how many bytes are said to come.

    Raises:
        UploadBroken, FileMissing, DocumentTooLarge, DiskFull
        FileUnknown, DataUnreadable, …: it is nothing that can be read; and what `look` raises.
    """
    data_id = uuid4()
    folder = tables.folder_of(layout, data_id)
    uploads = Uploads(folder, content_type, largest=service.LARGEST)
    require_space(layout.home, announced, "an upload")
    folder.mkdir(parents=True)
    try:
        await uploads.receive(body)
        if len(uploads.names) != 1:
            raise FileMissing(count=len(uploads.names))
        file = tables.file_of(layout, data_id)
        (folder / "0").replace(file)
        name = uploads.names[0].rpartition("/")[2][:200]
        if look is not None:
            await look(uploads.fields, file, name)
        return await service.take_in(database, layout, data_id, name=name, by=by)
    except BaseException:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
        raise


def announced_length(header: str | None) -> int:
    return int(header) if header is not None and header.isdecimal() else 0
