"""The whole loop on the starter: train, serve the result in both engines, score it at several gains."""

import functools
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from tests.at_work import at_work, ended
from twotrack.core import jobs
from twotrack.core.access.caller import Caller
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.job_runner import Lane
from twotrack.engines.port import BASE, BranchesUnsupported
from twotrack.equalizer.board import Board
from twotrack.evaluation.effect_job import effect_job, start_effect
from twotrack.evaluation.effect_schemas import EffectReport, NewEffect
from twotrack.evaluation.job import score_job, settings_of, start_score
from twotrack.evaluation.schemas import NewScore, ScoreReport
from twotrack.learning.data import service as data
from twotrack.learning.data import tables as data_tables
from twotrack.learning.data.copying import part_of
from twotrack.learning.data.errors import BrokenLine, DataSetNotFound, NoSamples, NoSuchPart
from twotrack.learning.data.job import data_job
from twotrack.learning.data.schemas import NewSplit
from twotrack.learning.train.job import train_job
from twotrack.learning.train.service import start_run
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, Variant, VariantAdapter

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
        "data": functools.partial(data_job, database=database, layout=layout),
    }
    async with at_work(database, [Lane(bodies, at_once=1)]):
        yield


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
    trained = await ended(database, await start_run(database, layout, recipe=recipe, data=_TRAINED.encode()))
    assert trained.state == "succeeded", trained.error

    off_board = {"cells": [[0.0] * 4] * 4, "expansion": "smooth"}
    asked = NewScore(
        variant="velmora",
        samples=_HELD_OUT,
        general=_GENERAL,
        gains=(0.0, 1.0, "own", off_board, off_board["cells"]),
        max_tokens=16,
    )
    scored = await ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    report = ScoreReport.model_validate(scored.result)
    off, on, own, board, rows = report.gains
    assert (off.exact, off.total) == (0, 2)
    assert (on.exact, on.total) == (2, 2), on.answers
    assert on.task_loss < off.task_loss / 4
    assert off.forgetting == 0
    assert on.forgetting is not None
    assert report.engine == "transformers"
    # The variant has a gain of 1; a board of zeros is the base again.
    assert (own.gain, own.board) == (None, None)
    assert own.answers == on.answers
    assert own.task_loss == pytest.approx(on.task_loss, abs=1e-4)
    for turned in (board, rows):
        assert (turned.gain, turned.board is not None) == (None, True)
        assert turned.task_loss == pytest.approx(off.task_loss, abs=1e-4)
        assert turned.forgetting == pytest.approx(0, abs=1e-4)

    looked = NewEffect(variant="velmora", samples=_HELD_OUT, general=_GENERAL)
    seen = await ended(database, await start_effect(database, layout, looked))
    assert seen.state == "succeeded", seen.error
    effect = EffectReport.model_validate(seen.result)
    assert effect.task_loss == pytest.approx(on.task_loss, rel=0.5)
    assert [(one.band, one.column) for one in effect.cells[:2]] == [(0, "attn.qk"), (0, "attn.vo")]
    assert (len(effect.cells), effect.measured) == (16, 17)
    # What was learned lies in the cells: without the one that matters most it is known less well.
    assert max(one.task.rise for one in effect.cells) > 0
    again = await ended(database, await start_effect(database, layout, looked))
    known = EffectReport.model_validate(again.result)
    assert (known.cells, known.measured) == (effect.cells, 0)

    asked = NewScore(
        variant="velmora", samples=_HELD_OUT, gains=(1.0, 0.0), max_tokens=16, engine="llama_cpp"
    )
    scored = await ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    served = ScoreReport.model_validate(scored.result)
    assert [(found.gain, found.exact) for found in served.gains] == [(1.0, 2), (0.0, 0)]


