"""Markdown: headings, tables and paragraphs as they are written; front matter becomes metadata.

The text stays as its author typed it, so that a place in it is a place in the file's own words.
"""

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no type information

from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.learning.ingest.readers.decoding import decode

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE_ROW = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


def read(path: Path, name: str) -> Extracted:
    text = decode(path.read_bytes())
    matter, text = _front_matter(text)
    composer = Composer()
    title: str | None = None
    lines = text.split("\n")
    held: list[str] = []
    fence: str | None = None

    def release() -> None:
        composer.paragraph("\n".join(held))
        held.clear()

    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if fence is not None:
            held.append(line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
                release()
        elif opening := _FENCE.match(line):
            release()
            fence = opening[1]
            held.append(line)
        elif heading := _HEADING.match(line):
            release()
            composer.heading(heading[2], len(heading[1]))
            title = title or (heading[2] if len(heading[1]) == 1 else None)
        elif len(held) == 1 and held[0].strip() and (underline := _UNDERLINE.match(line)):
            level = 1 if underline[1][0] == "=" else 2
            title = title or (held[0].strip() if level == 1 else None)
            composer.heading(held.pop(), level)
        elif "|" in line and place < len(lines) and "|" in lines[place] and _RULE_ROW.match(lines[place]):
            release()
            rows = [_cells(line)]
            place += 1
            while place < len(lines) and "|" in lines[place]:
                rows.append(_cells(lines[place]))
                place += 1
            composer.table(rows)
        elif line.strip():
            held.append(line)
        else:
            release()
    release()
    return composer.finish(title=str(matter.pop("title", None) or title or ""), **matter)


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Flat values of the YAML between two lines of "---" at the very beginning, and what follows."""
    found = re.match(r"---[ \t]*\n(.{0,20000}?)\n---[ \t]*(\n|$)", text, re.S)
    if not found:
        return {}, text
    try:
        matter = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text
    if not isinstance(matter, dict):
        return {}, text
    flat = {
        str(key)[:64]: value if isinstance(value, bool | int | float) else str(value)[:1000]
        for key, value in matter.items()
        if not isinstance(value, dict | list | None)
    }
    return flat, text[found.end() :]
