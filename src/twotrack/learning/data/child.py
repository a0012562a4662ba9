"""Reads data that strangers sent: `python -m twotrack.learning.data.child`, a child of the API or worker.

One JSON object comes in on standard input; lines of JSON go out: {"rows", "fraction"} on the way, and at the
end {"result": …} or {"error": {"class", "values"}}. Parsers of foreign bytes run nowhere else in the studio.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.processes import watch_lifeline

_Say = Callable[[dict[str, Any]], None]


def recognize(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    """A Recognized."""
    from twotrack.learning.data import errors
    from twotrack.learning.data.files import Record, read_records, recognize_file
    from twotrack.learning.data.formats import LOOKED_AT, recognize_format
    from twotrack.learning.data.report import Words
    from twotrack.learning.data.schemas import Recognized

    path = Path(asked["path"])
    form = recognize_file(path)
    records = [one for one in islice(read_records(path, form), LOOKED_AT) if isinstance(one, Record)]
    names = list(dict.fromkeys(name[:200] for record in records for name in record.fields))[:200]
    found = Recognized(file=form.kind, encoding=form.encoding, names=names)
    try:
        data = recognize_format(records, asked.get("columns"))
    except errors.ColumnsUnknown as error:
        if asked.get("columns"):
            raise
        found.why = Words(en=error.explain("en"), ko=error.explain("ko"))
    else:
        found.format, found.columns, found.unused = data.format, data.columns, list(data.unused)
    return found.model_dump(mode="json")


def samples(asked: dict[str, Any], say: _Say) -> list[dict[str, Any]]:
    """Samples from a line on."""
    from twotrack.learning.data.files import Flaw

    rows = (row for row in _open(asked).rows() if row.line >= asked["line"] and not isinstance(row, Flaw))
    return [asdict(row) for row in islice(rows, asked["count"])]


def write_lines(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    """All samples as lines that training takes, into `target` where there is one; their number and hash."""
    from twotrack.learning.data.lines import MAX_BYTES
    from twotrack.learning.data.training_lines import write

    target = asked.get("target")
    return write(_open(asked), Path(target) if target else None, limit=MAX_BYTES, progress=_progress(say))


def check(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    from twotrack.learning.data.check import check as look_through

    data, fitting, held_out = _open(asked), _fitting(asked), _held_out(asked)
    found = look_through(data, fitting=fitting, held_out=held_out, progress=_progress(say))
    return {"report": found.report.model_copy(update={"name": asked["name"]}).model_dump(mode="json")}


def shape(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    from twotrack.learning.data.requests import parse_shaping
    from twotrack.learning.data.shape import shape as write

    shaped, report = write(
        _open(asked),
        parse_shaping(asked["shaping"]),
        Path(asked["target"]) / "shaped.jsonl",
        fitting=_fitting(asked),
        held_out=_held_out(asked),
        replace_target=True,
        progress=_progress(say),
    )
    made = shaped.model_copy(update={"source": asked["name"]}).model_dump(mode="json")
    return {
        "files": [{"file": "shaped.jsonl", "name": asked["new_name"], "made": {"shaped": made}}],
        "report": report.model_copy(update={"name": asked["name"]}).model_dump(mode="json"),
    }


def mix(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    from twotrack.learning.data.check import open_data
    from twotrack.learning.data.mixing import Part
    from twotrack.learning.data.mixing import mix as write

    sources = [
        (
            open_data(Path(one["path"]), one["columns"], source=one["name"]),
            Part(name=one["name"], weight=one["weight"], at_least=one["at_least"]),
        )
        for one in asked["sets"]
    ]
    mixed = write(
        sources,
        Path(asked["target"]) / "mixed.jsonl",
        seed=asked["seed"],
        length=asked["length"],
        window=asked["window"],
        replace_target=True,
    )
    made = {"mixed": mixed.model_dump(mode="json")}
    return {"files": [{"file": "mixed.jsonl", "name": asked["new_name"], "made": made}]}


def split(asked: dict[str, Any], say: _Say) -> dict[str, Any]:
    from twotrack.learning.data.splitting import split as write

    found = write(
        _open(asked),
        {one["name"]: one["share"] for one in asked["parts"]} or None,
        seed=asked["seed"],
        folder=Path(asked["target"]),
        replace_targets=True,
    )
    found = found.model_copy(update={"source": asked["name"]})
    made = found.model_dump(mode="json")
    return {
        "files": [
            {
                "file": part.file,
                "name": f"{asked['name']}.{part.name}",
                "made": {"split": made, "part": part.name},
            }
            for part in found.parts
        ]
    }


ACTIONS: dict[str, Callable[[dict[str, Any], _Say], Any]] = {
    "recognize": recognize,
    "samples": samples,
    "lines": write_lines,
    "check": check,
    "shape": shape,
    "mix": mix,
    "split": split,
}


def _open(asked: dict[str, Any]) -> Any:
    from twotrack.learning.data.check import open_data

    return open_data(Path(asked["path"]), asked["columns"])


def _fitting(asked: dict[str, Any]) -> Any:
    if (base := asked.get("base")) is None:
        return None
    from twotrack.learning.data.fitting import Fitting
    from twotrack.registry.prompts import PromptCodec

    return Fitting(PromptCodec(base["name"], Path(base["tokenizer"])), base["name"], base["limit"])


def _held_out(asked: dict[str, Any]) -> Any:
    from twotrack.learning.data.requests import held_out_samples

    return held_out_samples(_open(asked["held_out"])) if asked.get("held_out") else None


def _progress(say: _Say) -> Callable[[int, float], None]:
    return lambda rows, fraction: say({"rows": rows, "fraction": fraction})


def main() -> None:
    watch_lifeline()
    asked = json.loads(sys.stdin.buffer.read())
    # What a library prints goes elsewhere than what is read.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, asked["memory"])):
        resource.setrlimit(kind, (limit, limit))

    def say(line: dict[str, Any]) -> None:
        channel.write(json.dumps(line) + "\n")
        channel.flush()

    try:
        say({"result": ACTIONS[asked["action"]](asked, say)})
    except TwotrackError as error:
        values = {
            name: {"en": value.en, "ko": value.ko} if isinstance(value, Text) else value
            for name, value in error.values.items()
        }
        said = {"class": type(error).__name__, "values": values}
        say({"error": json.loads(json.dumps(said, default=str))})
    except MemoryError:
        say({"error": {"class": "DataTooMuch", "values": {"limit_mib": asked["memory"] // 2**20}}})
    channel.flush()
    # A codec's process and threads would hold an ordinary exit.
    os._exit(0)


if __name__ == "__main__":
    main()
