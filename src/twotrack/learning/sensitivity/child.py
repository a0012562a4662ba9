"""The measuring child: `python -m twotrack.learning.sensitivity.child FOLDER`, a process under the worker.

Reads FOLDER/ask.json and tells each row's squared gradients as a JSON line on standard output; what libraries
print goes to standard error. It writes nothing but what it chose to compute in, and never the base.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from twotrack.core import processes
from twotrack.core.errors import TwotrackError
from twotrack.core.folders import try_lock
from twotrack.core.imports import TRANSFORMERS, import_large
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.errors import GradientNotFinite
from twotrack.learning.train import child as training
from twotrack.learning.train.loading import spare_bitsandbytes

_LOCK_SECONDS = 0.2

ERRORS: dict[str, type[TwotrackError]] = {**training.ERRORS, GradientNotFinite.__name__: GradientNotFinite}
"""What it may end with."""


class Asked(BaseModel):
    """Rows by what they are known as. `precision` is a recipe's."""

    model_config = ConfigDict(frozen=True)

    model: Path
    base: str
    family: str
    kinds: dict[str, str]
    precision: Literal["auto", "fp32", "bf16"]
    choices: Path
    """The folder where what was measured before was chosen, or will be."""
    rows: dict[str, Row]


class SensedModule(BaseModel):
    """A module whose gradients are told, and how many weights it has: `outputs` × `inputs`."""

    model_config = ConfigDict(frozen=True)

    name: str
    layer: int
    column: str
    outputs: int
    inputs: int


class Said(BaseModel):
    """A line of the child: what is looked at, what a row came to, or what went wrong."""

    stage: str | None = None
    modules: tuple[SensedModule, ...] | None = None
    precision: Literal["fp32", "bf16"] | None = None
    device: str | None = None
    row: str | None = None
    loss: float | None = None
    squares: tuple[float, ...] | None = None
    """Of the modules, in their order."""
    is_done: bool = False
    error: str | None = None
    values: dict[str, str] | None = None


def measure(asked: Asked, say: Callable[[Said], None]) -> None:
    """
    Raises:
        BuiltOtherwise, DeviceGone, GradientNotFinite, TrainingOutOfMemory
    """
    say(Said(stage="loading"))
    import_large(*TRANSFORMERS)
    import torch

    from twotrack.learning.sensitivity.gradients import Gradients, modules_of
    from twotrack.learning.train.loading import load_base
    from twotrack.learning.train.plan import RunFolder
    from twotrack.learning.train.recipe import Recipe
    from twotrack.registry.families import Family

    recipe = Recipe(base=asked.base, name="sensitivity", precision=asked.precision)
    choices = training.choose(recipe, RunFolder(asked.choices))
    torch.set_num_threads(choices.threads)
    model = load_base(asked.model, precision=choices.precision, device=choices.device, quantized=False)
    if choices.device == "cuda":
        model.to("cuda")
    modules = modules_of(model, Family(name=asked.family, architectures=(), kinds=asked.kinds))
    say(
        Said(
            modules=tuple(SensedModule(**vars(one)) for one in modules),
            precision=choices.precision,
            device=choices.device,
        )
    )
    gradients = Gradients(model, modules, bf16=choices.precision == "bf16")
    for key, row in asked.rows.items():
        loss, squares = gradients.squares(row)
        say(Said(row=key, loss=loss, squares=tuple(squares)))
    say(Said(is_done=True))


def main() -> None:
    processes.watch_lifeline()
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(said: Said) -> None:
        channel.write(said.model_dump_json(exclude_defaults=True) + "\n")
        channel.flush()

    folder = Path(sys.argv[1])
    try:
        asked = Asked.model_validate_json((folder / "ask.json").read_bytes())
        spare_bitsandbytes(asked.model, quantized=False)
        # A child of an earlier attempt may still be on its way out, and hold the memory.
        while try_lock(asked.choices / "lock") is None:
            time.sleep(_LOCK_SECONDS)
        measure(asked, say)
    except Exception as error:
        import traceback

        from twotrack.learning.train.plan import RunFolder

        traceback.print_exc()
        told = training.explained(error, RunFolder(folder))
        values = {name: str(value) for name, value in told.values.items()}
        say(Said(error=type(told).__name__, values=values))
        sys.exit(1)
    # An ordinary exit would take the libraries seconds to clear away.
    os._exit(0)


if __name__ == "__main__":
    main()
