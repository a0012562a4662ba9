"""A board's setting as a small file, to be kept, sent and taken up again on the same base.

The page reads and writes the same form (web/src/features/board/preset.ts).
"""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.equalizer.board import Board, check_gains
from twotrack.equalizer.grid import Grid

MAX_BYTES = 256 * 2**10


class PresetUnusable(TwotrackError):
    status = 422
    detail = Text("The preset cannot be used here: {why}.", "이 프리셋은 여기서 쓸 수 없습니다: {why}.")


class Preset(BaseModel):
    """`base` is the fingerprint of the base that the board was set on: other layers mean other things."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["twotrack-board/1"] = "twotrack-board/1"
    base: str = Field(max_length=200)
    base_name: str = Field(max_length=200)
    columns: tuple[str, ...]
    layers: int
    board: dict[str, Any]


def write_preset(board: Board, grid: Grid, *, base_id: str, base_name: str) -> str:
    preset = Preset(
        base=base_id,
        base_name=base_name,
        columns=grid.columns,
        layers=grid.layers,
        board=board.model_dump(mode="json", exclude_none=True),
    )
    return json.dumps(preset.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


def read_preset(text: str, grid: Grid, *, base_id: str) -> Board:
    """
    Raises:
        PresetUnusable: no preset, or one of another base.
        InvalidInput: its gains are none, or do not fit the grid.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise PresetUnusable(why=Text("it is longer than any board", "보드 설정이라기에는 너무 깁니다"))
    try:
        preset = Preset.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"]) or "JSON"
        why = Text(f"{place}: {first['msg'][:200]}", f"{place} 항목이 올바르지 않습니다")
        raise PresetUnusable(why=why) from None
    if preset.base != base_id:
        shown = preset.base_name or preset.base[:12]
        why = Text(f"it was made on another base, {shown}", f"다른 베이스({shown})에서 만든 설정입니다")
        raise PresetUnusable(why=why)
    if preset.columns != grid.columns:
        names = ", ".join(preset.columns)[:200], ", ".join(grid.columns)
        why = Text(
            f"its columns are {names[0]}, and this board's {names[1]}",
            f"열이 {names[0]}인 설정인데 이 보드의 열은 {names[1]}입니다",
        )
        raise PresetUnusable(why=why)
    found = check_gains(preset.board, grid)
    assert isinstance(found, Board)
    return found
