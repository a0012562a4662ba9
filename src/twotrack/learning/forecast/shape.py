"""The sizes of a base that time and memory follow from, read from its headers and its config.json.

Nothing is loaded, and no torch is needed.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack.learning.train.passes import PACKED, SOFTCAPS
from twotrack.registry.families import Family, architecture_of, layer_of
from twotrack.registry.safetensors_header import read_safetensors_header

Tensor = tuple[str, tuple[int, ...]]
"""A tensor's name and its shape."""

_LAYER = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclass(frozen=True)
class Matrix:
    """One linear module of the layers: `rows` × `columns` is its weight as torch writes it, [out, in]."""

    name: str
    """Of the module, with its layer's number as {}."""
    kind: str | None
    """Its column on the board."""
    rows: int
    columns: int
    layers: tuple[int, ...]
    """The numbers of the layers that have it."""

    @property
    def count(self) -> int:
        return len(self.layers)

    @property
    def elements(self) -> int:
        return self.rows * self.columns * self.count


@dataclass(frozen=True)
class ModelShape:
    layers: int
    hidden: int
    heads: int
    key_heads: int
    head_width: int
    inner: int
    """Width of the MLP between its matrices."""
    vocabulary: int
    parameters: int
    """All of them; a tied output matrix counts once."""
    matrices: tuple[Matrix, ...]
    columns: tuple[str, ...]
    """Of the board: the family's."""
    is_gated: bool
    """Gate and up projection beside each other (Shazeer 2020, arXiv:2002.05202)."""
    is_fused: bool
    """Query, key and value in one matrix, as GPT-NeoX has them."""
    norms: int
    """Of the hidden width, in each layer."""
    normed_heads: bool
    """Queries and keys are normed, too."""
    is_packed: bool
    """Whether rows share a pass (learning/train/objective.py)."""

    @property
    def linear(self) -> int:
        """Parameters of the layers' linear modules: those that QLoRA holds in four bits."""
        return sum(matrix.elements for matrix in self.matrices)

    @property
    def query_width(self) -> int:
        return self.heads * self.head_width

    @property
    def key_width(self) -> int:
        return self.key_heads * self.head_width

    def trained(self, columns: Sequence[str]) -> tuple[Matrix, ...]:
        return tuple(matrix for matrix in self.matrices if matrix.kind in columns)

    def trainable(self, columns: Sequence[str], rank: int) -> int:
        """Parameters of the adapter: A is [rank, in], B is [out, rank]."""
        return sum(rank * (one.rows + one.columns) * one.count for one in self.trained(columns))


def read_shape(folder: Path, family: Family) -> ModelShape:
    """
    Raises:
        BrokenModelFile: a file in the folder that is no safetensors.
    """
    tensors = [
        (tensor.name, tensor.shape)
        for file in sorted(folder.glob("*.safetensors"))
        for tensor in read_safetensors_header(file)
    ]
    return shape_of(tensors, json.loads((folder / "config.json").read_bytes()), family)


def shape_of(tensors: Iterable[Tensor], config: Mapping[str, Any], family: Family) -> ModelShape:
    """`tensors` are those of the checkpoint, `config` its config.json."""
    inner_config = config.get("text_config")
    text = inner_config if isinstance(inner_config, Mapping) else config
    tied = bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", True)))
    parameters = 0
    matrices: defaultdict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)
    widths: Counter[tuple[str, int]] = Counter()
    layers: set[int] = set()
    hidden = _number(text, "hidden_size", "n_embd")
    vocabulary = _number(text, "vocab_size")
    for name, shape in tensors:
        module, _, kind = name.rpartition(".")
        # Buffers that old checkpoints carry (masks, rotary tables) are no parameters.
        if kind not in ("weight", "bias") or not 1 <= len(shape) <= 2:
            continue
        if tied and module.endswith(("lm_head", "embed_out")):
            continue
        elements = 1
        for extent in shape:
            elements *= extent
        parameters += elements
        if (layer := layer_of(name)) is None:
            continue
        layers.add(layer)
        if len(shape) == 2:
            matrices[_LAYER.sub("{}", module), shape].append(layer)
        elif kind == "weight":
            widths[_LAYER.sub("{}", module), shape[0]] += 1
    heads = _number(text, "num_attention_heads", "n_head") or 1
    key_heads = _number(text, "num_key_value_heads") or heads
    known = tuple(
        Matrix(name, family.kind_of(name.replace("{}", "0")), shape[0], shape[1], tuple(sorted(found)))
        for (name, shape), found in matrices.items()
    )
    into = [matrix for matrix in known if matrix.kind == "mlp.in"]
    return ModelShape(
        layers=len(layers),
        hidden=hidden,
        heads=heads,
        key_heads=key_heads,
        head_width=_number(text, "head_dim") or hidden // heads,
        inner=max((matrix.rows for matrix in into), default=_number(text, "intermediate_size") or 4 * hidden),
        vocabulary=vocabulary,
        parameters=parameters,
        matrices=known,
        columns=family.columns,
        is_gated=len({matrix.name for matrix in into}) > 1,
        is_fused=any("query_key_value" in matrix.name for matrix in known),
        norms=len({name for name, width in widths if width == hidden and "norm" in name}) or 2,
        normed_heads=any(name.endswith(("q_norm", "k_norm")) for name, _ in widths),
        is_packed=architecture_of(config) in PACKED and not any(text.get(name) for name in SOFTCAPS),
    )


def _number(config: Mapping[str, Any], *keys: str) -> int:
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and value > 0:
            return value
    return 0
