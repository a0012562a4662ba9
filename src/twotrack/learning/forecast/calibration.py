"""What is measured of this machine: how long a pass takes, by what is in it, and how much it holds.

A calibration is made by child.py with the trainer of a run and kept below the base's derived files; its name
holds all that it depends on, the versions of the libraries included.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from twotrack.core.folders import write_whole
from twotrack.learning.forecast.workload import Load, Workload
from twotrack.learning.train.recipe import Recipe
from twotrack.registry.layout import Layout

# What a calibration measures; another number makes the kept ones unknown.
_EDITION = 4
LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes")


class PassMeasured(BaseModel):
    """One pass forward and back: the least of several, since a busy moment only adds. `seconds` as in
    Calibration; `peak` is what was held at most, in bytes; `square` as in Load."""

    model_config = ConfigDict(frozen=True)

    tokens: int
    rows: int
    learned: int
    square: int
    seconds: float
    clock_seconds: float
    peak: int
    logits: int = 0
    """Bytes of `peak` that are logits."""


class Calibration(BaseModel):
    """Seconds are the processor's, all threads together; on a GPU they are the clock's."""

    model_config = ConfigDict(frozen=True)

    device: Literal["cpu", "cuda"]
    device_name: str
    precision: Literal["fp32", "bf16"]
    threads: int
    start_seconds: float
    """Until the first step: libraries, the base, the adapter."""
    end_seconds: float
    step_seconds: float
    """Of each step beside its passes: the optimizer, and what is written down."""
    passes: tuple[PassMeasured, ...]
    start_peak: int
    """Bytes held at most before the first step, while the base is read."""
    capacity: int
    """Bytes of memory that the device has."""
    took_seconds: float

    @property
    def busy(self) -> float:
        """Seconds of the processor in one of the clock, with what else ran on the machine then."""
        if self.device == "cuda":
            return 1.0
        clock = sum(one.clock_seconds for one in self.passes)
        return min(self.threads, max(0.05, sum(one.seconds for one in self.passes) / max(clock, 1e-9)))

    def seconds_of(self, load: Load, attention: float) -> float:
        """Of all passes of a load, by the least squares of what was measured, none of them negative.

        `attention` is what a token squared costs, in tokens, by their operations: measured, its share is too
        small beside a busy machine's noise to be relied on for rows longer than what was measured.
        """
        rates = _not_negative(
            [(1.0, one.tokens + attention * one.square, one.learned, one.rows) for one in self.passes],
            [one.seconds for one in self.passes],
        )
        amounts = (load.passes, load.tokens + attention * load.square, load.learned, load.rows)
        return float(sum(rate * amount for rate, amount in zip(rates, amounts, strict=True)))

    def seconds(self, work: Workload, attention: float) -> float:
        """Of a whole run."""
        return (
            self.start_seconds
            + self.end_seconds
            + work.steps * self.step_seconds
            + self.seconds_of(work.load, attention)
        )

    def beside(self, tokens: int, activations: Callable[[int], int]) -> int:
        """Bytes held at most beside the activations and logits of a pass of so many tokens: libraries, base,
        adapter with its gradients and moments, and what the allocator cannot give back.

        `activations` are what a pass of so many tokens keeps, in bytes. Between the sizes that were measured
        the rest lies on straight lines. Beyond them it does not grow: tensors so large leave no holes
        (`MAPPED_ELEMENTS`).
        """
        found: dict[int, int] = {}
        for one in self.passes:
            rest = one.peak - one.logits - activations(one.tokens)
            found[one.tokens] = max(rest, found.get(one.tokens, rest))
        sizes = sorted(found)
        return round(float(np.interp(tokens, sizes, [found[size] for size in sizes])))


def _not_negative(features: Sequence[Sequence[float]], seconds: Sequence[float]) -> list[float]:
    """Rates of the features, weighing relative errors; those that would be negative are 0.

    An active set as of Lawson and Hanson 1974, chapter 23, without its way back: four features need none.
    """
    amounts = np.array(features, dtype=np.float64)
    measured = np.array(seconds, dtype=np.float64)
    weighed = amounts / measured[:, None]
    kept = list(range(amounts.shape[1]))
    while True:
        scale = np.abs(weighed[:, kept]).max(axis=0)
        scale[scale == 0] = 1
        found = np.linalg.lstsq(weighed[:, kept] / scale, np.ones(len(measured)), rcond=None)[0] / scale
        if (found >= 0).all() or len(kept) == 1:
            break
        del kept[int(np.argmin(found * scale))]
    rates = [0.0] * amounts.shape[1]
    for at, rate in zip(kept, found.tolist(), strict=True):
        rates[at] = max(0.0, rate)
    return rates


def place_of(
    layout: Layout, base_id: str, recipe: Recipe, columns: Sequence[str], where: str, threads: int
) -> Path:
    """The file of the calibration that a recipe needs; `where` tells the device from others."""
    depends = {
        "edition": _EDITION,
        "method": recipe.method,
        "precision": recipe.precision,
        "rank": recipe.rank,
        "columns": sorted(columns),
        "dropout": recipe.dropout > 0,
        "checkpointing": recipe.gradient_checkpointing,
        "where": where,
        "threads": threads,
        # Left out without a board: what was measured before there were any stays known.
        **({} if recipe.board is None else {"board": _sizes(recipe)}),
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:32]
    return layout.derived(base_id) / "forecast" / f"{digest}.json"


def _sizes(recipe: Recipe) -> list[list[int]]:
    """Ranks alone, 0 where a cell is frozen: alpha and the learning rate take no time."""
    return [[(cell.rank or recipe.rank) if cell.train else 0 for cell in row] for row in recipe.board or ()]


def kept_at(place: Path) -> Calibration | None:
    """What was measured earlier; None where nothing was, or nothing that can be read."""
    try:
        return Calibration.model_validate_json(place.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def keep(place: Path, calibration: Calibration) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, calibration.model_dump_json())
