"""Runs one of our modules over hostile input in a child with limits on time, memory and written bytes.

Parent: `run_confined("twotrack.registry.inspection", [path], …)`. Child: `confined_main(body)`. They speak
JSON: {"result": …}, or {"error": {"class": …, "values": …}} with the name of one of our error classes.
"""

import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twotrack.core.errors import DiskFull, TwotrackError
from twotrack.core.language import Text
from twotrack.core.processes import child_options, watch_lifeline
from twotrack.registry import conversion_errors, errors, families

_ANSWER_LIMIT = 16 * 2**20
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL|DATABASE_URL", re.IGNORECASE)

# What a child may answer with; a class that it names is looked up here and nowhere else.
_ANSWERS: dict[str, type[TwotrackError]] = {
    kind.__name__: kind
    for kind in (
        DiskFull,
        conversion_errors.AdapterUnsupported,
        conversion_errors.ConversionUnsupported,
        conversion_errors.TokenizerUnsupported,
        errors.ArchitectureUnmapped,
        errors.BrokenModelFile,
        errors.CustomCodeRefused,
        errors.ImpossibleConfiguration,
        errors.IncompleteModel,
        errors.NotAModel,
        errors.PickleRefused,
        errors.UnsafeArchive,
        errors.UnsafePath,
        families.NeedsCheckpointCode,
    )
}


@dataclass(frozen=True)
class Limits:
    seconds: float = 60
    """Wall time, and about the same of processor time."""
    memory_mib: int = 1536
    """Address space; the interpreter itself takes some 100 MiB of it."""
    written_bytes: int = 0
    """The longest file that the child may write."""


DEFAULT_LIMITS = Limits()


async def run_confined(
    module: str,
    arguments: Sequence[str],
    *,
    subject: str,
    limits: Limits = DEFAULT_LIMITS,
    waiting: Callable[[], Awaitable[None]] | None = None,
) -> Any:
    """What the child's body returned. `subject` names its input in errors.

    `waiting` is awaited about twice a second meanwhile; what it raises ends the child.

    Raises:
        UnreadableModel: the child crashed, hung, or answered nonsense.
        TwotrackError: what the child found wrong with its input.
    """
    options = child_options()
    options["env"] = {name: value for name, value in options["env"].items() if not _SECRET.search(name)}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module),
        *(f"--limits={limits.seconds}:{limits.memory_mib}:{limits.written_bytes}", "--", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        **options,
    )
    answer = asyncio.create_task(_answer(child))
    try:
        async with asyncio.timeout(limits.seconds):
            while not (await asyncio.wait([answer], timeout=0.5))[0]:
                if waiting is not None:
                    await waiting()
            output, code = await answer
    except TimeoutError:
        raise errors.UnreadableModel(
            file=subject,
            why=Text(
                f"it took more than {limits.seconds:g} seconds", f"{limits.seconds:g}초 안에 읽지 못했습니다"
            ),
        ) from None
    finally:
        answer.cancel()
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return _result(output, code, subject)


async def _answer(child: asyncio.subprocess.Process) -> tuple[bytes, int]:
    assert child.stdout is not None
    output = b""
    while (chunk := await child.stdout.read(2**16)) and len(output) <= _ANSWER_LIMIT:
        output += chunk
    if chunk:
        child.kill()
    return output, await child.wait()


def _result(output: bytes, code: int, subject: str) -> Any:
    try:
        answer = json.loads(output) if code == 0 else {}
        if "error" in answer:
            kind = _ANSWERS[answer["error"]["class"]]
            values = {
                str(name): Text(str(value["en"])[:1000], str(value["ko"])[:1000])
                if isinstance(value, dict)
                else str(value)[:1000]
                for name, value in answer["error"]["values"].items()
            }
            found: TwotrackError = kind(**values)
        elif "result" in answer:
            return answer["result"]
        else:
            raise ValueError(code)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        ended = signal.Signals(-code).name if code < 0 else str(code)
        raise errors.UnreadableModel(
            file=subject,
            why=Text(
                f"the process that read it ended without an answer ({ended})",
                f"파일을 읽던 프로세스가 답 없이 끝났습니다({ended})",
            ),
        ) from None
    raise found


def confined_main(body: Callable[[list[str]], Any]) -> None:
    """Run `body` over the command line's arguments within the limits, and print its answer.

    Run by hand, without --limits, the child may print into a file.
    """
    watch_lifeline()
    given = [word.partition("=")[2] for word in sys.argv[1:] if word.startswith("--limits=")]
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    seconds, memory_mib, written = (
        map(float, given[0].split(":"))
        if given
        else (DEFAULT_LIMITS.seconds, DEFAULT_LIMITS.memory_mib, 2**40)
    )
    # Whatever reads the answer gets it whole; what a library prints on the way goes elsewhere.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, int(memory_mib * 2**20)),
        (resource.RLIMIT_FSIZE, int(written)),
        (resource.RLIMIT_CPU, int(seconds) + 1),
    ):
        resource.setrlimit(kind, (limit, limit))
    try:
        answer = {"result": body(arguments)}
    except TwotrackError as error:
        values = {
            name: {"en": value.en, "ko": value.ko} if isinstance(value, Text) else str(value)
            for name, value in error.values.items()
        }
        answer = {"error": {"class": type(error).__name__, "values": values}}
    sink.write(json.dumps(answer, allow_nan=False).encode())
    sink.flush()
