"""From the registry to an engine: which kind serves a variant, from which files, in how much context."""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakValueDictionary

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.engines.machine import has_gpu, usable_memory
from twotrack.engines.memory import (
    config_cache_shape,
    likely_precision,
    llama_cpp_bytes,
    transformers_bytes,
)
from twotrack.engines.port import (
    ONLY_TRANSFORMERS,
    AdapterFile,
    BranchesUnsupported,
    EngineKind,
    EngineSpec,
)
from twotrack.registry.boards import branches_of, family_of, grid_of
from twotrack.registry.conversion import (
    GgufKind,
    ensure_adapter_parts,
    ensure_gguf,
    ensure_safetensors,
    ensure_tokenizer,
)
from twotrack.registry.fingerprint import verify_base
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Adapter, Base, Variant

_log = logging.getLogger(__name__)

_MIB = 2**20
_CONTEXT: dict[EngineKind, int | None] = {
    "llama_cpp": 4096,
    "transformers": 8192,
    "openai_compatible": None,
}
"""Tokens of context unless somebody asks for more: llama.cpp takes the memory for them when it starts. A
remote server has a length of its own."""
_BYTES_A_WEIGHT: dict[GgufKind, float] = {"f32": 4, "q8_0": 34 / 32, "q4_0": 18 / 32}
_PARALLEL = 4
_NOT_INSTALLED = Text("transformers is not installed", "transformers가 설치되어 있지 않습니다")
_LEAST_CACHE = 384 * _MIB


async def spec_for(
    variant: Variant,
    base: Base,
    adapters: Sequence[Adapter],
    layout: Layout,
    *,
    kind: EngineKind | None = None,
    branches: bool | None = None,
    exact: bool = False,
    threads: int | None = None,
    context_length: int | None = None,
) -> EngineSpec:
    """How to run `variant`. `adapters` are those of its base: all of them are loaded together, so that
    variants of one base share an engine; one that cannot be loaded is left out unless `variant` uses it.

    Without `kind`: the remote server of a remote base; transformers where there is a GPU that torch can use,
    or where `branches` of the base itself are to be turned (by default: whether the variant does so); else
    llama.cpp. `exact` (for parity checks) takes the weights in 32-bit floats.

    Files that an engine needs are converted on first use, which can take minutes. The base's files are
    verified against their fingerprint whenever they are new to this process or look changed.

    Raises:
        BaseAltered: the base's files are not what they were.
        BranchesUnsupported: branches are to be turned, and transformers is not there or not asked for.
        ConversionUnsupported, AdapterUnsupported, DiskFull: from the registry's conversions.
    """
    if branches is None:
        branches = variant.base_board is not None
    chosen = _kind_for(variant.name, base, kind, branches)
    await _verify_once(layout, base)
    needed = {one.adapter_id for one in variant.adapters}
    files = []
    if chosen != "openai_compatible":
        for adapter in adapters:
            try:
                files.append(AdapterFile(str(adapter.id), await _adapter_path(chosen, layout, base, adapter)))
            except TwotrackError as error:
                if adapter.id in needed:
                    raise
                _log.warning("adapter %s is left out: %s", adapter.name, error)
    context = min(base.context_length, context_length or _CONTEXT[chosen] or base.context_length)
    parallel = _PARALLEL if chosen != "llama_cpp" else _slots(base, context, exact)
    remote = base.details.get("remote") or {}
    return EngineSpec(
        kind=chosen,
        model=await _model_path(chosen, layout, base, exact),
        context_length=context,
        adapters=tuple(files),
        precision="fp32" if exact else "auto",
        threads=threads,
        parallel=parallel,
        exact=exact,
        endpoint=remote.get("endpoint") if chosen == "openai_compatible" else None,
        endpoint_model=remote.get("model") if chosen == "openai_compatible" else None,
        grid=grid_of(base),
        kinds=tuple(family_of(base).kinds.items()),
        branches=tuple(branches_of(base).items()),
    )


def _kind_for(name: str, base: Base, asked: EngineKind | None, branches: bool) -> EngineKind:
    if base.format == "remote":
        return "openai_compatible"
    if branches and asked == "llama_cpp":
        raise BranchesUnsupported(model=name, why=ONLY_TRANSFORMERS)
    if branches and (find_spec("torch") is None or find_spec("transformers") is None):
        raise BranchesUnsupported(model=name, why=_NOT_INSTALLED)
    return asked or ("transformers" if branches or _torch_has_gpu() else "llama_cpp")


@dataclass(frozen=True)
class MemoryNeed:
    """What an engine will take; `how` says in which form it would be loaded: q8_0, fp32, remote, …"""

    bytes: int
    how: str


