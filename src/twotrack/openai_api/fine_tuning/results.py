"""The metrics of a finished job as a file, in the form of that API's own: one line of CSV for each step."""

import csv
import io
from typing import Any
from uuid import UUID

from twotrack.core.database import Database
from twotrack.learning.train.job import read_held_out, read_history
from twotrack.learning.train.plan import RunFolder
from twotrack.openai_api.fine_tuning import tables
from twotrack.openai_api.fine_tuning.tables import TuningRow
from twotrack.openai_api.ids import write_id
from twotrack.registry.layout import Layout

PURPOSE = "fine-tune-results"
NAME = "step_metrics.csv"


async def find(database: Database, file_id: UUID, *, of: UUID | None) -> TuningRow | None:
    """The finished job whose metrics have this id; it is the job's own."""
    async with database.transaction() as connection:
        row = await tables.find(connection, file_id, of=of)
    return row if row is not None and row.result is not None else None


def metrics_of(layout: Layout, row: TuningRow) -> bytes:
    """Losses are in nats a learned token. Without a validation file there is no column for it, and a cell is
    empty where nothing was measured at that step."""
    folder = RunFolder(layout.job(row.job_id))
    judged = {point.step: point.loss for point in read_held_out(folder)}
    heads = ["step", "train_loss", *(["full_valid_loss"] if judged else []), "learning_rate", "tokens"]
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for point in read_history(folder):
        measured = {"full_valid_loss": judged.get(point.step)}
        writer.writerow({**point.model_dump(), "train_loss": point.loss, **measured})
    return text.getvalue().encode()


def describe(layout: Layout, row: TuningRow) -> dict[str, Any]:
    """A FileObject."""
    made = row.finished_at or row.created_at
    return {
        "id": write_id("file", row.job_id),
        "object": "file",
        "bytes": len(metrics_of(layout, row)),
        "created_at": int(made.timestamp()),
        "expires_at": None,
        "filename": NAME,
        "purpose": PURPOSE,
        "status": "processed",
        "status_details": None,
    }
