"""TRL's SFTTrainer, set up for rows that are tokenized and masked already, without its padding.

Every default of TRL that changes what is computed (bf16, gradient checkpointing, truncation) is set here,
and nothing reports anywhere.
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twotrack.core.allocator import give_back_freed
from twotrack.core.folders import write_whole
from twotrack.learning.data.tokens import Row
from twotrack.learning.train.builder import LoraSize, compare, compare_rates, rate_groups
from twotrack.learning.train.checkpoints import KEPT, drop_from, mark_whole
from twotrack.learning.train.errors import LossDiverged
from twotrack.learning.train.loss_watch import LossWatch
from twotrack.learning.train.plan import Choices, Event
from twotrack.learning.train.recipe import Recipe
from twotrack.learning.train.schemas import LossPoint

_TOKENS = "tokens"
_AT = "at"
_MEMORY = "memory"
# Of the largest pass so far. Giving back before smaller ones costs time and saves nothing more.
_LARGE = 0.7
# Ours → transformers'.
_SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


def build_trainer(
    model: Any,
    rows: Sequence[Row],
    recipe: Recipe,
    choices: Choices,
    checkpoints: Path,
    *,
    asked: Mapping[str, LoraSize] | None = None,
    callbacks: Sequence[Any] = (),
) -> Any:
    """A trainer over the wrapped `model`; `train(resume_from_checkpoint=…)` runs it.

    `asked` is what the model was wrapped with; without it, all parameters learn equally fast.
    """
    from datasets import Dataset
    from trl import SFTConfig

    config = SFTConfig(
        output_dir=str(checkpoints),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=_SCHEDULES[recipe.schedule],
        # Below 1 it is a share of the steps.
        warmup_steps=recipe.warmup,
        optim="adamw_torch",
        weight_decay=0.0,
        max_grad_norm=1.0,
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=choices.precision == "bf16",
        fp16=False,
        gradient_checkpointing=recipe.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        use_cpu=choices.device == "cpu",
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        # When to save is decided by RunCallback, by the clock.
        save_strategy="no",
        save_total_limit=KEPT,
        logging_steps=1,
        # transformers would replace a loss that is no number by an older one, and we would not see it.
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )
    dataset = Dataset.from_list(
        [{"input_ids": list(row.input_ids), "labels": list(row.labels)} for row in rows]
    )
    trained = {name: one.data for name, one in model.named_parameters() if one.requires_grad}
    trainer = _trainer_class()(
        choices.tokens_per_pass,
        asked,
        model=model,
        args=config,
        train_dataset=dataset,
        data_collator=end_to_end,
        processing_class=_no_tokenizer(),
        callbacks=list(callbacks),
    )
    # TRL has the embeddings ask for a gradient where layers are computed twice, which drags frozen lower
    # bands into the way back; checkpointing that is not reentrant needs none.
    if recipe.gradient_checkpointing:
        model.get_base_model().disable_input_require_grads()
    # TRL makes the adapter of a quantized base bf16, without a word: 8 bits for steps as small as AdamW's.
    for name, one in model.named_parameters():
        if name in trained:
            one.data = trained[name].to(one.device)
    return trainer


def end_to_end(rows: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Any]:
    """A batch without padding: `input_ids` and `labels` of shape [tokens], and each row's length."""
    import torch

    return {
        **{
            name: torch.tensor([one for row in rows for one in row[name]]) for name in ("input_ids", "labels")
        },
        "lengths": [len(row["input_ids"]) for row in rows],
    }


