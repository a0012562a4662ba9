"""`twotrack effect`: what each cell of a variant's board does to what was learned and to everything else."""

from typing import Annotated, Any

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.jobs import follow
from twotrack.cli.material import Data, General, Limit, Samples, Split, read_asked, set_named
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings


def effect(
    variant: Annotated[str, typer.Argument(help=words("name of a variant", "변형 이름"))],
    samples: Samples = None,
    data: Data = None,
    split: Split = None,
    limit: Limit = None,
    general: General = None,
    to: Annotated[
        float, typer.Option(help=words("the gain that each cell is turned to", "각 칸을 돌려 놓을 게인"))
    ] = 0.0,
    answers: Annotated[
        int, typer.Option(help=words("also ask for answers of so many tokens", "이만큼의 토큰으로 답도 받기"))
    ] = 0,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    body = {
        "variant": variant,
        **read_asked(samples, data, general),
        "split": split,
        "limit": limit,
        "to": to,
        "max_tokens": answers,
    }
    with studio(Settings(), output) as client:
        report = look(client, output, {**body, "data_id": set_named(client, data)})
    output.data(report)
    if not as_json:
        show(output, report)


def look(client: StudioClient, output: Output, body: dict[str, Any]) -> dict[str, Any]:
    """The EffectReport of a NewEffect, with a progress bar."""
    job = client.post("/api/evaluation/effects", body)
    title = Text("turning the cells of {name} one by one", "{name}의 칸을 하나씩 돌려 보는 중")
    return follow(client, output, job["id"], title, name=body["variant"])


def show(output: Output, report: dict[str, Any]) -> None:
    """A table for what was learned, and one for general texts where there were some."""
    heads = (Text("band", "구간"), *(Text(one, one) for one in report["columns"]))
    for key, title in (
        ("task", Text("Rise of the task loss, nats a token", "과제 손실이 늘어난 정도 (nats/토큰)")),
        ("general", Text("Rise of the loss on general text", "일반 글의 손실이 늘어난 정도")),
    ):
        if not all(one[key] for one in report["cells"]):
            continue
        output.say(title)
        rows = []
        for band in range(report["bands"]):
            cells = [one for one in report["cells"] if one["band"] == band]
            rows.append((band + 1, *(_change(one[key]) for one in cells)))
        output.table(heads, rows)
    if any(one["answers_changed"] is not None for one in report["cells"]):
        output.say(Text("Answers that are others", "달라진 답의 수"))
        rows = [
            (band + 1, *(one["answers_changed"] for one in report["cells"] if one["band"] == band))
            for band in range(report["bands"])
        ]
        output.table(heads, rows)


def _change(change: dict[str, Any]) -> str:
    error = "" if change["error"] is None else f" ± {change['error']:.3f}"
    return f"{change['rise']:+.3f}{error}"
