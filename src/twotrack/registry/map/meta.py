"""The tensors of an architecture without a rule: of a model that transformers builds without weights.

Runs in a confined child of its own: python -m twotrack.registry.map.meta CONFIG_JSON
"""

import os
from pathlib import Path
from typing import Any

from twotrack.core.imports import TRANSFORMERS, import_large
from twotrack.core.language import Text
from twotrack.registry.confined import Limits, confined_main
from twotrack.registry.errors import ArchitectureUnmapped
from twotrack.registry.families import architecture_of
from twotrack.registry.inspection import read_json
from twotrack.registry.map.sizes import sizes_of

# Importing torch maps some gigabytes that it never touches, and tries to write a temporary file.
LIMITS = Limits(seconds=180, memory_mib=16 * 1024, written_bytes=2**12)
_MOST_TENSORS = 100_000


def _body(arguments: list[str]) -> Any:
    config = read_json(Path(arguments[0]))
    sizes_of(config)
    architecture = architecture_of(config)
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    import_large(*TRANSFORMERS)
    import torch
    import transformers

    kind = getattr(transformers, architecture, None)
    if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
        why = Text("transformers has no such class", "transformers에 없는 클래스입니다")
        raise ArchitectureUnmapped(architecture=architecture[:200], why=why)
    try:
        given = {key: value for key, value in config.items() if key not in ("model_type", "auto_map")}
        made = transformers.AutoConfig.for_model(str(config.get("model_type")), **given)
        with torch.device("meta"):
            model = kind(made)
    except Exception as error:
        # Whatever a library makes of a configuration that nobody checked.
        said = f"{type(error).__name__}: {error}"[:300]
        raise ArchitectureUnmapped(architecture=architecture[:200], why=Text(said, said)) from None
    found = [(name, list(parameter.shape)) for name, parameter in model.named_parameters()]
    if len(found) > _MOST_TENSORS:
        why = Text("it has too many tensors", "텐서가 너무 많습니다")
        raise ArchitectureUnmapped(architecture=architecture[:200], why=why)
    return found


if __name__ == "__main__":
    confined_main(_body)
