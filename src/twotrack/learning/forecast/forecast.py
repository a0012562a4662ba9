"""A plan's time and memory on one device, and whether it fits there: arithmetic only, nothing is loaded."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from twotrack.learning.forecast.calibration import Calibration
from twotrack.learning.forecast.compute import attention_in_tokens, flops, precision_on, seconds_on
from twotrack.learning.forecast.devices import HERE, Device
from twotrack.learning.forecast.memory import ROW_BYTES, WIDTH, Memory, Precision, activation_bytes, memory
from twotrack.learning.forecast.remedies import remedies
from twotrack.learning.forecast.schemas import DeviceForecast, MemoryParts
from twotrack.learning.forecast.shape import ModelShape
from twotrack.learning.forecast.workload import RowSize, Workload, workload
from twotrack.learning.train.recipe import Recipe

_MIB = 2**20
_DAY = 86_400.0
# A week of computing is what pretraining takes; tuning takes minutes to hours.
_PRETRAINING_DAYS = 7

# A CUDA context with torch's and cuBLAS's kernels and workspaces; on small cards as on large ones.
_CONTEXT = 560 * _MIB
# What the driver keeps for itself, and the caching allocator cannot use for its blocks' sizes.
_USABLE = 0.97
_FRAGMENTS = 1.08
# The interpreter with torch, transformers, TRL: of a machine that could not be measured.
_LIBRARIES = 900 * _MIB


@dataclass(frozen=True)
class Question:
    """A recipe on a base, with its rows."""

    shape: ModelShape
    recipe: Recipe
    columns: tuple[str, ...]
    rows: Sequence[RowSize]

    @cached_property
    def work(self) -> Workload:
        return workload(
            self.rows,
            batch_size=self.recipe.batch_size,
            epochs=self.recipe.epochs,
            seed=self.recipe.seed,
            is_packed=self.shape.is_packed,
        )

    def parts(self, precision: Precision) -> Memory:
        return memory(
            self.shape,
            self.recipe,
            self.columns,
            precision,
            widest=self.work.widest,
            learned=self.work.widest_learned,
        )

    def changed(self, recipe: Recipe, rows: Sequence[RowSize] | None = None) -> "Question":
        made = replace(self, recipe=recipe, rows=self.rows if rows is None else rows)
        if rows is None and recipe.batch_size == self.recipe.batch_size:
            # The passes are the same, and drawing them takes longest.
            vars(made)["work"] = self.work
        return made


def forecast_on(device: Device, question: Question) -> DeviceForecast:
    """On a device that is not here, from the analytic model and published figures."""

    def held(asked: Question) -> Memory:
        precision = precision_on(device, asked.recipe)
        parts = asked.parts(precision)
        fixed = _CONTEXT
        if asked.recipe.method == "qlora":
            # One matrix at a time is made of its four bits.
            largest = max((one.rows * one.columns for one in asked.shape.matrices), default=0)
            fixed += largest * WIDTH[precision]
        # The allocator's blocks are a little larger than what lies in them.
        return replace(parts, fixed=fixed + round((_FRAGMENTS - 1) * parts.total))

    seconds = seconds_on(device, question.shape, question.recipe, question.columns, question.work)
    capacity = round(device.memory * _USABLE)
    return _forecast(
        device.key,
        device.name,
        precision_on(device, question.recipe),
        question,
        held,
        capacity,
        seconds=seconds,
        clock=seconds,
        is_measured=False,
        has_bf16=device.bf16 is not None,
    )


def forecast_here(question: Question, calibration: Calibration | None, *, capacity: int) -> DeviceForecast:
    """On this machine: by what was measured, or without times where it had no room to be measured."""
    precision: Precision = "fp32"
    if calibration is not None:
        precision = calibration.precision
    elif question.recipe.precision == "bf16":
        precision = "bf16"

    def expected(asked: Question) -> Memory:
        as_asked: Precision = precision if asked.recipe.precision == "auto" else asked.recipe.precision
        parts = asked.parts(as_asked)
        if calibration is None or calibration.device == "cpu":
            parts = replace(parts, rows=ROW_BYTES * asked.work.kept_tokens)
        return parts

    plain = expected(question)
    if calibration is None:
        missing = _LIBRARIES
    else:
        # What the formulas miss: libraries, and what the allocator of the processor cannot give back.
        capacity = calibration.capacity if calibration.device == "cuda" else capacity
        beside = calibration.beside(question.work.widest, partial(_activations, question, precision))
        peak = max(calibration.start_peak, beside + plain.activations + plain.logits) + plain.rows
        missing = peak - plain.total

    def held(asked: Question) -> Memory:
        return replace(expected(asked), fixed=missing)

    seconds = None
    if calibration is not None:
        attention = attention_in_tokens(question.shape, question.recipe, question.columns)
        seconds = calibration.seconds(question.work, attention)
    return _forecast(
        HERE,
        platform.node() if calibration is None or calibration.device == "cpu" else calibration.device_name,
        precision,
        question,
        held,
        capacity,
        seconds=seconds,
        clock=None if calibration is None or seconds is None else seconds / calibration.busy,
        is_measured=calibration is not None,
        has_bf16=True,
    )


def _forecast(
    key: str,
    name: str,
    precision: Precision,
    question: Question,
    held: Callable[[Question], Memory],
    capacity: int,
    *,
    seconds: float | None,
    clock: float | None,
    is_measured: bool,
    has_bf16: bool,
) -> DeviceForecast:
    parts = held(question)
    fits = parts.total <= capacity
    days = None if clock is None else clock / _DAY
    seen = question.work.kept_tokens
    return DeviceForecast(
        device=key,
        name=name,
        measured=is_measured,
        precision=precision,
        fits=fits,
        capacity_bytes=capacity,
        peak_bytes=parts.total,
        memory=MemoryParts(**vars(parts)),
        seconds=seconds,
        clock_seconds=clock,
        tokens_per_second=seen * question.recipe.epochs / clock if clock else None,
        days=days,
        plan=None if days is None or days < 1 else "pretraining" if days >= _PRETRAINING_DAYS else "days",
        rows_in_a_day=None if days is None or days < 1 else int(len(question.rows) / days),
        remedies=() if fits else remedies(question, lambda one: held(one).total, capacity, has_bf16=has_bf16),
    )


def _activations(question: Question, precision: Precision, tokens: int) -> int:
    return activation_bytes(question.shape, question.recipe, question.columns, precision, tokens)


def smallest_here(question: Question) -> int:
    """Bytes that measuring takes at the least: all but the activations of large passes."""
    precision: Precision = "bf16" if question.recipe.precision == "bf16" else "fp32"
    parts = question.parts(precision)
    return parts.total - parts.activations + _LIBRARIES


def total_flops(question: Question) -> float:
    return flops(question.shape, question.recipe, question.columns, question.work.load).total
