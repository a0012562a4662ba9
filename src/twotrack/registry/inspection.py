"""What a model is, from its headers and configuration alone, read in a child process.

By hand: python -m twotrack.registry.inspection PATH    (a .gguf file or a model's folder; prints JSON)
"""

import json
import math
import re
import stat
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from twotrack.core.language import Text
from twotrack.registry.confined import DEFAULT_LIMITS, Limits, confined_main, run_confined
from twotrack.registry.errors import (
    BrokenModelFile,
    CustomCodeRefused,
    IncompleteModel,
    NotAModel,
    PickleRefused,
    UnsafePath,
)
from twotrack.registry.families import architecture_of, recognize
from twotrack.registry.gguf_header import GgufHeader, TensorInfo, read_gguf_header
from twotrack.registry.safetensors_header import read_safetensors_header

if TYPE_CHECKING:
    from twotrack.registry.schemas import Description

REMOTE_FILE = "remote.json"
"""In the folder of a remote base: which server, which model there."""

_JSON_LIMIT = 64 * 2**20
_LISTED_MODULES = 2_000
# What a context is taken to hold where nothing says so.
_UNKNOWN_CONTEXT = 2_048
_LONGEST_CONTEXT = 2**27

# general.architecture of GGUF → model_type and class of transformers. What is missing keeps its own name.
_GGUF_ARCHITECTURES = {
    "llama": ("llama", "LlamaForCausalLM"),
    "gptneox": ("gpt_neox", "GPTNeoXForCausalLM"),
    "gemma": ("gemma", "GemmaForCausalLM"),
    "gemma2": ("gemma2", "Gemma2ForCausalLM"),
    "gemma3": ("gemma3_text", "Gemma3ForCausalLM"),
    "qwen2": ("qwen2", "Qwen2ForCausalLM"),
    "qwen3": ("qwen3", "Qwen3ForCausalLM"),
    "qwen2moe": ("qwen2_moe", "Qwen2MoeForCausalLM"),
    "qwen3moe": ("qwen3_moe", "Qwen3MoeForCausalLM"),
    "phi3": ("phi3", "Phi3ForCausalLM"),
    "gpt2": ("gpt2", "GPT2LMHeadModel"),
    "falcon": ("falcon", "FalconForCausalLM"),
    "starcoder2": ("starcoder2", "Starcoder2ForCausalLM"),
    "smollm3": ("smollm3", "SmolLM3ForCausalLM"),
    "olmo2": ("olmo2", "Olmo2ForCausalLM"),
    "exaone4": ("exaone4", "Exaone4ForCausalLM"),
}

# Key of GGUF below its architecture → key of transformers' config.json.
_GGUF_SIZES = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "vocab_size": "vocab_size",
}
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length")


async def inspect(
    path: Path,
    *,
    subject: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    waiting: Callable[[], Awaitable[None]] | None = None,
) -> "Description":
    """Describe the model in a folder, or the .gguf file at `path`, from a child process.

    Errors call a folder `subject`, if given, since the folder may be one of our own.

    Raises:
        TwotrackError: why it is no model that the studio takes (registry/errors.py).
    """
    from pydantic import ValidationError

    from twotrack.registry.errors import UnreadableModel
    from twotrack.registry.schemas import Description

    subject = subject or path.name
    arguments = [str(path), subject]
    found = await run_confined(__name__, arguments, subject=subject, limits=limits, waiting=waiting)
    try:
        return Description.model_validate(found)
    except ValidationError:
        # Only a child that was taken over answers so.
        raise UnreadableModel(
            file=subject, why=Text("its description makes no sense", "설명이 앞뒤가 맞지 않습니다")
        ) from None


async def inspect_configuration(folder: Path, subject: str) -> None:
    """Refuse early, before any weights are fetched, what needs code from its checkpoint.

    Raises:
        NeedsCheckpointCode, CustomCodeRefused, PickleRefused, BrokenModelFile, UnreadableModel
    """
    await run_confined(__name__, ["--configuration", str(folder), subject], subject=subject)


def describe(path: Path, subject: str) -> dict[str, Any]:
    """The fields of a `Description` of what lies at `path`. Runs in the child."""
    files = [path] if path.is_file() else _check_files(path)
    gguf = [file for file in files if file.suffix.lower() == ".gguf"]
    weights = [file for file in files if file.suffix.lower() == ".safetensors"]
    if path.is_file() and not gguf:
        _check_magic(path)
    if len(gguf) == 1 and not weights:
        return _describe_gguf(gguf[0], files)
    if gguf or not path.is_dir():
        raise NotAModel(place=subject)
    config = _configuration(path, files, subject)
    if (path / REMOTE_FILE).is_file():
        return _describe_remote(path, files, config, subject)
    if not weights:
        raise NotAModel(place=subject)
    tensors = _shards(path, weights, subject)
    if not has_tokenizer(file.name for file in files):
        raise IncompleteModel(place=subject, missing="tokenizer.json")
    return _description(path, files, config, tensors, form="safetensors")


