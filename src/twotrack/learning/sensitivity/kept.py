"""What was measured of a base's rows, kept below its derived files: a line for each row, added as it comes.

A row's figures depend on the row, the base and what computes them, and on nothing else: whoever measures the
same rows again, after a crash or among others, begins with what is known.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from twotrack.core.folders import disk_errors, write_whole
from twotrack.engines.machine import usable_threads
from twotrack.learning.data.tokens import Row
from twotrack.learning.forecast.measuring import this_machine
from twotrack.learning.sensitivity.child import SensedModule
from twotrack.registry.layout import Layout

# Another number makes what was kept before unknown.
_EDITION = 1
_LIBRARIES = ("torch", "transformers")


class Looked(BaseModel):
    """What is looked at, and what it was computed in."""

    model_config = ConfigDict(frozen=True)

    modules: tuple[SensedModule, ...]
    precision: str
    device: str


class MeasuredRow(BaseModel):
    """A row's loss in nats a learned token, and the squared gradient of each module."""

    model_config = ConfigDict(frozen=True)

    row: str
    loss: float
    squares: tuple[float, ...]


@dataclass(frozen=True)
class Kept:
    folder: Path

    @classmethod
    def of(cls, layout: Layout, base_id: str, precision: str) -> "Kept":
        """The folder for a base as this machine measures it in a recipe's `precision`."""
        depends = {
            "edition": _EDITION,
            "precision": precision,
            "where": this_machine(),
            # Sums come out in another order.
            "threads": usable_threads(),
            "versions": {name: metadata.version(name) for name in _LIBRARIES},
        }
        digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:32]
        return cls(layout.derived(base_id) / "sensitivity" / digest)

    @property
    def lock(self) -> Path:
        return self.folder / "measuring.lock"

    @property
    def _rows(self) -> Path:
        return self.folder / "rows.jsonl"

    @property
    def _looked(self) -> Path:
        return self.folder / "modules.json"

    def looked(self) -> Looked | None:
        try:
            return Looked.model_validate_json(self._looked.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def keep_looked(self, looked: Looked) -> None:
        """
        Raises:
            DiskFull, FolderUnusable
        """
        with disk_errors(self.folder, "the sensitivity"):
            write_whole(self._looked, looked.model_dump_json())

    def rows(self, wanted: Mapping[str, Row]) -> dict[str, MeasuredRow]:
        """Those of the wanted rows that were measured. For whoever holds the lock: what a crash or a full
        disk left of a line is cut off, so that the next one begins where it ends."""
        looked = self.looked()
        try:
            data = self._rows.read_bytes()
        except FileNotFoundError:
            return {}
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self._rows, len(whole))
        found = {}
        for line in whole.splitlines():
            try:
                row = MeasuredRow.model_validate_json(line)
            except ValidationError:
                continue
            if row.row in wanted and looked is not None and len(row.squares) == len(looked.modules):
                found[row.row] = row
        return found

    def add(self, row: MeasuredRow) -> None:
        """
        Raises:
            DiskFull, FolderUnusable
        """
        with disk_errors(self.folder, "the sensitivity"), self._rows.open("ab") as file:
            file.write(row.model_dump_json().encode() + b"\n")


def key_of(row: Row) -> str:
    """What a row is known as: by its tokens and which of them are learned, wherever it stands."""
    return hashlib.sha256(json.dumps([row.input_ids, row.labels]).encode()).hexdigest()[:40]
