"""A data set as the messages JSONL that training takes: every row, or none. Nothing is left out unasked."""

from pathlib import Path
from typing import Any

from twotrack.core.folders import disk_errors
from twotrack.learning.data.canonical import Fingerprint
from twotrack.learning.data.check import DataFile, Progress
from twotrack.learning.data.errors import BrokenLine, DataTooLarge, NoSamples
from twotrack.learning.data.files import Flaw


def write(
    data: DataFile, target: Path | None, *, limit: int, progress: Progress | None = None
) -> dict[str, Any]:
    """The number of samples and the SHA-256 of their lines, which `target` then holds. A preference gives its
    chosen answer.

    Raises:
        BrokenLine: a row that is no sample; the first one.
        DataTooLarge: more than `limit` bytes of lines.
        NoSamples, DiskFull, FolderUnusable, and what reading raises.
    """
    counted, samples, size = Fingerprint(), 0, 0
    with disk_errors(target.parent if target else data.path.parent, "the data"):
        file = target.open("xb") if target else None
        try:
            for row in data.rows():
                if isinstance(row, Flaw):
                    raise BrokenLine(line=row.line, why=row.why)
                line = counted.add(row)
                samples, size = samples + 1, size + len(line)
                if size > limit:
                    raise DataTooLarge(limit_mib=limit // 2**20)
                if file is not None:
                    file.write(line)
                if progress is not None and samples % 1000 == 0:
                    progress(samples, 0.0)
        finally:
            if file is not None:
                file.close()
    if not samples:
        raise NoSamples()
    return {"samples": samples, "sha256": counted.value}