async def test_a_base_is_scored_at_gain_0_alone(
    database: Database, layout: Layout, starter_base: Base, worker: None
) -> None:
    asked = NewScore(variant=starter_base.name, samples=_HELD_OUT, max_tokens=1, engine="llama_cpp")
    scored = await ended(database, await start_score(database, layout, asked))
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
        ({"gains": ("most",)}, InvalidInput),
        ({"gains": ([[1.0] * 4] * 3,)}, InvalidInput),
        ({"gains": ({"cells": [[1.0] * 4] * 3 + [[1.0] * 3 + [10.0**9]]},)}, InvalidInput),
        ({"samples": '{"messages": [{"role": "assistant", "content": "no question"}]}'}, BrokenLine),
        ({"samples": '{"text": "Water boils."}'}, NoSamples),
        ({"samples": ""}, NoSamples),
        ({"data_id": uuid4()}, InvalidInput),
        ({"data_id": uuid4(), "samples": ""}, DataSetNotFound),
        ({"split": "proof"}, InvalidInput),
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


async def test_a_part_of_a_data_set_is_asked_by_the_sets_id(
    database: Database, layout: Layout, starter_base: Base, worker: None
) -> None:
    unanswerable = '{"text": "Water boils at a lower temperature on a high mountain."}'
    data_id = await _bring(database, layout, f"{_lines(slice(0, 3))}\n{unanswerable}\n")
    with pytest.raises(NoSuchPart, match="proof"):
        await start_score(
            database, layout, NewScore(variant=starter_base.name, data_id=data_id, split="proof")
        )
    halves = NewSplit.model_validate(
        {"parts": [{"name": "tuning", "share": 1}, {"name": "proof", "share": 1}]}
    )
    split = await ended(database, await data.start(database, "split", data_id, halves))
    assert split.state == "succeeded", split.error
    assert split.result is not None
    tuning, proof = (UUID(one) for one in split.result["made"])
    kim = Caller(uuid4(), "kim", "user")
    with pytest.raises(DataSetNotFound):
        await start_score(database, layout, NewScore(variant=starter_base.name, data_id=proof), by=kim)
    async with database.transaction() as connection:
        # The set, the part itself, and the other part all lead to it.
        for one in (data_id, proof, tuning):
            found = await part_of(connection, await data_tables.get(connection, one), "proof")
            assert found.id == proof

    asked = NewScore(
        variant=starter_base.name,
        data_id=data_id,
        split="proof",
        limit=2,
        max_tokens=1,
        engine="llama_cpp",
    )
    scored = await ended(database, await start_score(database, layout, asked))
    assert scored.state == "succeeded", scored.error
    report = ScoreReport.model_validate(scored.result)
    assert report.data is not None
    assert (report.data.id, report.data.name) == (proof, "facts.jsonl.proof")
    assert 1 <= len(report.gains[0].answers) <= 2 < report.data.samples


async def _bring(database: Database, layout: Layout, lines: str) -> UUID:
    data_id = uuid4()
    place = data_tables.file_of(layout, data_id)
    place.parent.mkdir(parents=True)
    place.write_text(lines)
    await data.take_in(database, layout, data_id, name="facts.jsonl")
    return data_id


def test_a_base_board_is_scored_as_it_is_and_left_out_at_gain_0(starter_base: Base) -> None:
    adapter = uuid4()
    variant = Variant(
        id=uuid4(),
        name="bent",
        base_id=starter_base.id,
        adapters=(VariantAdapter(adapter_id=adapter),),
        base_board=Board(cells=((1, 0.5),) * 4),
        created_at=starter_base.created_at,
    )
    table = ((1.0, 0.5),) * 30
    zero, full, own = settings_of(variant, starter_base, [0, 1, "own"])
    assert zero.acting == {str(adapter): 0}
    assert full.acting == own.acting == {str(adapter): 1, BASE: table}
    assert [one.is_base for one in (zero, full, own)] == [True, False, False]
    alone = settings_of(variant.model_copy(update={"adapters": ()}), starter_base, [0.5])
    assert [(one.gain, one.acting) for one in alone] == [(0, {}), (None, {BASE: table})]


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