def _trainer_class() -> Any:
    import psutil
    import torch
    from trl import SFTTrainer

    from twotrack.learning.train import objective
    from twotrack.learning.train.packing import lay_out

    process = psutil.Process()

    class AnswerTrainer(SFTTrainer):  # type: ignore[misc]  # trl has no type information
        """Computes no padding, and logits only where an answer token is predicted.

        Loss and gradients are those of the padded batch. TRL projects every position onto the vocabulary,
        padding included, and again in the backward pass.
        """

        optimizer: Any

        def __init__(
            self,
            tokens_per_pass: int,
            asked: Mapping[str, LoraSize] | None,
            *args: Any,
            **options: Any,
        ) -> None:
            self._asked, self._told = asked, 1.0
            self._largest = 0
            super().__init__(*args, **options)
            self.tokens = 0
            causal = self.model.get_base_model()
            # An architecture that is not known to keep the rows of a pass apart has passes of one row.
            self._is_packed = objective.prepare(causal)
            self._tokens_per_pass = tokens_per_pass if self._is_packed else 1
            self._picks_logits = "logits_to_keep" in inspect.signature(type(causal).forward).parameters

        def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
            """The mean loss over the step's learned tokens, in nats; its gradients are added to the model's.

            A batch is one optimizer step here, so there is no accumulation of several.
            """
            model.train()
            inputs = self._prepare_inputs(inputs)
            self.tokens += len(inputs["input_ids"])
            passes = lay_out(inputs["input_ids"], inputs["labels"], inputs["lengths"], self._tokens_per_pass)
            learned = sum(len(one.targets) for one in passes)
            total = torch.zeros((), device=self.args.device)
            causal = model.get_base_model()
            for one in passes:
                self._make_room(one.input_ids.numel())
                loss = self._summed_loss(causal, one) / learned
                self.accelerator.backward(loss)
                total += loss.detach()
            return total

        def _make_room(self, tokens: int) -> None:
            """Before a pass that is among the largest of the run, in which memory is at its peak.

            What other passes left in holes would lie beside what it needs: a fifth of the peak of QLoRA on
            rows of uneven lengths.
            """
            if self.args.device.type == "cpu" and tokens >= _LARGE * self._largest:
                give_back_freed()
            self._largest = max(self._largest, tokens)

        def create_optimizer(self, *given: Any) -> Any:
            """One group of parameters for each multiplier of a board; the schedule multiplies all alike."""
            rates = {size.learning_rate for size in (self._asked or {}).values()}
            if self.optimizer is None and rates - {1.0}:
                kind, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
                base = options.pop("lr")
                groups = rate_groups(self.model, self._asked or {})
                # The first group's rate is the one that is told: the recipe's own, where some module has it.
                self._told = min(groups, key=lambda rate: (rate != 1.0, rate))
                ordered = sorted(groups, key=lambda rate: (rate != self._told, rate))
                self.optimizer = kind(
                    [{"params": groups[rate], "lr": base * rate, "weight_decay": 0.0} for rate in ordered],
                    lr=base,
                    **options,
                )
            return super().create_optimizer(*given)

        def _get_learning_rate(self) -> float:
            return float(super()._get_learning_rate()) / self._told

        def _summed_loss(self, causal: Any, one: Any) -> Any:
            with torch.autocast(self.args.device.type, torch.bfloat16, enabled=self.args.bf16):
                if self._is_packed:
                    return objective.packed_loss(causal, one)
                return objective.single_loss(causal, one, picks_logits=self._picks_logits)

        def mean_loss(self, rows: Sequence[Row]) -> float:
            """Over the learned tokens of `rows`, in nats, without dropout; nothing is learned from them."""
            was_training = self.model.training
            self.model.eval()
            causal = self.model.get_base_model()
            total, learned = 0.0, 0
            size = self.args.per_device_train_batch_size
            with torch.no_grad():
                for start in range(0, len(rows), size):
                    batch = end_to_end(
                        [{"input_ids": r.input_ids, "labels": r.labels} for r in rows[start : start + size]]
                    )
                    batch = self._prepare_inputs(batch)
                    for one in lay_out(
                        batch["input_ids"], batch["labels"], batch["lengths"], self._tokens_per_pass
                    ):
                        total += float(self._summed_loss(causal, one))
                        learned += len(one.targets)
            self.model.train(was_training)
            return total / learned

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            # Kept in the checkpoints beside the loss; nothing is computed from it.
            held = {_TOKENS: self.tokens, _AT: round(time.time(), 3), _MEMORY: process.memory_info().rss}
            super().log({**logs, **held}, start_time)

    return AnswerTrainer


def _no_tokenizer() -> Any:
    """TRL insists on a tokenizer. This one knows no text: nothing can be tokenized behind our back."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    blank = Tokenizer(WordLevel({"": 0}, unk_token=""))
    return PreTrainedTokenizerFast(tokenizer_object=blank, pad_token="", eos_token="", unk_token="")


def run_callback(
    say: Callable[[Event], None],
    history: Path,
    asked: Mapping[str, LoraSize],
    watch: LossWatch,
    *,
    seconds_between_checkpoints: float,
    clock: Callable[[], float] = time.monotonic,
) -> Any:
    """Tells every step, keeps the history, stops a run that diverges, and decides when to save."""
    from transformers import TrainerCallback

    class RunCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no type information
        def __init__(self) -> None:
            self.trainer: Any = None
            self.began = self.saved = 0.0
            self.first_step = self.first_tokens = 0

        def on_train_begin(
            self,
            args: Any,
            state: Any,
            control: Any,
            model: Any = None,
            optimizer: Any = None,
            **_: Any,
        ) -> None:
            # A resumed adapter went through PEFT's loading: look at it again.
            compare(model, asked)
            compare_rates(optimizer, model, asked, args.learning_rate)
            points = [_point(entry) for entry in state.log_history if "loss" in entry]
            write_whole(history, "".join(point.model_dump_json() + "\n" for point in points))
            self.first_tokens = self.trainer.tokens = points[-1].tokens if points else 0
            self.first_step = state.global_step
            self.began = self.saved = clock()
            trainable = sum(one.numel() for one in model.parameters() if one.requires_grad)
            say(
                Event(
                    kind="started",
                    step=state.global_step,
                    total_steps=state.max_steps,
                    trainable_parameters=trainable,
                )
            )

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
        ) -> None:
            if logs is None or "loss" not in logs:
                return
            norm = logs.get("grad_norm")
            try:
                watch.see(state.global_step, float(logs["loss"]), None if norm is None else float(norm))
            except LossDiverged:
                # The loss of a step is that of the state before it: only the next one tells what it led to.
                drop_from(Path(args.output_dir), watch.last_calm)
                raise
            # A run that begins to run away must not push out the last good state.
            control.should_save = control.should_save and watch.is_calm
            point = _point(state.log_history[-1])
            with history.open("a", encoding="utf-8") as file:
                file.write(point.model_dump_json() + "\n")
            elapsed = max(clock() - self.began, 1e-9)
            steps = state.global_step - self.first_step
            say(
                Event(
                    kind="step",
                    total_steps=state.max_steps,
                    tokens_per_second=(point.tokens - self.first_tokens) / elapsed,
                    seconds_left=elapsed / steps * (state.max_steps - state.global_step),
                    **point.model_dump(),
                )
            )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if clock() - self.saved >= seconds_between_checkpoints or state.global_step == state.max_steps:
                control.should_save = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")
            self.saved = clock()

    return RunCallback()


def _point(entry: Mapping[str, Any]) -> LossPoint:
    return LossPoint(
        step=entry["step"],
        epoch=round(float(entry["epoch"]), 4),
        loss=float(entry["loss"]),
        learning_rate=float(entry["learning_rate"]),
        tokens=int(entry[_TOKENS]),
        at=entry.get(_AT),
        memory=entry.get(_MEMORY),
    )
