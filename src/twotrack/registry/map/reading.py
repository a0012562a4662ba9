"""The map of what lies at a path, read in a confined child.

By hand: python -m twotrack.registry.map.reading PATH    (a folder, a config.json or a .gguf; prints JSON)
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from twotrack.core.language import Text
from twotrack.registry.confined import confined_main, run_confined
from twotrack.registry.errors import ArchitectureUnmapped, IncompleteModel, NotAModel, UnreadableModel
from twotrack.registry.families import Family, architecture_of, recognize
from twotrack.registry.gguf_header import read_gguf_header
from twotrack.registry.inspection import gguf_config, read_json
from twotrack.registry.map import meta
from twotrack.registry.map.build import Tensor, build_map
from twotrack.registry.map.places import place_of
from twotrack.registry.map.rules import tensors_of
from twotrack.registry.map.schemas import ModelMap
from twotrack.registry.safetensors_header import read_safetensors_header

_DTYPES = {
    "bfloat16": "BF16",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "float8_e4m3fn": "F8_E4M3",
}
_PLAIN = ("F32", "F16", "BF16", "F64")


async def map_model(path: Path, *, subject: str | None = None) -> ModelMap:
    """The map of a folder, a config.json or a .gguf file. Errors call it `subject`.

    Raises:
        TwotrackError: why there is no map of it (registry/errors.py).
    """
    subject = subject or path.name
    found = await run_confined(__name__, [str(path), subject], subject=subject)
    try:
        if isinstance(found, dict) and found.keys() == {"unknown"}:
            if find_spec("torch") is None or find_spec("transformers") is None:
                raise ArchitectureUnmapped(architecture=str(found["unknown"])[:200], why=_NO_TORCH)
            configuration = path if path.is_file() else path / "config.json"
            tensors = await run_confined(
                meta.__name__, [str(configuration)], subject=subject, limits=meta.LIMITS
            )
            given = [(str(name), tuple(map(int, shape))) for name, shape in tensors]
            return _of_config(read_json(configuration), given, "meta")
        return ModelMap.model_validate(found)
    except (ValidationError, TypeError, ValueError):
        # Only a child that was taken over answers so.
        why = Text("its map makes no sense", "지도가 앞뒤가 맞지 않습니다")
        raise UnreadableModel(file=subject, why=why) from None


def _body(arguments: list[str]) -> Any:
    path = Path(arguments[0])
    found = read_map(path, arguments[-1])
    if found is None:
        configuration = path if path.is_file() else path / "config.json"
        return {"unknown": architecture_of(read_json(configuration))}
    return found.model_dump(mode="json")


def read_map(path: Path, subject: str) -> ModelMap | None:
    """The map, in this process; None for an architecture without a rule whose weights are not there."""
    if path.is_file() and path.suffix.lower() == ".gguf":
        return _of_gguf(path)
    folder = path if path.is_dir() else path.parent
    configuration = path if path.is_file() else path / "config.json"
    weights = sorted(folder.glob("*.safetensors")) if path.is_dir() else []
    if not configuration.is_file():
        gguf = sorted(folder.glob("*.gguf")) if path.is_dir() else []
        if len(gguf) == 1:
            return _of_gguf(gguf[0])
        raise IncompleteModel(place=subject, missing="config.json") if weights else NotAModel(place=subject)
    config = read_json(configuration)
    architecture = architecture_of(config)
    # Packed weights have the shapes of their packing, so their modules come from the configuration.
    if weights and not config.get("quantization_config"):
        tensors: list[Tensor] = [
            (tensor.name, tensor.shape, tensor.dtype)
            for file in weights
            for tensor in read_safetensors_header(file)
        ]
        return build_map(
            tensors,
            config,
            architecture=architecture,
            family=_family(config, [name for name, _, _ in tensors]),
            way="headers",
            form="safetensors",
            quantization=None,
        )
    computed = tensors_of(str(config.get("model_type")), architecture, config)
    if computed is None:
        return None
    return _of_config(config, computed, "config")


def _of_config(
    config: Mapping[str, Any],
    tensors: Sequence[tuple[str, tuple[int, ...]]],
    way: Literal["config", "meta"],
) -> ModelMap:
    said = str(config.get("dtype") or config.get("torch_dtype") or "float32").removeprefix("torch.")
    dtype = _DTYPES.get(said, said[:20])
    quantization = _quantization(config)
    family = _family(config, [name for name, _ in tensors])
    held: list[Tensor] = [
        (name, shape, quantization if quantization and _is_packed(name, shape) else dtype)
        for name, shape in tensors
    ]
    return build_map(
        held,
        config,
        architecture=architecture_of(config),
        family=family,
        way=way,
        form="config",
        quantization=quantization,
    )


def _is_packed(name: str, shape: tuple[int, ...]) -> bool:
    return len(shape) > 1 and place_of(name).layer is not None


def _of_gguf(file: Path) -> ModelMap:
    header = read_gguf_header(file)
    if not header.text("general.architecture") or not header.tensors:
        raise NotAModel(place=file.name)
    config = gguf_config(header)
    names = [tensor.name for tensor in header.tensors]
    if "output.weight" in names:
        config["tie_word_embeddings"] = False
    kinds: dict[str, int] = {}
    for tensor in header.tensors:
        kinds[tensor.dtype] = kinds.get(tensor.dtype, 0) + tensor.elements
    most = max(kinds, key=lambda kind: kinds[kind])
    return build_map(
        [(tensor.name, tensor.shape, tensor.dtype) for tensor in header.tensors],
        config,
        architecture=architecture_of(config),
        family=_family(config, names),
        way="headers",
        form="gguf",
        quantization=None if most in _PLAIN else most,
    )


def _family(config: Mapping[str, Any], names: Sequence[str]) -> Family:
    return recognize(config, [name.removesuffix(".weight") for name in names])


def _quantization(config: Mapping[str, Any]) -> str | None:
    how = config.get("quantization_config")
    if not isinstance(how, Mapping):
        return None
    method = str(how.get("quant_method") or "quantized")[:40]
    bits = 4 if how.get("load_in_4bit") else 8 if how.get("load_in_8bit") else how.get("bits")
    return f"{method} {bits}-bit" if isinstance(bits, int) else method


_NO_TORCH = Text(
    "no rule of the studio knows it, and transformers is not installed to build it without weights",
    "스튜디오에 이 구조의 규칙이 없고, 가중치 없이 구성해 볼 transformers도 설치되어 있지 않습니다",
)

if __name__ == "__main__":
    confined_main(_body)
