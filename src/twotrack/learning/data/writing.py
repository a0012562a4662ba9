"""New files beside the data: all of them whole or none, and never in the place of what was read."""

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from pydantic import BaseModel

from twotrack.core.folders import disk_errors, sync_folder
from twotrack.learning.data.errors import TargetExists


class NewFiles:
    """`with NewFiles() as files: file = files.open(path)`: in place once the block ends without an error.

    Raises (at the end as well):
        DiskFull, FolderUnusable
    """

    def __init__(self, *, replace: bool = False, never: Iterable[Path] = ()) -> None:
        """`never` are files that are not written, with `replace` either: what is being read."""
        self._replace = replace
        self._never = [path.resolve() for path in never]
        self._open: dict[Path, tuple[Path, IO[bytes]]] = {}

    def open(self, path: Path) -> IO[bytes]:
        """
        Raises:
            TargetExists: it is there, and not to be replaced.
        """
        if path.resolve() in self._never or (path.exists() and not self._replace):
            raise TargetExists(path=str(path))
        staging = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
        with disk_errors(path.parent, "the data"):
            file = staging.open("xb")
        self._open[path] = (staging, file)
        return file

    def write(self, path: Path, value: BaseModel) -> None:
        """A value as JSON for people: one field a line."""
        text = json.dumps(value.model_dump(mode="json"), ensure_ascii=False, indent=2)
        self.open(path).write(text.encode() + b"\n")

    def __enter__(self) -> "NewFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._put_in_place()
        finally:
            for staging, file in self._open.values():
                # What a full disk kept from being written is written no second time.
                with suppress(OSError):
                    file.close()
                staging.unlink(missing_ok=True)
        if isinstance(error, OSError):
            with disk_errors(next(iter(self._open), Path(".")).parent, "the data"):
                raise error

    def _put_in_place(self) -> None:
        for path, (_, file) in self._open.items():
            with disk_errors(path.parent, "the data"):
                file.flush()
                os.fsync(file.fileno())
                file.close()
            if path.exists() and not self._replace:
                raise TargetExists(path=str(path))
        for path, (staging, _) in self._open.items():
            with disk_errors(path.parent, "the data"):
                staging.replace(path)
        for folder in {path.parent for path in self._open}:
            sync_folder(folder)


def beside(path: Path, addition: str, ending: str = ".jsonl") -> Path:
    """data.csv → data.shaped.jsonl"""
    stem = path.name[: -len(path.suffix)] if path.suffix else path.name
    return path.with_name(f"{stem}.{addition}{ending}")
