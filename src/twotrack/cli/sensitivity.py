"""`twotrack map BASE --data SET`: how sensitive each cell is on samples, and the board suggested from it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from twotrack.cli.client import studio
from twotrack.cli.jobs import follow
from twotrack.cli.output import Output
from twotrack.cli.train import read_text
from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_THERE = Text("there is a file of that name already", "같은 이름의 파일이 이미 있습니다")


def sense(
    output: Output, base: str, data: str, asked: Mapping[str, Any], recipe_file: Path | None
) -> dict[str, Any]:
    """Measure and show; the SensitivityReport. `asked` are fields of a NewSensitivity; `recipe_file`, if any,
    becomes a recipe with the suggested board."""
    source = {"data_id": data} if _is_id(data) else {"data": read_text(Path(data))}
    if recipe_file is not None and recipe_file.exists():
        output.fail(InvalidInput(what="--suggest", value=str(recipe_file), why=_THERE))
    with studio(Settings(), output) as client:
        job = client.post(f"/api/models/{quote(base, safe='')}/map/sensitivity", {**source, **asked})
        title = Text("measuring how sensitive {name} is", "{name}의 민감도 측정 중")
        report = follow(client, output, job["id"], title, name=base)
    output.data(report)
    if not output.as_json:
        show(output, report)
    if recipe_file is not None:
        try:
            with disk_errors(recipe_file.parent, "the recipe"):
                write_whole(recipe_file, recipe_of(report, data, recipe_file), mode=0o644)
        except TwotrackError as error:
            output.fail(error)
        wrote = Text(
            "wrote it; train with: twotrack train {file}", "저장했습니다. 학습: twotrack train {file}"
        )
        output.say(wrote, file=recipe_file)
    return report


def _is_id(given: str) -> bool:
    try:
        return str(UUID(given)) == given.lower() and not Path(given).exists()
    except ValueError:
        return False


def recipe_of(report: Mapping[str, Any], data: str, file: Path) -> str:
    """A recipe in YAML that learns the samples that were measured on the suggested board."""
    import yaml  # type: ignore[import-untyped]  # it ships no type information

    made = report["suggested"]
    beside = os.path.relpath(Path(data).resolve(), file.resolve().parent)
    fields: dict[str, Any] = {
        "base": report["base"],
        "name": f"{report['base'][:80]}-suggested",
        **({"data_id": data} if _is_id(data) else {"data": beside}),
        "rank": made["rank"],
        "alpha": made["alpha"],
    }
    head: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    rows = (yaml.safe_dump(row, default_flow_style=True, width=10_000).strip() for row in made["board"])
    return head + "board:\n" + "".join(f"  - {row}\n" for row in rows)


def show(output: Output, report: Mapping[str, Any]) -> None:
    """Both boards for people: how sensitive, with its noise, and what is suggested."""
    output.say(
        Text(
            "[bold]{base}[/]  {samples} samples, {tokens:,} tokens, loss {loss:.3f} nats a token "
            "({new} rows measured, the others known)",
            "[bold]{base}[/]  샘플 {samples}개, 토큰 {tokens:,}개, 손실 {loss:.3f} nats/토큰"
            "(이번에 측정한 행 {new}개)",
        ),
        **{key: report[key] for key in ("base", "samples", "tokens", "loss")},
        new=report["measured"],
    )
    output.say(
        Text(
            "Squared gradient for each adapter parameter; 1 is the whole body's average:",
            "어댑터 파라미터당 기울기 제곱(본체 전체 평균이 1):",
        )
    )
    cells = {(one["band"], one["column"]): one for one in report["cells"]}
    heads = (Text("band", "구간"), *(Text(one, one) for one in report["columns"]))
    bands = range(report["bands"])
    output.table(
        heads,
        [(band + 1, *(_figure(cells.get((band, one))) for one in report["columns"])) for band in bands],
    )
    made = report["suggested"]
    output.say(
        Text(
            "Suggested ranks, alpha / rank {ratio:g} everywhere: {parameters:,} parameters; rank {rank} in "
            "every cell has {uniform:,}",
            "제안 랭크(alpha / rank는 모두 {ratio:g}): 파라미터 {parameters:,}개, 모든 칸이 랭크 {rank}이면 "
            "{uniform:,}개",
        ),
        ratio=made["alpha"] / made["rank"],
        parameters=made["parameters"],
        uniform=made["uniform_parameters"],
        rank=made["rank"],
    )
    output.table(
        heads, [(band + 1, *(_rank(output, cell) for cell in made["board"][band])) for band in bands]
    )


def _figure(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "–"
    error = cell["relative_error"]
    return f"{cell['relative']:.2f}" + ("" if error is None else f" ± {error:.2f}")


def _rank(output: Output, cell: Mapping[str, Any]) -> str:
    frozen = Text("frozen", "고정").show(output.language)
    return frozen if cell.get("train") is False else str(cell["rank"])
