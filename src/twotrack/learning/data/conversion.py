"""Records of any known format as samples: one canonical form, which is what training takes."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from twotrack.core.language import Text
from twotrack.learning.data.files import Flaw, FlawKind, Record
from twotrack.learning.data.formats import SAID, SPEAKER, DataForm
from twotrack.learning.data.lines import is_encodable, kind_of
from twotrack.learning.data.messages import ROLE_ALIASES, ROLES, Sample, wrong_order
from twotrack.learning.suggestions import nearest, unknown

_Turns = list[dict[str, str]]


class _Flawed(Exception):
    def __init__(self, kind: FlawKind, why: Text) -> None:
        self.kind, self.why = kind, why


@dataclass(frozen=True)
class Converter:
    """Turns records into samples; with `mend_roles`, a role spelt otherwise becomes the nearest known one."""

    form: DataForm
    mend_roles: bool = False
    source: str | None = None
    """Of samples that name none."""

    def convert(self, record: Record) -> Sample | Flaw:
        read: Callable[[Record], Sample] = {
            "messages": self._conversation,
            "sharegpt": self._conversation,
            "alpaca": self._instruction,
            "preference": self._preference,
            "text": self._text,
        }[self.form.format]
        try:
            return self._labelled(read(record), record)
        except _Flawed as flaw:
            return Flaw(record.line, flaw.kind, flaw.why)

    def _labelled(self, sample: Sample, record: Record) -> Sample:
        labels: dict[str, Any] = {}
        for name in ("key", "group", "source"):
            if value := self._string(record, name, empty=True).strip():
                labels[name] = value
        if self.source is not None:
            labels.setdefault("source", self.source)
        return replace(sample, **labels) if labels else sample

    def _conversation(self, record: Record) -> Sample:
        if self._value(record, "messages") is None and self._value(record, "text") is not None:
            # General text that is replayed among conversations.
            return self._text(record)
        given = self._value(record, "messages")
        turns = self._turns(given)
        unlearned = _unlearned(given, turns)
        if (system := self._string(record, "system", empty=True)).strip() and turns[0]["role"] != "system":
            turns.insert(0, {"role": "system", "content": system})
            unlearned = tuple(place + 1 for place in unlearned)
        return replace(_whole(record.line, turns), unlearned=unlearned)

    def _instruction(self, record: Record) -> Sample:
        turns = self._asked(record)
        answer = self._string(record, "answer", empty=True)
        if not answer.strip():
            raise _Flawed("empty", Text("the answer is empty", "답변이 비어 있습니다"))
        return _whole(record.line, [*turns, {"role": "assistant", "content": answer}])

    def _asked(self, record: Record) -> _Turns:
        turns: _Turns = []
        if (system := self._string(record, "system", empty=True)).strip():
            turns.append({"role": "system", "content": system})
        history = self._value(record, "history")
        for pair in history if isinstance(history, list) else ():
            if (
                not isinstance(pair, list | tuple)
                or len(pair) != 2
                or not all(isinstance(t, str) for t in pair)
            ):
                why = Text(
                    "a history is pairs of question and answer", "history는 질문과 답변의 쌍이어야 합니다"
                )
                raise _Flawed("broken", why)
            turns += ({"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]})
        parts = [self._string(record, name, empty=True).strip("\n") for name in ("prompt", "input")]
        if not (asked := "\n\n".join(part for part in parts if part.strip())):
            raise _Flawed("empty", Text("the question is empty", "질문이 비어 있습니다"))
        return [*turns, {"role": "user", "content": asked}]

    def _preference(self, record: Record) -> Sample:
        prompt = self._value(record, "prompt")
        turns: _Turns = []
        if isinstance(prompt, list):
            turns = self._turns(prompt)
        elif prompt is not None:
            turns = self._asked(record)
        chosen, opening = self._choice(record, "chosen", len(turns))
        rejected, other = self._choice(record, "rejected", len(turns))
        if opening != other:
            why = Text(
                "chosen and rejected follow different conversations",
                "chosen과 rejected의 앞 대화가 서로 다릅니다",
            )
            raise _Flawed("broken", why)
        if not turns and not opening:
            raise _Flawed("empty", Text("the question is empty", "질문이 비어 있습니다"))
        if chosen == rejected:
            why = Text("chosen and rejected are the same", "chosen과 rejected가 같습니다")
            raise _Flawed("broken", why)
        sample = _whole(record.line, [*(turns or opening), {"role": "assistant", "content": chosen}])
        return replace(sample, rejected=rejected)

    def _choice(self, record: Record, name: str, asked: int) -> tuple[str, _Turns]:
        """The answer, and what stands before it where the whole conversation is given."""
        value = self._value(record, name)
        if not isinstance(value, list):
            text = self._string(record, name, empty=True)
            if not text.strip():
                raise _Flawed("empty", Text(f"{name} is empty", f"{name}이(가) 비어 있습니다"))
            return text, []
        turns = self._turns(value)
        if turns[-1]["role"] != "assistant":
            why = Text(f"{name} does not end with the assistant", f"{name}이(가) assistant로 끝나지 않습니다")
            raise _Flawed("broken", why)
        return turns[-1]["content"], turns[:-1] if not asked or len(turns) > 1 else []

    def _text(self, record: Record) -> Sample:
        text = _text_of(self._value(record, "text") or "", "text")
        if not text.strip():
            raise _Flawed("empty", Text("the text is empty", "글이 비어 있습니다"))
        return Sample(record.line, (), text=text)

    def _string(self, record: Record, meaning: str, *, empty: bool) -> str:
        value = self._value(record, meaning)
        return "" if value is None and empty else _text_of(value, meaning)

    def _value(self, record: Record, meaning: str) -> Any:
        """What stands in the column of this meaning; of one that comes late in a file, by its plain name."""
        form = self.form
        column = form.columns.get(meaning)
        if column is None and meaning not in form.unused and meaning not in form.columns.values():
            column = meaning
        return None if column is None else record.fields.get(column)

    def _turns(self, given: Any) -> _Turns:
        if isinstance(given, str) and given.lstrip().startswith("["):
            # A cell of a table holds them as text.
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                raise _Flawed(
                    "broken", Text("the messages are no JSON", "메시지가 JSON이 아닙니다")
                ) from None
        if given is None or given == [] or given == "":
            raise _Flawed("empty", Text("there are no messages", "메시지가 없습니다"))
        if not isinstance(given, list):
            kind = kind_of(given)
            why = Text(f"the messages are {kind.en}, not a list", f"메시지: 목록이 아니라 {kind.ko}입니다")
            raise _Flawed("broken", why)
        return [self._turn(number, turn) for number, turn in enumerate(given, 1)]

    def _turn(self, number: int, turn: Any) -> dict[str, str]:
        if not isinstance(turn, dict):
            kind = kind_of(turn)
            why = Text(
                f"message {number} is {kind.en}, not an object",
                f"메시지 {number}: 객체가 아니라 {kind.ko}입니다",
            )
            raise _Flawed("broken", why)
        role = next((turn[name] for name in SPEAKER if name in turn), None)
        said = next((turn[name] for name in SAID if name in turn), None)
        content = _text_of(said, f"message {number}") if said is not None else ""
        known = self._role(number, role)
        if not content.strip():
            raise _Flawed("empty", Text(f"message {number} is empty", f"메시지 {number}: 비어 있습니다"))
        return {"role": known, "content": content}

    def _role(self, number: int, given: Any) -> str:
        if given in ROLES:
            return str(given)
        what = Text(f"role in message {number}", f"역할(메시지 {number})")
        if not isinstance(given, str):
            raise _Flawed("broken", unknown(what, kind_of(given).en, ROLES, ROLE_ALIASES))
        if known := ROLE_ALIASES.get(given):
            return known
        meant = nearest(given.strip(), ROLES, ROLE_ALIASES)
        if meant is None:
            raise _Flawed("broken", unknown(what, given, ROLES, ROLE_ALIASES))
        if not self.mend_roles:
            raise _Flawed("role", unknown(what, given, ROLES, ROLE_ALIASES))
        return meant


def tidied(sample: Sample) -> Sample:
    """Without blanks around its texts, and in composed form (NFC): macOS writes Hangul taken apart."""
    messages = tuple({**one, "content": _tidy(one["content"])} for one in sample.messages)
    text, rejected = (value and _tidy(value) for value in (sample.text, sample.rejected))
    if messages == sample.messages and text == sample.text and rejected == sample.rejected:
        return sample
    return replace(sample, messages=messages, text=text, rejected=rejected)


def _tidy(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _whole(line: int, turns: _Turns) -> Sample:
    if why := wrong_order([turn["role"] for turn in turns]):
        raise _Flawed("broken", why)
    return Sample(line, tuple(turns))


def _unlearned(given: Any, turns: _Turns) -> tuple[int, ...]:
    """Answers with the weight 0. Data sets weigh questions too, or by halves: that changes nothing."""
    if not isinstance(given, list):
        return ()
    answers = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    unlearned = tuple(place for place in answers if given[place].get("weight") == 0)
    if answers and len(unlearned) == len(answers):
        why = Text(
            "no answer has a weight: nothing to learn", "모든 답변의 weight가 0이라 배울 것이 없습니다"
        )
        raise _Flawed("broken", why)
    return unlearned


def _text_of(value: Any, what: str) -> str:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(p, dict) and p.get("type") == "text" for p in value)
    ):
        # OpenAI's content parts.
        value = "\n".join(str(part.get("text", "")) for part in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        kind = kind_of(value)
        raise _Flawed(
            "broken", Text(f"{what} is {kind.en}, not a text", f"{what}: 글이 아니라 {kind.ko}입니다")
        )
    if not value.isascii() and not is_encodable(value):
        why = Text(
            f"{what} contains half of a surrogate pair, which is no character",
            f"{what}: 글자가 아닌 반쪽 서로게이트가 있습니다",
        )
        raise _Flawed("broken", why)
    # PostgreSQL and templates alike stumble over NUL.
    return value.replace("\0", "")
