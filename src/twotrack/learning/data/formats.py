"""What a record's columns mean: recognized by their names and what stands in them, or mapped by hand."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from twotrack.core.language import Text
from twotrack.learning.data.errors import ColumnRefused, ColumnsUnknown
from twotrack.learning.data.files import Record
from twotrack.learning.suggestions import unknown

Format = Literal["messages", "sharegpt", "alpaca", "preference", "text"]
COLUMNS = (
    *("messages", "prompt", "input", "answer", "system", "history", "chosen", "rejected", "text"),
    *("key", "group", "source"),
)
"""What a column can mean."""

LOOKED_AT = 200
"""Records, from the beginning."""

# What a column may be called, the likeliest name first; KoAlpaca v1.0, v1.1 and RealQA are among them.
_NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns", "대화"),
    "prompt": (
        *("instruction", "prompt", "question", "query", "user", "human"),
        *("질문", "지시", "지시문", "명령", "명령어", "문제", "물음"),
    ),
    "input": ("input", "context", "입력", "문맥", "맥락"),
    "answer": (
        *("output", "response", "answer", "completion", "reply", "assistant", "target"),
        *("답변", "응답", "출력", "정답", "대답", "답"),
    ),
    "system": ("system", "system_prompt", "시스템"),
    "history": ("history",),
    "chosen": ("chosen", "preferred", "선호"),
    "rejected": ("rejected", "dispreferred", "비선호"),
    "text": ("text", "content", "document", "body", "본문", "내용", "글"),
    "key": ("key",),
    "group": ("group",),
    "source": ("source", "출처"),
}
# Whoever has no instruction asks in "input".
_PROMPT_TOO = ("input", "입력")
SPEAKER = ("role", "from", "speaker")
SAID = ("content", "value", "text")


class DataForm(BaseModel):
    """A format with the columns that it is read from, by what they mean; `unused` ones are left out."""

    model_config = ConfigDict(frozen=True)

    format: Format
    columns: dict[str, str]
    unused: tuple[str, ...] = ()


def recognize_format(records: Sequence[Record], mapped: Mapping[str, str] | None = None) -> DataForm:
    """The format of the first records of a file; `mapped` says by hand what columns mean.

    Raises:
        ColumnsUnknown: neither names nor contents say what this is.
        ColumnRefused: `mapped` has a meaning that is none, or a column that is not there.
    """
    counted = Counter(name for record in records for name in record.fields)
    columns = _recognized(counted, records)
    for meaning, column in (mapped or {}).items():
        if meaning not in COLUMNS:
            why = unknown(Text("meaning", "뜻"), meaning, COLUMNS)
            raise ColumnRefused(column=column, why=why)
        if counted and column not in counted:
            raise ColumnRefused(column=column, why=unknown(Text("column", "열"), column, counted))
        columns = {name: given for name, given in columns.items() if given != column} | {meaning: column}
    found = _format(columns, records, mapped or {})
    if found is None:
        names = ", ".join(sorted(counted)[:30]) or "—"
        raise ColumnsUnknown(columns=names if len(names) <= 400 else names[:400] + "…")
    kept = {name: column for name, column in columns.items() if name in _USED[found]}
    unused = tuple(sorted(set(counted) - set(kept.values())))
    return DataForm(format=found, columns=kept, unused=unused)


_LABELS = ("key", "group", "source")
_USED: dict[Format, tuple[str, ...]] = {
    "messages": ("messages", "system", "text", *_LABELS),
    "sharegpt": ("messages", "system", *_LABELS),
    "alpaca": ("prompt", "input", "answer", "system", "history", *_LABELS),
    "preference": ("prompt", "input", "system", "chosen", "rejected", *_LABELS),
    "text": ("text", *_LABELS),
}


def _recognized(counted: Mapping[str, int], records: Sequence[Record]) -> dict[str, str]:
    by_name = {name.strip().lower(): name for name in reversed(list(counted))}
    columns: dict[str, str] = {}
    for meaning, names in _NAMES.items():
        for name in names:
            if (column := by_name.get(name)) is not None and _fits(meaning, column, records):
                columns[meaning] = column
                break
    if "prompt" not in columns and columns.get("input", "").strip().lower() in _PROMPT_TOO:
        columns["prompt"] = columns.pop("input")
    return columns


def _fits(meaning: str, column: str, records: Sequence[Record]) -> bool:
    """Whether at least half of what stands in the column could have this meaning."""
    values = [value for record in records if (value := record.fields.get(column)) not in (None, "", [])]
    if meaning in ("messages", "history"):
        fitting = sum(isinstance(value, list) or _looks_like_json(value) for value in values)
    elif meaning in ("prompt", "chosen", "rejected"):
        fitting = sum(isinstance(value, str | int | float | list) for value in values)
    else:
        fitting = sum(isinstance(value, str | int | float) for value in values)
    return fitting * 2 >= len(values)


def _looks_like_json(value: Any) -> bool:
    # As it stands in the cell of a table.
    return isinstance(value, str) and value.lstrip().startswith("[{")


def _format(
    columns: Mapping[str, str], records: Sequence[Record], mapped: Mapping[str, str]
) -> Format | None:
    # What was said by hand goes before what a file may have besides.
    for wanted in (mapped, columns):
        if {"chosen", "rejected"} <= wanted.keys():
            return "preference"
        if "messages" in wanted:
            return "sharegpt" if _from_and_value(columns["messages"], records) else "messages"
        if "answer" in wanted and "prompt" in columns:
            return "alpaca"
        if "text" in wanted:
            return "text"
    return None


def _from_and_value(column: str, records: Iterable[Record]) -> bool:
    for record in records:
        turns = record.fields.get(column)
        if isinstance(turns, list) and turns and isinstance(turns[0], dict):
            return "from" in turns[0]
    return False
