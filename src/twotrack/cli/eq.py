"""`twotrack eq …`: a variant's board from the terminal: shown, turned, kept as a variant or a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.errors import FileUnusable, InvalidInput, TwotrackError
from twotrack.core.language import Text
from twotrack.core.settings import Settings
from twotrack.equalizer.board import Board, check_gains, uniform
from twotrack.equalizer.expansion import expand
from twotrack.equalizer.grid import BRANCHES, Grid
from twotrack.equalizer.presets import MAX_BYTES, read_preset, write_preset

Variant = Annotated[str, typer.Argument(help=words("name of a variant", "변형 이름"))]
OfBase = Annotated[
    bool,
    typer.Option(
        "--base",
        help=words(
            "the base's own board (attn, mlp); of a variant without adapters always",
            "베이스 자체 보드(attn, mlp). 어댑터가 없는 변형이면 항상 이 보드",
        ),
    ),
]
_CELL = Text(
    "a cell is BAND,COLUMN=GAIN, such as 2,attn.vo=0.3", "칸은 구간,열=게인으로 씁니다. 예: 2,attn.vo=0.3"
)


class NoBoard(TwotrackError):
    detail = Text(
        "{name} has no board: the layers of its base are not known, or run on another server.",
        "보드가 없습니다({name}): 베이스의 레이어 구조를 알 수 없거나 다른 서버에서 실행됩니다.",
    )


@dataclass(frozen=True)
class Table:
    """A variant and one of its boards with the grid of that: its adapters' gains (those of the first, for
    all), or the base's own."""

    variant: dict[str, Any]
    base: dict[str, Any]
    grid: Grid
    board: Board
    of_base: bool

    @classmethod
    def of(cls, client: StudioClient, name: str, *, of_base: bool) -> "Table":
        """The base's own if that is asked for or if there is no adapter.

        Raises:
            NoBoard
        """
        found = client.get(f"/api/models/{quote(name, safe='')}")
        variant = found["variant"]
        adapters = variant["adapters"]
        of_base = of_base or not adapters
        layout = found["own_board"] if of_base else found["board"]
        if layout is None:
            raise NoBoard(name=name)
        grid = Grid(layout["layers"], tuple(layout["columns"]), len(layout["bands"]))
        if of_base:
            kept = variant["base_board"] or 1.0
        else:
            kept = adapters[0].get("board") or adapters[0]["gain"]
        gains = check_gains(kept, grid)
        board = gains if isinstance(gains, Board) else uniform(grid, gains)
        return cls(variant, found["base"], grid, board, of_base)

    def kept_with(self, board: Board) -> dict[str, Any]:
        """What a variant with `board` in this one's place is made from; its other board stays as it is."""
        fields = board.model_dump(mode="json", exclude_none=True)
        adapters = [
            {
                "adapter": one["adapter_id"],
                "gain": one["gain"],
                "board": one.get("board") if self.of_base else fields,
            }
            for one in self.variant["adapters"]
        ]
        return {
            "base": self.base["id"],
            "adapters": adapters,
            "base_board": fields if self.of_base else self.variant["base_board"],
        }

    def show(self, output: Output, board: Board) -> None:
        rows = []
        for band in range(self.grid.bands):
            layers = self.grid.layers_of(band)
            cells = (f"{gain:.2f}" for gain in board.cells[band])
            rows.append((band + 1, f"{layers[0]}–{layers[-1]}", *cells))
        heads = (
            Text("band", "구간"),
            Text("layers", "레이어"),
            *(Text(one, one) for one in self.grid.columns),
        )
        output.table(heads, rows)
        if board.expansion == "smooth":
            output.say(Text("interpolated over depth (smooth)", "깊이에 따라 부드럽게 이어집니다(smooth)"))


def show(variant: Variant, base: OfBase = False, as_json: Json = False) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        table = Table.of(client, variant, of_base=base)
    grid = table.grid
    output.data(
        {
            "variant": table.variant["name"],
            "of": "base" if table.of_base else "adapters",
            "columns": grid.columns,
            "bands": grid.bands,
            "layers": grid.layers,
            "board": table.board.model_dump(mode="json"),
            "gains": expand(table.board, grid),
        }
    )
    if not as_json:
        table.show(output, table.board)


