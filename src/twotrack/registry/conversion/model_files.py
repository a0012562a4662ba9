"""Bases between GGUF and safetensors: names, order of rows, configuration, tokenizer."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.core.language import Text
from twotrack.registry.conversion import gguf_writing, rope
from twotrack.registry.conversion.architectures import SUPPORTED, Architecture, by_class, by_gguf
from twotrack.registry.conversion.gguf_reading import CHUNK_BYTES, StoredTensor, read_gguf
from twotrack.registry.conversion.gguf_vocabulary import vocabulary_metadata
from twotrack.registry.conversion.gguf_writing import FILE_TYPES, Planned, Value
from twotrack.registry.conversion.model_config import gguf_from_config, scaling_from_gguf
from twotrack.registry.conversion.safetensors_files import read_safetensors, write_safetensors
from twotrack.registry.conversion_errors import ConversionUnsupported
from twotrack.registry.families import architecture_of
from twotrack.registry.storage import require_space

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.float32]
    Order = npt.NDArray[np.int64]

# Said by the file itself, and other in the copy.
_NOT_COPIED = ("general.architecture", "general.file_type", "general.alignment")
# One divisor for each rotary frequency (rope.py).
_DIVISORS = "rope_freqs.weight"


def gguf_to_safetensors(source: Path, tokenizer: Path, target: Path, name: str) -> None:
    """Dequantize the GGUF file `source` into the folder `target`, which transformers loads as it is.

    Raises:
        ConversionUnsupported, BrokenModelFile, DiskFull
    """
    model = read_gguf(source)
    entry = by_gguf(model.architecture)
    if entry is None:
        raise _unsupported(name, "safetensors", f"its architecture is {model.architecture:.40}")
    # Refuses what the configuration had to leave out.
    scaling_from_gguf(model)
    config = json.loads((tokenizer / "config.json").read_bytes())
    tensors: dict[str, tuple[tuple[int, ...], Callable[[], Iterator[Rows]]]] = {}
    for tensor in model.tensors.values():
        if tensor.name == _DIVISORS:
            continue
        ours = entry.to_transformers(tensor.name)
        if ours is None:
            raise _unsupported(name, "safetensors", f"it has the tensor {tensor.name:.64}")
        module = ours.rpartition(".")[0]
        order = entry.row_order(module, tensor.shape[0], config)
        shift = -1.0 if module.endswith(entry.shifted or ("\0",)) else 0.0
        tensors[ours] = (tensor.shape, _rows(tensor, None if order is None else _inverse(order), shift))
    require_space(
        target.parent, 4 * sum(prod(shape) for shape, _ in tensors.values()), f"{name} as safetensors"
    )
    target.mkdir()
    for file in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / file, target / file)
    write_safetensors(target / "model.safetensors", tensors)


def safetensors_to_gguf(
    folder: Path,
    files: list[str],
    tokenizer: Path,
    kind: str,
    target: Path,
    name: str,
    *,
    change: Callable[[Mapping[str, StoredTensor]], Mapping[str, StoredTensor]] | None = None,
) -> None:
    """Write the safetensors base in `folder` as the GGUF file `target`; `change` may give other tensors for
    those that were read.

    Raises:
        ConversionUnsupported, BrokenModelFile, TokenizerUnsupported, DiskFull
    """
    config = json.loads((folder / "config.json").read_bytes())
    entry = by_class(architecture_of(config))
    if entry is None:
        raise _unsupported(name, "GGUF", f"its architecture is {architecture_of(config):.40}")
    stored: Mapping[str, StoredTensor] = read_safetensors(
        folder / file for file in files if file.endswith(".safetensors")
    )
    if change is not None:
        stored = change(stored)
    planned = [
        plan
        for tensor in stored.values()
        if not tensor.name.endswith(entry.unused or ("\0",))
        and (plan := _planned(entry, tensor, config, kind, name)) is not None
    ]
    planned += _divisors(config)
    metadata: dict[str, Value] = {
        "general.type": gguf_writing.text("model"),
        "general.name": gguf_writing.text(name),
        "general.file_type": gguf_writing.number(FILE_TYPES[kind]),
        "general.quantization_version": gguf_writing.number(2),
        **{key: gguf_writing.number(v) for key, v in gguf_from_config(entry, config, name).items()},
        **vocabulary_metadata(tokenizer, rows=_embedding_rows(planned), model=name),
    }
    _require_space_for(planned, target)
    gguf_writing.write_gguf(target, entry.gguf, metadata, planned)


def retype_gguf(source: Path, kind: str, target: Path) -> None:
    """Write the GGUF file `source` with its weights in another type; all else stays. Any architecture.

    Raises:
        BrokenModelFile, DiskFull
    """
    model = read_gguf(source)
    planned = [
        Planned(
            tensor.name,
            tensor.shape,
            gguf_writing.stored_dtype(tensor.name, tensor.shape, kind),
            tensor.rows,
        )
        for tensor in model.tensors.values()
    ]
    if all(plan.dtype == model.tensors[plan.name].dtype for plan in planned):
        _same_file(source, target)
        return
    metadata = {
        key: Value(value, *model.kinds[key])
        for key, value in model.metadata.items()
        if key not in _NOT_COPIED
    }
    metadata["general.file_type"] = gguf_writing.number(FILE_TYPES[kind])
    _require_space_for(planned, target)
    gguf_writing.write_gguf(target, model.architecture, metadata, planned)


def _planned(
    entry: Architecture, tensor: StoredTensor, config: Mapping[str, Any], kind: str, name: str
) -> Planned | None:
    theirs = entry.to_gguf(tensor.name)
    if theirs is None:
        raise _unsupported(name, "GGUF", f"it has the tensor {tensor.name:.100}")
    if theirs == "output.weight" and config.get("tie_word_embeddings"):
        # Some checkpoints carry the embedding a second time under the head's name.
        return None
    module = tensor.name.rpartition(".")[0]
    order = entry.row_order(module, tensor.shape[0], config)
    shift = 1.0 if module.endswith(entry.shifted or ("\0",)) else 0.0
    dtype = gguf_writing.stored_dtype(theirs, tensor.shape, kind)
    return Planned(theirs, tensor.shape, dtype, _rows(tensor, order, shift))


def _divisors(config: Mapping[str, Any]) -> list[Planned]:
    """The tensor by which llama.cpp knows Llama 3's scaled positions."""
    import numpy as np

    positions = rope.rope_of(config)
    if positions["rope_type"] != "llama3":
        return []
    head_dim = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    values = np.array([rope.llama3_divisors(positions, head_dim)], dtype=np.float32)
    return [Planned(_DIVISORS, (values.size,), "F32", lambda: iter([values]))]


