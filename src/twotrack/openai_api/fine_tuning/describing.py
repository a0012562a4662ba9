"""Runs in the words of that API: FineTuningJob, FineTuningJobEvent, FineTuningJobCheckpoint."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from twotrack.core.events import Event
from twotrack.core.language import Language, Text
from twotrack.learning.train.recipe import Recipe
from twotrack.learning.train.schemas import HeldOutPoint, LossPoint
from twotrack.openai_api.fine_tuning.tables import TuningRow
from twotrack.openai_api.ids import write_id
from twotrack.registry.schemas import Adapter, Variant

_DEFAULTS = {name: field.default for name, field in Recipe.model_fields.items() if not field.is_required()}
LEARNING_RATE = float(_DEFAULTS["learning_rate"])
"""What a learning_rate_multiplier of 1 means."""

# What is wrong with the file that is learned from, in the codes of problem documents.
_OF_THE_FILE = (
    *("broken-line", "sample-too-long", "nothing-to-learn", "no-samples", "data-too-large"),
    *("answer-not-separable", "data-altered"),
)

_HAPPENED = {
    "run.started": Text("Created fine-tuning job: {id}", "파인튜닝 작업을 만들었습니다: {id}"),
    "job.paused": Text("Fine-tuning job paused", "파인튜닝 작업을 일시 중지했습니다"),
    "job.resumed": Text("Fine-tuning job resumed", "파인튜닝 작업을 이어서 합니다"),
    "job.cancelled": Text("Fine-tuning job cancelled", "파인튜닝 작업을 취소했습니다"),
    "job.lost": Text(
        "The worker ended in the middle; the job goes on from its newest checkpoint",
        "도중에 워커가 종료되어 최근 체크포인트부터 이어서 합니다",
    ),
    "job.failed": Text("The job failed", "작업이 실패했습니다"),
    "job.succeeded": Text("The job has successfully completed", "작업을 마쳤습니다"),
}
_LEVELS = {"job.lost": "warn", "job.failed": "error"}


def status_of(row: TuningRow, *, paused: bool) -> str:
    if row.state == "cancelled" and paused:
        return "paused"
    if row.state == "running" and row.progress.get("stage") == "tokenizing":
        return "validating_files"
    return row.state


def job_object(row: TuningRow, *, paused: bool, tuned: str | None, language: Language) -> dict[str, Any]:
    """`tuned` is the name of the model that came out. What was "auto" is given as what it came to."""
    # One of another version may lack a field.
    recipe = {"base": "", **_DEFAULTS, **row.args.recipe}
    hyperparameters = {
        "n_epochs": recipe["epochs"],
        "batch_size": recipe["batch_size"],
        "learning_rate_multiplier": recipe["learning_rate"] / LEARNING_RATE,
    }
    left = row.progress.get("seconds_left")
    is_over = row.state in ("succeeded", "failed") or (row.state == "cancelled" and not paused)
    return {
        "id": write_id("ftjob", row.job_id),
        "object": "fine_tuning.job",
        "created_at": _seconds(row.created_at),
        "finished_at": _seconds(row.finished_at) if is_over and row.finished_at else None,
        "status": status_of(row, paused=paused),
        "error": _error(row, language),
        "model": recipe["base"],
        "fine_tuned_model": tuned,
        "organization_id": "twotrack",
        "training_file": write_id("file", row.training_file),
        "validation_file": row.validation_file and write_id("file", row.validation_file),
        "result_files": [write_id("file", row.job_id)] if row.result else [],
        "trained_tokens": row.result.tokens if row.result else None,
        "estimated_finish": int(time.time() + left) if row.state == "running" and left is not None else None,
        "hyperparameters": hyperparameters,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "seed": recipe["seed"],
        "metadata": row.metadata,
        "integrations": [],
        "user_provided_suffix": row.suffix,
    }


def _error(row: TuningRow, language: Language) -> dict[str, Any] | None:
    if row.state != "failed" or row.error is None:
        return None
    problem = row.error[language]
    code = str(problem["type"]).rpartition(":")[2]
    param = None
    if code in _OF_THE_FILE:
        param = "training_file"
    elif code == "held-out-unusable":
        param = "validation_file"
    return {
        "code": code.replace("-", "_"),
        "message": " ".join(str(problem[name]) for name in ("detail", "remedy") if problem.get(name)),
        "param": param,
    }


def event_objects(
    row: TuningRow,
    happened: Sequence[Event],
    history: Sequence[LossPoint],
    held_out: Sequence[HeldOutPoint],
    checkpoints: Sequence[tuple[Adapter, Variant]],
    *,
    paused: bool,
    language: Language,
) -> list[dict[str, Any]]:
    """The newest first. What happened is in the studio's log, each step in the run's own history."""
    found = [*_of_log(row, happened, paused, language), *_of_steps(row, history, held_out, language)]
    for adapter, variant in checkpoints:
        if adapter.step is not None:
            said = Text(
                f"Checkpoint created at step {adapter.step}: {variant.name}",
                f"{adapter.step}단계의 체크포인트: {variant.name}",
            )
            found.append((adapter.created_at.timestamp(), _event(row, f"c{adapter.step}", said, language)))
    found.sort(key=lambda one: one[0])
    return [{**event, "created_at": int(at)} for at, event in reversed(found)]


def _of_log(
    row: TuningRow, happened: Sequence[Event], paused: bool, language: Language
) -> list[tuple[float, dict[str, Any]]]:
    found = []
    shown = [event for event in happened if event.kind in _HAPPENED]
    for number, event in enumerate(shown):
        kind = event.kind
        # A pause is a cancellation that somebody went on from, or still can.
        followed = any(later.kind == "job.resumed" for later in shown[number + 1 :])
        if kind == "job.cancelled" and (followed or paused):
            kind = "job.paused"
        said = Text(*(text.format(id=write_id("ftjob", row.job_id)) for text in _both(_HAPPENED[kind])))
        if kind == "job.failed" and row.error is not None and number == len(shown) - 1:
            said = Text(*(str(row.error[one]["detail"]) for one in ("en", "ko")))
        level = _LEVELS.get(kind, "info")
        found.append((event.created_at.timestamp(), _event(row, f"e{event.id}", said, language, level)))
    return found


def _of_steps(
    row: TuningRow, history: Sequence[LossPoint], held_out: Sequence[HeldOutPoint], language: Language
) -> list[tuple[float, dict[str, Any]]]:
    judged = {point.step: point.loss for point in held_out}
    total = row.progress.get("total_steps") or (row.result.steps if row.result else None)
    began = (row.started_at or row.created_at).timestamp()
    found = []
    for point in history:
        data: dict[str, Any] = {
            "step": point.step,
            "train_loss": point.loss,
            "learning_rate": point.learning_rate,
            "tokens": point.tokens,
        }
        if total is not None:
            data["total_steps"] = total
        validation = ""
        if point.step in judged:
            data["full_valid_loss"] = judged[point.step]
            validation = f", full validation loss={judged[point.step]:.3f}"
        of = "" if total is None else f"/{total}"
        said = f"Step {point.step}{of}: training loss={point.loss:.3f}{validation}"
        event = _event(row, f"s{point.step}", Text(said, said), language)
        found.append((point.at or began, {**event, "type": "metrics", "data": data}))
    return found


def _event(row: TuningRow, which: str, said: Text, language: Language, level: str = "info") -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{row.job_id.hex}-{which}",
        "level": level,
        "message": getattr(said, language),
        "type": "message",
        "data": {},
    }


def checkpoint_objects(
    job_id: UUID,
    models: Sequence[tuple[Adapter, Variant]],
    history: Sequence[LossPoint],
    held_out: Sequence[HeldOutPoint],
    last: int,
) -> list[dict[str, Any]]:
    """The newest first; the last one is what the job came to, at step `last`."""
    losses = {point.step: point.loss for point in history}
    judged = {point.step: point.loss for point in held_out}
    found = []
    for adapter, variant in models:
        step = last if adapter.step is None else adapter.step
        metrics = {"step": step, "train_loss": losses.get(step), "full_valid_loss": judged.get(step)}
        found.append(
            {
                "object": "fine_tuning.job.checkpoint",
                "id": write_id("ftckpt", adapter.id),
                "created_at": _seconds(adapter.created_at),
                "fine_tuned_model_checkpoint": variant.name,
                "fine_tuning_job_id": write_id("ftjob", job_id),
                "metrics": {name: value for name, value in metrics.items() if value is not None},
                "step_number": step,
            }
        )
    return sorted(found, key=lambda one: -int(str(one["step_number"])))


def _both(text: Text) -> tuple[str, str]:
    return text.en, text.ko


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
