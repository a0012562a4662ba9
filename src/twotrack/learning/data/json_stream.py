"""Elements of a JSON array, or objects one after another, from a stream in bounded memory."""

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from twotrack.core.language import Text

_CHUNK = 2**18
_BETWEEN = re.compile(r"[\s,]*")
_DOCUMENT = re.compile(r'\s*\{\s*"(?:data|rows|samples|train|examples|records|items)"\s*:\s*\[(?=\s*[{\]])')
# Errors this near to the end of what was read may only mean that the rest is still to come.
_NEAR = 16


def read_elements(file: IO[str], longest: int) -> Iterator[tuple[int, Any, str]]:
    """(line, value, its text) of each element, or (line, Text, "") for what cannot be read; lines from 1.

    An array's commas are not insisted on. After an element that is broken the reading goes on at the next
    line that begins with a brace; `longest` is how many characters an element may have.
    """
    decoder = json.JSONDecoder()
    buffer, at, line = file.read(_CHUNK), 0, 1
    more = len(buffer) == _CHUNK
    opening = _DOCUMENT.match(buffer) or re.match(r"\s*\[", buffer)
    if opening:
        line += buffer.count("\n", 0, opening.end())
        at = opening.end()
    while True:
        between = _BETWEEN.match(buffer, at)
        assert between is not None
        line += buffer.count("\n", at, between.end())
        at = between.end()
        if at == len(buffer):
            if not more:
                return
            buffer, at = file.read(_CHUNK), 0
            more = len(buffer) == _CHUNK
            continue
        if buffer[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
            if end < len(buffer) or not more:
                yield line, value, buffer[at:end]
                line += buffer.count("\n", at, end)
                at = end
                continue
            why = None
        except json.JSONDecodeError as error:
            end = error.pos
            unfinished = error.msg.startswith("Unterminated string") or end >= len(buffer) - _NEAR
            why = None if unfinished and more else _why(error, buffer, line, at)
        except (ValueError, RecursionError):
            end = at
            why = Text("no JSON that can be read", "읽을 수 있는 JSON이 아닙니다")
        if why is None and len(buffer) - at <= longest:
            # Twice as much each time, so that a long element is not begun anew for every piece of it.
            buffer = buffer[at:]
            piece = file.read(max(_CHUNK, len(buffer)))
            more = len(piece) == max(_CHUNK, len(buffer))
            buffer, at = buffer + piece, 0
            continue
        yield line, why or Text("an element without an end", "끝나지 않는 항목입니다"), ""
        resumed = re.compile(r"\n\s*(?=\{)").search(buffer, max(at + 1, end if why else at + 1))
        if resumed is None:
            rest = buffer[at:]
            line += rest.count("\n")
            buffer, at = file.read(_CHUNK), 0
            more = len(buffer) == _CHUNK
            if not buffer:
                return
            # Within a line nothing tells where the next element begins.
            skipped = re.compile(r"(?:^|\n)\s*(?=\{)").search(buffer)
            at = skipped.end() if skipped else len(buffer)
            line += buffer.count("\n", 0, at)
        else:
            line += buffer.count("\n", at, resumed.end())
            at = resumed.end()


def _why(error: json.JSONDecodeError, buffer: str, line: int, at: int) -> Text:
    place = line + buffer.count("\n", at, error.pos)
    return Text(
        f"not JSON at line {place}: {error.msg}", f"{place}번째 줄에서 JSON이 깨졌습니다: {error.msg}"
    )
