"""How a step is cut into passes, and what decides their size; no torch, so that a forecast can ask, too."""

from collections.abc import Sequence
from typing import Literal

from twotrack.core.allocator import map_blocks

TOKENS_PER_PASS = 512
"""Measured on the starter: passes of 256 and of 512 tokens are equally fast, rows one by one take 1.3 times
as long. What a pass keeps for its way back grows with it."""

# Architectures whose logits are nothing but the output matrix times the body's last state, and whose
# attention is causal within the row. Each one is in the test of exactness.
PACKED = (
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "GPTNeoXForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "GemmaForCausalLM",
    "Gemma3ForCausalLM",
)

LOGITS = 2**23
"""How many logits exist at once: 32 MiB of them in fp32, and their probabilities as much again."""

MAPPED_ELEMENTS = 2**18
"""Tensors from this size on are mapped one by one on a processor: those of 455 tokens 576 wide. Smaller sizes
take less memory on long rows and more time; none at all leaves holes of more than what the run needs
(docs/decisions/0018)."""

SOFTCAPS = ("attn_logit_softcapping", "final_logit_softcapping")


def groups(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of rows, put together so that no group has more than `budget` tokens.

    A longer row is a group alone. Rows of similar length come together: the last group is not much smaller
    than the others, and the largest pass, which decides the memory, is no larger than it has to be.
    """
    found: list[list[int]] = []
    filled = budget
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if filled + lengths[index] > budget:
            found.append([])
            filled = 0
        found[-1].append(index)
        filled += lengths[index]
    return found


def map_large_tensors(precision: Literal["fp32", "bf16"]) -> None:
    """From now on, in this process; where memory is a processor's."""
    map_blocks(MAPPED_ELEMENTS * (4 if precision == "fp32" else 2))
