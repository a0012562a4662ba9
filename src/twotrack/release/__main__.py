"""The child that writes an export: `python -m twotrack.release REQUEST`, a JSON object (see job.py)."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

from twotrack.registry.confined import confined_main
from twotrack.registry.families import Family
from twotrack.registry.storage import disk_full
from twotrack.release.weights import Fold, Part, changes_of
from twotrack.release.writing import write_gguf, write_merged, write_peft


def _body(arguments: list[str]) -> None:
    request: dict[str, Any] = json.loads(arguments[0])
    # Chats that run meanwhile go first.
    os.nice(5)
    target = Path(request["target"])
    try:
        _write(request, target)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        # How much it would have been is not known here; more than there was.
        needed = shutil.disk_usage(target.parent).free + 1
        raise disk_full(target.parent, needed, request["name"]) from error


def _write(request: dict[str, Any], target: Path) -> None:
    family = Family(request["family"], architectures=(), kinds=request["kinds"])
    changes = changes_of([Part(Path(one["folder"]), one["gains"]) for one in request["adapters"]], family)
    if request["format"] == "peft":
        write_peft(changes, target, base=request["base"])
        return
    fold = None
    if request["base_board"] is not None:
        fold = Fold(request["base_board"], request["branches"])
    places = (changes, Path(request["folder"]), request["files"], Path(request["tokenizer"]), target)
    if request["format"] == "merged":
        write_merged(*places, in_f32=request["kind"] == "f32", fold=fold)
    else:
        write_gguf(*places, kind=request["kind"], name=request["name"], fold=fold)


if __name__ == "__main__":
    confined_main(_body)