def set_cells(
    variant: Variant,
    cells: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BAND,COLUMN=GAIN]…",
            help=words(
                "band from 1 at the input, or *; column such as attn.vo, or *",
                "구간은 입력 쪽부터 1, 또는 *. 열은 attn.vo 등, 또는 *",
            ),
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help=words("keep it as a variant of this name", "이 이름의 변형으로 저장"))
    ] = None,
    preset: Annotated[
        Path | None,
        typer.Option(help=words("begin with the setting in this file", "이 파일의 설정에서 시작")),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=words("write the setting to a file", "설정을 파일로 저장")),
    ] = None,
    base: OfBase = False,
    smooth: Annotated[
        bool | None,
        typer.Option("--smooth/--step", help=words("interpolate over depth", "깊이에 따라 부드럽게 잇기")),
    ] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        table = Table.of(client, variant, of_base=base)
        stands_on = table.base
        board = table.board
        if preset is not None:
            board = read_preset(_read(preset), table.grid, base_id=stands_on["id"])
        for cell in cells or ():
            board = with_cell(board, table.grid, cell)
        if smooth is not None:
            board = Board(cells=board.cells, expansion="smooth" if smooth else "step")
        if out is not None:
            setting = write_preset(board, table.grid, base_id=stands_on["id"], base_name=stands_on["name"])
            out.write_text(setting, encoding="utf-8")
            output.say(Text("[green]✓[/] written: {path}", "[green]✓[/] 저장했습니다: {path}"), path=str(out))
        made: dict[str, Any] | None = None
        if name is not None:
            made = client.post("/api/models/variants", {"name": name, **table.kept_with(board)})
            output.say(Text("[green]✓[/] variant {name}", "[green]✓[/] 변형 {name}"), name=name)
    output.data({"board": board.model_dump(mode="json"), "variant": made})
    if not as_json:
        table.show(output, board)


def with_cell(board: Board, grid: Grid, asked: str) -> Board:
    """`board` with BAND,COLUMN=GAIN; `*` is every band or every column. Points of curves give way.

    Raises:
        InvalidInput
    """
    place, _, gain = asked.partition("=")
    band, _, column = place.partition(",")
    rows = range(grid.bands) if band == "*" else [int(band) - 1] if band.isdecimal() else []
    columns = (
        range(len(grid.columns))
        if column == "*"
        else [i for i, one in enumerate(grid.columns) if one == column]
    )
    if not rows or not columns or not set(rows) <= set(range(grid.bands)):
        known = f"1–{grid.bands}, *; {', '.join(grid.columns)}, *"
        why = Text(f"{_CELL.en}; bands and columns here: {known}", f"{_CELL.ko}. 여기의 구간과 열: {known}")
        raise InvalidInput(what="cell", value=asked, why=why)
    try:
        value = float(gain)
    except ValueError:
        raise InvalidInput(what="cell", value=asked, why=_CELL) from None
    cells = [
        [value if r in rows and c in columns else old for c, old in enumerate(row)]
        for r, row in enumerate(board.cells)
    ]
    found = check_gains({"cells": cells, "expansion": board.expansion}, grid)
    assert isinstance(found, Board)
    return found


def gains_from(given: str) -> Any:
    """What `--gains` means: a number, JSON, or the path of a file with JSON (a preset counts by its board: of
    the adapters, or the base's own).

    Raises:
        FileUnusable
    """
    text = given if given.lstrip()[:1] in tuple("[{-0123456789.") else _read(Path(given))
    try:
        found = json.loads(text)
    except ValueError:
        raise FileUnusable(path=given[:200], why=Text("it is no JSON", "JSON이 아닙니다")) from None
    if not isinstance(found, dict) or "board" not in found:
        return found
    return {"base": found["board"]} if found.get("columns") == list(BRANCHES) else found["board"]


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileUnusable(
                path=path, why=Text("it is too large for a board", "보드 설정이라기에는 너무 큽니다")
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = getattr(error, "strerror", None) or str(error)
        raise FileUnusable(path=path, why=message) from None
