"""Has this machine measured for a recipe, by a child process, one at a time; or takes what was measured."""

import asyncio
import os
import platform
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Literal

from twotrack.core.file_lock import file_lock
from twotrack.core.folders import write_whole
from twotrack.core.jobs import Attempt
from twotrack.core.processes import stop_async
from twotrack.engines.machine import has_gpu, usable_threads
from twotrack.learning.forecast.calibration import Calibration, keep, kept_at, place_of
from twotrack.learning.forecast.child import Asked, Said
from twotrack.learning.train import errors
from twotrack.learning.train.child import ERRORS
from twotrack.learning.train.environment import options_of_child
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread

_MODULE = "twotrack.learning.forecast.child"
_GRACE_SECONDS = 1.0


async def calibrate(
    attempt: Attempt, layout: Layout, base_id: str, asked: Asked
) -> tuple[Calibration | None, Literal["new", "kept"] | None]:
    """The calibration, and whether it is new; None where the machine has not the memory to measure at all.

    Raises:
        BuiltOtherwise, TrainingDied, …: what the child said.
    """
    place = place_of(layout, base_id, asked.recipe, asked.columns, this_machine(), usable_threads())
    await attempt.report("measuring")
    # Two at a time would measure each other.
    async with file_lock(layout.home / "derived" / "forecast.lock", waiting=attempt.check):
        if kept := await in_thread(kept_at, place):
            return kept, "kept"
        folder = layout.job(attempt.job_id) / f"calibration-{attempt.token}"
        try:
            await in_thread(lambda: folder.mkdir(parents=True))
            await in_thread(write_whole, folder / "ask.json", asked.model_dump_json())
            found = await _run(attempt, folder)
        except errors.TrainingOutOfMemory:
            return None, None
        finally:
            await in_thread(shutil.rmtree, folder, ignore_errors=True)
        await in_thread(keep, place, found)
        return found, "new"


def this_machine() -> str:
    """What tells it from others: what a data folder was moved to is measured anew."""
    return f"{platform.node()} {has_gpu()} {os.environ.get('CUDA_VISIBLE_DEVICES')}"


async def _run(attempt: Attempt, folder: Path) -> Calibration:
    log = folder / "log.txt"
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _MODULE, str(folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            **options_of_child(),
        )
    try:
        async with aclosing(_lines(process)) as lines:
            async for line in lines:
                if line.found is not None:
                    return line.found
                if line.error is not None:
                    raise ERRORS[line.error](**(line.values or {}))
                await attempt.report(line.stage or "measuring", fraction=line.fraction)
        ended = await process.wait()
        if ended == -signal.SIGKILL:
            # The kernel's way of saying that there is no memory left.
            raise errors.TrainingOutOfMemory(why="SIGKILL")
        name = signal.Signals(-ended).name if ended < 0 else str(ended)
        raise errors.TrainingDied(why=name, log=_last_words(log))
    finally:
        await stop_async(process, grace=_GRACE_SECONDS, first=signal.SIGKILL)


async def _lines(process: asyncio.subprocess.Process) -> AsyncGenerator[Said, None]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.endswith(b"\n"):
            yield Said.model_validate_json(line)


def _last_words(log: Path) -> str:
    """The log goes with its folder."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "–"
