"""The worker's side of the process that reads documents: a hostile one takes down no more than itself."""

import asyncio
import json
import re
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.processes import child_options
from twotrack.learning.ingest import errors
from twotrack.learning.ingest.extracted import Extracted

_ANSWERS: dict[str, type[TwotrackError]] = {
    kind.__name__: kind
    for kind in (
        errors.UnreadableDocument,
        errors.FormatUnknown,
        errors.DocumentEncrypted,
        errors.DocumentEmpty,
        errors.DocumentTooLarge,
        errors.TextTooLong,
        errors.PackageSwollen,
    )
}
_EXTRACTED = TypeAdapter(Extracted)
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL|DATABASE_URL", re.IGNORECASE)
_LONGEST_ANSWER = 256 * 2**20
_READ_BY_ONE = 200
"""Documents; then another process, so that what one left behind does not pile up."""


@dataclass(frozen=True)
class Limits:
    seconds: int = 120
    """Wall time for one document, and about the same of processor time."""
    memory_mib: int = 2048
    """Address space; the interpreter and its libraries take some 200 MiB of it."""


class Readers:
    """Reads one document at a time in a child that comes up for the first and again after it has died."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child: asyncio.subprocess.Process | None = None
        self._read = 0
        self._turn = asyncio.Lock()

    async def read(self, path: Path, name: str) -> tuple[str, Extracted]:
        """Media type and text; `name` is what people call the document.

        Raises:
            UnreadableDocument: the child crashed, hung, or answered nonsense as well.
            TwotrackError: what else is wrong with the document, as readers.read says it.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(self._limits.seconds):
                    answer = await self._ask({"path": str(path), "name": name})
            except TimeoutError:
                await self._end()
                seconds = self._limits.seconds
                why = Text(f"it took more than {seconds} seconds", f"{seconds}초 안에 읽지 못했습니다")
                raise errors.UnreadableDocument(name=name, why=why) from None
            except (ValueError, OSError):
                raise errors.UnreadableDocument(name=name, why=await self._last_words()) from None
            except BaseException:
                # The answer that still comes would be taken for the next document's.
                await self._end()
                raise
            try:
                return self._understood(answer)
            except (LookupError, TypeError, AttributeError, ValidationError):
                await self._end()
                why = Text("its reader answered nonsense", "문서를 읽던 프로세스가 잘못된 답을 했습니다")
                raise errors.UnreadableDocument(name=name, why=why) from None

    async def close(self) -> None:
        async with self._turn:
            await self._end()

    async def _ask(self, question: dict[str, str]) -> Any:
        if self._child is None or self._child.returncode is not None or self._read >= _READ_BY_ONE:
            await self._end()
            self._child = await self._start()
            self._read = 0
        self._read += 1
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(question).encode() + b"\n")
        await child.stdin.drain()
        # An empty line, which is no JSON, tells that the child has ended.
        return json.loads(await child.stdout.readline())

    async def _start(self) -> asyncio.subprocess.Process:
        options = child_options()
        options["env"] = {name: value for name, value in options["env"].items() if not _SECRET.search(name)}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "twotrack.learning.ingest.readers.child"),
            f"{self._limits.seconds}:{self._limits.memory_mib}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_ANSWER,
            **options,
        )

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            if child.stdin is not None:
                child.stdin.close()

    async def _last_words(self) -> Text:
        code = None
        if self._child is not None:
            with suppress(TimeoutError):
                code = await asyncio.wait_for(self._child.wait(), 2)
        await self._end()
        ended = signal.Signals(-code).name if code is not None and code < 0 else str(code)
        return Text(
            f"the process that read it ended without an answer ({ended})",
            f"문서를 읽던 프로세스가 답 없이 끝났습니다({ended})",
        )

    @staticmethod
    def _understood(answer: dict[str, Any]) -> tuple[str, Extracted]:
        if "error" in answer:
            kind = _ANSWERS[answer["error"]["class"]]
            raise kind(
                **{
                    str(name): Text(str(value["en"])[:1000], str(value["ko"])[:1000])
                    if isinstance(value, dict)
                    else value
                    for name, value in answer["error"]["values"].items()
                }
            )
        extracted = _EXTRACTED.validate_python(answer["extracted"])
        length = len(extracted.text)
        if any(not 0 <= block.start <= block.stop <= length for block in extracted.blocks):
            raise LookupError("a block lies outside of the text")
        return str(answer["media_type"]), extracted
