"""Squared gradients of a row's loss with respect to each linear module's weight, exactly, and never kept.

For y = xWᵀ the gradient of W is GᵀX with the tokens' inputs X [tokens, in] and gradients G [tokens, out], so
‖GᵀX‖² = Σ(XXᵀ ∘ GGᵀ) (Goodfellow 2015, arXiv:1510.01799, generalized to sequences by Li et al. 2022,
arXiv:2110.05679, section 4): nothing of a weight's size is computed where the row is shorter than that.

The loss is the objective of a run (learning/train/objective.py), the mean over the row's learned tokens.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.errors import GradientNotFinite
from twotrack.learning.train import builder
from twotrack.learning.train.errors import BuiltOtherwise
from twotrack.registry.families import Family, layer_of


@dataclass(frozen=True)
class Sensed:
    """A module that is looked at; `outputs` × `inputs` weights."""

    name: str
    layer: int
    column: str
    outputs: int
    inputs: int


def modules_of(model: Any, family: Family) -> list[Sensed]:
    """The linear modules that an adapter could be put on, in the model's order."""
    from transformers.pytorch_utils import Conv1D

    found = []
    for name in builder.linear_modules(model):
        column = family.kind_of(name)
        if column is None or column not in family.columns:
            continue
        module = model.get_submodule(name)
        shape = tuple(module.weight.shape)
        # A Conv1D holds its weight the other way round.
        outputs, inputs = shape[::-1] if isinstance(module, Conv1D) else shape
        found.append(Sensed(name, layer_of(name) or 0, column, outputs, inputs))
    return found


class Gradients:
    """Looks at one row after the other; a row's figures depend on nothing but the row.

    Every parameter of `model` is frozen by it, and the model is in evaluation mode: no dropout.
    """

    def __init__(self, model: Any, modules: Sequence[Sensed], *, bf16: bool) -> None:
        from twotrack.learning.train import objective

        self._model, self._modules, self._bf16 = model, tuple(modules), bf16
        model.eval()
        model.requires_grad_(False)
        # With everything frozen, nothing else would ask for a way back.
        model.enable_input_require_grads()
        self._is_packed = objective.prepare(model)
        self._picks_logits = "logits_to_keep" in inspect.signature(type(model).forward).parameters

    def squares(self, row: Row) -> tuple[float, list[float]]:
        """The loss in nats a learned token, and for each module ‖∂loss/∂W‖² (squared Frobenius norm).

        Raises:
            GradientNotFinite: the loss, or a gradient, is no number.
            BuiltOtherwise: a module takes part twice, or not at all: its gradient is not what was seen.
        """
        import torch

        from twotrack.learning.train import objective
        from twotrack.learning.train.packing import lay_out

        device = next(self._model.parameters()).device
        ids = torch.tensor(row.input_ids, device=device)
        labels = torch.tensor(row.labels, device=device)
        (one,) = lay_out(ids, labels, [len(row.input_ids)], 1)
        found: dict[str, Any] = {}
        handles = [
            self._model.get_submodule(sensed.name).register_forward_hook(_watch(sensed.name, found))
            for sensed in self._modules
        ]
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=self._bf16):
                if self._is_packed:
                    loss = objective.packed_loss(self._model, one)
                else:
                    loss = objective.single_loss(self._model, one, picks_logits=self._picks_logits)
            loss = loss / len(one.targets)
            loss.backward()
        finally:
            for handle in handles:
                handle.remove()
        # What is asked for a gradient keeps it: that of the embeddings is of no use.
        self._model.zero_grad(set_to_none=True)
        for sensed in self._modules:
            if found.get(sensed.name) is None:
                raise BuiltOtherwise(module=sensed.name, what="gradient", found="none", asked="one")
        squares = torch.stack([found[sensed.name] for sensed in self._modules])
        nats = float(loss.detach())
        if not bool(torch.isfinite(squares).all()) or not math.isfinite(nats):
            raise GradientNotFinite(line=row.line)
        return nats, squares.tolist()


def _watch(name: str, found: dict[str, Any]) -> Callable[[Any, Any, Any], None]:
    """A forward hook that leaves the squared gradient of a module's weight in `found`, after the way back."""

    def forward(_: Any, inputs: Any, output: Any) -> None:
        if name in found:
            raise BuiltOtherwise(module=name, what="calls in a pass", found=2, asked=1)
        found[name] = None
        seen = inputs[0].detach()

        def backward(gradient: Any) -> None:
            found[name] = squared(seen.flatten(0, -2), gradient.flatten(0, -2))

        output.register_hook(backward)

    return forward


def squared(inputs: Any, gradients: Any) -> Any:
    """‖GᵀX‖² of X [tokens, in] and G [tokens, out], the cheaper of two ways, in fp32."""
    inputs, gradients = inputs.float(), gradients.float()
    tokens, (width, height) = len(inputs), (inputs.shape[1], gradients.shape[1])
    if tokens * (width + height) <= width * height:
        # Rounding may leave a tiny sum of signed parts below zero.
        return ((inputs @ inputs.T) * (gradients @ gradients.T)).sum().clamp_min(0)
    return (gradients.T @ inputs).square().sum()
