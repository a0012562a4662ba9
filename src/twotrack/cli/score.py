"""`twotrack score`: what a variant learned and forgot, at several settings of its gains."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.eq import gains_from
from twotrack.cli.jobs import follow
from twotrack.cli.material import Data, General, Limit, Samples, Split, read_asked, set_named
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_OWN = "own"
_AGAINST_BASE = ("learned", "forgetting")
_UNITS = Text(
    "[dim]Losses in nats a token, with 95 % confidence intervals. Learned: by how much the loss of the "
    "answers is below that at gain 0; forgotten: by how much that of general text is above it.[/]",
    "[dim]손실의 단위는 nats/토큰이며, 아래 줄은 95 % 신뢰 구간입니다. 학습은 답변의 손실이 "
    "게인 0보다 낮아진 정도, 망각은 일반 텍스트의 손실이 높아진 정도입니다.[/]",
)


def score(
    variant: Annotated[str, typer.Argument(help=words("name of a variant", "변형 이름"))],
    samples: Samples = None,
    data: Data = None,
    split: Split = None,
    limit: Limit = None,
    general: General = None,
    gains: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SETTING",
            help=words(
                "a number, rows × columns as JSON, a board's file, or own; as often as you like",
                "숫자, 행 × 열(JSON), 보드 파일, 또는 own(변형 그대로). 여러 번 쓸 수 있음",
            ),
        ),
    ] = None,
    answers: Annotated[
        int, typer.Option(help=words("tokens of an answer at most", "답변의 최대 토큰 수"))
    ] = 64,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    body = {
        "variant": variant,
        **read_asked(samples, data, general),
        "split": split,
        "limit": limit,
        "gains": [_OWN if one == _OWN else gains_from(one) for one in gains or ("0", "0.5", "1")],
        "max_tokens": answers,
    }
    with studio(Settings(), output) as client:
        report = ask(client, output, {**body, "data_id": set_named(client, data)})
    output.data(report)
    if not as_json:
        show(output, report["gains"])


def ask(client: StudioClient, output: Output, body: dict[str, Any]) -> dict[str, Any]:
    """The ScoreReport of a NewScore, with a progress bar."""
    job = client.post("/api/evaluation/scores", body)
    title = Text("asking and scoring {name}", "{name} 묻고 채점하는 중")
    return follow(client, output, job["id"], title, name=body["variant"])


def show(output: Output, scores: Sequence[dict[str, Any]], *, sample: bool = False) -> None:
    """A row for each setting; with `sample`, what the first question was answered besides."""
    heads = [
        Text("gain", "게인"),
        Text("right answers", "정답"),
        Text("task loss", "과제 손실"),
        Text("learned", "학습"),
        Text("forgotten", "망각"),
    ]
    if sample:
        asked = str(scores[0]["answers"][0]["question"])
        heads.append(Text(asked, asked))
    rows = []
    for one in scores:
        row = [
            setting_name(output, one),
            f"{one['exact']} / {one['total']}" if one["total"] else "–",
            f"{one['task_loss']:.3f}",
            *("–" if one[what] is None else f"{one[what]:+.3f}" for what in _AGAINST_BASE),
        ]
        # Each below its figure.
        row[1] += _interval(one["exact_interval"], "{:.0%}".format)
        for place, what in enumerate(_AGAINST_BASE, start=3):
            row[place] += _interval(one[f"{what}_interval"], "{:.3f}".format)
        rows.append([*row, _shortened(one["answers"][0]["answer"])] if sample else row)
    output.table(heads, rows)
    output.say(_UNITS)


def _interval(found: Sequence[float] | None, shown: Callable[[float], str]) -> str:
    # The base against itself is no measurement.
    if found is None or found[0] == found[1] == 0:
        return ""
    return f"\n{shown(found[0])}…{shown(found[1])}"


def setting_name(output: Output, score: dict[str, Any]) -> str:
    """How a setting is called in a table."""
    if score["gain"] is not None:
        return f"{score['gain']:g}"
    if score["board"] is None:
        return Text("as it is", "변형 그대로").show(output.language)
    cells = [gain for row in score["board"]["cells"] for gain in row]
    named = Text(f"board, {min(cells):g} to {max(cells):g}", f"보드, {min(cells):g}에서 {max(cells):g}까지")
    return named.show(output.language)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