def _rows(tensor: StoredTensor, order: "Order | None", shift: float) -> "Callable[[], Iterator[Rows]]":
    """What gives the tensor's rows, in `order` if there is one, each number larger by `shift`."""
    if shift:
        return lambda: (rows + shift for rows in tensor.rows())
    if order is None:
        return tensor.rows

    def reordered() -> "Iterator[Rows]":
        # Query and key matrices are small beside what is streamed: whole, then in order.
        whole = tensor.load()
        ordered = whole[order].reshape(-1, whole.shape[-1])
        step = max(1, CHUNK_BYTES // (4 * ordered.shape[-1]))
        for start in range(0, len(ordered), step):
            yield ordered[start : start + step]

    return reordered


def _inverse(order: "Order") -> "Order":
    import numpy as np

    return np.argsort(order)


def _embedding_rows(planned: list[Planned]) -> int:
    return next((plan.shape[0] for plan in planned if plan.name == "token_embd.weight"), 0)


def _require_space_for(planned: list[Planned], target: Path) -> None:
    needed = sum(gguf_writing.stored_size(plan.shape, plan.dtype) for plan in planned)
    require_space(target.parent, needed, "GGUF")


def _same_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        require_space(target.parent, source.stat().st_size, source.name)
        shutil.copyfile(source, target)


def _unsupported(model: str, form: str, why: str) -> ConversionUnsupported:
    return ConversionUnsupported(
        model=model, form=form, supported=SUPPORTED, why=Text(why, f"지원하지 않는 구조 ({why})")
    )
