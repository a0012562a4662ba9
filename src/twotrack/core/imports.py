"""Large libraries, imported in the time that it takes to read them."""

import gc
import sys
from importlib import import_module

TRANSFORMERS = ("torch", "transformers.modeling_utils")
"""What a process imports that only loads a model; training imports more."""


def import_large(*names: str) -> None:
    """Import modules with the garbage collector at rest; what is there afterwards it never looks at again.

    A library of a thousand modules makes hundreds of thousands of objects and drops next to none of them,
    and the collector goes through all of them again and again as they become more: a quarter of the processor
    time that torch, transformers, PEFT and TRL take together (docs/decisions/0028). For a process at its
    start, before it has anything large of its own; where all of them are imported already, nothing is done.

    Raises:
        ImportError
    """
    if all(name in sys.modules for name in names):
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for name in names:
            import_module(name)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
