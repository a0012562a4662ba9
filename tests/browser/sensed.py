"""A measurement of the starter's sensitivity as a job has told it, for the views of its map."""

import math
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from twotrack.core.database import Database, as_jsonb
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.child import SensedModule
from twotrack.learning.sensitivity.kept import MeasuredRow
from twotrack.learning.sensitivity.schemas import SensitivityReport
from twotrack.learning.sensitivity.summary import Summary
from twotrack.registry.boards import grid_of
from twotrack.registry.schemas import Base


async def measured(database: Database, base: Base) -> None:
    """Sensitivity of the starter as a job has told it: more in the middle, and least where it reads."""
    grid = grid_of(base)
    assert grid is not None
    sizes = {"attn.qk": (576, 192), "attn.vo": (576, 192), "mlp.in": (1536, 576), "mlp.out": (576, 1536)}
    modules = [
        SensedModule(name=f"layers.{layer}.{column}", layer=layer, column=column, outputs=out, inputs=into)
        for layer in range(grid.layers)
        for column, (out, into) in sizes.items()
    ]
    rows = {
        str(number): MeasuredRow(
            row=str(number),
            loss=2.9 + 0.2 * number,
            squares=tuple(
                (1 + 0.3 * math.sin(number + at)) * math.exp(-(((one.layer - 17) / 9) ** 2)) * (1 + at % 4)
                for at, one in enumerate(modules)
            ),
        )
        for number in range(12)
    }
    made = Summary(grid, modules, [Row(1 + int(key), (1, 2), (1, 2)) for key in rows], list(rows), rows)
    report = SensitivityReport(
        base=base.name,
        base_id=base.id,
        data_sha256="a1" * 32,
        data_set=None,
        template_sha256="5d" * 32,
        samples=made.samples,
        seed=0,
        tokens=486,
        precision="fp32",
        device="cpu",
        loss=made.loss,
        columns=grid.columns,
        bands=grid.bands,
        square=made.square,
        cells=made.cells(),
        layers=made.layers(),
        modules=made.modules(),
        suggested=made.suggested(rank=16, alpha=32.0, freeze_below=0.1),
        measured=len(rows),
    )
    await database.execute(
        "INSERT INTO jobs (id, kind, args, state, result, created_at, started_at, finished_at)"
        " VALUES (%s, 'sensitivity', %s, 'succeeded', %s, %s, %s, %s)",
        [
            *(uuid4(), as_jsonb({"base": base.name}), as_jsonb(report.model_dump(mode="json"))),
            *[datetime.now(UTC) - timedelta(days=6)] * 3,
        ],
    )
