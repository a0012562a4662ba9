"""What training makes smaller: the negative log-likelihood of the answers, computed where they stand.

Exactly the loss and gradients of the padded computation, but for the order of the sums.
"""

from typing import Any

import torch

from twotrack.learning.train.packing import ATTENTION, Pass, register_attention
from twotrack.learning.train.passes import LOGITS, PACKED, SOFTCAPS


def can_pack(causal: Any) -> bool:
    """Whether the model (without its PEFT wrapping) is known to be exact when rows share a pass."""
    config = causal.config.get_text_config()
    softcapped = any(getattr(config, name, None) for name in SOFTCAPS)
    return type(causal).__name__ in PACKED and not softcapped


def prepare(causal: Any) -> bool:
    """Set the model up for passes of several rows; False where it takes one row at a time instead."""
    if not can_pack(causal):
        return False
    register_attention()
    causal.set_attn_implementation(ATTENTION)
    return True


def packed_loss(causal: Any, rows: Pass) -> Any:
    """Sum over the learned tokens of a pass, in nats; for a model that `prepare` has set up."""
    states = causal.base_model(
        input_ids=rows.input_ids, position_ids=rows.position_ids, use_cache=False, lengths=rows.lengths
    ).last_hidden_state[0]
    head = causal.get_output_embeddings()
    return chunked_loss(states[rows.learned], head.weight, getattr(head, "bias", None), rows.targets)


def single_loss(causal: Any, row: Pass, *, picks_logits: bool) -> Any:
    """The same sum for a pass of one row through the model's own forward, whatever its architecture does.

    `picks_logits`: its forward takes `logits_to_keep`.
    """
    kept = {"logits_to_keep": row.learned} if picks_logits else {}
    logits = causal(input_ids=row.input_ids, use_cache=False, **kept).logits[0]
    if not picks_logits:
        logits = logits[row.learned]
    return torch.nn.functional.cross_entropy(logits.float(), row.targets, reduction="sum")


def chunked_loss(states: Any, weight: Any, bias: Any, targets: Any) -> Any:
    """Summed cross entropy of `states @ weight.T + bias`, whose logits never exist all at once.

    Args:
        states: [tokens, hidden]; gets a gradient.
        weight: [vocabulary, hidden], and `bias` [vocabulary] or None: frozen.
        targets: [tokens], none of them MASKED.

    The gradient is softmax(logits) − onehot(targets), times the weight, and is taken while the logits are
    there: nothing is computed twice, and what is kept for the backward pass has the size of `states`
    (as in Liger kernels, Hsu et al. 2024, arXiv:2410.10989, section 3.2).
    """
    if weight.requires_grad or (bias is not None and bias.requires_grad):
        raise ValueError("the output matrix must be frozen")
    return _Chunked.apply(states, weight, bias, targets)


class _Chunked(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    @staticmethod
    def forward(ctx: Any, states: Any, weight: Any, bias: Any, targets: Any) -> Any:
        gradient = torch.empty_like(states, dtype=weight.dtype)
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        size = max(1, LOGITS // len(weight))
        for start in range(0, len(states), size):
            part = slice(start, start + size)
            logits = states[part].to(weight.dtype) @ weight.T
            if bias is not None:
                logits += bias
            probabilities = torch.log_softmax(logits.float(), dim=1)
            del logits
            which = targets[part, None]
            total -= probabilities.gather(1, which).sum()
            probabilities.exp_()
            probabilities.scatter_add_(1, which, torch.full_like(which, -1, dtype=torch.float32))
            gradient[part] = probabilities.to(weight.dtype) @ weight
        ctx.save_for_backward(gradient.to(states.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, scale: Any) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * scale, None, None, None
