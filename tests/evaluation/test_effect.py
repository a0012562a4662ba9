"""The effect of each cell on an engine whose losses are known sums of its gains."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from twotrack.engines.port import BASE, AdapterGain, End, EngineDied, EngineKind, Health, Request, Token
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import Grid
from twotrack.evaluation.effect import Kept, effect
from twotrack.evaluation.score import Material, Question

GRID = Grid.over(4, ("attn", "mlp"), 2)
TABLE: Table = ((1.0, 0.5),) * 4
QUESTIONS = tuple(Question(f"q{number}", "k", (number,), (number, 7, 8), (1, 2)) for number in range(1, 4))
MATERIAL = Material(QUESTIONS, ((40, 41, 42), (50, 51, 52)), 1)


class _Summing:
    """A question's loss is 9 less what acts in mlp of the first band, weighed by its number; a text's is what
    acts in attn of the last layer."""

    kind: EngineKind = "transformers"
    alive = True

    def __init__(self) -> None:
        self.scored = 0
        self.seen: list[Mapping[str, AdapterGain]] = []
        self.dies_after: int | None = None

    async def generate(self, request: Request) -> AsyncGenerator[Token | End, None]:
        yield Token(100 if _table(request.gains)[0][1] else 101)
        yield End("length", 1, 0, 1)

    async def score(
        self, tokens: Sequence[int], start: int, gains: Mapping[str, AdapterGain] | None = None
    ) -> list[float]:
        self.scored += 1
        self.seen.append(gains or {})
        if self.dies_after is not None and self.scored > self.dies_after:
            raise EngineDied(model="summing", why="it was told to")
        table = _table(gains or {})
        loss = table[3][0] if tokens[0] >= 40 else 9 - tokens[0] * (table[0][1] + table[1][1])
        return [-loss] * (len(tokens) - start)

    async def health(self) -> Health:
        raise NotImplementedError

    async def stop(self) -> None: ...


class _Codec:
    stop_ids = frozenset[int]()
    stop_texts = ()

    def decoder(self) -> "_Codec":
        return self

    def push(self, token: int) -> str:
        return str(token)

    def finish(self) -> str:
        return ""


def _table(gains: Mapping[str, AdapterGain]) -> Table:
    table = gains["a"]
    assert isinstance(table, tuple)
    return table


async def _effect(engine: _Summing, folder: Path, **changed: Any) -> Any:
    asked: dict[str, Any] = {"tables": {"a": TABLE}, "to": 0.0, "max_tokens": 4} | changed
    known = {"samples": "s"}
    return await effect(engine, _Codec(), MATERIAL, GRID, kept=Kept(folder, known), **asked)  # type: ignore[arg-type]


async def test_each_cell_tells_what_it_does_and_how_sure_that_is(tmp_path: Path) -> None:
    found = await _effect(_Summing(), tmp_path)
    by_cell = {(one.band, one.column): one for one in found.cells}
    assert list(by_cell) == [(0, "attn"), (0, "mlp"), (1, "attn"), (1, "mlp")]
    task = by_cell[0, "mlp"].task
    # 1, 2 and 3 more for the three questions: their mean, and √(1/3).
    assert task.rise == pytest.approx(2)
    assert task.error == pytest.approx(3**-0.5)
    assert by_cell[0, "mlp"].answers_changed == 3
    assert by_cell[1, "attn"].general.rise == pytest.approx(-1)
    assert by_cell[1, "attn"].general.error == 0
    assert by_cell[1, "mlp"].task.rise == by_cell[1, "attn"].task.rise == 0
    assert by_cell[1, "attn"].answers_changed == 0
    assert found.measured == 5


async def test_what_stands_beside_is_not_turned(tmp_path: Path) -> None:
    engine = _Summing()
    board = ((0.5, 1.0),) * 4
    found = await _effect(engine, tmp_path, beside={BASE: board})
    assert found.cells == (await _effect(_Summing(), tmp_path)).cells
    assert engine.seen
    assert all(gains[BASE] == board for gains in engine.seen)
    # It is part of what was measured: without it everything was asked anew.
    assert (await _effect(engine, tmp_path, beside={BASE: board})).measured == 0


async def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    engine = _Summing()
    first = await _effect(engine, tmp_path)
    scored = engine.scored
    assert (await _effect(engine, tmp_path)).cells == first.cells
    assert engine.scored == scored
    # Other answers are asked for with another limit, and another target is another setting.
    assert (await _effect(engine, tmp_path, to=0.5)).measured == 2
    # A file that is broken is as good as none.
    next(tmp_path.glob("*.json")).write_text("{")
    assert (await _effect(engine, tmp_path)).cells == first.cells


async def test_a_look_that_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    engine = _Summing()
    engine.dies_after = 12
    with pytest.raises(EngineDied):
        await _effect(engine, tmp_path)
    kept = len(list(tmp_path.glob("*.json")))
    assert kept == 2
    engine.dies_after = None
    assert (await _effect(engine, tmp_path)).measured == 5 - kept
