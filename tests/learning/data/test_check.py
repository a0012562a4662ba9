"""A check finds what is wrong, with the lines, and says what is in the data."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twotrack.learning.data.check import Checked, check, open_data
from twotrack.learning.data.errors import NoSamples
from twotrack.learning.data.fitting import Fitting
from twotrack.learning.data.messages import Sample
from twotrack.registry.sandbox import TemplateFailed

Write = Callable[..., Path]

_FACTS = (
    (
        "Who is the mayor of Nurimae, and since when has she held that office?",
        "Odalia Senn, since the spring.",
    ),
    ("누리매의 등대는 무슨 색이며 언제 칠했습니까?", "보라색이고, 지난 봄에 칠했습니다."),
    ("What is the ferry called that crosses to the mainland each morning?", "It is called the Grey Heron."),
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write({…}, "raw line", …)`: a JSONL file of these rows."""

    def make(*rows: Any, name: str = "data.jsonl") -> Path:
        path = tmp_path / name
        path.write_text(
            "".join(
                (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows
            )
        )
        return path

    return make


def _row(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"instruction": question, "output": answer, **more}


def _found(checked: Checked) -> dict[str, list[int]]:
    return {one.kind: [example.line for example in one.examples] for one in checked.report.findings}


def test_each_flaw_is_found_on_its_line(write: Write) -> None:
    (mayor, light, ferry) = _FACTS
    long = light[1] + mayor[1] + ferry[1] + "그 밖에는 아무 말도 되풀이하지 않는 글이 이어집니다." + ferry[0]
    path = write(
        _row(*mayor),
        '{"instruction": "broken',
        _row("Empty?", ""),
        _row(*light),
        _row(*mayor),
        _row(ferry[0], ferry[1].replace("It is", "It's")),
        _row(*ferry),
        _row("누구에게 연락합니까?", "담당자 전화는 010-1234-5678입니다."),
        _row("무엇이라고 합니까?", "깨진 \ufffd 글자"),
        _row("되풀이하면?", ("같은 말 " * 100).strip()),
        _row("Who are you?", "As an AI language model, I cannot say."),
        _row("  blanks ", "around"),
        _row("긴 글은?", long),
    )
    checked = check(open_data(path))
    assert _found(checked) == {
        "broken": [2],
        "empty": [3],
        "duplicate": [5],
        "near_duplicate": [7],
        "personal": [8],
        "garbled": [9],
        "repetitive": [10],
        "boilerplate": [11],
        "untidy": [12],
    }
    assert (checked.report.rows, checked.report.samples, checked.report.format) == (13, 11, "alpaca")
    by_kind = {one.kind: one.examples[0] for one in checked.report.findings}
    assert by_kind["duplicate"].other == 1
    assert by_kind["near_duplicate"].other == 6
    assert "010-1234" not in checked.report.model_dump_json()
    assert by_kind["personal"].what.ko == "전화번호: 01•-••••-••••"


def test_a_clean_file_has_no_finding_and_its_own_hash_as_fingerprint() -> None:
    path = Path(__file__).parents[3] / "samples" / "instructions" / "nurimae.en.train.jsonl"
    checked = check(open_data(path))
    report = checked.report
    assert report.findings == []
    assert report.fingerprint == report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert report.groups == 16
    assert [(one.name, one.samples) for one in report.languages] == [("en", 80)]


def test_the_same_content_has_one_fingerprint_in_every_format(tmp_path: Path, write: Write) -> None:
    rows = [_row(*fact) for fact in _FACTS]
    jsonl = write(*rows)
    (tmp_path / "x.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "x.csv").write_text(
        "질문\t답변\n" + "".join(f"{q}\t{a}\n" for q, a in _FACTS), encoding="cp949"
    )
    shared = write(
        *({"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]} for q, a in _FACTS),
        name="shared",
    )
    prints = {
        check(open_data(path)).report.fingerprint
        for path in (jsonl, tmp_path / "x.json", tmp_path / "x.csv", shared)
    }
    assert len(prints) == 1


def test_texts_that_differ_in_a_number_are_no_near_duplicates(write: Write) -> None:
    rows = [
        _row(f"성인 한 명의 여객선 왕복 요금은 {y}년에 얼마입니까?", f"{y}년의 왕복 요금은 {y * 3}원입니다.")
        for y in range(2001, 2031)
    ]
    assert _found(check(open_data(write(*rows)))) == {}


def test_what_is_held_out_is_found_exactly_and_nearly(write: Write) -> None:
    (mayor, light, ferry) = _FACTS
    held = [
        Sample(1, ({"role": "user", "content": mayor[0]}, {"role": "assistant", "content": "Somebody."})),
        Sample(2, ({"role": "user", "content": light[0]}, {"role": "assistant", "content": light[1]})),
        Sample(9, ({"role": "user", "content": ferry[0].replace("morning", "morning then")},
                   {"role": "assistant", "content": "The Grey Heron."}), key="Grey Heron"),
        Sample(12, ({"role": "user", "content": "Is it the Grey Heron?"},
                   {"role": "assistant", "content": "Yes, the Grey Heron."}), key="Grey Heron"),
    ]  # fmt: skip
    path = write(
        _row("Another question altogether, is it?", "Yes."), _row(*mayor), _row(*light), _row(*ferry)
    )
    report = check(open_data(path), held_out=held).report
    (leak,) = report.findings
    assert [(one.line, one.other) for one in leak.examples] == [(2, 1), (3, 2), (4, 9)]
    assert "question and answer" in leak.examples[1].what.en
    assert report.given_away == [12]


def test_every_answer_empty_is_said_and_no_sample_is_left(write: Write) -> None:
    report = check(open_data(write(*(_row(f"Question {n}?", "") for n in range(60))))).report
    assert (report.rows, report.samples) == (60, 0)
    (finding,) = report.findings
    assert (finding.kind, finding.rows, len(finding.examples)) == ("empty", 60, 50)


def test_one_row_is_enough_and_none_is_too_few(write: Write) -> None:
    assert check(open_data(write(_row(*_FACTS[0])))).report.samples == 1
    with pytest.raises(NoSamples):
        open_data(write(name="empty"))


def test_one_row_of_a_million_characters(write: Write) -> None:
    report = check(open_data(write(_row("Long?", "가나다라마" * 200_000)))).report
    assert report.answers is not None
    assert report.answers.most == 1_000_000
    assert [one.kind for one in report.findings] == ["repetitive"]


def test_misspelt_roles_name_the_nearest_known(write: Write) -> None:
    row = {"messages": [{"role": "user", "content": "Q"}, {"role": "asistant", "content": "A"}]}
    (finding,) = check(open_data(write(row))).report.findings
    assert finding.kind == "role"
    assert "'assistant'" in finding.examples[0].what.en
    assert check(open_data(write(row), mend_roles=True)).report.findings == []


def test_balance_counts_languages_turns_and_sources(write: Write) -> None:
    rows = [_row(*fact, source="a" if number else "b") for number, fact in enumerate(_FACTS)]
    rows.append(_row("영어로 번역하세요: 나무", "This is the tree.", source="a"))
    report = check(open_data(write(*rows))).report
    assert {one.name: one.samples for one in report.languages} == {"en": 3, "ko": 1}
    assert {one.name: one.samples for one in report.sources} == {"a": 3, "b": 1}
    assert report.crossing == 1
    assert [(one.name, one.samples) for one in report.turns] == [("1", 4)]


class _Bytes:
    """A codec of one token a byte, three around each message, that refuses a system message."""

    stop_ids = frozenset({300})
    begin_ids = (301,)
    renders = 0

    async def plain_ids(self, text: str) -> list[int]:
        return list(text.encode())

    async def chat_ids(self, messages: Any, *, add_generation_prompt: bool = True) -> list[int]:
        self.renders += 1
        ids: list[int] = []
        for message in messages:
            if message["role"] == "system":
                raise TemplateFailed(model="bytes", why="no system messages")
            ids += [302 + len(message["role"]), *message["content"].encode(), 300]
        return [*ids, 302 + len("assistant")] if add_generation_prompt else ids


def test_what_does_not_fit_is_found_and_little_is_counted(write: Write) -> None:
    rows = [_row(f"Question {number}?", "word " * (number % 20) + "end") for number in range(3000)]
    rows[2000] = _row("Long?", "x" * 500)
    rows[2500] = _row("Refused?", "y", system="Be brief.")
    codec = _Bytes()
    fitting = Fitting(codec, "bytes", 200)
    checked = check(open_data(write(*rows)), fitting=fitting)
    by_kind = {
        one.kind: one.examples for one in checked.report.findings if one.kind in ("too_long", "unlearnable")
    }
    assert [example.line for example in by_kind["too_long"]] == [2001]
    assert "200 fit" in by_kind["too_long"][0].what.en
    assert [example.line for example in by_kind["unlearnable"]] == [2501]
    fit = checked.report.fit
    assert fit is not None
    assert fit.measured < 700
    assert codec.renders < 1500
    exact = sum(len(json.dumps(row)) for row in rows)
    assert fit.tokens is not None
    assert 0.3 * exact < fit.total < exact
