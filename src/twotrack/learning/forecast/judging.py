"""Whether a run that is about to begin fits this machine, where that is known: nothing is measured."""

from collections.abc import Sequence
from pathlib import Path

from twotrack.core.language import Text
from twotrack.engines.machine import usable_memory, usable_threads
from twotrack.learning.data.tokens import Row
from twotrack.learning.forecast.calibration import Calibration, kept_at, place_of
from twotrack.learning.forecast.forecast import Question, forecast_here
from twotrack.learning.forecast.measuring import this_machine
from twotrack.learning.forecast.schemas import Remedy
from twotrack.learning.forecast.shape import read_shape
from twotrack.learning.forecast.workload import RowSize
from twotrack.learning.train.errors import WillNotFit
from twotrack.learning.train.recipe import Recipe, trained_columns
from twotrack.registry.boards import family_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread

_GIB = 2**30


async def refuse_what_cannot_fit(
    layout: Layout, base: Base, recipe: Recipe, model: Path, rows: Sequence[Row]
) -> None:
    """Judge a run by what an earlier forecast measured; where nothing was, nothing is said.

    `model` is the base's safetensors folder.

    Raises:
        WillNotFit: with what would.
    """
    family = family_of(base)
    columns = trained_columns(recipe, family)
    place = place_of(layout, base.id, recipe, columns, this_machine(), usable_threads())
    if (calibration := await in_thread(kept_at, place)) is None:
        return
    shape = await in_thread(read_shape, model, family)
    question = Question(shape, recipe, columns, [RowSize.of(row) for row in rows])
    await in_thread(_judge, question, calibration)


def _judge(question: Question, calibration: Calibration) -> None:
    found = forecast_here(question, calibration, capacity=usable_memory())
    if not found.fits:
        raise WillNotFit(
            needed_gib=found.peak_bytes / _GIB,
            capacity_gib=found.capacity_bytes / _GIB,
            fits=_said(found.remedies),
        )


def _said(remedies: Sequence[Remedy]) -> Text:
    if not remedies:
        return Text("Only a smaller base would fit.", "더 작은 베이스가 필요합니다.")
    ways = []
    for one in remedies:
        fields = ", ".join(f"{name}: {str(value).lower()}" for name, value in one.changes.items())
        ways.append(f"{fields} ({one.peak_bytes / _GIB:.1f} GiB)")
    return Text(f"This would fit: {'; '.join(ways)}.", f"이러면 됩니다: {'; '.join(ways)}.")
