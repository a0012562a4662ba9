"""`twotrack map`: where a model can be tuned, and what each place weighs."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import studio
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.cli.sensitivity import sense
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_WAYS = {
    "headers": Text("read from the headers of its weights", "가중치 헤더에서 읽음"),
    "config": Text("computed from its configuration, without weights", "가중치 없이 설정으로 계산"),
    "meta": Text(
        "from a model that transformers built of its configuration, without weights",
        "transformers로 가중치 없이 구성한 모델에서 읽음",
    ),
}

_NEEDS_DATA = Text("it goes with --data", "--data와 함께 쓰세요")


def show_map(
    base: Annotated[
        str,
        typer.Argument(
            help=words(
                "a base of the studio; or the path of a folder, a config.json or a .gguf file",
                "스튜디오의 베이스, 또는 폴더·config.json·.gguf 파일의 경로",
            )
        ),
    ],
    norms: Annotated[
        bool,
        typer.Option(
            "--norms", help=words("how large the weights are (reads them)", "가중치의 크기(노름)도 계산")
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help=words(
                "how sensitive each cell is on these samples: the id of a data set, or messages as JSONL",
                "이 샘플에 대한 칸별 민감도: 데이터의 id 또는 메시지 JSONL 파일",
            ),
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help=words("with --data: draw so many", "--data에서 뽑을 샘플 수"))
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(
            help=words(
                "with --data: suggest a board as large as this rank everywhere",
                "--data와 함께: 모든 칸이 이 랭크일 때와 같은 크기의 보드를 제안",
            )
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help=words("with --data: of the draw", "--data에서 뽑을 때의 시드"))
    ] = None,
    suggest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=words(
                "with --data: write the suggested board as a recipe",
                "--data와 함께: 제안된 보드를 레시피로 저장",
            ),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    place = Path(base)
    options = {"--samples": samples, "--rank": rank, "--seed": seed, "--suggest": suggest}
    if data is not None:
        asked = {"samples": samples, "rank": rank, "seed": seed}
        sense(output, base, data, {key: value for key, value in asked.items() if value is not None}, suggest)
        return
    if used := [name for name, value in options.items() if value is not None]:
        raise typer.BadParameter(_NEEDS_DATA.show(output.language), param_hint=used[0])
    if _is_path(base):
        try:
            found, sizes = asyncio.run(_here(place.resolve(), norms))
        except TwotrackError as error:
            output.fail(error)
    else:
        with studio(Settings(), output) as client:
            address = f"/api/models/{quote(base, safe='')}/map"
            found = client.get(address)
            sizes = client.get(f"{address}/norms") if norms else None
    output.data(found | ({"norms": sizes} if sizes else {}))
    if not as_json:
        _show(output, found)
        if sizes:
            _show_norms(output, found, sizes)


def _is_path(base: str) -> bool:
    """Whether a file or folder is meant: one that is there, or what no base can be called."""
    # Not Path.exists: a name may be too long for a path.
    return "/" in base or os.path.exists(base)


async def _here(place: Path, norms: bool) -> tuple[dict[str, Any], dict[str, Any] | None]:
    from twotrack.learning.ingest.errors import PathMissing
    from twotrack.learning.mapping.memory import with_memory
    from twotrack.registry.map.norms import read_norms
    from twotrack.registry.map.reading import map_model

    if not place.exists():
        raise PathMissing(path=str(place))
    found = with_memory(place.name, await map_model(place)).model_dump(mode="json")
    return found, (await read_norms(place)).model_dump(mode="json") if norms else None


def _show(output: Output, found: Mapping[str, Any]) -> None:
    language = output.language
    made = found["map"]
    output.say(
        Text("[bold]{name}[/]  {architecture}, {way}", "[bold]{name}[/]  {architecture}, {way}"),
        name=found["name"],
        architecture=made["architecture"],
        way=_WAYS[made["way"]].show(language),
    )
    for fact in made["explanation"]:
        output.plain(f"  {fact[language]}")
    output.say(
        Text(
            "  {all} parameters: body {body}, embeddings {embeddings}, head {head}",
            "  파라미터 {all}: 본체 {body}, 임베딩 {embeddings}, 헤드 {head}",
        ),
        all=_count(made["parameters"]),
        body=_count(made["body"]),
        embeddings=_count(made["embeddings"]),
        head=_count(made["head"]),
    )
    cells = {(one["stack"], one["band"], one["column"]): one["parameters"] for one in made["cells"]}
    output.plain("")
    output.table(
        (Text("layers", "레이어"), *(Text(column, column) for column in made["columns"])),
        [
            (
                f"{stack['name']} {one['first']}–{one['last']}",
                *(_count(cells.get((stack["name"], band, column), 0)) for column in made["columns"]),
            )
            for stack in made["stacks"]
            for band, one in enumerate(stack["bands"])
        ],
    )
    output.plain("")
    output.table(
        (
            Text("module", "모듈"),
            Text("column", "열"),
            Text("shape", "모양"),
            Text("type", "자료형"),
            Text("layers", "레이어 수"),
            Text("parameters", "파라미터"),
            Text("rank up to", "최대 rank"),
        ),
        [
            (
                one["name"] if one["count"] == 1 else f"{one['name']} × {one['count']}",
                one["column"] or one["role"],
                " × ".join(map(str, one["shape"])),
                one["dtype"],
                len(one["layers"]) or "–",
                _count(one["parameters"]),
                one["largest_rank"] or "–",
            )
            for one in made["modules"]
        ],
    )
    _show_memory(output, found)


def _show_memory(output: Output, found: Mapping[str, Any]) -> None:
    output.plain("")
    output.say(
        Text(
            "An adapter of rank {rank} in every linear module ({parameters} parameters), {tokens} tokens:",
            "모든 선형 모듈에 rank {rank} 어댑터(파라미터 {parameters}), {tokens}토큰 한 행 기준:",
        ),
        rank=found["rank"],
        tokens=found["tokens"],
        parameters=_count(found["trainable_parameters"]),
    )
    fits, no = Text("fits", "가능"), Text("no", "불가")
    output.table(
        (
            Text("device", "장치"),
            Text("method", "방식"),
            Text("precision", "정밀도"),
            Text("peak memory", "최대 메모리"),
            Text("it has", "장치 메모리"),
            Text("fits", "가능 여부"),
        ),
        [
            (
                one["name"],
                "LoRA" if one["method"] == "lora" else "QLoRA",
                one["precision"],
                f"{one['peak_bytes'] / 2**30:.1f} GiB",
                f"{one['capacity_bytes'] / 2**30:.1f} GiB",
                (fits if one["fits"] else no).show(output.language) + _remedy(one["fits_with"]),
            )
            for one in found["memory"]
        ],
    )
    if found["is_approximate"]:
        output.say(
            Text(
                "[dim]The studio trains decoders only; for this form the memory is an estimate.[/]",
                "[dim]스튜디오는 디코더만 학습합니다. 이 구조의 메모리는 어림값입니다.[/]",
            )
        )


def _remedy(changes: Mapping[str, Any] | None) -> str:
    return (
        f" ({', '.join(f'{key}: {str(value).lower()}' for key, value in changes.items())})" if changes else ""
    )


def _show_norms(output: Output, found: Mapping[str, Any], sizes: Mapping[str, Any]) -> None:
    columns = found["map"]["columns"]
    cells = {(one["stack"], one["layer"], one["column"]): one["rms"] for one in sizes["cells"]}
    output.plain("")
    output.say(Text("Root mean square of the weights:", "가중치의 제곱평균제곱근(RMS):"))
    output.table(
        (Text("layer", "레이어"), *(Text(column, column) for column in columns)),
        [
            (
                f"{stack['name']} {layer}",
                *(
                    f"{cells[stack['name'], layer, column]:.4f}"
                    if (stack["name"], layer, column) in cells
                    else "–"
                    for column in columns
                ),
            )
            for stack in found["map"]["stacks"]
            for layer in range(stack["layers"])
        ],
    )


def _count(parameters: int) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if parameters >= size:
            return f"{parameters / size:,.2f} {unit}"
    return str(parameters) if parameters else "–"
