"""A folder of safetensors → a frozen model: nothing but weights and a config is read, and nothing is run."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from twotrack.core.allocator import give_back_freed
from twotrack.core.errors import TwotrackError
from twotrack.core.imports import TRANSFORMERS, import_large
from twotrack.core.language import Text
from twotrack.engines.machine import usable_memory, usable_threads
from twotrack.engines.port import Precision
from twotrack.engines.precision import choose_precision
from twotrack.engines.transformers import attention
from twotrack.engines.transformers.branches import Branches
from twotrack.engines.transformers.forward import Forward, PackedForward, PlainForward, Segment
from twotrack.engines.transformers.gains import Adapters
from twotrack.equalizer.grid import Grid
from twotrack.registry.safetensors_header import read_safetensors_header

_logger = logging.getLogger(__name__)

_BYTES: dict[str, float] = {"fp32": 4, "bf16": 2}
# Of the free memory; the rest is for keys and values, and for what else runs.
_MOST_FOR_WEIGHTS = 0.8

# Packed attention is compared with the model's own in the tests for these, and the ends of their branches are
# tried out there; for others both is done when they are loaded.
TESTED_TYPES = frozenset(
    {"llama", "gpt_neox", "gemma", "gemma2", "gemma3_text", "mistral", "qwen2", "qwen3", "exaone4", "cohere2"}
)

Computed = Literal["fp32", "bf16", "nf4"]


class ModelRefused(TwotrackError):
    status = 422
    detail = Text("{folder} cannot be loaded: {why}.", "모델을 불러올 수 없습니다({folder}): {why}.")


@dataclass(frozen=True)
class Model:
    """A loaded model. `precision` is that of its weights as they are computed with."""

    name: str
    module: Any
    precision: Computed
    context_length: int
    vocabulary_size: int


def prepare_process(threads: int | None) -> None:
    """Settings that hold for a whole process and must precede the first import of torch."""
    # Waiting threads sleep instead of spinning: on a machine that does anything else beside, spinning ones
    # made a batched product up to 25 times slower, and on an idle one they gain nothing measurable.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Nothing here ever asks a model hub, whatever a checkpoint's config says.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # The same sums in the same order, wherever in memory the numbers lie; costs nothing measurable.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    import_large(*TRANSFORMERS)
    import torch

    torch.set_num_threads(threads or usable_threads())


def load_model(folder: Path, device: str, precision: Precision, *, exact: bool, context_length: int) -> Model:
    """The model of a transformers folder (config.json and safetensors), read-only and in evaluation mode.

    precision: "auto" takes the faster of fp32 and bf16 by measurement, fp32 if `exact`; nf4 (4 bits a weight
    with double quantization, QLoRA, arXiv 2305.14314, section 3) only where nothing larger fits into memory.
    Under nf4 what is not a linear layer, and the output matrix, are kept in bf16.

    Raises:
        ModelRefused: no safetensors, or something in the folder that is more than a model.
    """
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    parameters = _count_parameters(folder)
    measured = choose_precision(device) if precision in ("auto", "nf4") and not exact else None
    chosen: Computed
    if precision == "auto":
        chosen = _fitting(measured[0] if measured else "fp32", parameters, device)
    else:
        chosen = precision
    _logger.info(
        "precision %s (asked for %s) on %s, %d parameters; measured: %s",
        chosen, precision, device, parameters, measured and measured[1],
    )  # fmt: skip
    options: dict[str, Any] = {"dtype": "float32" if chosen == "fp32" else "bfloat16"}
    if chosen == "nf4":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype="bfloat16" if measured and measured[0] == "bf16" else "float32",
        )
    try:
        module = AutoModelForCausalLM.from_pretrained(
            folder,
            device_map={"": device},
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            **options,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelRefused(folder=folder.name, why=str(error)) from error
    module.eval().requires_grad_(False)
    config = module.config.get_text_config()
    trained_length = getattr(config, "max_position_embeddings", None) or context_length
    if chosen == "nf4" and device == "cpu":
        _pack_for_processor(module)
    return Model(
        folder.name,
        module,
        chosen,
        min(context_length, trained_length),
        module.get_output_embeddings().weight.shape[0],
    )


def _pack_for_processor(module: Any) -> None:
    """Bring an NF4 model into its final form and size now, and not at the first request.

    For processors with bf16 instructions bitsandbytes rearranges each matrix at its first use. It needs room
    for a second copy then, and fails on sizes that its kernel does not divide into: those stay as they are.
    """
    import torch

    for one in module.modules():
        if type(one).__name__ != "Linear4bit":
            continue
        if one.out_features % 32 or one.in_features % 64:
            one.support_avx512bf16_for_cpu = False
        with torch.inference_mode():
            one(torch.zeros((1, one.in_features), dtype=module.dtype))
        give_back_freed()
    # What was not quantized still lies in the mapped checkpoint, and one vector keeps a whole file mapped.
    for parameter in module.parameters():
        if type(parameter) is torch.nn.Parameter:
            parameter.data = parameter.data.clone()


def _count_parameters(folder: Path) -> int:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        why = Text("it holds no .safetensors file", ".safetensors 파일이 없습니다")
        raise ModelRefused(folder=folder.name, why=why)
    if (folder / "adapter_config.json").exists():
        # transformers would follow it to another base, wherever it points.
        why = Text("it is an adapter and no base", "베이스가 아니라 어댑터입니다")
        raise ModelRefused(folder=folder.name, why=why)
    return sum(tensor.elements for file in files for tensor in read_safetensors_header(file))


def _fitting(fastest: Literal["fp32", "bf16"], parameters: int, device: str) -> Computed:
    """`fastest`, or the largest smaller form that fits into the memory that is free now."""
    import psutil

    if device == "cuda":
        import torch

        free = torch.cuda.mem_get_info()[0]
    else:
        free = min(psutil.virtual_memory().available, usable_memory())
    forms: list[Literal["fp32", "bf16"]] = ["fp32", "bf16"] if fastest == "fp32" else ["bf16"]
    for form in forms:
        if parameters * _BYTES[form] <= _MOST_FOR_WEIGHTS * free:
            return form
    return "nf4"


def find_branches(model: Model, grid: Grid | None, ends: Mapping[str, str]) -> Branches | None:
    """What the base's own board turns; None where the model's code does not add what `ends` name to its
    residual stream. To be called before `make_forward`."""
    if grid is None or not ends:
        return None
    try:
        found = Branches(model.module, grid.branches, ends)
    except LookupError as error:
        _logger.info("the base's own board cannot be moved: %s", error)
        return None
    if model.module.config.get_text_config().model_type in TESTED_TYPES or found.hold():
        return found
    _logger.info("the base's own board cannot be moved: the ends of its branches are others")
    return None


def make_forward(model: Model, adapters: Adapters, *, exact: bool) -> Forward:
    """The fastest sound way to run the model for several requests.

    exact: one request a pass, and no shortcut that could move even the last bit of its numbers.

    Raises:
        ModelRefused: its own code cannot continue a sequence that it has read in part.
    """
    module, config = model.module, model.module.config.get_text_config()
    layer_types = set(getattr(config, "layer_types", None) or ["full_attention"])
    # These stretch their positions with the longest sequence of a pass: alone, a request stays itself.
    positions = str(getattr(config, "rope_parameters", None))
    stretched = "dynamic" in positions or "longrope" in positions
    packed = PackedForward(module, adapters, together=not (exact or stretched), lone_rows=not exact)
    own = module.config._attn_implementation
    attention.register()
    if config.model_type in TESTED_TYPES:
        module.set_attn_implementation(attention.NAME)
        return packed
    expected = _logits_in_one_pass(module, model.vocabulary_size)
    # Too short to show a sliding window that is not passed on.
    windowless = layer_types == {"full_attention"} and getattr(config, "sliding_window", None) is None
    if module._supports_attention_backend and windowless:
        module.set_attn_implementation(attention.NAME)
        if _continues(packed, adapters, expected):
            return packed
        module.set_attn_implementation(own)
    plain = PlainForward(module, adapters)
    if not _continues(plain, adapters, expected):
        why = Text(
            f"the code of {config.model_type} cannot continue a text that it has read in part",
            f"읽던 텍스트를 이어서 처리하지 못하는 구조입니다({config.model_type})",
        )
        raise ModelRefused(folder=model.name, why=why)
    _logger.info("%s: its requests are served one after another", config.model_type)
    return plain


# Two short texts, and how much of each is read first.
_PROBES = ((8, 6), (6, 3))


def _probe_ids(length: int, vocabulary_size: int) -> list[int]:
    return [(7919 * (index + length) + 13) % vocabulary_size for index in range(length)]


def _logits_in_one_pass(module: Any, vocabulary_size: int) -> list[tuple[list[int], int, Any]]:
    """For each probe: its ids, how many of them to read first, and the logits of the others."""
    import torch

    found = []
    with torch.inference_mode():
        for length, first in _PROBES:
            ids = _probe_ids(length, vocabulary_size)
            tokens = torch.tensor([ids], device=module.get_input_embeddings().weight.device)
            found.append((ids, first, module(input_ids=tokens, use_cache=False).logits[0, first:].float()))
    return found


def _continues(forward: Forward, adapters: Adapters, expected: list[tuple[list[int], int, Any]]) -> bool:
    """Whether `forward` comes to the same logits for two texts at once, each read in two parts."""
    import torch

    # None of the adapters, and the base's own branches as they are.
    gains = (*(0.0 for _ in adapters.ids), 1.0)
    states = [forward.start() for _ in expected]
    try:
        with torch.inference_mode():
            probes = list(zip(states, expected, strict=True))
            forward.run([Segment(state, ids[:first], gains, 0) for state, (ids, first, _) in probes])
            results = forward.run(
                [Segment(state, ids[first:], gains, len(ids) - first) for state, (ids, first, _) in probes]
            )
    except Exception:
        _logger.info("the model's code failed in %s", type(forward).__name__, exc_info=True)
        return False
    # Rounding moves bf16 logits by some thousandths; a text half forgotten by a good part of them.
    return all(
        bool((result - logits).norm() <= 0.05 * logits.norm())
        for result, (_, _, logits) in zip(results, expected, strict=True)
    )
