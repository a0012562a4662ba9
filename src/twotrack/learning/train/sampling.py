"""Short answers to the goal's prompts while a run trains: greedy, so that nothing random is drawn.

The training goes on as if nobody had asked: the same bytes come out (tests/learning/train/test_sampling.py).
"""

import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from twotrack.core.folders import write_whole
from twotrack.learning.train.plan import Event, Sampling
from twotrack.learning.train.schemas import RunAnswer

ANSWER_TOKENS = 32
PROMPTS = 5
"""Of the goal's, the first ones."""
LONGEST_PROMPT = 1024
"""Tokens; a longer prompt is not asked."""
_TIMES, _MOST_TIMES = 5, 50


def steps_between(asked: int | None, total_steps: int) -> int:
    """Steps from one sampling to the next; 0: never. However often is asked for, a run samples 50 times."""
    if asked == 0:
        return 0
    if asked is None:
        return max(1, -(-total_steps // _TIMES))
    return max(asked, -(-total_steps // _MOST_TIMES))


def read_answers(file: Path) -> list[RunAnswer]:
    """The answers so far; a line that is being written is left out."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [RunAnswer.model_validate_json(line) for line in text.split("\n")[:-1]]


def sampling_callback(
    say: Callable[[Event], None], file: Path, sampling: Sampling, *, every: int | None, bf16: bool
) -> Any:
    """Asks the prompts every so many steps and at the end, writes the answers to `file` and tells them."""
    from tokenizers import Tokenizer
    from transformers import TrainerCallback

    tokenizer = Tokenizer.from_file(str(sampling.tokenizer))

    class SamplingCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no type information
        def __init__(self) -> None:
            self.every = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.every = steps_between(every, state.max_steps)
            # What came after the checkpoint that the run goes on from comes again.
            kept = [one for one in read_answers(file) if one.step <= state.global_step]
            write_whole(file, "".join(one.model_dump_json() + "\n" for one in kept))

        def on_log(
            self,
            args: Any,
            state: Any,
            control: Any,
            logs: dict[str, Any] | None = None,
            model: Any = None,
            **_: Any,
        ) -> None:
            step = state.global_step
            if not self.every or logs is None or "loss" not in logs:
                return
            if step % self.every and step != state.max_steps:
                return
            try:
                answers = [
                    RunAnswer(
                        step=step,
                        prompt=one.prompt,
                        answer=tokenizer.decode(
                            answer_greedily(model, one.input_ids, sampling.stop_ids, bf16=bf16)
                        ).strip(),
                    )
                    for one in sampling.prompts
                ]
            except Exception:
                # A model that cannot be asked in this way can be trained all the same.
                traceback.print_exc()
                self.every = 0
                return
            with file.open("a", encoding="utf-8") as opened:
                opened.write("".join(one.model_dump_json() + "\n" for one in answers))
            say(
                Event(
                    kind="sampled",
                    step=step,
                    total_steps=state.max_steps,
                    loss=float(logs["loss"]),
                    answers=answers,
                )
            )

    return SamplingCallback()


def answer_greedily(
    wrapped: Any, prompt: Sequence[int], stop_ids: Collection[int], *, bf16: bool = False
) -> list[int]:
    """The likeliest continuation of a prompt by the model with its adapters, up to its end.

    Neither the random state nor the model is changed: no token is drawn, and dropout is off meanwhile.
    """
    import inspect

    import torch

    from twotrack.learning.train.packing import ATTENTION

    causal = wrapped.get_base_model()
    device = next(causal.parameters()).device
    kept = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(causal.forward).parameters else {}
    was_training = wrapped.training
    attention = causal.config._attn_implementation
    wrapped.eval()
    if attention == ATTENTION:
        # The attention of passes knows whole rows only, and no cache.
        causal.set_attn_implementation("sdpa")
    answer: list[int] = []
    given, past = torch.tensor([list(prompt)], device=device), None
    try:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            while len(answer) < ANSWER_TOKENS:
                found = causal(input_ids=given, past_key_values=past, use_cache=True, **kept)
                token = int(found.logits[0, -1].argmax())
                if token in stop_ids:
                    break
                answer.append(token)
                given, past = torch.tensor([[token]], device=device), found.past_key_values
    finally:
        if attention == ATTENTION:
            causal.set_attn_implementation(ATTENTION)
        wrapped.train(was_training)
    return answer
