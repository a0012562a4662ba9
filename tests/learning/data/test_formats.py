"""Formats that people have become one form; what is no sample says why."""

import json
import unicodedata
from typing import Any

import pytest

from twotrack.learning.data.canonical import canonical_line
from twotrack.learning.data.conversion import Converter, tidied
from twotrack.learning.data.errors import ColumnRefused, ColumnsUnknown
from twotrack.learning.data.files import Flaw, Record
from twotrack.learning.data.formats import recognize_format
from twotrack.learning.data.messages import Sample, read_messages

_Q, _A = {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}


def _convert(
    fields: dict[str, Any], mapped: dict[str, str] | None = None, *, mend: bool = False
) -> Sample | Flaw:
    record = Record(7, fields)
    return Converter(recognize_format([record], mapped), mend).convert(record)


def _format(fields: dict[str, Any]) -> str:
    return recognize_format([Record(1, fields)]).format


@pytest.mark.parametrize(
    ("fields", "found", "messages"),
    [
        pytest.param({"instruction": "Q?", "input": "", "output": "A."}, "alpaca", [_Q, _A], id="alpaca"),
        pytest.param(
            {"instruction": "Translate.", "input": "나무", "output": "tree"},
            "alpaca",
            [{"role": "user", "content": "Translate.\n\n나무"}, {"role": "assistant", "content": "tree"}],
            id="alpaca with input",
        ),
        pytest.param(
            {"instruction": "Q?", "output": "A.", "url": "https://example.org"},
            "alpaca",
            [_Q, _A],
            id="KoAlpaca",
        ),
        pytest.param({"custom_id": "1", "question": "Q?", "answer": "A."}, "alpaca", [_Q, _A], id="RealQA"),
        pytest.param({"질문": "Q?", "답변": "A."}, "alpaca", [_Q, _A], id="Korean columns"),
        pytest.param({"input": "Q?", "output": "A."}, "alpaca", [_Q, _A], id="input alone"),
        pytest.param(
            {"system": "S.", "history": [["Q?", "A."]], "instruction": "Q?", "output": "A."},
            "alpaca",
            [{"role": "system", "content": "S."}, _Q, _A, _Q, _A],
            id="history",
        ),
        pytest.param({"messages": [_Q, _A]}, "messages", [_Q, _A], id="messages"),
        pytest.param(
            {"messages": '[{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]'},
            "messages",
            [_Q, _A],
            id="messages in a cell",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Q?"}]}, _A]},
            "messages",
            [_Q, _A],
            id="content parts",
        ),
        pytest.param(
            {"id": 3, "conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]},
            "sharegpt",
            [_Q, _A],
            id="sharegpt",
        ),
        pytest.param(
            {"prompt": "Q?", "chosen": "A.", "rejected": "B."}, "preference", [_Q, _A], id="preference"
        ),
        pytest.param(
            {"prompt": [_Q], "chosen": [_A], "rejected": [{"role": "assistant", "content": "B."}]},
            "preference",
            [_Q, _A],
            id="preference as conversations",
        ),
        pytest.param(
            {"chosen": [_Q, _A], "rejected": [_Q, {"role": "assistant", "content": "B."}]},
            "preference",
            [_Q, _A],
            id="preference without a prompt",
        ),
    ],
)
def test_known_formats_are_recognized_and_read(
    fields: dict[str, Any], found: str, messages: list[dict[str, str]]
) -> None:
    assert _format(fields) == found
    sample = _convert(fields)
    assert isinstance(sample, Sample), sample
    assert list(sample.messages) == messages
    assert sample.line == 7


def test_what_is_written_is_what_training_reads() -> None:
    for fields in (
        {"instruction": "Q?", "output": "A.", "key": "A", "group": "1", "source": "s"},
        {"text": "General.\u2028Text."},
        {"prompt": "Q?", "chosen": "A.", "rejected": "B."},
    ):
        sample = _convert(fields)
        assert isinstance(sample, Sample)
        (read,) = read_messages(canonical_line(sample).encode())
        assert (read.messages, read.text, read.key, read.group) == (
            *(sample.messages, sample.text, sample.key, sample.group),
        )


def test_a_preference_keeps_its_rejected_answer_where_that_is_wanted() -> None:
    sample = _convert({"prompt": "Q?", "chosen": "A.", "rejected": "B."})
    assert isinstance(sample, Sample)
    again = _convert(json.loads(canonical_line(sample, "preference")))
    assert isinstance(again, Sample)
    assert (again.messages, again.rejected) == (sample.messages, "B.")


def test_columns_can_be_mapped_by_hand() -> None:
    fields = {"col1": "Q?", "col2": "A.", "answer": "not this"}
    sample = _convert(fields, {"prompt": "col1", "answer": "col2"})
    assert isinstance(sample, Sample)
    assert list(sample.messages) == [_Q, _A]


def test_columns_that_say_nothing_are_listed() -> None:
    with pytest.raises(ColumnsUnknown, match="col1, col2") as caught:
        _convert({"col1": "Q?", "col2": "A."})
    assert "--column" in str(caught.value.advise("ko"))


@pytest.mark.parametrize(
    ("mapped", "said"),
    [({"promt": "a"}, "did you mean 'prompt'"), ({"prompt": "questoin"}, "did you mean 'question'")],
)
def test_a_wrong_mapping_names_the_nearest(mapped: dict[str, str], said: str) -> None:
    with pytest.raises(ColumnRefused, match=said):
        _convert({"question": "Q?", "answer": "A."}, mapped)


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"instruction": "Q?", "output": ""}, "empty", "the answer is empty"),
        ({"instruction": " ", "output": "A."}, "empty", "the question is empty"),
        ({"instruction": "Q?", "output": None}, "empty", "the answer is empty"),
        ({"messages": []}, "empty", "there are no messages"),
        ({"messages": [_Q, {"role": "assistant", "content": " "}]}, "empty", "message 2 is empty"),
        ({"messages": [_Q]}, "broken", "no message of the assistant"),
        ({"messages": [_Q, _A, _Q]}, "broken", "the last message"),
        ({"messages": [_Q, "A."]}, "broken", "message 2 is a text"),
        ({"messages": [_Q, {"role": "asistant", "content": "A."}]}, "role", "did you mean 'assistant'?"),
        ({"messages": [_Q, {"role": "tool", "content": "A."}]}, "broken", "unknown role"),
        ({"messages": [_Q, {"role": "assistant", "content": {"a": 1}}]}, "broken", "an object, not a text"),
        ({"messages": [_Q, {"role": "assistant", "content": "\ud800"}]}, "broken", "surrogate"),
        ({"prompt": "Q?", "chosen": "A.", "rejected": "A."}, "broken", "are the same"),
        ({"prompt": "Q?", "chosen": "A.", "rejected": ""}, "empty", "rejected is empty"),
        ({"text": "\n"}, "empty", "the text is empty"),
    ],
)
def test_what_is_no_sample_says_why(fields: dict[str, Any], kind: str, said: str) -> None:
    flaw = _convert(fields)
    assert isinstance(flaw, Flaw), flaw
    assert (flaw.line, flaw.kind) == (7, kind)
    assert said in flaw.why.en
    assert flaw.why.ko != flaw.why.en


def test_misspelt_roles_are_mended_when_asked() -> None:
    turns = [{"role": "usr", "content": "Q?"}, {"role": "Assistant", "content": "A."}]
    sample = _convert({"messages": turns}, mend=True)
    assert isinstance(sample, Sample)
    assert list(sample.messages) == [_Q, _A]


def test_hangul_that_is_taken_apart_is_put_together() -> None:
    apart = unicodedata.normalize("NFD", "하나")
    sample = Sample(1, (_Q, {"role": "assistant", "content": f" {apart}\n"}))
    assert tidied(sample).messages[1]["content"] == "하나"
    tidy = Sample(1, (_Q, _A))
    assert tidied(tidy) is tidy
