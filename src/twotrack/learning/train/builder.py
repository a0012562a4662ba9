"""Wraps a model with LoRA, then holds what was built against what was asked for.

PEFT passes over patterns that match no module without a word, so nothing is believed: every module's rank,
scaling and trainable flag is read back, and a difference is an error.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twotrack.learning.train.errors import BuiltOtherwise, RankTooLarge
from twotrack.registry.families import Family, layer_of

ADAPTER = "default"
_SIDES = ("out_features", "in_features")


@dataclass(frozen=True)
class LoraSize:
    """Rank and alpha of one module's change: ΔW = (alpha / rank)·B·A (Hu et al. 2021, section 4.1), or with
    `rank_stabilized` (alpha / √rank)·B·A (Kalajdzievski 2023, arXiv:2312.03732, theorem 3.2)."""

    rank: int
    alpha: float
    rank_stabilized: bool = False

    @property
    def scaling(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)


def linear_modules(model: Any) -> tuple[str, ...]:
    """Names of the model's linear modules inside its layers."""
    import torch
    from transformers.pytorch_utils import Conv1D

    return tuple(
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and layer_of(name) is not None
    )


def ask(model: Any, family: Family, columns: tuple[str, ...], size: LoraSize) -> dict[str, LoraSize]:
    """What each module of the columns is to hold, by the module's full name.

    Raises:
        RankTooLarge: a matrix whose every change has a smaller rank.
    """
    asked = {name: size for name in linear_modules(model) if family.kind_of(name) in columns}
    for name in asked:
        module = model.get_submodule(name)
        # A Conv1D has no such attributes, and a 4-bit weight has another shape.
        sides = [getattr(module, side, None) or module.weight.shape[at] for at, side in enumerate(_SIDES)]
        if size.rank > min(sides):
            raise RankTooLarge(rank=size.rank, module=name, largest=min(sides))
    return asked


def wrap(model: Any, asked: Mapping[str, LoraSize], *, dropout: float) -> Any:
    """`model` as a PEFT model with one LoRA adapter of one rank and alpha, checked by `compare`.

    Raises:
        BuiltOtherwise: what PEFT built is not what was asked for.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    sizes = set(asked.values())
    if len(sizes) != 1:
        raise BuiltOtherwise(module="model", what="number of ranks", found=len(sizes), asked=1)
    (size,) = sizes
    wrapped = get_peft_model(
        model,
        LoraConfig(
            r=size.rank,
            lora_alpha=size.alpha,
            use_rslora=size.rank_stabilized,
            lora_dropout=dropout,
            # Short names, which every reader of adapters understands; compare() sees what they matched.
            target_modules=sorted({name.rpartition(".")[2] for name in asked}),
            task_type=TaskType.CAUSAL_LM,
        ),
        adapter_name=ADAPTER,
    )
    compare(wrapped, asked)
    return wrapped


def compare(wrapped: Any, asked: Mapping[str, LoraSize]) -> None:
    """
    Raises:
        BuiltOtherwise: the first module whose LoRA differs from what was asked, is missing or is too many;
            or a parameter outside the adapter that would be trained.
    """
    from peft.tuners.lora import LoraLayer

    prefix = "base_model.model."
    found = {
        name.removeprefix(prefix): module
        for name, module in wrapped.named_modules()
        if isinstance(module, LoraLayer)
    }
    for name in sorted(asked.keys() ^ found.keys()):
        raise BuiltOtherwise(module=name, what="LoRA", found=str(name in found), asked=str(name in asked))
    for name, size in asked.items():
        module = found[name]
        weights = (module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight)
        for what, is_, should in (
            ("adapters", sorted(module.r), [ADAPTER]),
            ("rank", module.r.get(ADAPTER), size.rank),
            ("rank of A", weights[0].shape[0], size.rank),
            ("rank of B", weights[1].shape[1], size.rank),
            ("scaling", module.scaling.get(ADAPTER), size.scaling),
            ("precision", {str(weight.dtype) for weight in weights}, {"torch.float32"}),
            ("trainable", all(weight.requires_grad for weight in weights), True),
            ("active adapters", list(module.active_adapters), [ADAPTER]),
            ("merged", module.merged, False),
        ):
            if is_ != should:
                raise BuiltOtherwise(module=name, what=what, found=str(is_), asked=str(should))
    for name, parameter in wrapped.named_parameters():
        belongs = f".lora_A.{ADAPTER}." in name or f".lora_B.{ADAPTER}." in name
        if parameter.requires_grad != belongs:
            raise BuiltOtherwise(
                module=name, what="trainable", found=str(parameter.requires_grad), asked=str(belongs)
            )
