"""A PEFT LoRA folder → GGUF adapters for llama.cpp: one of the whole, and one for each cell of every layer.

llama.cpp adds scale · (alpha / rank) · B·A, with one alpha for the whole file and each tensor's own rank.
Where a module's scaling is another (alpha_pattern, or rsLoRA with several ranks), the difference goes into
its B. Rows of B follow the order of the base's rows in GGUF (architectures.py).
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from twotrack.core.language import Text
from twotrack.registry.conversion import gguf_writing
from twotrack.registry.conversion.architectures import SUPPORTED, by_class
from twotrack.registry.conversion.gguf_reading import StoredTensor
from twotrack.registry.conversion.gguf_writing import Planned, Value
from twotrack.registry.conversion.safetensors_files import read_safetensors
from twotrack.registry.conversion_errors import AdapterUnsupported, ConversionUnsupported
from twotrack.registry.families import Family, architecture_of, layer_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.float32]

# What PEFT can do beyond plain LoRA on linear layers: each needs its entry to be empty.
_BEYOND = (
    "modules_to_save",
    "trainable_token_indices",
    "layer_replication",
    "target_parameters",
    "alora_invocation_tokens",
    "fan_in_fan_out",
    "lora_bias",
)
# They move part of the base's weights into the adapter: it fits no longer on the base as it is.
_CHANGED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


WHOLE = "whole.gguf"
REST = "rest.gguf"


def part_name(layer: int, column: str) -> str:
    """The file of the part of an adapter in one layer's modules of one kind."""
    return f"{layer}.{column}.gguf"


def adapter_to_parts(folder: Path, tokenizer: Path, family: Family, target: Path) -> None:
    """Write the adapter in `folder` into the new folder `target`: whole, and in parts. `tokenizer` has the
    base's config.json.

    A part is what one layer's modules of one column of the board hold; modules outside of the board make up
    the rest. llama.cpp takes one scale for a file, so parts are how a board acts there.

    Raises:
        AdapterUnsupported, ConversionUnsupported, BrokenModelFile
    """
    read = _read(folder, tokenizer)
    target.mkdir()
    read.write(target / WHOLE)
    parts: dict[str, list[str]] = {}
    for module in read.planned:
        layer, column = layer_of(module), family.kind_of(module)
        outside = layer is None or column is None
        parts.setdefault(REST if outside else part_name(layer or 0, column or ""), []).append(module)
    for name, modules in parts.items():
        read.write(target / name, modules)


def read_lora(folder: Path) -> dict[str, tuple[StoredTensor, StoredTensor, float]]:
    """Of each module A [rank, in], B [out, rank], and the scale that PEFT gives B·A.

    Raises:
        AdapterUnsupported, BrokenModelFile
    """
    settings = json.loads((folder / "adapter_config.json").read_bytes())
    _require_plain(settings)
    pairs = _pairs(read_safetensors([folder / "adapter_model.safetensors"]))
    return {module: (a, b, _scaling(settings, module, a.shape[0])) for module, (a, b) in pairs.items()}


@dataclass(frozen=True)
class _Read:
    """An adapter, ready to be written."""

    architecture: str
    alpha: float
    planned: Mapping[str, tuple[Planned, Planned]]
    """A and B of each module, in the order of the modules' names."""

    def write(self, target: Path, modules: Iterable[str] | None = None) -> None:
        """Of all modules, or of some."""
        metadata = {
            "general.type": gguf_writing.text("adapter"),
            "adapter.type": gguf_writing.text("lora"),
            "adapter.lora.alpha": Value(self.alpha, 6),
        }
        chosen = self.planned if modules is None else modules
        tensors = [tensor for module in chosen for tensor in self.planned[module]]
        gguf_writing.write_gguf(target, self.architecture, metadata, tensors)


