"""The confined process that reads documents: `python -m twotrack.learning.ingest.readers.child LIMITS`.

One JSON object a line: {"path", "name"} in; {"media_type", "extracted"} or {"error": …} out, as `read` gives
or raises them.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.processes import watch_lifeline
from twotrack.learning.ingest.errors import UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Extracted
from twotrack.learning.ingest.readers import read

_EXTRACTED = TypeAdapter(Extracted)


def main() -> None:
    watch_lifeline()
    seconds, memory_mib = map(int, sys.argv[1].split(":"))
    # What a library prints on the way goes elsewhere.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory_mib * 2**20),
        # It only ever reads.
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
        sink.write(json.dumps(_answer(asked["path"], asked["name"])).encode() + b"\n")
        sink.flush()


def _answer(path: str, name: str) -> dict[str, Any]:
    try:
        kind, extracted = read(Path(path), name)
        return {"media_type": kind, "extracted": _EXTRACTED.dump_python(extracted, mode="json")}
    except TwotrackError as error:
        return _problem(error)
    except MemoryError:
        why = Text("it needs more memory than a document may", "문서 하나에 허용된 메모리를 넘습니다")
        return _problem(UnreadableDocument(name=name, why=why))
    except RecursionError:
        why = Text("it is nested too deeply", "중첩이 너무 깊습니다")
        return _problem(UnreadableDocument(name=name, why=why))
    except Exception as error:
        # Any parser may trip over hostile bytes in a way of its own.
        return _problem(UnreadableDocument(name=name, why=damaged(f"{type(error).__name__}: {error}")))


def _problem(error: TwotrackError) -> dict[str, Any]:
    values = {
        name: {"en": value.en, "ko": value.ko} if isinstance(value, Text) else value
        for name, value in error.values.items()
    }
    return {"error": {"class": type(error).__name__, "values": values}}


if __name__ == "__main__":
    main()
