"""What each cell of a board does: turned down by itself, with everything else as it is.

A setting of the board is measured once: what came out is kept below the base's derived files, whole or not at
all, so a job that was cancelled or killed goes on where it was, and another one about the same texts begins
with what is known.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from twotrack.core.folders import disk_errors, write_whole
from twotrack.engines.port import AdapterGain, Engine
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import Grid
from twotrack.evaluation.effect_schemas import CellEffect, Change
from twotrack.evaluation.score import AtGains, Material, Progress, Work
from twotrack.registry.prompts import PromptCodec
from twotrack.registry.storage import in_thread

# Another number makes what was kept before unknown.
_EDITION = 1


class Measured(BaseModel):
    """One setting: mean losses of each question's answer and of each text, in nats a token; the answers."""

    model_config = ConfigDict(frozen=True)

    task: tuple[float, ...]
    general: tuple[float, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """Measured settings in a folder. `known` is all that they depend on beside the gains."""

    folder: Path
    known: Mapping[str, object]

    def place(self, gains: Mapping[str, AdapterGain]) -> Path:
        depends = {"edition": _EDITION, **self.known, "gains": gains}
        digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:40]
        return self.folder / f"{digest}.json"

    def find(self, gains: Mapping[str, AdapterGain]) -> Measured | None:
        try:
            return Measured.model_validate_json(self.place(gains).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def keep(self, gains: Mapping[str, AdapterGain], found: Measured) -> None:
        """
        Raises:
            DiskFull: nothing half-written stays.
        """
        with disk_errors(self.folder, "the effect"):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.place(gains), found.model_dump_json())


@dataclass(frozen=True)
class Effect:
    whole: Measured
    cells: tuple[CellEffect, ...]
    measured: int


async def effect(
    engine: Engine,
    codec: PromptCodec,
    material: Material,
    grid: Grid,
    *,
    tables: Mapping[str, Table],
    beside: Mapping[str, AdapterGain] = {},
    to: float,
    max_tokens: int,
    kept: Kept,
    progress: Progress | None = None,
) -> Effect:
    """Every cell of `grid` turned to `to` in turn, for all adapters in `tables` (adapter's id, or BASE →
    gains); what is `beside` them stays as it is.

    A cell that is at `to` already is not asked for: its effect is nothing.
    """
    settings: dict[tuple[int, int], dict[str, AdapterGain]] = {
        (band, column): {
            **{name: _turned(table, grid, band, column, to) for name, table in tables.items()},
            **beside,
        }
        for band in range(grid.bands)
        for column in range(len(grid.columns))
    }
    whole: dict[str, AdapterGain] = {**tables, **beside}
    found: dict[Path, Measured] = {}
    wanted = {kept.place(gains): gains for gains in (whole, *settings.values())}
    for place, gains in wanted.items():
        if (known := await in_thread(kept.find, gains)) is not None:
            found[place] = known
    missing = {place: gains for place, gains in wanted.items() if place not in found}
    each = len(material.questions) * (2 if max_tokens else 1) + len(material.general)
    work = Work(max(1, len(missing) * each), progress)
    for place, gains in missing.items():
        at = AtGains(engine, codec, material, gains, max_tokens)
        found[place] = await _measure(at, material, work, asks=max_tokens > 0)
        await in_thread(kept.keep, gains, found[place])
    reference = found[kept.place(whole)]
    cells = tuple(
        _compared(reference, found[kept.place(gains)], band, grid.columns[column])
        for (band, column), gains in settings.items()
    )
    return Effect(reference, cells, len(missing))


def _turned(table: Table, grid: Grid, band: int, column: int, to: float) -> Table:
    layers = grid.layers_of(band)
    return tuple(
        tuple(to if layer in layers and at == column else gain for at, gain in enumerate(row))
        for layer, row in enumerate(table)
    )


async def _measure(at: AtGains, material: Material, work: Work, *, asks: bool) -> Measured:
    losses = await work.together(at.answer_loss, material.questions)
    general = await work.together(at.text_loss, material.general)
    answers = await work.together(at.answer, material.questions) if asks else []
    return Measured(
        task=tuple(map(_mean_loss, losses)),
        general=tuple(map(_mean_loss, general)),
        answers=tuple(one.answer for one in answers),
    )


def _compared(whole: Measured, turned: Measured, band: int, column: str) -> CellEffect:
    changed = sum(one != other for one, other in zip(whole.answers, turned.answers, strict=True))
    return CellEffect(
        band=band,
        column=column,
        task=_change(whole.task, turned.task),
        general=_change(whole.general, turned.general) if whole.general else None,
        answers_changed=changed if whole.answers else None,
    )


def _change(before: Sequence[float], after: Sequence[float]) -> Change:
    apart = [new - old for old, new in zip(before, after, strict=True)]
    mean = sum(apart) / len(apart)
    if len(apart) < 2:
        return Change(rise=mean, error=None)
    variance = sum((one - mean) ** 2 for one in apart) / (len(apart) - 1)
    return Change(rise=mean, error=math.sqrt(variance / len(apart)))


def _mean_loss(logprobs: Sequence[float]) -> float:
    return -sum(logprobs) / len(logprobs)
