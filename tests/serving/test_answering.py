"""From token ids to text: whole characters, stop strings, gains, log-probabilities, errors in the middle."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.engines.port import BASE, EngineDied, PromptTooLong
from twotrack.equalizer.board import Board
from twotrack.equalizer.grid import Grid
from twotrack.registry.schemas import VariantAdapter
from twotrack.serving.answering import (
    Final,
    Options,
    Piece,
    Served,
    chat_prompt,
    ids_prompt,
    stream_answer,
    text_prompt,
)
from twotrack.serving.gains import Boards, gains_for

Model = Callable[..., Served]
Script = Callable[..., Any]


async def collect(pool: Any, served: Served, **options: Any) -> tuple[list[Piece], Final]:
    pieces: list[Piece] = []
    async for item in stream_answer(pool, served, [1, 2], Options(gains={}, **options)):
        if isinstance(item, Final):
            return pieces, item
        pieces.append(item)
    raise AssertionError("the answer has no end")


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


async def test_no_piece_ends_in_the_middle_of_a_character(byte_model: Model, scripted: Script) -> None:
    pieces, _ = await collect(scripted("한글 😀!"), byte_model())
    assert [piece.text for piece in pieces] == ["한", "글", " ", "😀", "!"]


async def test_a_character_that_the_end_cuts_off_is_a_replacement_character(
    byte_model: Model, scripted: Script
) -> None:
    pieces, final = await collect(scripted("한".encode()[:2], end="length"), byte_model())
    assert text(pieces) == "\ufffd"
    assert final.reason == "length"


async def test_a_stop_string_across_tokens_ends_the_generation(byte_model: Model, scripted: Script) -> None:
    pool = scripted("서울입니다. ### 질문: 다음")
    pieces, final = await collect(pool, byte_model(), stop=("### 질문:",))
    assert text(pieces) == "서울입니다. "
    assert (final.reason, final.stop_string) == ("stop", "### 질문:")
    assert pool.engine.said < len(pool.engine.text.encode())
    assert pool.engine.closed == 1


async def test_what_only_looked_like_a_stop_string_is_said_at_the_end(
    byte_model: Model, scripted: Script
) -> None:
    pieces, final = await collect(scripted("끝 ##"), byte_model(), stop=("###",))
    assert text(pieces) == "끝 ##"
    assert final.stop_string is None


async def test_usage_comes_from_the_engine(byte_model: Model, scripted: Script) -> None:
    _, final = await collect(scripted("abc", end="length"), byte_model())
    assert (final.prompt_tokens, final.cached_tokens, final.completion_tokens) == (2, 3, 3)
    assert final.reason == "length"


async def test_an_engine_that_dies_loses_no_piece_that_was_said(byte_model: Model, scripted: Script) -> None:
    pool = scripted("반쯤", end=EngineDied(model="bytes", why="killed"))
    answer = stream_answer(pool, byte_model(), [1], Options(gains={}))
    said = [await anext(answer), await anext(answer)]
    with pytest.raises(EngineDied):
        await anext(answer)
    assert said == [Piece("반"), Piece("쯤")]


async def test_closing_an_answer_cancels_the_generation(byte_model: Model, scripted: Script) -> None:
    pool = scripted("x" * 100)
    answer = stream_answer(pool, byte_model(), [1], Options(gains={}))
    await anext(answer)
    await answer.aclose()
    assert pool.engine.closed == 1
    assert pool.engine.said < 100


async def test_every_token_is_reported_once_with_its_logprob(byte_model: Model, scripted: Script) -> None:
    pieces, _ = await collect(scripted("한a"), byte_model(), logprobs=1)
    tokens = [token for piece in pieces for token in piece.tokens]
    assert b"".join(token.raw for token in tokens) == "한a".encode()
    assert [len(token.top) for token in tokens] == [1, 1, 1, 1]
    assert tokens[0].text == "\ufffd"


async def test_tokens_that_a_stop_string_cut_off_are_not_reported(
    byte_model: Model, scripted: Script
) -> None:
    pieces, _ = await collect(scripted("ab##c"), byte_model(), stop=("##",), logprobs=0)
    assert [token.text for piece in pieces for token in piece.tokens] == ["a", "b"]


async def test_without_logprobs_the_engine_is_not_asked_for_any(byte_model: Model, scripted: Script) -> None:
    pool = scripted("a")
    await collect(pool, byte_model())
    assert pool.engine.requests[0].sampling.logprobs == 0
    await collect(pool, byte_model(), logprobs=0)
    assert pool.engine.requests[1].sampling.logprobs == 1


GRID = Grid.over(4, ("attn", "mlp"), 2)
BOARDS = Boards(GRID, GRID.branches)


def test_gains_are_the_variants_own_unless_one_number_is_asked_for(byte_model: Model) -> None:
    first, second = uuid4(), uuid4()
    adapters = [VariantAdapter(adapter_id=first, gain=0.5), VariantAdapter(adapter_id=second)]
    variant = byte_model(adapters=adapters).variant
    assert gains_for(variant, BOARDS) == {str(first): 0.5, str(second): 1.0}
    board = gains_for(variant, BOARDS, [[1, 0], [0, 1]])[str(first)]
    assert isinstance(board, Board)
    assert board.cells == ((1, 0), (0, 1))
    assert gains_for(variant, BOARDS, 0.25) == {str(first): 0.25, str(second): 0.25}


@pytest.mark.parametrize("asked", [[[1, 0, 1], [0, 1, 1]], {"cells": []}, 2.5, "1", True, float("nan")])
def test_what_is_no_gain_is_refused(byte_model: Model, asked: object) -> None:
    variant = byte_model(adapters=[VariantAdapter(adapter_id=uuid4())]).variant
    with pytest.raises(InvalidInput, match="gain"):
        gains_for(variant, BOARDS, asked)


def test_a_gain_for_a_base_without_adapters_is_refused(byte_model: Model) -> None:
    with pytest.raises(InvalidInput, match="adapter"):
        gains_for(byte_model().variant, BOARDS, 1)


OWN = [[1, 0.5], [0, 1]]


def test_rows_for_a_base_are_its_own_board(byte_model: Model) -> None:
    base = byte_model().variant
    board = gains_for(base, BOARDS, OWN)
    assert board == {BASE: Board(cells=((1, 0.5), (0, 1)))}
    assert gains_for(base, BOARDS, {"base": OWN}) == board
    assert BOARDS.expanded(board) == {BASE: ((1, 0.5), (1, 0.5), (0, 1), (0, 1))}
    assert gains_for(base, BOARDS, {"base": 0.5}) == {BASE: 0.5}


@pytest.mark.parametrize(
    "ones", [None, 1, [[1, 1], [1, 1]], {"cells": [[1, 1], [1, 1]], "expansion": "smooth"}]
)
def test_a_base_board_of_ones_is_the_base(byte_model: Model, ones: object) -> None:
    assert gains_for(byte_model().variant, BOARDS, {"base": ones}) == {}


def test_adapters_and_base_are_set_apart_and_otherwise_stay_the_variants_own(byte_model: Model) -> None:
    adapter = uuid4()
    own = Board(cells=((0.5, 0.5), (0.5, 0.5)))
    variant = byte_model(adapters=[VariantAdapter(adapter_id=adapter, gain=0.5)], base_board=own).variant
    assert gains_for(variant, BOARDS) == {str(adapter): 0.5, BASE: own}
    assert gains_for(variant, BOARDS, 0) == {str(adapter): 0, BASE: own}
    assert gains_for(variant, BOARDS, {"adapters": 0.25}) == {str(adapter): 0.25, BASE: own}
    assert gains_for(variant, BOARDS, {"base": 1}) == {str(adapter): 0.5}
    assert gains_for(variant, BOARDS, {"adapters": 0, "base": 0.75}) == {str(adapter): 0, BASE: 0.75}
    # Rows alone are the adapters', as for every variant that has some.
    assert gains_for(variant, BOARDS, OWN) == {str(adapter): Board(cells=((1, 0.5), (0, 1))), BASE: own}


def test_a_variant_of_a_base_board_alone_takes_rows_for_it(byte_model: Model) -> None:
    own = Board(cells=((0.5, 0.5), (0.5, 0.5)))
    variant = byte_model(base_board=own).variant
    assert not variant.is_base
    assert gains_for(variant, BOARDS) == {BASE: own}
    assert gains_for(variant, BOARDS, [[1, 1], [1, 1]]) == {}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"base": [[1, 1, 1]]}, "2 bands of depth × 2 columns"),
        ({"base": 1e9}, "between -1 and 2"),
        ({"base": [[float("nan"), 1], [1, 1]]}, "gain"),
        ({"base": "1"}, "a gain is a number"),
        ({"base": 1, "bass": 1}, "nothing to set"),
        ({"adapters": 1}, "no adapter"),
        (0.5, "no adapter"),
    ],
)
def test_what_is_no_board_of_the_base_is_refused(byte_model: Model, asked: object, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        gains_for(byte_model().variant, BOARDS, asked)


def test_a_base_whose_branches_are_not_known_has_no_board_of_its_own(byte_model: Model) -> None:
    for asked in (OWN, {"base": 0.5}):
        with pytest.raises(InvalidInput, match="no board of its own"):
            gains_for(byte_model().variant, Boards(GRID, None), asked)


async def test_a_prompt_without_room_for_an_answer_is_too_long(byte_model: Model) -> None:
    served = byte_model(context_length=10)
    assert len(await text_prompt(served, "x" * 9)) == 9
    with pytest.raises(PromptTooLong, match="10"):
        await text_prompt(served, "x" * 10)
    with pytest.raises(PromptTooLong):
        await chat_prompt(served, [{"role": "user", "content": "x" * 8}])


async def test_of_an_endless_text_only_the_beginning_is_counted(
    byte_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = byte_model(context_length=10)
    counted: list[int] = []
    count = served.codec.text_ids

    async def noting(text: str) -> list[int]:
        counted.append(len(text))
        return await count(text)

    monkeypatch.setattr(served.codec, "text_ids", noting)
    with pytest.raises(PromptTooLong, match="≥"):
        await chat_prompt(served, [{"role": "user", "content": "x" * 5_000_000}])
    assert sum(counted) < 1000


@pytest.mark.parametrize("ids", [[], [1, 257], [-1]])
def test_token_ids_that_the_model_does_not_know_are_refused(byte_model: Model, ids: list[int]) -> None:
    with pytest.raises(InvalidInput, match="prompt"):
        ids_prompt(byte_model(), ids)