def _read(folder: Path, tokenizer: Path) -> _Read:
    config = json.loads((tokenizer / "config.json").read_bytes())
    entry = by_class(architecture_of(config))
    if entry is None:
        raise ConversionUnsupported(
            model=architecture_of(config),
            form="GGUF",
            supported=SUPPORTED,
            why=Text("its architecture is not known here", "지원하지 않는 구조입니다"),
        )
    settings = json.loads((folder / "adapter_config.json").read_bytes())
    _require_plain(settings)
    pairs = _pairs(read_safetensors([folder / "adapter_model.safetensors"]))
    if config.get("tie_word_embeddings") and any(module.endswith("lm_head") for module in pairs):
        _refuse(
            "it changes the output matrix, which is the embedding", "임베딩과 공유된 출력 행렬을 바꿉니다"
        )
    alpha: float | None = None
    planned: dict[str, tuple[Planned, Planned]] = {}
    for module, (a, b) in sorted(pairs.items()):
        name = entry.to_gguf(f"{module}.weight")
        if name is None:
            _refuse(f"{module} is no module of the architecture", f"구조에 없는 모듈입니다: {module}")
        rank = a.shape[0]
        wanted = _scaling(settings, module, rank) * rank
        alpha = wanted if alpha is None else alpha
        if alpha == 0:
            _refuse(f"alpha is 0 at {module}", f"alpha가 0입니다: {module}")
        rows = b.load() * (wanted / alpha)
        order = entry.row_order(module, b.shape[0], config)
        planned[module] = (
            Planned(f"{name}.lora_a", a.shape, "F32", a.rows),
            Planned(f"{name}.lora_b", b.shape, "F32", _held(rows if order is None else rows[order])),
        )
    if alpha is None:
        _refuse("it is empty", "내용이 없습니다")
    return _Read(entry.gguf, alpha, planned)


def _held(rows: "Rows") -> "Any":
    def give() -> "Iterator[Rows]":
        yield rows

    return give


def _require_plain(settings: Mapping[str, Any]) -> None:
    kind = settings.get("peft_type")
    if kind != "LORA":
        _refuse(f"it is of the type {kind!s:.40}", f"어댑터 종류가 {kind!s:.40}입니다")
    switches = [key for key, on in settings.items() if key.startswith("use_") and on and key != "use_rslora"]
    for key in (*switches, *_BEYOND):
        if settings.get(key):
            _refuse(f"its {key} is set", f"{key} 설정이 켜져 있습니다")
    if settings.get("bias", "none") != "none":
        _refuse("it changes biases", "바이어스를 바꿉니다")
    start = settings.get("init_lora_weights")
    if isinstance(start, str) and start.startswith(_CHANGED_BASE):
        _refuse(f"its start by {start:.20} changed the base", f"초기화({start:.20})가 베이스를 바꿉니다")


def _scaling(settings: Mapping[str, Any], module: str, rank: int) -> float:
    """alpha / rank, or alpha / √rank for rsLoRA (https://arxiv.org/abs/2312.03732)."""
    alpha = float(settings["lora_alpha"])
    for pattern, value in (settings.get("alpha_pattern") or {}).items():
        # PEFT's own rule: the pattern matches the end of the name, from a dot on.
        if re.match(rf"(.*\.)?({pattern})$", module):
            alpha = float(value)
            break
    return alpha / math.sqrt(rank) if settings.get("use_rslora") else alpha / rank


def _pairs(tensors: Mapping[str, StoredTensor]) -> dict[str, tuple[StoredTensor, StoredTensor]]:
    """(A, B) for every module."""
    halves: dict[str, dict[str, StoredTensor]] = {}
    for name, tensor in tensors.items():
        found = re.fullmatch(r"base_model\.model\.(.+)\.lora_([AB])\.weight", name)
        if not found or len(tensor.shape) != 2:
            _refuse(f"it has the tensor {name:.100}", f"다루지 않는 텐서가 있습니다: {name:.100}")
        halves.setdefault(found[1], {})[found[2]] = tensor
    pairs: dict[str, tuple[StoredTensor, StoredTensor]] = {}
    for module, half in halves.items():
        if set(half) != {"A", "B"} or half["A"].shape[0] != half["B"].shape[1]:
            _refuse(f"A and B of {module:.100} do not fit", f"{module:.100}의 A와 B가 맞지 않습니다")
        pairs[module] = (half["A"], half["B"])
    return pairs


def _refuse(en: str, ko: str) -> NoReturn:
    raise AdapterUnsupported(why=Text(en, ko))
