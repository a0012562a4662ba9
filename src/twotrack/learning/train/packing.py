"""Rows laid end to end: no padding is computed, and no row sees another.

A step's rows are put into passes of about as many tokens as keep the matrix products busy; the gradients of
the passes add up to those of the step. Within a pass the linear layers see one long sequence, and attention
runs row by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from twotrack.learning.data.tokens import MASKED
from twotrack.learning.train.passes import groups

ATTENTION = "twotrack_rows"
"""The name under which transformers knows `attend_by_row`."""


@dataclass(frozen=True)
class Pass:
    """Some rows of a step, as they go through the model at once.

    `input_ids` and `position_ids` have the shape [1, tokens], positions restart at 0 with each row.
    `learned` [answer tokens] says where in the pass a token is predicted that is learned, and `targets`
    which one. The last token of a row predicts nothing, so it is left out.
    """

    input_ids: Any
    position_ids: Any
    lengths: tuple[int, ...]
    learned: Any
    targets: Any


def lay_out(input_ids: Any, labels: Any, lengths: Sequence[int], budget: int) -> list[Pass]:
    """The passes of a step from its rows end to end: `input_ids` and `labels` are of shape [tokens].

    Rows that have nothing to learn in them are not computed at all.
    """
    rows = [
        (ids[:-1], following[1:])
        for ids, following in zip(input_ids.split(list(lengths)), labels.split(list(lengths)), strict=True)
        if bool((following[1:] != MASKED).any())
    ]
    passes = []
    for group in groups([len(ids) for ids, _ in rows], budget):
        ids, following = zip(*(rows[index] for index in group), strict=True)
        targets = torch.cat(following)
        learned = (targets != MASKED).nonzero().flatten()
        passes.append(
            Pass(
                input_ids=torch.cat(ids)[None],
                position_ids=torch.cat([torch.arange(len(one), device=input_ids.device) for one in ids])[
                    None
                ],
                lengths=tuple(len(one) for one in ids),
                learned=learned,
                targets=targets[learned],
            )
        )
    return passes


def register_attention() -> None:
    """Make `ATTENTION` known to transformers, as its documentation of the attention interface describes."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, attend_by_row)


def attend_by_row(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    lengths: tuple[int, ...] | None = None,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[Any, None]:
    """Causal attention within each row of a pass, by transformers' own sdpa attention.

    `query`, `key`, `value`: [1, heads, tokens, head dimension]; the result is [1, tokens, heads, head
    dimension]. Without `lengths` (generation, for one) it is plain sdpa attention over what is given.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if lengths is None:
        # A name that has no mask function of its own gets no mask: nothing but one whole row can be right.
        if attention_mask is None and len(query) > 1:
            raise ValueError(f"{ATTENTION}: several sequences, and neither their lengths nor a mask")
        lengths = (query.shape[2],)
    parts = zip(*(one.split(list(lengths), dim=2) for one in (query, key, value)), strict=True)
    attended = []
    for row in parts:
        mask = _window(row[0], sliding_window) if attention_mask is None else attention_mask
        attended.append(sdpa_attention_forward(module, *row, mask, **options)[0])
    return attended[0] if len(attended) == 1 else torch.cat(attended, dim=1), None


def _window(query: Any, sliding_window: int | None) -> Any:
    """Where a row is longer than the layer looks back: the mask of those that it still sees."""
    length = query.shape[2]
    if sliding_window is None or length <= sliding_window:
        return None
    seen = torch.ones(length, length, dtype=torch.bool, device=query.device)
    return (seen.tril() & seen.triu(1 - sliding_window))[None, None]
