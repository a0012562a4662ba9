"""Starts the child that reads data, and understands what it says."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twotrack.core import errors as core
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.processes import child_options
from twotrack.learning.data import errors
from twotrack.registry.sandbox import TemplateFailed, TemplateTooLarge, TemplateTooSlow

MEMORY = 4 * 2**30
"""Address space of the child, in bytes; libraries reserve much that they never use."""

_LONGEST_LINE = 64 * 2**20
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL|DATABASE_URL", re.IGNORECASE)
# What the child may end with; a class that it names is looked up here and nowhere else.
_ERRORS: dict[str, type[TwotrackError]] = {
    kind.__name__: kind
    for kind in (
        *(
            kind
            for kind in vars(errors).values()
            if isinstance(kind, type) and issubclass(kind, TwotrackError)
        ),
        *(core.DiskFull, core.FolderUnusable, core.InvalidInput),
        *(TemplateFailed, TemplateTooLarge, TemplateTooSlow),
    )
}
_ENVIRONMENT = {
    # Each thread of a BLAS would reserve memory of its own; nothing here multiplies matrices.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}

Heard = Callable[[int, float], Awaitable[None]]


async def run_child(
    action: str, asked: dict[str, Any], *, name: str, heard: Heard | None = None, seconds: float | None = None
) -> Any:
    """What an action of child.py returned. `heard` is awaited with rows and the done part.

    The child ends with the task that awaits this.

    Raises:
        DataUnreadable: the child crashed, or took longer than `seconds`; `name` is what people call the data.
        TwotrackError: what the child found wrong.
    """
    options = child_options(_ENVIRONMENT)
    options["env"] = {key: value for key, value in options["env"].items() if not _SECRET.search(key)}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "twotrack.learning.data.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_LINE,
        **options,
    )
    try:
        async with asyncio.timeout(seconds):
            return await _talk(child, {"action": action, "memory": MEMORY, **asked}, name, heard)
    except TimeoutError:
        why = Text(f"it took more than {seconds:g} seconds", f"{seconds:g}초 안에 읽지 못했습니다")
        raise errors.DataUnreadable(name=name, why=why) from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _talk(
    child: asyncio.subprocess.Process, asked: dict[str, Any], name: str, heard: Heard | None
) -> Any:
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(ConnectionError):
        child.stdin.write(json.dumps(asked, default=str).encode())
        await child.stdin.drain()
        child.stdin.close()
    try:
        while line := await child.stdout.readline():
            said = json.loads(line)
            if "result" in said:
                return said["result"]
            if "error" in said:
                values = _values(said["error"]["values"])
                # It lies under its id: what people call it is known here. A mix has several.
                if "sets" not in asked and values.get("name") == Path(asked.get("path", "")).name:
                    values["name"] = name
                raise _ERRORS[said["error"]["class"]](**values)
            if heard is not None:
                await heard(int(said["rows"]), float(said["fraction"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        why = Text("its reader answered nonsense", "데이터를 읽던 프로세스가 잘못된 답을 했습니다")
        raise errors.DataUnreadable(name=name, why=why) from None
    code = await child.wait()
    ended = signal.Signals(-code).name if code < 0 else str(code)
    why = Text(
        f"the process that read it ended without an answer ({ended})",
        f"데이터를 읽던 프로세스가 답 없이 끝났습니다({ended})",
    )
    raise errors.DataUnreadable(name=name, why=why)


def _values(given: dict[str, Any]) -> dict[str, Any]:
    return {
        str(name): Text(str(value["en"])[:1000], str(value["ko"])[:1000])
        if isinstance(value, dict)
        else value
        for name, value in given.items()
    }
