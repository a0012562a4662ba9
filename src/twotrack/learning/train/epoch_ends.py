"""What is done where an epoch ends: the loss on the held-out part, and an adapter that is kept.

Before the checkpoint of that step is written: a run that is killed in between does it again, to the same end.
"""

from collections.abc import Callable
from typing import Any

from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.schemas import HeldOutPoint


def epoch_callback(
    epochs: int,
    kept: int,
    *,
    keep: Callable[[int], None],
    judge: Callable[[int], None],
    is_judged: bool,
) -> Any:
    """Calls `keep` with the step at the end of each of the last `kept` epochs before the last one.

    And `judge`, where `is_judged`, at the end of every epoch.
    """
    from transformers import TrainerCallback

    class EpochCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no type information
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            epoch, over = divmod(state.global_step, max(state.max_steps // epochs, 1))
            if over:
                return
            if is_judged:
                judge(state.global_step)
            if epochs - kept <= epoch < epochs:
                keep(state.global_step)

    return EpochCallback()


def note(folder: RunFolder, step: int, loss: float) -> None:
    with folder.held_out_loss.open("a", encoding="utf-8") as file:
        file.write(HeldOutPoint(step=step, loss=loss).model_dump_json() + "\n")
