"""Messages JSONL: what is read, and which line is named with what when it is broken."""

import json

import pytest

from twotrack.learning.data.canonical import answer_of, canonical_line
from twotrack.learning.data.errors import BrokenLine, DataTooLarge, NoSamples
from twotrack.learning.data.lines import MAX_BYTES
from twotrack.learning.data.messages import read_messages, require_questions
from twotrack.learning.data.texts import read_texts

_GOOD = '{"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]}'


def _with(*messages: object, **more: object) -> str:
    return json.dumps({"messages": messages, **more})


def _asked(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def _answered(content: object) -> dict[str, object]:
    return {"role": "assistant", "content": content}


def test_samples_keep_their_line_numbers_across_blank_lines() -> None:
    samples = read_messages(f"\n{_GOOD}\r\n   \n{_GOOD}\n".encode())
    assert [sample.line for sample in samples] == [2, 4]
    assert samples[0].messages == ({"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."})


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert len(read_messages(b"\xef\xbb\xbf" + _GOOD.encode())) == 1


def test_a_line_separator_inside_a_text_does_not_end_the_line() -> None:
    line = '{"messages": [{"role": "assistant", "content": "one\u2028two"}]}'
    assert read_messages(line.encode())[0].messages[0]["content"] == "one\u2028two"


def test_korean_text_is_read_as_it_is() -> None:
    line = _with(_asked("누리매의 시장은 누구인가요?"), _answered("오달리아 센입니다."), key="오달리아 센")
    assert read_messages(line.encode())[0].key == "오달리아 센"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param('{"messages": [', "not JSON at character", id="broken off"),
        pytest.param("{'messages': []}", "not JSON at character 2", id="single quotes"),
        pytest.param("[1, 2]", "it is a list, not an object", id="a list"),
        pytest.param("null", "it is null, not an object", id="null"),
        pytest.param("[" * 100_000, "no JSON that can be read", id="nested without end"),
        pytest.param("1" * 5000, "no JSON that can be read", id="an endless number"),
        pytest.param("{}", '"messages" is not a list', id="no messages"),
        pytest.param('{"messages": []}', '"messages" is not a list', id="empty messages"),
        pytest.param('{"messages": "hello"}', '"messages" is not a list', id="messages as a text"),
        pytest.param('{"message": []}', "did you mean 'messages'?", id="a field misspelt"),
        pytest.param('{"conversations": []}', "did you mean 'messages'?", id="sharegpt"),
        pytest.param('{"instruction": "x"}', "known are: messages, text, key", id="alpaca"),
        pytest.param('{"messages": [], "messages": []}', "'messages' comes twice", id="a field twice"),
        pytest.param(_with("hello"), "message 1 is a text, not an object", id="a message as a text"),
        pytest.param(_with({"role": "human", "content": "x"}), "did you mean 'user'?", id="human"),
        pytest.param(_with({"role": "asistant", "content": "x"}), "did you mean 'assistant'?", id="asistant"),
        pytest.param(_with({"role": "gpt", "content": "x"}), "did you mean 'assistant'?", id="gpt"),
        pytest.param(_with({"role": "tool", "content": "x"}), "known are: system, user", id="tool"),
        pytest.param(
            _with({"role": 1, "content": "x"}), "unknown role in message 1", id="a role as a number"
        ),
        pytest.param(_with({"from": "user"}), "did you mean 'role'?", id="from"),
        pytest.param(_with({"role": "user", "value": "x"}), "did you mean 'content'?", id="value"),
        pytest.param(_with(_asked("x"), _answered("  \n")), "message 2 is empty", id="an empty answer"),
        pytest.param(_with(_asked(None)), "content of message 1 is null", id="content null"),
        pytest.param(_with(_asked([{"type": "text"}])), "content of message 1 is a list", id="content parts"),
        pytest.param(_with(_asked("\ud800"), _answered("x")), "half of a surrogate pair", id="half a pair"),
        pytest.param(_with(_asked("x")), "no message of the assistant", id="no assistant"),
        pytest.param(
            _with(_answered("x"), _asked("y")), "the last message is not", id="ends with a question"
        ),
        pytest.param(
            _with(_asked("x"), {"role": "system", "content": "y"}, _answered("z")),
            "only at the beginning",
            id="system in the middle",
        ),
        pytest.param(_with(_answered("x"), key=3), '"key" is not a text', id="key as a number"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(BrokenLine) as caught:
        read_messages(f"{_GOOD}\n\n{line}\n{_GOOD}".encode())
    assert caught.value.values["line"] == 3
    assert said in caught.value.explain("en")
    assert "3번째 줄" in caught.value.explain("ko")
    assert caught.value.advise("en") is not None


def test_bytes_that_are_no_utf8_are_named_with_their_place() -> None:
    with pytest.raises(BrokenLine, match=r"Line 2 .* byte 5 \(0xff\) is not UTF-8"):
        read_messages(_GOOD.encode() + b"\nabcd\xff\n")


def test_what_is_shown_of_an_unknown_name_is_short() -> None:
    with pytest.raises(BrokenLine) as caught:
        read_messages(json.dumps({"x" * 10_000: 1}).encode())
    assert len(caught.value.explain("en")) < 200


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_data_without_a_line_is_refused(data: bytes) -> None:
    with pytest.raises(NoSamples):
        read_messages(data)


def test_data_beyond_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(DataTooLarge, match="64 MiB"):
        read_messages(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (_with(_answered("x")), "no question"),
        (
            _with(
                *(_asked("q"), _answered("learned"), _asked("q")),
                {"role": "assistant", "content": "read", "weight": 0},
            ),
            "weight of its last answer is 0",
        ),
    ],
)
def test_what_is_scored_needs_a_question_and_an_answer_that_counts(line: str, said: str) -> None:
    with pytest.raises(BrokenLine, match=said):
        require_questions(read_messages(line.encode()))


def test_what_is_scored_needs_no_key_and_may_be_general_text() -> None:
    require_questions(read_messages(f'{_GOOD}\n{{"text": "one"}}'.encode()))


def test_texts_are_read_with_their_lines() -> None:
    texts = read_texts(b'{"text": "one"}\n\n{"text": "two"}')
    assert [(text.line, text.text) for text in texts] == [(1, "one"), (3, "two")]


@pytest.mark.parametrize("line", ['{"content": "x"}', '{"text": 1}', '{"text": " "}', '{"text": "\\udfff"}'])
def test_a_line_that_is_no_text_is_named(line: str) -> None:
    with pytest.raises(BrokenLine, match="Line 2"):
        read_texts(b'{"text": "one"}\n' + line.encode())


def test_a_text_among_messages_is_a_sample_of_its_own() -> None:
    found = read_messages(f'{_GOOD}\n{{"text": "Bread rises.", "source": "general"}}'.encode())
    assert (found[1].text, found[1].messages, found[1].source) == ("Bread rises.", (), "general")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": ""}', '"text" is not a text'),
        (_with(_asked("x"), _answered("y"), text="z"), 'it has "messages" and "text"'),
        (_with(_asked("x"), _answered("y"), group=3), '"group" is not a text'),
        (_with(_asked("x"), _answered("y"), source=" "), '"source" is not a text'),
    ],
)
def test_a_text_or_label_that_is_none_is_named(line: str, said: str) -> None:
    with pytest.raises(BrokenLine) as caught:
        read_messages(line.encode())
    assert said in caught.value.explain("en")


def _weighed(*weights: object, role: str = "assistant") -> bytes:
    turns: list[dict[str, object]] = []
    for number, weight in enumerate(weights):
        turns += [{"role": "user", "content": "q"}, {"role": "assistant", "content": f"a {number}"}]
        turns[-1 if role == "assistant" else -2]["weight"] = weight
    return json.dumps({"messages": turns}).encode()


def test_an_answer_without_weight_is_read_and_not_learned() -> None:
    (sample,) = read_messages(_weighed(0, 1, 0.0, None))
    assert sample.unlearned == (1, 5)
    # Written again, it says the same.
    assert read_messages(canonical_line(sample).encode()) == [sample]
    assert answer_of(sample) == "a 1\na 3"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_weighed(0), "no answer has a weight"),
        (_weighed(0.5), "message 2: a weight is 0 or 1"),
        (_weighed(True), "message 2: a weight is 0 or 1"),
        (_weighed([]), "message 2: a weight is 0 or 1"),
        (_weighed(1, role="user"), "message 1: a weight is 0 or 1, and an answer's"),
    ],
)
def test_a_weight_that_is_none_is_named(data: bytes, said: str) -> None:
    with pytest.raises(BrokenLine, match=said):
        read_messages(data)
