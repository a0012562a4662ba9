"""What the child process serves: one model through transformers (the contract stands in ../body.py)."""

from collections.abc import Callable, Mapping, Sequence

from twotrack.engines.body import Loaded, Stream
from twotrack.engines.machine import usable_memory
from twotrack.engines.port import AdapterGain, End, EngineSpec, Request
from twotrack.engines.precision import choose_device
from twotrack.engines.transformers.gains import Adapters
from twotrack.engines.transformers.model import (
    Model,
    find_branches,
    load_model,
    make_forward,
    prepare_process,
)
from twotrack.engines.transformers.prefixes import Prefixes
from twotrack.engines.transformers.scheduler import Generation, Scheduler, Scoring, ordered

# Tokens of a prompt in one pass. Longer portions read a prompt hardly faster (256 → 512: 4 % on a processor),
# but others wait for one portion between two of their tokens; a GPU needs more of them to be busy.
_PORTION = {"cpu": 256, "cuda": 1024}


def load(spec: EngineSpec) -> "TransformersBody":
    """The model of `spec` with its adapters, ready to serve.

    Raises:
        ModelRefused: the folder cannot be loaded.
        AdapterRefused: an adapter is no plain LoRA, or belongs to another base.
    """
    prepare_process(spec.threads)
    device = choose_device()
    model = load_model(
        spec.model, device, spec.precision, exact=spec.exact, context_length=spec.context_length
    )
    branches = find_branches(model, spec.grid, dict(spec.branches))
    adapters = Adapters(model.module, spec.grid, dict(spec.kinds), branches)
    for one in spec.adapters:
        adapters.add(one)
    return TransformersBody(model, adapters, device, exact=spec.exact, branches=branches is not None)


class TransformersBody:
    """Serves any number of requests at once from one model."""

    def __init__(self, model: Model, adapters: Adapters, device: str, *, exact: bool, branches: bool) -> None:
        self.loaded = Loaded(model.precision, model.context_length, model.vocabulary_size, branches)
        self._adapters = adapters
        self._scheduler = Scheduler(
            make_forward(model, adapters, exact=exact),
            Prefixes(_prefix_budget(device)),
            portion=_PORTION[device],
            vocabulary_size=model.vocabulary_size,
        )

    def generate(self, request: Request, stream: Stream) -> End:
        task = Generation(request, ordered(request.gains, self._adapters.ids), stream)
        self._scheduler.submit(task)
        return task.end.result()

    def score(
        self,
        tokens: Sequence[int],
        start: int,
        gains: Mapping[str, AdapterGain],
        cancelled: Callable[[], bool],
    ) -> list[float]:
        """As in EngineBody. Calls that come at the same time share their passes: many short texts are scored
        fastest when `parallel` of them are under way together."""
        task = Scoring(tokens, start, ordered(gains, self._adapters.ids), cancelled)
        self._scheduler.submit(task)
        return task.logprobs.result()

    def close(self) -> None:
        """End the model's thread; a child process simply ends instead."""
        self._scheduler.close()


def _prefix_budget(device: str) -> int:
    """Bytes for remembered prompts: a sixteenth of the device's memory, at most 1 GiB."""
    if device == "cuda":
        import torch

        total = torch.cuda.mem_get_info()[1]
    else:
        total = usable_memory()
    return int(min(total // 16, 1 << 30))
