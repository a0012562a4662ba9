"""Importing any module of the package does nothing heavy, and nothing that serves needs torch."""

import json
import subprocess
import sys

HEAVY = ("torch", "transformers", "peft", "trl", "xllamacpp", "gguf", "huggingface_hub", "alembic", "openai")

# They subclass and register with torch; training imports them when it begins, and nothing else does.
OF_TORCH = ("twotrack.learning.train.objective", "twotrack.learning.train.packing")

PROBE = f"""
import importlib, json, pkgutil, sys
import twotrack
for module in pkgutil.walk_packages(twotrack.__path__, "twotrack."):
    if module.name.startswith("twotrack.core.migrations") or module.name.endswith("__main__"):
        continue
    if module.name not in {OF_TORCH!r}:
        importlib.import_module(module.name)
print(json.dumps(sorted(set(name.partition(".")[0] for name in sys.modules))))
"""


def test_importing_every_module_loads_no_heavy_library() -> None:
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    loaded = json.loads(probe.stdout)
    assert "fastapi" in loaded, "the probe imported nothing"
    assert not set(HEAVY) & set(loaded)
