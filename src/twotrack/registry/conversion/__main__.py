"""The child that converts: `python -m twotrack.registry.conversion REQUEST`, a JSON object (see cache.py)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twotrack.registry.confined import confined_main
from twotrack.registry.conversion.cache import build


def _tokenizer(request: dict[str, Any], made: Path) -> None:
    from twotrack.registry.tokenizer_files import write_tokenizer_folder

    made.mkdir()
    write_tokenizer_folder(
        Path(request["folder"]),
        request["files"],
        request["form"],
        made,
        name=request["name"],
        family_name=request["family"],
    )


def _safetensors(request: dict[str, Any], made: Path) -> None:
    from twotrack.registry.conversion.model_files import gguf_to_safetensors

    gguf_to_safetensors(_gguf_file(request), Path(request["tokenizer"]), made, request["name"])


def _gguf(request: dict[str, Any], made: Path) -> None:
    from twotrack.registry.conversion.model_files import retype_gguf, safetensors_to_gguf

    if request["form"] == "gguf":
        retype_gguf(_gguf_file(request), request["kind"], made)
    else:
        safetensors_to_gguf(
            Path(request["folder"]),
            request["files"],
            Path(request["tokenizer"]),
            request["kind"],
            made,
            request["name"],
        )


def _adapter(request: dict[str, Any], made: Path) -> None:
    from twotrack.registry.conversion.adapter_gguf import adapter_to_parts
    from twotrack.registry.families import Family

    family = Family(request["family"], architectures=(), kinds=request["kinds"])
    adapter_to_parts(Path(request["adapter"]), Path(request["tokenizer"]), family, made)


def _gguf_file(request: dict[str, Any]) -> Path:
    name: str = next(file for file in request["files"] if file.endswith(".gguf"))
    return Path(request["folder"]) / name


WORK: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "tokenizer": _tokenizer,
    "safetensors": _safetensors,
    "gguf": _gguf,
    "adapter": _adapter,
}


def _body(arguments: list[str]) -> None:
    request = json.loads(arguments[0])
    # Chats that run meanwhile go first.
    os.nice(5)
    build(
        Path(request["target"]),
        Path(request["staging"]),
        lambda made: WORK[request["work"]](request, made),
    )


if __name__ == "__main__":
    confined_main(_body)
