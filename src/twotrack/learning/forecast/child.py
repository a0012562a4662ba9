"""The calibrating child: `python -m twotrack.learning.forecast.child FOLDER`, a process under the worker.

Reads FOLDER/ask.json and measures passes of a few sizes with the trainer that a run has. What it has to say
are JSON lines on standard output; what libraries print goes to standard error.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict

from twotrack.core import processes
from twotrack.core.allocator import give_back_freed
from twotrack.core.imports import import_large
from twotrack.learning.forecast.calibration import Calibration, PassMeasured
from twotrack.learning.forecast.memory import logit_bytes
from twotrack.learning.train.loading import spare_bitsandbytes
from twotrack.learning.train.passes import TOKENS_PER_PASS, map_large_tensors
from twotrack.learning.train.recipe import Recipe

# Processor seconds after which nothing more is begun, and what one pass may take.
_BUDGET_SECONDS = 22.0
_PASS_SECONDS = 4.0
_ROUNDS = 6
_WARM_STEPS = 4
_WARM_TOKENS = 16
_SMALLEST = 32
_FEW_LEARNED = 4


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True)

    recipe: Recipe
    model: Path
    family: str
    kinds: dict[str, str]
    columns: tuple[str, ...]
    layers: int


class Said(BaseModel):
    """A line of the child: how far it is, what was measured, or what went wrong."""

    stage: str | None = None
    fraction: float | None = None
    found: Calibration | None = None
    error: str | None = None
    values: dict[str, str] | None = None


def measure(asked: Asked, folder: Path, say: Callable[[Said], None]) -> Calibration:
    """
    Raises:
        TrainingOutOfMemory, RankTooLarge, BuiltOtherwise
    """
    say(Said(stage="loading"))
    from twotrack.learning.train.child import LIBRARIES, choose

    import_large(*LIBRARIES)
    import torch
    from transformers import set_seed

    from twotrack.learning.train import builder, trainer
    from twotrack.learning.train.loading import load_base
    from twotrack.learning.train.loss_watch import LossWatch
    from twotrack.learning.train.plan import RunFolder
    from twotrack.registry.families import Family

    recipe = asked.recipe.model_copy(
        update={"batch_size": 1, "epochs": 1, "learning_rate": 1e-6, "warmup": 0.0}
    )
    run = RunFolder(folder)
    choices = choose(recipe, run)
    map_large_tensors(choices.precision)
    torch.set_num_threads(choices.threads)
    model = load_base(
        asked.model,
        precision=choices.precision,
        device=choices.device,
        quantized=recipe.method == "qlora",
    )
    set_seed(0)
    family = Family(name=asked.family, architectures=(), kinds=asked.kinds)
    wanted = builder.asked_by(model, recipe, family, asked.columns, asked.layers)
    wrapped = builder.wrap(model, wanted, dropout=recipe.dropout)
    vocabulary = model.config.get_text_config().vocab_size
    steps: list[float] = []
    meter = _Meter(choices.device)
    callback = trainer.run_callback(
        lambda event: steps.append(meter.seconds()) if event.kind in ("started", "step") else None,
        run.history,
        wanted,
        LossWatch(vocabulary, recipe.learning_rate),
        seconds_between_checkpoints=1e9,
    )
    warm = [_row(vocabulary, _WARM_TOKENS, _FEW_LEARNED)] * _WARM_STEPS
    running = trainer.build_trainer(
        wrapped, warm, recipe, choices, run.checkpoints, asked=wanted, callbacks=[callback]
    )
    callback.trainer = running
    start_peak = meter.peak()
    say(Said(stage="measuring", fraction=0.0))
    began = time.process_time()
    running.train()
    ended = meter.seconds()
    # The first step is slower than all others: libraries make things ready.
    step = min(later - earlier for earlier, later in zip(steps[1:], steps[2:], strict=False))
    tokens = _largest(step)
    several = running._is_packed
    designed = list(dict.fromkeys(_designs(tokens, several=several)))
    # Once, for its memory: the size that a run's passes are filled up to.
    once = [(TOKENS_PER_PASS, 1, _FEW_LEARNED)] if tokens < TOKENS_PER_PASS <= 4 * tokens else []
    best: dict[tuple[int, int, int], PassMeasured] = {}
    for round_ in range(_ROUNDS):
        for number, design in enumerate(designed if round_ else [*designed, *once]):
            if round_ == 0:
                # What each pass holds by itself. Later rounds tell the time alone: a small pass after a large
                # one holds what that one left behind, and takes no time to fetch it.
                give_back_freed()
            found = _measured(running, wrapped, vocabulary, design, meter)
            found = found.model_copy(
                update={"logits": logit_bytes(vocabulary, found.learned, choices.precision)}
            )
            before = best.get(design)
            if before is None or found.seconds < before.seconds:
                best[design] = found.model_copy(update={"peak": before.peak} if before else {})
            done = (round_ * len(designed) + number + 1) / (_ROUNDS * len(designed) + len(once))
            spent = time.process_time() - began
            say(Said(stage="measuring", fraction=min(1.0, max(done, spent / _BUDGET_SECONDS))))
        if time.process_time() - began > _BUDGET_SECONDS * (round_ + 1) / (round_ + 2):
            break
    warm_pass = _measured(running, wrapped, vocabulary, (_WARM_TOKENS, 1, _FEW_LEARNED), meter).seconds
    return Calibration(
        device=choices.device,
        device_name=torch.cuda.get_device_name() if choices.device == "cuda" else "cpu",
        precision=choices.precision,
        threads=choices.threads,
        start_seconds=steps[0],
        end_seconds=max(0.0, ended - steps[-1]),
        step_seconds=max(0.0, step - warm_pass),
        passes=tuple(best.values()),
        start_peak=start_peak,
        capacity=meter.capacity(),
        took_seconds=time.process_time(),
    )


def _largest(step_seconds: float) -> int:
    """Tokens of the largest pass that takes no more than its share of the time."""
    tokens = TOKENS_PER_PASS
    while tokens > _SMALLEST and step_seconds * tokens / _WARM_TOKENS > _PASS_SECONDS * 3:
        tokens //= 2
    return tokens


def _designs(tokens: int, *, several: bool) -> Sequence[tuple[int, int, int]]:
    """(tokens, rows, learned): what differs between two of them is what one feature costs."""
    if not several:
        return [
            (tokens // 8, 1, _FEW_LEARNED),
            (tokens // 2, 1, _FEW_LEARNED),
            (tokens, 1, _FEW_LEARNED),
            (tokens, 1, tokens),
        ]
    return [
        (tokens // 8, 1, _FEW_LEARNED),
        (tokens // 2, max(1, tokens // 32), _FEW_LEARNED),
        (tokens // 2, 1, _FEW_LEARNED),
        (tokens, max(1, tokens // 128), tokens),
        (tokens, 1, _FEW_LEARNED),
    ]


def _row(vocabulary: int, tokens: int, learned: int) -> Any:
    """A row of which `tokens` are computed."""
    from twotrack.learning.data.tokens import MASKED, Row

    ids = tuple(3 + (number * 7919) % max(1, vocabulary - 3) for number in range(tokens + 1))
    learned = min(learned, tokens)
    return Row(1, ids, (*(MASKED for _ in range(tokens + 1 - learned)), *ids[tokens + 1 - learned :]))


def _measured(
    running: Any, wrapped: Any, vocabulary: int, design: tuple[int, int, int], meter: "_Meter"
) -> PassMeasured:
    from twotrack.learning.train.trainer import end_to_end

    tokens, rows, learned = design
    made = [_row(vocabulary, tokens // rows, -(-learned // rows)) for _ in range(rows)]
    batch = end_to_end([{"input_ids": row.input_ids, "labels": row.labels} for row in made])
    meter.forget_peak()
    clock, seconds = time.perf_counter(), meter.seconds()
    running.training_step(wrapped, batch)
    seconds, clock = meter.seconds() - seconds, time.perf_counter() - clock
    peak = meter.peak()
    return PassMeasured(
        tokens=tokens // rows * rows,
        rows=rows,
        learned=sum(row.learned for row in made),
        square=rows * (tokens // rows) ** 2,
        seconds=max(seconds, 1e-6),
        clock_seconds=clock,
        peak=peak,
    )


class _Meter:
    """Seconds and bytes of this process, or of its GPU."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._process = psutil.Process()

    def seconds(self) -> float:
        """The processor's so far, all threads together; with a GPU the clock's since the process began."""
        if self._cuda:
            import torch

            torch.cuda.synchronize()
            return time.time() - self._process.create_time()
        return time.process_time()

    def peak(self) -> int:
        """Bytes held at most since `forget_peak`, or since the beginning."""
        if self._cuda:
            import torch

            free, total = torch.cuda.mem_get_info()
            # The context and the libraries' workspaces are outside of what the allocator knows.
            outside = total - free - torch.cuda.memory_reserved()
            return int(torch.cuda.max_memory_reserved() + outside)
        return processes.peak_resident_size(os.getpid())

    def forget_peak(self) -> None:
        if self._cuda:
            import torch

            torch.cuda.reset_peak_memory_stats()
        else:
            processes.forget_peak_size()

    def capacity(self) -> int:
        if self._cuda:
            import torch

            return int(torch.cuda.mem_get_info()[1])
        from twotrack.engines.machine import usable_memory

        return usable_memory()


def main() -> None:
    processes.watch_lifeline()
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(said: Said) -> None:
        channel.write(said.model_dump_json(exclude_none=True) + "\n")
        channel.flush()

    folder = Path(sys.argv[1])
    try:
        asked = Asked.model_validate_json((folder / "ask.json").read_bytes())
        # As in the child that trains: what is measured is its start and its memory, too.
        spare_bitsandbytes(asked.model, quantized=asked.recipe.method == "qlora")
        say(Said(found=measure(asked, folder, say)))
    except Exception as error:
        import traceback

        from twotrack.learning.train.child import explained
        from twotrack.learning.train.plan import RunFolder

        traceback.print_exc()
        told = explained(error, RunFolder(folder))
        values = {name: str(value) for name, value in told.values.items()}
        say(Said(error=type(told).__name__, values=values))
        sys.exit(1)
    # An ordinary exit would take the libraries seconds to clear away.
    os._exit(0)


if __name__ == "__main__":
    main()
