"""What people ask for in words and numbers, checked: options of the command line, fields of a request."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.learning.data.check import DataFile, open_data
from twotrack.learning.data.errors import BrokenLine, NoSamples
from twotrack.learning.data.files import Flaw
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.mixing import Part
from twotrack.learning.data.report import FindingKind
from twotrack.learning.data.shape import Shaping
from twotrack.learning.suggestions import unknown

LARGEST_HELD_OUT = 200_000
"""Samples. They are kept in memory."""


def parse_shaping(fields: Mapping[str, Any]) -> Shaping:
    """
    Raises:
        InvalidInput: a field that is unknown, with the nearest known name, or a value that cannot be used.
    """
    for kind in fields.get("drop", ()):
        if kind not in get_args(FindingKind):
            why = unknown(Text("finding", "항목"), str(kind), get_args(FindingKind))
            raise InvalidInput(what="drop", value=kind, why=why)
    try:
        return Shaping.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else "shaping"
        if first["type"] == "extra_forbidden":
            why = unknown(Text("field", "필드"), field, Shaping.model_fields)
            raise InvalidInput(what=Text("shaping", "다듬기"), value=field[:60], why=why) from None
        raise InvalidInput(what=field, value=str(first["input"])[:60], why=first["msg"]) from None


def parse_set(given: str) -> tuple[DataFile, Part]:
    """FILE, FILE,weight=2 or FILE,at-least=30: a set of a mix. A file's name may have commas.

    Raises:
        InvalidInput, and what opening the file raises.
    """
    name, options = given, dict[str, str]()
    while "," in name:
        rest, _, last = name.rpartition(",")
        key, equals, value = last.partition("=")
        if not equals:
            break
        if key.strip() not in ("weight", "at-least"):
            if Path(name).exists():
                break
            why = unknown(Text("option", "옵션"), key.strip(), ("weight", "at-least"))
            raise InvalidInput(what=Text("set", "데이터"), value=given, why=why)
        options[key.strip()] = value
        name = rest
    try:
        weight = float(options["weight"]) if "weight" in options else None
        at_least = int(options.get("at-least", 0))
        if (weight is not None and not (math.isfinite(weight) and weight >= 0)) or at_least < 0:
            raise ValueError
    except ValueError:
        why = Text(
            "a weight is a number and at-least a whole one, from 0 on",
            "weight는 0 이상의 수, at-least는 정수입니다",
        )
        raise InvalidInput(what=Text("set", "데이터"), value=given, why=why) from None
    path = Path(name)
    return open_data(path, source=path.stem), Part(name=path.stem, weight=weight, at_least=at_least)


def parse_parts(given: Sequence[str]) -> dict[str, float]:
    """NAME=SHARE, as often as there are parts.

    Raises:
        InvalidInput
    """
    parts: dict[str, float] = {}
    for one in given:
        name, _, share = one.partition("=")
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not name.isidentifier() or name in parts or not (math.isfinite(value) and value > 0):
            why = Text("it is written NAME=SHARE, each name once", "이름=비율 꼴로, 이름마다 한 번씩 씁니다")
            raise InvalidInput(what="--part", value=one, why=why)
        parts[name] = value
    return parts


def chosen_samples(data: DataFile, line: int | None) -> Iterator[Sample]:
    """All samples, or the one of a line.

    Raises:
        BrokenLine: that line is none.
        NoSamples
    """
    found = False
    for row in data.rows():
        if line is not None and row.line != line:
            continue
        if isinstance(row, Flaw):
            if line is not None:
                raise BrokenLine(line=line, why=row.why)
            continue
        found = True
        yield row
        if line is not None:
            return
    if line is not None and not found:
        raise BrokenLine(line=line, why=Text("there is no sample in it", "샘플이 없는 줄입니다"))
    if not found:
        raise NoSamples()


def held_out_samples(data: DataFile) -> list[Sample]:
    """
    Raises:
        NoSamples
        InvalidInput: more than are kept in memory.
    """
    samples: list[Sample] = []
    for row in data.rows():
        if isinstance(row, Sample):
            samples.append(row)
        if len(samples) > LARGEST_HELD_OUT:
            why = Text(f"more than {LARGEST_HELD_OUT:,} samples", f"샘플이 {LARGEST_HELD_OUT:,}개를 넘습니다")
            raise InvalidInput(what=Text("held-out part", "평가용 데이터"), value=data.path.name, why=why)
    if not samples:
        raise NoSamples()
    return samples
