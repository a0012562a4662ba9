"""`twotrack ask` and `twotrack rag …` against a studio with a small town in it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import Serve
from tests.embedders.conftest import embedder_layout as embedder_layout
from tests.serving.rag.conftest import TOWN, Fill, lend_embedder
from tests.serving.rag.conftest import fill as fill
from tests.serving.rag.conftest import library as library
from twotrack.cli import build
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout

Run = Callable[..., Any]


@pytest.fixture
async def run(
    home: Path,
    database_url: str,
    embedder_layout: Layout,
    fill: Fill,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """`await run("ask", …)`: what the command prints, of one that succeeds."""
    lend_embedder(embedder_layout, home)
    await fill("town", TOWN)
    monkeypatch.setenv("TWOTRACK_HOME", str(home))
    monkeypatch.setenv("TWOTRACK_LANGUAGE", "en")
    with serve(Settings(home=home, threads=1), database_url) as url:
        monkeypatch.setattr("twotrack.cli.background.running_url", lambda home: url)

        async def command(*arguments: str) -> str:
            shown = await asyncio.to_thread(CliRunner().invoke, build(), arguments)
            assert shown.exit_code == 0, (shown.output, shown.exception)
            return shown.stdout

        yield command


async def test_an_answer_comes_with_where_it_stands(run: Run) -> None:
    shown = await run("ask", "What does a bicycle cost on the ferry?")
    assert "A bicycle costs 3 tarn extra." in shown
    assert "[1] en/ferry.txt (0–" in shown
    whole = json.loads(await run("ask", "가입비는 얼마인가요?", "--json"))
    assert whole["citations"][0]["source"] == "ko/salt.txt"


async def test_how_sure_it_must_be_is_chosen(run: Run) -> None:
    question = ("ask", "What does a bicycle cost on the ferry?", "--json")
    assert json.loads(await run(*question, "--min-confidence", "0"))["abstained"] is False
    assert json.loads(await run(*question, "--min-confidence", "1"))["abstained"] is True


async def test_a_search_says_why_each_passage_came(run: Run) -> None:
    shown = await run("rag", "search", "bicycle on the ferry", "-k", "1")
    assert "en/ferry.txt" in shown
    assert "meaning: #1 · words: #1" in shown


async def test_labelled_questions_are_measured(run: Run, tmp_path: Path) -> None:
    rows = [
        {
            "id": "1",
            "question": "What does a bicycle cost on the ferry?",
            "answerable": True,
            "evidence": [{"document": "ferry.txt", "quote": "bicycle  costs 3 tarn"}],
        },
        {"id": "2", "question": "양자역학?", "answerable": False, "evidence": []},
    ]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(json.dumps(row) for row in rows))
    report = json.loads(
        await run("rag", "eval", str(questions), "--answers", "--against", "lexical", "--json")
    )
    assert report["measures"] == {
        **dict.fromkeys(("hit@1", "hit@5", "hit@10", "MRR@10", "nDCG@10"), 1.0),
        **dict.fromkeys(("citation correctness", "abstention precision", "abstention recall"), 1.0),
    }
    assert report["differences"]["MRR@10"] == [0.0, 0.0, 0.0]
    table = await run("rag", "eval", str(questions), "--against", "dense")
    assert "MRR@10" in table
    assert "+0.000 (+0.000 … +0.000)" in table
