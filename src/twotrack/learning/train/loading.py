"""The frozen base as a run needs it: in the measured precision, or in 4 bits for QLoRA."""

import json
import sys
from pathlib import Path
from typing import Any

from twotrack.learning.train.errors import BuiltOtherwise
from twotrack.registry.families import layer_of


def spare_bitsandbytes(base: Path, *, quantized: bool) -> None:
    """For a process that reads one base, before its first import of transformers or PEFT.

    PEFT imports bitsandbytes wherever it is installed, and bitsandbytes torch's compiler: a fifth of the
    processor time until the first step, for what only a base in 4 bits needs: one that is `quantized` here,
    or that lies packed in its folder.
    """
    config = base / "config.json"
    is_packed = config.exists() and "quantization_config" in json.loads(config.read_bytes())
    if not quantized and not is_packed:
        # None keeps Python from importing it (its reference, section 5.3.1): as if it were not installed.
        sys.modules["bitsandbytes"] = None  # type: ignore[assignment]


def load_base(folder: Path, *, precision: str, device: str, quantized: bool) -> Any:
    """The causal language model in `folder`; nothing is fetched, and no code of its own is run.

    `quantized`: its linear layers in NF4 with double quantization (Dettmers et al. 2023, arXiv:2305.14314,
    section 3), computing in `precision`. Embeddings, norms and the output matrix stay in `precision`.

    Raises:
        BuiltOtherwise: a linear layer that is not held as asked.
    """
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        **({"quantization_config": _nf4(dtype), "device_map": {"": device}} if quantized else {}),
    )
    model.config.use_cache = False
    if quantized:
        _check_nf4(model)
    return model


def _nf4(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _check_nf4(model: Any) -> None:
    import torch

    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear) or layer_of(name) is None:
            continue
        state = getattr(module.weight, "quant_state", None)
        found = "no" if state is None else f"{state.quant_type}, double: {state.nested}"
        if found != "nf4, double: True":
            raise BuiltOtherwise(module=name, what="4 bits", found=found, asked="nf4, double: True")