def foresee_memory(base: Base, adapters: Sequence[Adapter], *, branches: bool = False) -> MemoryNeed:
    """What `spec_for` and `estimate_memory` come to, foreseen without converting or reading a file.
    `branches`: whether the base's own are turned."""
    if base.format == "remote":
        return MemoryNeed(0, "remote")
    kind: EngineKind = "transformers" if branches or _torch_has_gpu() else "llama_cpp"
    context = min(base.context_length, _CONTEXT[kind] or base.context_length)
    shape = config_cache_shape(base.details.get("config") or {})
    parameters = base.parameters or 0
    added = sum(file.size for adapter in adapters for file in adapter.files)
    if kind == "transformers":
        tokens = context * _PARALLEL
        precision = likely_precision(parameters, added, shape, tokens)
        return MemoryNeed(transformers_bytes(parameters, added, shape, tokens, precision), precision)
    tokens = context * _slots(base, context, exact=False)
    # Whole and in parts.
    added *= 2
    if base.format == "gguf":
        files = sum(file.size for file in base.files)
        return MemoryNeed(llama_cpp_bytes(files + added, shape, tokens), "gguf")
    quantization = _quantization(base)
    files = int(parameters * _BYTES_A_WEIGHT[quantization])
    return MemoryNeed(llama_cpp_bytes(files + added, shape, tokens), quantization)


async def _model_path(kind: EngineKind, layout: Layout, base: Base, exact: bool) -> Path:
    match kind:
        case "openai_compatible":
            return await ensure_tokenizer(layout, base)
        case "transformers":
            return await ensure_safetensors(layout, base)
        case "llama_cpp":
            if base.format == "gguf" and not exact:
                (name,) = (file.path for file in base.files if file.path.endswith(".gguf"))
                return layout.base(base.id) / name
            return await ensure_gguf(layout, base, "f32" if exact else _quantization(base))


async def _adapter_path(kind: EngineKind, layout: Layout, base: Base, adapter: Adapter) -> Path:
    folder = layout.adapter(adapter.id)
    if kind == "transformers":
        return folder
    return await ensure_adapter_parts(layout, base, adapter.id, folder)


def _quantization(base: Base) -> GgufKind:
    """8 bits a weight, hardly different from the original; 4 where that would take 40 % of the memory."""
    eight_bits = (base.parameters or 0) * _BYTES_A_WEIGHT["q8_0"]
    return "q8_0" if eight_bits < 0.4 * usable_memory() else "q4_0"


def _slots(base: Base, context_length: int, exact: bool) -> int:
    """How many requests llama.cpp decodes together: each slot's cache is allocated at the start.

    All caches together take at most half of what the weights take in 8 bits, a sixth of the memory, and in
    any case a small model's 384 MiB.
    """
    cache = config_cache_shape(base.details.get("config") or {}).bytes_a_token(exact=exact) * context_length
    limit = max(_LEAST_CACHE, min((base.parameters or 0) // 2, usable_memory() // 6))
    return max(1, min(_PARALLEL, limit // cache)) if cache else _PARALLEL


_Seen = tuple[tuple[str, int, int, int], ...]

_verified: dict[str, _Seen] = {}
"""A base's folder → path, inode, size and time of change of its files when their hashes were right."""
_verifying: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def _verify_once(layout: Layout, base: Base) -> None:
    """`verify_base`, unless the files look just as they did when this process verified them last."""
    folder = layout.base(base.id)
    # Whoever asks for it meanwhile waits, instead of reading the same gigabytes again.
    lock = _verifying.setdefault(str(folder), asyncio.Lock())
    async with lock:
        if (seen := _look(folder, base)) is not None and _verified.get(str(folder)) == seen:
            return
        await verify_base(layout, base)
        if seen is not None:
            _verified[str(folder)] = seen


def _look(folder: Path, base: Base) -> _Seen | None:
    try:
        stats = [(file.path, (folder / file.path).stat()) for file in base.files]
    except OSError:
        return None
    return tuple((path, one.st_ino, one.st_size, one.st_mtime_ns) for path, one in stats)


@lru_cache(maxsize=1)
def _torch_has_gpu() -> bool:
    """Whether there is a GPU and a torch that was built for one, found out without importing torch."""
    if not has_gpu() or os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return False
    try:
        # Generated by torch's build: `cuda: Optional[str] = None` in one for processors.
        built = (Path(torch.origin).parent / "version.py").read_text()
    except OSError:
        return False
    return any(line.startswith("cuda") and not line.rstrip().endswith("None") for line in built.splitlines())
