"""`twotrack data …` on files, and with a base of the studio."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import PlaceStarter, Serve
from twotrack.cli import build
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout

Run = Callable[..., str]

_ROWS = [
    {"질문": "누리매의 시장은 누구입니까?", "답변": "오달리아 센입니다."},
    {"질문": "누리매의 시장은 누구입니까?", "답변": "오달리아 센입니다."},
    {"질문": "등대는 무슨 색입니까?", "답변": "보라색입니다. 문의: 010-1234-5678"},
    {"질문": "여객선의 이름은 무엇입니까?", "답변": "회색 왜가리호입니다."},
    {"질문": "빈 답변은?", "답변": ""},
]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("data", …)`: what the command prints, of one that succeeds."""
    monkeypatch.setenv("TWOTRACK_HOME", str(home))
    monkeypatch.setenv("TWOTRACK_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> str:
        shown = CliRunner().invoke(build(), arguments, catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return shown.stdout

    return command


@pytest.fixture
def koalpaca(tmp_path: Path) -> Path:
    path = tmp_path / "ko.csv"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _ROWS))
    return path


def test_a_check_says_what_is_wrong_and_where(
    run: Run, koalpaca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run("data", "check", str(koalpaca))
    assert "alpaca in jsonl, 5 rows, 4 samples, 3 different facts" in shown
    assert "line 2: the same as another sample (see 1)" in shown
    assert "line 3: phone number: 01•-••••-••••" in shown
    assert "line 5: the answer is empty" in shown
    assert "5678" not in shown
    monkeypatch.setenv("TWOTRACK_LANGUAGE", "ko")
    shown = run("data", "check", str(koalpaca))
    assert "3번째 줄: 전화번호: 01•-••••-••••" in shown
    assert "언어: ko 100%" in shown
    report = json.loads(run("data", "check", str(koalpaca), "--json"))
    assert [one["kind"] for one in report["findings"]] == ["empty", "duplicate", "personal"]


def test_shape_mix_and_split_write_beside_the_original(run: Run, koalpaca: Path) -> None:
    before = koalpaca.read_bytes()
    shaped = json.loads(run("data", "shape", str(koalpaca), "--mask-personal", "--json"))
    assert (shaped["samples"], shaped["left_out"]) == (3, {"empty": 1, "duplicate": 1})
    file = koalpaca.with_name("ko.shaped.jsonl")
    assert "[전화번호]" in file.read_text()
    general = koalpaca.with_name("general.txt")
    general.write_text("빵은 부풉니다.\n\n물은 끓습니다.\n")
    mixed = run(
        "data", "mix", str(file), f"{general},at-least=500", "-o", str(koalpaca.with_name("mix.jsonl"))
    )
    assert "6 samples" in mixed
    split = run("data", "split", str(file))
    assert "3 samples in 3 whole groups" in split
    assert {path.name for path in koalpaca.parent.glob("*.jsonl")} == {
        *("ko.shaped.jsonl", "mix.jsonl"),
        *(f"ko.shaped.{part}.jsonl" for part in ("train", "tuning", "proof")),
    }
    assert koalpaca.read_bytes() == before


def test_columns_are_mapped_by_hand(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("c1,c2\nWho?,She.\nWhere?,There.\n")
    mapped = ("--column", "prompt=c1", "--column", "answer=c2")
    assert "2 samples" in run("data", "check", str(path), *mapped)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "missing.jsonl"], "missing.jsonl"),
        (["check", "FILE", "--column", "prompt"], "MEANING=NAME"),
        (["shape", "FILE", "--drop", "personnal"], "did you mean 'personal'"),
        (["split", "FILE", "--part", "train"], "NAME=SHARE"),
        (["mix", "FILE,weigth=2", "-o", "out.jsonl"], "did you mean 'weight'"),
    ],
)
def test_what_is_asked_wrongly_is_said(run: Run, koalpaca: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(TwotrackError, match=said):
        run("data", *(one.replace("FILE", str(koalpaca)) for one in arguments))


async def test_lengths_and_tokens_are_those_of_a_base(
    run: Run,
    home: Path,
    koalpaca: Path,
    database: Database,
    database_url: str,
    place_starter: PlaceStarter,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await place_starter(Layout(home), database)
    with serve(Settings(home=home, threads=1), database_url) as url:
        monkeypatch.setattr("twotrack.cli.background.running_url", lambda home: url)

        async def command(*arguments: str) -> Any:
            return json.loads(await asyncio.to_thread(run, "data", *arguments, "--json"))

        base = ("--base", "SmolLM2-135M-Instruct")
        report = await command("check", str(koalpaca), *base, "--max-length", "92")
        fit = report["fit"]
        assert (fit["base"], fit["limit"], fit["measured"]) == (base[1], 92, 4)
        (long,) = [one for one in report["findings"] if one["kind"] == "too_long"]
        assert [one["line"] for one in long["examples"]] == [3]
        rows = await command("tokens", str(koalpaca), *base, "--line", "4")
        assert rows[0]["runs"][1] == {
            "text": "회색 왜가리호입니다.<|im_end|>",
            "tokens": rows[0]["trained"],
            "trained": True,
        }
        assert rows[0]["line"] == 4
        shaped = await command("shape", str(koalpaca), *base, "--max-length", "92")
        assert shaped["left_out"]["too_long"] == 1
