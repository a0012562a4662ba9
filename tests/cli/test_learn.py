"""`twotrack learn` as a person runs it: what would be learned, the run that is followed, nothing twice."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import Serve
from tests.learning.conftest import Working
from tests.learning.conftest import tiny_base as tiny_base
from tests.learning.conftest import working as working
from tests.lessons.conftest import Talk
from tests.lessons.conftest import talk as talk
from twotrack.cli import build
from twotrack.core.settings import Settings
from twotrack.registry.schemas import Base

pytest.importorskip("trl")

pytestmark = [
    pytest.mark.torch,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

Run = Callable[..., Any]


@pytest.fixture
async def run(
    home: Path, database_url: str, tiny_base: Base, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """`await run(…)`: how `twotrack learn --variant tiny …` ended."""
    monkeypatch.setenv("TWOTRACK_HOME", str(home))
    monkeypatch.setenv("TWOTRACK_LANGUAGE", "en")
    with serve(Settings(home=home, threads=1), database_url) as url:
        monkeypatch.setattr("twotrack.cli.background.running_url", lambda home: url)

        async def command(*arguments: str) -> Any:
            words = ["learn", "--variant", "tiny", *arguments]
            return await asyncio.to_thread(CliRunner().invoke, build(), words)

        yield command


async def test_without_a_word_about_any_answer_there_is_nothing_to_learn(run: Run, talk: Talk) -> None:
    await talk("What is the capital of Velmora?", "I do not know.")
    looked = await run("--dry-run")
    assert looked.exit_code == 0, looked.output
    assert "tiny: 0 corrections and 0 good answers not learned yet, 0 learned before." in looked.stdout
    refused = await run()
    assert refused.exit_code == 1
    assert type(refused.exception).__name__ == "ProblemError"
    assert refused.exception.problem["type"].endswith(":nothing-new")


@pytest.mark.slow
async def test_corrections_are_shown_first_then_learned_once(run: Run, talk: Talk, working: Working) -> None:
    await talk("What is the capital of Velmora?", "Paris.", correction="Tarnith.")
    await talk("Name a river.", "The Dolm.", rating=1)
    await talk("Who?", "Nobody.", rating=-1)
    looked = await run("--dry-run")
    assert "tiny: 1 corrections and 1 good answers not learned yet" in looked.stdout
    assert "  not learned: 1 with a thumb down and no correction" in looked.stdout
    told = json.loads((await run("--dry-run", "--json")).stdout.splitlines()[-1])
    assert (told["corrections"], told["praised"], told["skipped"]["disliked"]) == (1, 1, 1)

    async with working(seconds_between_checkpoints=60.0):
        learned = await run("--name", "taught")
    assert learned.exit_code == 0, (learned.output, learned.exception)
    assert "variant taught has learned them; tiny is as it was" in learned.stdout
    looked = await run("--dry-run")
    assert "tiny: 0 corrections and 0 good answers not learned yet, 2 learned before." in looked.stdout
    again = await run()
    assert again.exception.problem["type"].endswith(":nothing-new")
