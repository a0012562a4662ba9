"""`twotrack estimate`: what a run would take here and on other devices, before it is started."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from twotrack.cli.client import studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.cli.train import only_base, read_source
from twotrack.core.language import Language, Text
from twotrack.core.settings import Settings

_PARTS = (
    ("weights", Text("weights", "가중치")),
    ("adapter", Text("adapter", "어댑터")),
    ("gradients", Text("gradients", "기울기")),
    ("optimizer", Text("optimizer", "옵티마이저")),
    ("activations", Text("activations", "활성값")),
    ("logits", Text("logits", "로짓")),
    ("rows", Text("data", "데이터")),
    ("fixed", Text("libraries and allocator", "라이브러리와 할당자")),
)


def estimate(
    source: Annotated[
        Path,
        typer.Argument(
            help=words(
                "a recipe (.yaml, .json), or messages as JSONL", "레시피(.yaml, .json) 또는 메시지 JSONL"
            )
        ),
    ],
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=words(
                "here, rtx-3050-4gb, rtx-3050-8gb, t4, a100 or a100-80gb; may be repeated, all by default",
                "here, rtx-3050-4gb, rtx-3050-8gb, t4, a100, a100-80gb. 여러 번 쓸 수 있으며 기본은 전부",
            ),
        ),
    ] = None,
    base: Annotated[str | None, typer.Option(help=words("base to train on", "학습할 베이스"))] = None,
    as_json: Json = False,
) -> None:
    from twotrack.learning.forecast.devices import known
    from twotrack.learning.train.recipe import parse_recipe

    output = Output(as_json)
    recipe, data = read_source(source)
    if base is not None:
        recipe["base"] = base
    recipe.setdefault("name", "estimate")
    # Whatever is wrong with what was typed is said before anything starts.
    parse_recipe({"base": "?"} | recipe)
    known(tuple(device or ()))
    with studio(Settings(), output) as client:
        recipe.setdefault("base", only_base(client))
        job = client.post(
            "/api/training/runs/estimate", {"recipe": recipe, "data": data, "devices": device or []}
        )
        title = Text("estimating {name}", "{name} 예측 중")
        found = follow(client, output, job["id"], title, name=str(recipe["name"]))
    output.data(found)
    if not as_json:
        show(output, found)
    if not any(one["fits"] for one in found["devices"]):
        # For scripts: what cannot fit is refused.
        raise SystemExit(1)


def show(output: Output, found: Mapping[str, Any]) -> None:
    """The forecast for people."""
    language = output.language
    output.say(
        Text(
            "{base}: {rows:,} rows, {steps:,} steps, {tokens:,} tokens ({learned:,} learned), "
            "{parameters:,} trainable parameters",
            "{base}: 행 {rows:,}개, 스텝 {steps:,}회, 토큰 {tokens:,}개(학습 대상 {learned:,}개), "
            "학습 파라미터 {parameters:,}개",
        ),
        **{name: found[name] for name in ("base", "rows", "steps", "tokens", "learned")},
        parameters=found["trainable_parameters"],
    )
    output.table(
        (
            Text("device", "장치"),
            Text("computes in", "정밀도"),
            Text("processor time", "프로세서 시간"),
            Text("by the clock", "소요 시간"),
            Text("peak memory", "최대 메모리"),
            Text("it has", "장치 메모리"),
            Text("fits", "가능 여부"),
        ),
        [
            (
                _name(one, language),
                one["precision"],
                # A GPU has no processor time, and what is not here cannot be measured.
                _time(one["seconds"] if one["measured"] else None, language),
                _time(one["clock_seconds"], language),
                _size(one["peak_bytes"]),
                _size(one["capacity_bytes"]),
                (Text("yes", "가능") if one["fits"] else Text("no", "불가")).show(language),
            )
            for one in found["devices"]
        ],
    )
    for one in found["devices"]:
        if one["fits"] and one["plan"]:
            _warn(output, one, found["rows"])
    for one in found["devices"]:
        if not one["fits"]:
            _refuse(output, one, found["devices"])
    if any(not one["measured"] for one in found["devices"]):
        output.say(
            Text(
                "[dim]Measured on this machine alone; other devices follow from published figures.[/]",
                "[dim]측정값은 이 컴퓨터뿐이며, 다른 장치는 공개된 사양으로 계산합니다.[/]",
            )
        )


def _warn(output: Output, one: Mapping[str, Any], rows: int) -> None:
    values = {"name": _name(one, output.language), "days": one["days"], "rows": rows}
    if one["plan"] == "pretraining":
        output.say(
            Text(
                "[yellow]![/] {name}, {days:,.0f} days: this is pretraining, not tuning.",
                "[yellow]![/] {name}, {days:,.0f}일: 튜닝이 아니라 사전 학습 규모입니다.",
            ),
            **values,
        )
    else:
        output.say(
            Text("[yellow]![/] {name}: {days:.1f} days.", "[yellow]![/] {name}: {days:.1f}일 걸립니다."),
            **values,
        )
    output.say(
        Text(
            "  One day is enough for {some:,} of the {rows:,} rows.",
            "  하루로는 {rows:,}개 가운데 {some:,}개 행까지 됩니다.",
        ),
        some=one["rows_in_a_day"],
        rows=rows,
    )


def _refuse(output: Output, one: Mapping[str, Any], devices: Sequence[Mapping[str, Any]]) -> None:
    language = output.language
    output.say(
        Text(
            "[red]✗[/] {name}: {peak} are needed, and it has {capacity} ({parts}).",
            "[red]✗[/] {name}: {peak} 필요하지만 {capacity}뿐입니다({parts}).",
        ),
        name=_name(one, language),
        peak=_size(one["peak_bytes"]),
        capacity=_size(one["capacity_bytes"]),
        parts=", ".join(
            f"{text.show(language)} {_size(one['memory'][part])}"
            for part, text in _PARTS
            if one["memory"][part] >= one["peak_bytes"] / 20
        ),
    )
    for remedy in one["remedies"]:
        output.say(
            Text(
                "  would fit: {changes} → {peak}{left_out}", "  이러면 됩니다: {changes} → {peak}{left_out}"
            ),
            changes=", ".join(f"{key}: {_yaml(value)}" for key, value in remedy["changes"].items()),
            peak=_size(remedy["peak_bytes"]),
            left_out=Text(", without the {rows:,} longer rows", ", 더 긴 {rows:,}개 행은 제외").show(
                language, rows=remedy["rows_left_out"]
            )
            if remedy["rows_left_out"]
            else "",
        )
    if not one["remedies"]:
        others = [_name(other, language) for other in devices if other["fits"]]
        output.say(
            Text(
                "  No recipe fits there: a smaller base would.",
                "  어떤 레시피로도 안 됩니다. 더 작은 베이스가 필요합니다.",
            )
        )
        if others:
            output.say(Text("  It fits on: {names}", "  들어가는 장치: {names}"), names=", ".join(others))


def _name(one: Mapping[str, Any], language: Language) -> str:
    if one["device"] != "here":
        return str(one["name"])
    return Text("this machine", "이 컴퓨터").show(language)


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def _time(seconds: float | None, language: Language) -> str | None:
    if seconds is None:
        return "–"
    if seconds < 90:
        return Text("{n:.0f} s", "{n:.0f}초").show(language, n=seconds)
    if seconds < 5_400:
        return Text("{n:.0f} min", "{n:.0f}분").show(language, n=seconds / 60)
    if seconds < 129_600:
        return Text("{n:.1f} h", "{n:.1f}시간").show(language, n=seconds / 3_600)
    return Text("{n:,.1f} days", "{n:,.1f}일").show(language, n=seconds / 86_400)
