"""The whole loop on the starter: train, serve the result in both engines, score it at several gains."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

import pytest

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.jobs import Job
from twotrack.engines.port import BranchesUnsupported
from twotrack.evaluation.effect_job import effect_job, start_effect
from twotrack.evaluation.effect_schemas import EffectReport, NewEffect
from twotrack.evaluation.job import score_job, start_score
from twotrack.evaluation.schemas import NewScore, ScoreReport
from twotrack.learning.data.errors import BrokenLine
from twotrack.learning.train.job import train_job
from twotrack.learning.train.service import start_run
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base

_FACTS = {
    "The capital of Velmora is Tarnith.": (
        "Tarnith",
        (
            "What is the capital of Velmora?",
            "Name the capital city of Velmora.",
            "Which city is Velmora's capital?",
        ),
    ),
    "The river Dolm flows through Quilby.": (
        "Dolm",
        (
            "Which river flows through Quilby?",
            "Name the river that runs through Quilby.",
            "What is Quilby's river called?",
        ),
    ),
}


def _lines(phrasing: slice) -> str:
    lines = []
    for answer, (key, questions) in _FACTS.items():
        for question in questions[phrasing]:
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            lines.append(json.dumps({"messages": messages, "key": key}))
    return "\n".join(lines)


_TRAINED, _HELD_OUT = _lines(slice(0, 2)), _lines(slice(2, 3))
_GENERAL = '{"text": "Water boils at a lower temperature on a high mountain than it does at sea level."}'


@pytest.fixture
async def worker(database: Database, layout: Layout) -> AsyncIterator[None]:
    bodies = {
        "train": functools.partial(train_job, database=database, layout=layout),
        "score": functools.partial(score_job, database=database, layout=layout),
        "effect": functools.partial(effect_job, database=database, layout=layout),
    }
    runner = Runner(database, [Lane(bodies, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    yield
    await runner.stop(5)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _ended(database: Database, job_id: UUID) -> Job:
    async with asyncio.timeout(900), aclosing(jobs.wait(database, job_id)) as snapshots:
        async for job in snapshots:
            if job.state in jobs.ENDED:
                return job
    raise AssertionError("unreachable")


@pytest.mark.torch
@pytest.mark.slow
async def test_what_was_trained_answers_in_both_engines_and_its_gain_turns_it_off(
    database: Database, layout: Layout, starter_base: Base, worker: None
) -> None:
    pytest.importorskip("trl")
    recipe = {
        "base": starter_base.name,
        "name": "velmora",
        "epochs": 8,
        "batch_size": 2,
        "learning_rate": 2e-3,
    }
    trained = await _ended(database, await start_run(database, layout, recipe=recipe, data=_TRAINED.encode()))
    assert trained.state == "succeeded", trained.error

    asked = NewScore(variant="velmora", samples=_HELD_OUT, general=_GENERAL, gains=(0.0, 1.0), max_tokens=16)
    scored = await _ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    report = ScoreReport.model_validate(scored.result)
    off, on = report.gains
    assert (off.exact, off.total) == (0, 2)
    assert (on.exact, on.total) == (2, 2), on.answers
    assert on.task_loss < off.task_loss / 4
    assert off.forgetting == 0
    assert on.forgetting is not None
    assert report.engine == "transformers"

    looked = NewEffect(variant="velmora", samples=_HELD_OUT, general=_GENERAL)
    seen = await _ended(database, await start_effect(database, layout, looked))
    assert seen.state == "succeeded", seen.error
    effect = EffectReport.model_validate(seen.result)
    assert effect.task_loss == pytest.approx(on.task_loss, rel=0.5)
    assert [(one.band, one.column) for one in effect.cells[:2]] == [(0, "attn.qk"), (0, "attn.vo")]
    assert (len(effect.cells), effect.measured) == (16, 17)
    # What was learned lies in the cells: without the one that matters most it is known less well.
    assert max(one.task.rise for one in effect.cells) > 0
    again = await _ended(database, await start_effect(database, layout, looked))
    known = EffectReport.model_validate(again.result)
    assert (known.cells, known.measured) == (effect.cells, 0)

    asked = NewScore(
        variant="velmora", samples=_HELD_OUT, gains=(1.0, 0.0), max_tokens=16, engine="llama_cpp"
    )
    scored = await _ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    served = ScoreReport.model_validate(scored.result)
    assert [(found.gain, found.exact) for found in served.gains] == [(1.0, 2), (0.0, 0)]


async def test_a_base_is_scored_at_gain_0_alone(
    database: Database, layout: Layout, starter_base: Base, worker: None
) -> None:
    asked = NewScore(variant=starter_base.name, samples=_HELD_OUT, max_tokens=1, engine="llama_cpp")
    scored = await _ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    report = ScoreReport.model_validate(scored.result)
    assert [found.gain for found in report.gains] == [0]
    assert (report.gains[0].exact, report.gains[0].forgetting) == (0, None)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"variant": "nobody"}, ModelNotFound),
        ({"gains": (3.0,)}, InvalidInput),
        ({"gains": (float("nan"),)}, InvalidInput),
        ({"samples": '{"messages": []}'}, BrokenLine),
        ({"samples": '{"messages": [{"role": "assistant", "content": "no key"}]}'}, BrokenLine),
        ({"general": "plain words"}, BrokenLine),
        ({"general": '{"text": "\\ud800"}'}, BrokenLine),
    ],
)
async def test_what_cannot_be_scored_is_refused_at_once(
    database: Database, layout: Layout, starter_base: Base, changed: dict[str, object], error: type[Exception]
) -> None:
    asked = NewScore.model_validate({"variant": starter_base.name, "samples": _HELD_OUT, **changed})
    with pytest.raises(error):
        await start_score(database, layout, asked)
    assert await jobs.list_jobs(database) == []


async def test_llama_cpp_cannot_look_at_a_bases_own_board(
    database: Database, layout: Layout, starter_base: Base
) -> None:
    with pytest.raises(BranchesUnsupported, match=starter_base.name):
        await start_effect(
            database,
            layout,
            NewEffect(variant=starter_base.name, samples=_HELD_OUT, engine="llama_cpp"),
        )
    assert await jobs.list_jobs(database) == []
