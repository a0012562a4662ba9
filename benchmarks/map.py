"""The map of 70 billion parameters by their configuration alone: processor time of the whole command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Row, at_most

_LLAMA_70B = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8_192,
    "intermediate_size": 28_672,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 128_256,
    "max_position_embeddings": 131_072,
    "tie_word_embeddings": False,
    "dtype": "bfloat16",
}
_PARAMETERS = 70_553_706_496
_ROUNDS = 3


def run() -> list[Row]:
    with TemporaryDirectory(prefix="twotrack-bench-") as made:
        Path(made, "config.json").write_text(json.dumps(_LLAMA_70B))
        seconds = min(_seconds(made) for _ in range(_ROUNDS))
    return [Row("map", "70B by its configuration, processor time", *at_most(seconds, 2.0, "s"))]


def _seconds(folder: str) -> float:
    """Of the command and the children that it waited for."""
    child = subprocess.Popen(
        [str(Path(sys.executable).with_name("twotrack")), "map", folder, "--json"], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    found = json.loads(child.stdout.read())
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert found["map"]["parameters"] == _PARAMETERS, found["map"]["parameters"]
    return used.ru_utime + used.ru_stime
