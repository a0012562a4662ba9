"""The files of an export, written from a base's weights and a variant's change, a few rows at a time."""

import json
import shutil
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.core.language import Text
from twotrack.registry.conversion.gguf_reading import StoredTensor
from twotrack.registry.conversion.model_files import safetensors_to_gguf
from twotrack.registry.conversion.safetensors_files import read_safetensors, write_safetensors
from twotrack.registry.conversion_errors import AdapterUnsupported
from twotrack.registry.families import layer_of
from twotrack.registry.storage import require_space
from twotrack.release.weights import Change, Changed, Fold, apply

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.float32]

_COPIED_BYTES = 16 * 2**20
_INDEX = "model.safetensors.index.json"
_TOKENIZER = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


def write_peft(changes: Mapping[str, Change], target: Path, *, base: str) -> None:
    """A PEFT LoRA folder whose scaling is 1: every gain and scale stands in its B.

    One rank and one alpha, since vLLM and llama.cpp know no other: smaller ranks are filled up with zeros.

    Raises:
        AdapterUnsupported: there is no change.
        DiskFull
    """
    import numpy as np

    if not changes:
        raise AdapterUnsupported(why=Text("it is empty", "내용이 없습니다"))
    rank = max(len(change.a) for change in changes.values())
    tensors: dict[str, tuple[tuple[int, ...], Any]] = {}
    for module, change in changes.items():
        missing = rank - len(change.a)
        a, b = np.pad(change.a, ((0, missing), (0, 0))), np.pad(change.b, ((0, 0), (0, missing)))
        for letter, rows in (("A", a), ("B", b)):
            tensors[f"base_model.model.{module}.lora_{letter}.weight"] = (rows.shape, _given(rows))
    require_space(target.parent, 4 * sum(prod(shape) for shape, _ in tensors.values()), "PEFT")
    target.mkdir()
    write_safetensors(target / "adapter_model.safetensors", tensors)
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": rank,
        "target_modules": _targets(changes),
        "alpha_pattern": {},
        "rank_pattern": {},
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_dora": False,
        "use_rslora": False,
    }
    (target / "adapter_config.json").write_text(json.dumps(settings, indent=2), "utf-8")


def write_merged(
    changes: Mapping[str, Change],
    folder: Path,
    files: Sequence[str],
    tokenizer: Path,
    target: Path,
    *,
    in_f32: bool,
    fold: Fold | None = None,
) -> None:
    """The base in `folder` with `changes` in its weights and `fold` over them, in the same shards; all its
    other files beside.

    Each weight is added up in 32-bit floats and then stored in the base's own type, or kept with `in_f32`.

    Raises:
        AdapterUnsupported, BrokenModelFile, DiskFull
    """
    weights = [file for file in files if file.endswith(".safetensors")]
    stored = apply(changes, read_safetensors(folder / file for file in weights), fold)
    size = sum(_stored_size(tensor, in_f32) for tensor in stored.values())
    require_space(target.parent, size, "safetensors")
    target.mkdir()
    for file in weights:
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_shard([one for one in stored.values() if one.path == folder / file], path, in_f32)
    for file in files:
        if file not in weights:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / file, target / file)
    for file in _TOKENIZER:
        if not (target / file).exists() and (tokenizer / file).exists():
            shutil.copyfile(tokenizer / file, target / file)
    if in_f32:
        _say_f32(target, size)


def write_gguf(
    changes: Mapping[str, Change],
    folder: Path,
    files: Sequence[str],
    tokenizer: Path,
    target: Path,
    *,
    kind: str,
    name: str,
    fold: Fold | None = None,
) -> None:
    """The merged weights as `model.gguf` in the new folder `target`.

    Raises:
        AdapterUnsupported, ConversionUnsupported, BrokenModelFile, TokenizerUnsupported, DiskFull
    """
    target.mkdir()

    def change(stored: Mapping[str, StoredTensor]) -> Mapping[str, StoredTensor]:
        return apply(changes, stored, fold)

    safetensors_to_gguf(folder, list(files), tokenizer, kind, target / "model.gguf", name, change=change)


def _given(rows: "Rows") -> Any:
    def give() -> "Iterator[Rows]":
        yield rows

    return give


def _targets(modules: Iterable[str]) -> list[str]:
    """The ends of their names where each stands in the same layers, so that PEFT finds just these modules;
    otherwise whole names."""
    layers: dict[str, set[int | None]] = {}
    names = list(modules)
    for module in names:
        layers.setdefault(module.rpartition(".")[2], set()).add(layer_of(module))
    every = set().union(*layers.values())
    even = all(found == every for found in layers.values())
    # A board may have frozen whole layers while training: then their modules must not be wrapped either.
    whole = every == set(range(len(every)))
    return sorted(layers) if even and whole and len(names) == len(layers) * len(every) else sorted(names)


def _stored_size(tensor: StoredTensor, in_f32: bool) -> int:
    return 4 * tensor.elements if in_f32 and tensor.dtype in _FLOATS else tensor.size


def _write_shard(tensors: Sequence[StoredTensor], path: Path, in_f32: bool) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        size = _stored_size(tensor, in_f32)
        dtype = "F32" if in_f32 and tensor.dtype in _FLOATS else tensor.dtype
        header[tensor.name] = {
            "dtype": dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for tensor in tensors:
            to = "F32" if in_f32 and tensor.dtype in _FLOATS else tensor.dtype
            if to == tensor.dtype and not isinstance(tensor, Changed):
                _copy(tensor, file)
                continue
            for rows in tensor.rows():
                file.write(_as_bytes(rows, to, tensor.name))


def _copy(tensor: StoredTensor, file: Any) -> None:
    with tensor.path.open("rb") as source:
        source.seek(tensor.offset)
        left = tensor.size
        while left:
            part = source.read(min(left, _COPIED_BYTES))
            if not part:
                raise EOFError(f"{tensor.path.name} became shorter while it was read")
            file.write(part)
            left -= len(part)


def _as_bytes(rows: "Rows", dtype: str, name: str) -> bytes:
    import numpy as np

    if dtype == "BF16":
        # The upper half of a 32-bit float, rounded to the nearest, ties to even.
        bits = np.ascontiguousarray(rows, dtype="<f4").view(np.uint32)
        made = ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2")
        if not np.isfinite(rows).all() or ((made & 0x7F80) == 0x7F80).any():
            raise _overflow(name, dtype)
        return made.tobytes()
    with np.errstate(over="ignore"):
        kept = rows.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype])
    if not np.isfinite(kept).all():
        raise _overflow(name, dtype)
    return kept.tobytes()


def _overflow(name: str, dtype: str) -> AdapterUnsupported:
    why = Text(
        f"with it, {name:.100} leaves the range of {dtype}; lower its gains",
        f"{name:.100} 값이 {dtype} 범위를 벗어납니다. 게인을 낮추세요",
    )
    return AdapterUnsupported(why=why)


def _say_f32(target: Path, size: int) -> None:
    config = json.loads((target / "config.json").read_bytes())
    for key in ("dtype", "torch_dtype"):
        if key in config:
            config[key] = "float32"
    (target / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), "utf-8")
    if (target / _INDEX).exists():
        index = json.loads((target / _INDEX).read_bytes())
        index.setdefault("metadata", {})["total_size"] = size
        (target / _INDEX).write_text(json.dumps(index, indent=2), "utf-8")


_FLOATS = ("F64", "F32", "F16", "BF16")
