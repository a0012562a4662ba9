"""The transformers engine: safetensors through PyTorch, on a GPU or the processor; the reference.

body.py           what the child process serves
model.py          a folder of safetensors → a frozen model in the right precision
adapter_files.py  PEFT folders
gains.py          how strongly each adapter acts on each request
branches.py       how much each layer's attention and MLP add, for each request
attention.py      keys and values of a sequence; attention over sequences laid end to end
forward.py        one forward pass for several sequences
prefixes.py       what recent prompts left behind, reused by the next
scheduler.py      the one thread that owns the model and serves all requests from it
"""

from twotrack.engines.transformers.body import load

__all__ = ["load"]
