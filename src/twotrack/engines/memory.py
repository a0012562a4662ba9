"""How much memory an engine will take, estimated from its files before anything is loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack.engines.machine import usable_memory
from twotrack.engines.port import EngineSpec, Precision
from twotrack.registry.gguf_header import GgufHeader, read_gguf_header
from twotrack.registry.safetensors_header import read_safetensors_header

_MIB = 2**20

# What a child takes beside weights and cache: the interpreter, the libraries, buffers for the computation.
# Measured: 64 MiB with llama.cpp, 290 MiB with torch on the processor, more while it loads.
_LLAMA_CPP_BYTES = 120 * _MIB
_TRANSFORMERS_BYTES = 600 * _MIB

# The default memory budget, as a share of the machine's memory.
_SHARE_FOR_MODELS = 0.7

_BYTES_A_PARAMETER = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.7}
"""nf4: half a byte, its scales, and the output matrix in 16 bits."""


@dataclass(frozen=True)
class CacheShape:
    """What the key/value cache keeps for each token."""

    layers: int
    key_width: int
    """Heads × width of a head, of the keys of one layer."""
    value_width: int

    def bytes_a_token(self, *, exact: bool = False) -> int:
        """In 16-bit floats, or 32-bit ones where `exact`."""
        return self.layers * (self.key_width + self.value_width) * (4 if exact else 2)


def estimate_memory(spec: EngineSpec) -> int:
    """Bytes that an engine of `spec` takes when all its slots are full.

    Raises:
        BrokenModelFile: the model's header cannot be read.
    """
    adapters = sum(_size(adapter.path) for adapter in spec.adapters)
    if spec.kind == "openai_compatible":
        return 0
    if spec.kind == "llama_cpp":
        shape = gguf_cache_shape(read_gguf_header(spec.model))
        tokens = spec.context_length * spec.parallel
        return llama_cpp_bytes(_size(spec.model) + adapters, shape, tokens, exact=spec.exact)
    parameters = sum(
        tensor.elements
        for file in sorted(spec.model.glob("*.safetensors"))
        for tensor in read_safetensors_header(file)
    )
    shape = config_cache_shape(json.loads((spec.model / "config.json").read_text()))
    tokens = spec.context_length * spec.parallel
    precision = spec.precision
    if precision == "auto":
        precision = "fp32" if spec.exact else likely_precision(parameters, adapters, shape, tokens)
    return transformers_bytes(parameters, adapters, shape, tokens, precision)


def llama_cpp_bytes(files: int, shape: CacheShape, tokens: int, *, exact: bool = False) -> int:
    """`files` is the size of weights and adapters, `tokens` the context of all slots together."""
    return files + shape.bytes_a_token(exact=exact) * tokens + _LLAMA_CPP_BYTES


def transformers_bytes(
    parameters: int, adapters: int, shape: CacheShape, tokens: int, precision: Precision
) -> int:
    # Caches of the requests in progress grow with them: half of the longest is the rule of thumb.
    cache = shape.bytes_a_token(exact=precision == "fp32") * tokens // 2
    return int(parameters * _BYTES_A_PARAMETER[precision]) + adapters + cache + _TRANSFORMERS_BYTES


def likely_precision(parameters: int, adapters: int, shape: CacheShape, tokens: int) -> Precision:
    """What "auto" comes to at most: it falls back to four bits where nothing larger fits, and what has no
    room must not be refused for it."""
    whole = transformers_bytes(parameters, adapters, shape, tokens, "fp32")
    return "fp32" if whole <= usable_memory() * _SHARE_FOR_MODELS else "nf4"


def gguf_cache_shape(header: GgufHeader) -> CacheShape:
    """From the metadata that llama.cpp itself goes by; 0 layers where the header does not tell."""
    name = header.text("general.architecture") or ""
    layers = header.number(f"{name}.block_count") or 0
    width = header.number(f"{name}.embedding_length") or 0
    heads = header.number(f"{name}.attention.head_count") or 1
    cached_heads = header.number(f"{name}.attention.head_count_kv") or heads
    key = header.number(f"{name}.attention.key_length") or width // heads
    value = header.number(f"{name}.attention.value_length") or width // heads
    return CacheShape(layers, cached_heads * key, cached_heads * value)


def config_cache_shape(config: Mapping[str, Any]) -> CacheShape:
    """From a config.json's entries; 0 layers where they do not tell."""
    config = config.get("text_config", config)
    layers = _number(config, "num_hidden_layers")
    heads = _number(config, "num_attention_heads") or 1
    cached_heads = _number(config, "num_key_value_heads") or heads
    width = _number(config, "head_dim") or _number(config, "hidden_size") // heads
    return CacheShape(layers, cached_heads * width, cached_heads * width)


def _number(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files; 0 for what is not there."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size if path.is_file() else 0
