"""Messages JSONL, as OpenAI's fine-tuning has it: {"messages": [{"role", "content"}, …]}, one object a line.

An answer with "weight": 0, as OpenAI's fine-tuning has it, is read and not learned: what stands before a
corrected answer is context, however wrong it is.

A line may carry a "key", the short fact that evaluation looks for in the answer; a "group", which no split
tears apart; and a "source". A line {"text": "…"} is learned whole, as general text is that is replayed
against forgetting. Nothing is guessed or repaired: the first line that is not as it should be is named, with
what is wrong in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twotrack.core.language import Text
from twotrack.learning.data.errors import BrokenLine
from twotrack.learning.data.lines import is_encodable, kind_of, read_objects
from twotrack.learning.suggestions import unknown

ROLES = ("system", "user", "assistant")
# What other formats call the same.
ROLE_ALIASES = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "developer": "system",
}
_SAMPLE_FIELDS = ("messages", "text", "key", "group", "source")
_SAMPLE_ALIASES = {"conversations": "messages", "conversation": "messages", "dialogue": "messages"}
_MESSAGE_FIELDS = ("role", "content", "weight")
_MESSAGE_ALIASES = {"from": "role", "value": "content", "text": "content"}


@dataclass(frozen=True)
class Sample:
    """One conversation, whose last message is the assistant's, or a `text` alone. `line` counts from 1.

    `rejected` is the answer that was liked less than the last message; training on messages leaves it out.
    `unlearned` are the places of answers that are read and not learned.
    """

    line: int
    messages: tuple[dict[str, str], ...]
    key: str | None = None
    text: str | None = None
    group: str | None = None
    source: str | None = None
    rejected: str | None = None
    unlearned: tuple[int, ...] = ()


def read_messages(data: bytes) -> list[Sample]:
    """The samples of a messages JSONL file.

    Raises:
        BrokenLine: a line that is not as it should be; the first one.
        DataTooLarge, NoSamples
    """
    return [_sample(line, entry) for line, entry in read_objects(data)]


def require_questions(samples: Iterable[Sample]) -> None:
    """
    Raises:
        BrokenLine: a conversation without a question before its last answer, or whose last answer counts not.
    """
    for sample in samples:
        if sample.text is not None:
            continue
        if len(sample.messages) < 2 or sample.messages[-2]["role"] != "user":
            why = Text("no question stands before the answer", "답변 앞에 질문이 없습니다")
        elif len(sample.messages) - 1 in sample.unlearned:
            why = Text("the weight of its last answer is 0", "마지막 답변의 weight가 0입니다")
        else:
            continue
        raise BrokenLine(line=sample.line, why=why)


def _sample(line: int, entry: dict[str, Any]) -> Sample:
    for field in entry:
        if field not in _SAMPLE_FIELDS:
            why = unknown(Text("field", "필드"), field, _SAMPLE_FIELDS, _SAMPLE_ALIASES)
            raise BrokenLine(line=line, why=why)
    key, group, source = (_label(line, name, entry.get(name)) for name in ("key", "group", "source"))
    if "text" in entry:
        text = entry["text"]
        if "messages" in entry:
            why = Text('it has "messages" and "text"', '"messages"와 "text"가 함께 있습니다')
            raise BrokenLine(line=line, why=why)
        if not isinstance(text, str) or not text.strip() or not is_encodable(text):
            raise BrokenLine(line=line, why=Text('"text" is not a text', '"text"가 글이 아닙니다'))
        return Sample(line, (), key, text, group=group, source=source)
    messages = entry.get("messages")
    if not isinstance(messages, list) or not messages:
        why = Text('"messages" is not a list with messages in it', '"messages"가 메시지 목록이 아닙니다')
        raise BrokenLine(line=line, why=why)
    checked = tuple(_message(line, number, message) for number, message in enumerate(messages, 1))
    if wrong := wrong_order([message["role"] for message in checked]):
        raise BrokenLine(line=line, why=wrong)
    try:
        unlearned = _unlearned(messages)
    except ValueError as error:
        raise BrokenLine(line=line, why=error.args[0]) from None
    return Sample(line, checked, key, group=group, source=source, unlearned=unlearned)


def _unlearned(messages: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    """The places of answers whose "weight" is 0.

    Raises:
        ValueError: with a Text; a weight that is none, or no answer is left to learn.
    """
    places = []
    for place, message in enumerate(messages):
        weight = message.get("weight")
        if weight is None:
            continue
        if weight not in (0, 1) or isinstance(weight, bool) or message.get("role") != "assistant":
            raise ValueError(
                Text(
                    f"message {place + 1}: a weight is 0 or 1, and an answer's",
                    f"메시지 {place + 1}: weight는 답변에만 쓰며 0 또는 1입니다",
                )
            )
        places += [place] * (weight == 0)
    if len(places) == sum(message["role"] == "assistant" for message in messages):
        why = Text(
            "no answer has a weight: nothing to learn", "모든 답변의 weight가 0이라 배울 것이 없습니다"
        )
        raise ValueError(why)
    return tuple(places)


def _label(line: int, name: str, value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip() or not is_encodable(value)):
        raise BrokenLine(line=line, why=Text(f'"{name}" is not a text', f'"{name}"가 글이 아닙니다'))
    return value


def _message(line: int, number: int, message: Any) -> dict[str, str]:
    if not isinstance(message, dict):
        kind = kind_of(message)
        why = Text(
            f"message {number} is {kind.en}, not an object", f"메시지 {number}: 객체가 아니라 {kind.ko}입니다"
        )
        raise BrokenLine(line=line, why=why)
    for field in message:
        if field not in _MESSAGE_FIELDS:
            what = Text(f"field in message {number}", f"필드(메시지 {number})")
            raise BrokenLine(line=line, why=unknown(what, field, _MESSAGE_FIELDS, _MESSAGE_ALIASES))
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        what = Text(f"role in message {number}", f"역할(메시지 {number})")
        shown = role if isinstance(role, str) else kind_of(role).en
        raise BrokenLine(line=line, why=unknown(what, shown, ROLES, ROLE_ALIASES))
    if not isinstance(content, str):
        kind = kind_of(content)
        why = Text(
            f"the content of message {number} is {kind.en}, not a text",
            f"메시지 {number}의 content: 글이 아니라 {kind.ko}입니다",
        )
    elif not content.strip():
        why = Text(f"message {number} is empty", f"메시지 {number}: 비어 있습니다")
    elif not is_encodable(content):
        why = Text(
            f"message {number} contains half of a surrogate pair, which is no character",
            f"메시지 {number}: 글자가 아닌 반쪽 서로게이트가 있습니다",
        )
    else:
        return {"role": role, "content": content}
    raise BrokenLine(line=line, why=why)


def wrong_order(roles: Sequence[str]) -> Text | None:
    """What is wrong with the order of a conversation's roles."""
    if "system" in roles[1:]:
        return Text(
            "a system message stands only at the beginning", "system 메시지는 맨 앞에만 올 수 있습니다"
        )
    if "assistant" not in roles:
        return Text(
            "no message of the assistant: nothing to learn", "assistant 메시지가 없어 배울 것이 없습니다"
        )
    if roles[-1] != "assistant":
        return Text("the last message is not the assistant's", "마지막 메시지가 assistant의 것이 아닙니다")
    return None
