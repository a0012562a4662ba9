"""How large the weights are: reads every one of them, in a confined child.

The Frobenius norm of a matrix is √Σw², the root mean square √(Σw²/n); quantized weights are taken as what
they stand for.
"""

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twotrack.core.language import Text
from twotrack.registry.confined import Limits, confined_main, run_confined
from twotrack.registry.conversion.gguf_reading import StoredTensor, read_gguf
from twotrack.registry.conversion.safetensors_files import read_safetensors
from twotrack.registry.errors import NotAModel, UnreadableModel
from twotrack.registry.map.places import place_of
from twotrack.registry.map.reading import read_map
from twotrack.registry.map.schemas import CellNorm, MapNorms, ModuleNorm

_CHUNK_BYTES = 16 * 2**20
_LIMITS = Limits(seconds=900, memory_mib=6 * 1024)


async def read_norms(path: Path, *, subject: str | None = None) -> MapNorms:
    """The norms of the weights in a folder or a .gguf file.

    Raises:
        NotAModel: no weights lie there.
        TwotrackError: why they cannot be read.
    """
    subject = subject or path.name
    found = await run_confined(__name__, [str(path), subject], subject=subject, limits=_LIMITS)
    try:
        return MapNorms.model_validate(found)
    except ValidationError:
        # Only a child that was taken over answers so, or weights that are not finite.
        why = Text("its weights have no finite norms", "가중치의 노름이 유한하지 않습니다")
        raise UnreadableModel(file=subject, why=why) from None


def _body(arguments: list[str]) -> Any:
    path, subject = Path(arguments[0]), arguments[-1]
    made = read_map(path, subject)
    columns = {} if made is None else {(one.name, one.stack): one.column for one in made.modules}
    modules = []
    squares: dict[tuple[str, int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for tensor in _weights(path, subject):
        if len(tensor.shape) < 2 or not tensor.elements:
            continue
        place = place_of(tensor.name)
        column = columns.get((place.module, place.stack))
        square = _square(tensor)
        modules.append(
            ModuleNorm(
                name=tensor.name[:300],
                layer=place.layer,
                stack=place.stack,
                column=column,
                frobenius=math.sqrt(square),
                rms=math.sqrt(square / tensor.elements),
            )
        )
        if column is not None and place.layer is not None and place.stack is not None:
            cell = squares[place.stack, place.layer, column]
            cell[0] += square
            cell[1] += tensor.elements
    cells = tuple(
        CellNorm(
            stack=stack,
            layer=layer,
            column=column,
            frobenius=math.sqrt(square),
            rms=math.sqrt(square / elements),
        )
        for (stack, layer, column), (square, elements) in squares.items()
    )
    return MapNorms(modules=tuple(modules), cells=cells).model_dump(mode="json")


def _weights(path: Path, subject: str) -> list[StoredTensor]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    gguf = [file for file in files if file.suffix.lower() == ".gguf"]
    tensors = [file for file in files if file.suffix.lower() == ".safetensors"]
    if tensors:
        return list(read_safetensors(tensors).values())
    if len(gguf) != 1:
        raise NotAModel(place=subject)
    return list(read_gguf(gguf[0]).tensors.values())


def _square(tensor: StoredTensor) -> float:
    """Σw². A part of 32-bit floats is summed in pairs, and the parts in 64 bits."""
    import numpy as np

    total = 0.0
    for rows in tensor.rows(_CHUNK_BYTES):
        total += float(np.sum(np.square(rows, dtype=np.float64)))
    return total


if __name__ == "__main__":
    confined_main(_body)
