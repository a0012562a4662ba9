"""The other forms of bases and adapters: tokenizer folders, safetensors, GGUF, GGUF adapters.

Each is made once, in a child process, and kept below the data folder's derived/; whoever asks for what is
being made waits for it. Nothing here needs torch.
"""

from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

from twotrack.core.language import Text
from twotrack.registry.boards import family_of
from twotrack.registry.conversion.cache import derive
from twotrack.registry.errors import IncompleteModel
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

GgufKind = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]

# Part of the folders' names: a change in what a conversion writes raises its number, and old results are
# made anew instead of being trusted.
_VERSIONS = {"tokenizer": 1, "safetensors": 1, "gguf": 1, "adapter": 2}


async def ensure_tokenizer(layout: Layout, base: Base) -> Path:
    """A folder with the base's tokenizer.json, tokenizer_config.json (with chat_template) and config.json.

    Raises:
        TokenizerUnsupported, BrokenModelFile: the base has none that can be used.
    """
    target = layout.derived(base.id) / f"tokenizer-{_VERSIONS['tokenizer']}"
    return await derive(layout, target, _request("tokenizer", layout, base), subject=base.name)


async def ensure_safetensors(layout: Layout, base: Base) -> Path:
    """A folder that transformers loads. A safetensors base is its own; a GGUF base is dequantized to fp32.

    Raises:
        ConversionUnsupported: an architecture, or a feature of it, that is not in the table.
        DiskFull, BrokenModelFile
    """
    _require_weights(base)
    if base.format == "safetensors":
        return layout.base(base.id)
    target = layout.derived(base.id) / f"safetensors-{_VERSIONS['safetensors']}"
    request = _request("safetensors", layout, base, tokenizer=str(await ensure_tokenizer(layout, base)))
    return await derive(layout, target, request, subject=base.name)


async def ensure_gguf(layout: Layout, base: Base, kind: GgufKind) -> Path:
    """The base as one GGUF file with its weights in `kind` (vectors and odd rows stay in floats).

    Raises:
        ConversionUnsupported: a safetensors base of an architecture that is not in the table.
        DiskFull, BrokenModelFile
    """
    if kind not in get_args(GgufKind):
        raise ValueError(f"not a kind of GGUF: {kind!r}")
    _require_weights(base)
    target = layout.derived(base.id) / f"gguf-{_VERSIONS['gguf']}" / f"{kind}.gguf"
    request = _request("gguf", layout, base, kind=kind)
    if base.format == "safetensors":
        request["tokenizer"] = str(await ensure_tokenizer(layout, base))
    return await derive(layout, target, request, subject=base.name)


async def ensure_adapter_parts(layout: Layout, base: Base, adapter_id: UUID, adapter_folder: Path) -> Path:
    """A PEFT LoRA folder as a folder of GGUF adapters for llama.cpp: whole, and a part for each cell of every
    layer (adapter_gguf.adapter_to_parts). Their scale 1 is the adapter as trained.

    Raises:
        AdapterUnsupported: something that is not plain LoRA on linear layers of the body.
        ConversionUnsupported: an architecture that is not in the table.
    """
    _require_weights(base)
    target = layout.derived_adapter(adapter_id) / f"adapter-{_VERSIONS['adapter']}"
    request = _request(
        "adapter",
        layout,
        base,
        adapter=str(adapter_folder),
        kinds=dict(family_of(base).kinds),
        tokenizer=str(await ensure_tokenizer(layout, base)),
    )
    return await derive(layout, target, request, subject=base.name)


def _require_weights(base: Base) -> None:
    if base.format == "remote":
        raise IncompleteModel(
            place=base.name,
            missing=Text("its weights (it runs on another server)", "가중치(다른 서버에서 실행됨)"),
        )


def _request(work: str, layout: Layout, base: Base, **more: Any) -> dict[str, Any]:
    return {
        "work": work,
        "name": base.name,
        "family": base.family,
        "form": base.format,
        "folder": str(layout.base(base.id)),
        "files": [file.path for file in base.files],
        **more,
    }
