"""Has rows measured by a child process, one at a time; what is known already is taken from there."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.jobs import Attempt
from twotrack.core.processes import stop_async
from twotrack.learning.data.tokens import Row
from twotrack.learning.sensitivity.child import ERRORS, Asked, Said
from twotrack.learning.sensitivity.kept import Kept, Looked, MeasuredRow
from twotrack.learning.train import errors
from twotrack.learning.train.environment import options_of_child
from twotrack.registry.storage import in_thread

_MODULE = "twotrack.learning.sensitivity.child"
_GRACE_SECONDS = 1.0


async def measure(
    attempt: Attempt, folder: Path, kept: Kept, asked: Asked, rows: Mapping[str, Row]
) -> tuple[Looked, dict[str, MeasuredRow], int]:
    """What is looked at, the figures of all rows, and how many of them were not known before. Each is kept as
    it comes. `folder` is the attempt's own, `asked` says all but the rows. The kept ones are the caller's:
    it holds their lock.

    Raises:
        BuiltOtherwise, GradientNotFinite, TrainingOutOfMemory, TrainingDied, DiskFull, …
    """
    found = await in_thread(kept.rows, rows)
    looked = await in_thread(kept.looked)
    missing = {key: row for key, row in rows.items() if key not in found}
    if looked is not None and not missing:
        return looked, found, 0
    with disk_errors(folder, "the rows"):
        await in_thread(lambda: folder.mkdir(parents=True, exist_ok=True))
        ask = asked.model_copy(update={"rows": missing})
        await in_thread(write_whole, folder / "ask.json", ask.model_dump_json())
    known = len(found)
    async with aclosing(_said(folder)) as lines:
        async for line in lines:
            if line.error is not None:
                raise ERRORS[line.error](**(line.values or {}))
            if line.modules is not None:
                looked = Looked(
                    modules=line.modules, precision=line.precision or "", device=line.device or ""
                )
                await in_thread(kept.keep_looked, looked)
            if line.row is not None:
                row = MeasuredRow(row=line.row, loss=line.loss or 0.0, squares=line.squares or ())
                await in_thread(kept.add, row)
                found[row.row] = row
            if line.stage is not None:
                await attempt.report(line.stage)
            else:
                await attempt.report("gradients", fraction=(len(found) - known) / max(1, len(missing)))
    assert looked is not None
    return looked, found, len(missing)


async def _said(folder: Path) -> AsyncGenerator[Said, None]:
    """The lines of a child, to the one that says that all is done.

    Raises:
        TrainingOutOfMemory, TrainingDied: it ended without having said so.
    """
    log = folder / "log.txt"
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _MODULE, str(folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            # A line has a figure for each of thousands of modules.
            limit=2**24,
            **options_of_child(),
        )
    assert process.stdout is not None
    try:
        while line := await process.stdout.readline():
            # A killed child may leave half a line.
            if line.endswith(b"\n"):
                found = Said.model_validate_json(line)
                if found.is_done:
                    return
                yield found
        ended = await process.wait()
        if ended == -signal.SIGKILL:
            # The kernel's way of saying that there is no memory left.
            raise errors.TrainingOutOfMemory(why="SIGKILL")
        name = signal.Signals(-ended).name if ended < 0 else str(ended)
        raise errors.TrainingDied(why=name, log=_last_words(log))
    finally:
        await stop_async(process, grace=_GRACE_SECONDS, first=signal.SIGKILL)


def _last_words(log: Path) -> str:
    """The log goes with its folder."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "–"