def has_tokenizer(names: Iterable[str]) -> bool:
    """Whether a folder with these files can turn text into tokens."""
    present = set(names)
    return bool({"tokenizer.json", "tokenizer.model"} & present) or {"vocab.json", "merges.txt"} <= present


def _check_files(folder: Path) -> list[Path]:
    """All files of a folder, none of them more than a file, none of them a pickle whatever its name."""
    files = sorted(folder.iterdir())
    for file in files:
        if not stat.S_ISREG(file.lstat().st_mode):
            raise UnsafePath(
                path=file.name,
                why=Text("it is not an ordinary file", "일반 파일이 아닙니다"),
            )
        _check_magic(file)
    return files


def _check_magic(file: Path) -> None:
    with file.open("rb") as opened:
        start = opened.read(9)
    # The length of a safetensors header can look like a pickle's first bytes; then a brace follows.
    pickle = start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and start[8:9] != b"{"
    if (len(start) > 2 and pickle) or start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise PickleRefused(file=file.name)


def read_json(file: Path) -> dict[str, Any]:
    why = None
    content: Any = None
    if file.stat().st_size > _JSON_LIMIT:
        why = Text("it is too long", "너무 깁니다")
    else:
        try:
            content = json.loads(file.read_bytes())
        except (ValueError, RecursionError):
            why = Text("it is not JSON", "JSON이 아닙니다")
        if why is None and not isinstance(content, dict):
            why = Text("it is not a JSON object", "JSON 객체가 아닙니다")
    if why is not None:
        raise BrokenModelFile(file=file.name, why=why)
    return dict(content)


def _configuration(folder: Path, files: Iterable[Path], subject: str) -> dict[str, Any]:
    """config.json, after all configuration files were found free of code."""
    documents = {file.name: read_json(file) for file in files if file.name.endswith("config.json")}
    config = documents.get("config.json", {})
    if config:
        recognize(config)
    for name, document in documents.items():
        if document.get("auto_map"):
            raise CustomCodeRefused(file=name)
    if not config and not (folder / REMOTE_FILE).is_file():
        raise IncompleteModel(place=subject, missing="config.json")
    return config


def _shards(folder: Path, weights: Sequence[Path], subject: str) -> tuple[TensorInfo, ...]:
    tensors = {file.name: read_safetensors_header(file) for file in weights}
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        present = {(tensor.name, name) for name, found in tensors.items() for tensor in found}
        listed = read_json(index).get("weight_map")
        for tensor, file in listed.items() if isinstance(listed, dict) else ():
            if (tensor, file) not in present:
                raise IncompleteModel(place=subject, missing=f"{tensor!s:.80} in {file!s:.80}")
    elif any(re.search(r"-\d{5}-of-\d{5}\.safetensors$", name) for name in tensors):
        raise IncompleteModel(place=subject, missing=index.name)
    every = tuple(tensor for found in tensors.values() for tensor in found)
    if len({tensor.name for tensor in every}) != len(every):
        raise BrokenModelFile(
            file=subject, why=Text("a tensor lies in two of its files", "한 텐서가 두 파일에 있습니다")
        )
    return every


def _describe_gguf(file: Path, files: Sequence[Path]) -> dict[str, Any]:
    header = read_gguf_header(file)
    name = header.text("general.architecture")
    if header.text("general.type") not in (None, "model") or not name or not header.tensors:
        raise NotAModel(place=file.name)
    if header.number("split.count") not in (None, 0, 1):
        raise IncompleteModel(
            place=file.name, missing="the other parts (llama-gguf-split --merge joins them)"
        )
    config = gguf_config(header)
    if any(tensor.name == "output.weight" for tensor in header.tensors):
        config["tie_word_embeddings"] = False
    found = _description(file.parent, files, config, header.tensors, form="gguf")
    found["license"] = _clean((header.text("general.license") or "")[:200]) or found["license"]
    found["title"] = _clean((header.text("general.name") or "")[:200]) or None
    found["has_chat_template"] = header.text("tokenizer.chat_template") is not None
    return found


def _describe_remote(
    folder: Path, files: Sequence[Path], config: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    if not has_tokenizer(file.name for file in files):
        raise IncompleteModel(place=subject, missing="tokenizer.json")
    note = read_json(folder / REMOTE_FILE)
    found = _description(folder, files, config, (), form="remote")
    found["remote"] = {"endpoint": note["endpoint"], "model": note["model"]}
    if _is_context_length(note.get("context_length")):
        found["context_length"] = note["context_length"]
    return found


def gguf_config(header: GgufHeader) -> dict[str, Any]:
    """The main entries of a config.json for what a GGUF header describes."""
    name = header.text("general.architecture") or "unknown"
    model_type, architecture = _GGUF_ARCHITECTURES.get(name, (name, name))
    config: dict[str, Any] = {"model_type": model_type, "architectures": [architecture]}
    for key, ours in _GGUF_SIZES.items():
        if (value := header.number(f"{name}.{key}")) is not None:
            config[ours] = value
    if "vocab_size" not in config:
        length = getattr(header.metadata.get("tokenizer.ggml.tokens"), "length", None)
        config |= {} if length is None else {"vocab_size": length}
    return config | {"tie_word_embeddings": True}


def _description(
    folder: Path,
    files: Sequence[Path],
    config: Mapping[str, Any],
    tensors: Sequence[TensorInfo],
    *,
    form: str,
) -> dict[str, Any]:
    matrices = [t.name.removesuffix(".weight") for t in tensors if len(t.shape) == 2]
    dtypes = Counter[str]()
    for tensor in tensors:
        dtypes[tensor.dtype] += tensor.elements
    chat_template = (folder / "chat_template.jinja").is_file() or any(
        file.name == "tokenizer_config.json" and read_json(file).get("chat_template") for file in files
    )
    return {
        "format": form,
        "family": recognize(config, matrices).name,
        "architecture": _clean(architecture_of(config)[:200]),
        "config": _brief(config),
        "parameters": sum(dtypes.values()) or None,
        "context_length": _context_length(folder, config),
        "license": _license(files),
        "title": None,
        "has_chat_template": bool(chat_template),
        "dtypes": dict(dtypes.most_common()),
        "modules": _modules(tensors),
    }


def _context_length(folder: Path, config: Mapping[str, Any]) -> int:
    inner = config.get("text_config")
    for place in (config, inner if isinstance(inner, dict) else {}):
        for key in _CONTEXT_KEYS:
            value = place.get(key)
            if _is_context_length(value):
                return value
    tokenizer = folder / "tokenizer_config.json"
    value = read_json(tokenizer).get("model_max_length") if tokenizer.is_file() else None
    return value if _is_context_length(value) else _UNKNOWN_CONTEXT


def _is_context_length(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_CONTEXT


def _license(files: Iterable[Path]) -> str | None:
    for file in files:
        if file.name.upper().startswith("LICENSE"):
            with file.open("rb") as opened:
                start = opened.read(4096).decode(errors="replace")
            if "Apache License" in start and "Version 2.0" in start:
                return "apache-2.0"
            if "MIT License" in start:
                return "mit"
    return None


def _modules(tensors: Sequence[TensorInfo]) -> list[dict[str, Any]]:
    """The tensors with the layers' numbers taken out: what is the same in each layer is listed once."""
    counts = Counter((re.sub(r"\.\d+(?=\.)", ".{}", t.name), t.shape, t.dtype) for t in tensors)
    return [
        {"name": _clean(name[:200]), "shape": list(shape), "dtype": dtype, "count": count}
        for (name, shape, dtype), count in list(counts.items())[:_LISTED_MODULES]
    ]


def _brief(config: Mapping[str, Any]) -> dict[str, Any]:
    """The plain entries of a configuration; long lists and texts are left out."""
    brief: dict[str, Any] = {}
    for key, value in list(config.items())[:500]:
        if isinstance(value, dict) and key in ("text_config", "rope_scaling", "quantization_config"):
            brief[_clean(key)] = _brief(value)
        elif _is_plain(value) or (
            isinstance(value, list) and len(value) <= 16 and all(map(_is_plain, value))
        ):
            brief[_clean(key)] = [*map(_clean, value)] if isinstance(value, list) else _clean(value)
    return brief


def _is_plain(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, str) and len(value) <= 500)


def _clean(value: Any) -> Any:
    """Texts so that PostgreSQL takes them: no half surrogate pairs, no zero characters."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "�")
    return value


def _body(arguments: list[str]) -> Any:
    if arguments[:1] == ["--configuration"]:
        folder = Path(arguments[1])
        _configuration(folder, _check_files(folder), arguments[2])
        return None
    path = Path(arguments[0])
    return describe(path, arguments[1] if len(arguments) > 1 else path.name)


if __name__ == "__main__":
    confined_main(_body)
