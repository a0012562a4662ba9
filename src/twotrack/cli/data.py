"""`twotrack data …`: training data looked through, shaped, mixed, split and shown token by token, here.

These work on the files themselves, by the functions that the API uses for what is uploaded; the studio is
asked for a base alone (docs/decisions/0013).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from twotrack.cli.client import studio
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.core.settings import Settings

if TYPE_CHECKING:
    from twotrack.learning.data.check import Progress as Heard
    from twotrack.learning.data.fitting import Fitting
    from twotrack.learning.data.messages import Sample
    from twotrack.registry.prompts import PromptCodec

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help=words("JSON, JSONL, CSV, Parquet or text", "JSON, JSONL, CSV, Parquet, 텍스트 파일"),
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="MEANING=NAME",
        help=words(
            "what a column means: prompt, input, answer, system, messages, chosen, rejected, text, key, "
            "group, source",
            "열의 뜻: prompt, input, answer, system, messages, chosen, rejected, text, key, group, source",
        ),
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option("--base", help=words("base whose context must hold it", "컨텍스트를 맞출 베이스")),
]
Longest = Annotated[
    int | None,
    typer.Option(
        "--max-length",
        min=8,
        help=words("tokens, below the base's context", "베이스 컨텍스트 이내의 토큰 수"),
    ),
]
Held = Annotated[
    Path | None,
    typer.Option(
        "--held-out", help=words("data that must not be trained on", "학습에 쓰면 안 되는 평가용 데이터")
    ),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help=words("file to write", "쓸 파일"))]
Force = Annotated[
    bool, typer.Option("--force", help=words("replace files that are there", "있는 파일을 덮어씀"))
]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help=words("decides the order", "순서를 정하는 시드"))
]


def check(
    file: File,
    base: BaseOption = None,
    held_out: Held = None,
    column: Columns = None,
    max_length: Longest = None,
    as_json: Json = False,
) -> None:
    from twotrack.cli.data_report import show_report
    from twotrack.learning.data.check import check as look_through
    from twotrack.learning.data.check import open_data

    output = Output(as_json)
    data = open_data(file, _columns(column))
    held = _samples(held_out)
    with _fitting(output, base, max_length) as fitting, _progress(output, file) as heard:
        report = look_through(data, fitting=fitting, held_out=held, progress=heard).report
    output.data(report.model_dump(mode="json"))
    if not as_json:
        show_report(output, report)
    if not report.samples:
        raise typer.Exit(1)


def shape(
    file: File,
    out: Out = None,
    base: BaseOption = None,
    held_out: Held = None,
    column: Columns = None,
    max_length: Longest = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            help=words(
                "leave out: near_duplicate, too_long, personal, garbled, repetitive, boilerplate",
                "제외할 것: near_duplicate, too_long, personal, garbled, repetitive, boilerplate",
            )
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help=words("keep: duplicate, leak, unlearnable, too_long", "남길 것: duplicate, too_long 등")
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            help=words("messages, or preference to keep rejected answers", "messages 또는 preference")
        ),
    ] = "messages",
    language: Annotated[
        list[str] | None,
        typer.Option(help=words("keep this one, such as ko (again for each)", "남길 언어(예: ko)")),
    ] = None,
    mend_roles: Annotated[
        bool,
        typer.Option("--mend-roles", help=words("misspelt roles become the nearest", "잘못 쓴 역할을 고침")),
    ] = False,
    mask_personal: Annotated[
        bool, typer.Option("--mask-personal", help=words("replace personal data", "개인정보를 가림"))
    ] = False,
    shortest_answer: Annotated[int, typer.Option(min=1, help=words("characters", "글자 수"))] = 1,
    longest_answer: Annotated[int | None, typer.Option(min=1, help=words("characters", "글자 수"))] = None,
    per_source: Annotated[
        int | None, typer.Option(min=1, help=words("samples of one source at most", "출처별 최대 샘플 수"))
    ] = None,
    at_most: Annotated[
        int | None,
        typer.Option(min=1, help=words("the best of each fact first", "사실마다 가장 나은 것부터 이만큼")),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from twotrack.cli.data_report import show_shaped
    from twotrack.learning.data.check import open_data
    from twotrack.learning.data.requests import parse_shaping
    from twotrack.learning.data.shape import DROPPED
    from twotrack.learning.data.shape import shape as shape_file

    output = Output(as_json)
    shaping = parse_shaping(
        {
            "to": to,
            "drop": [*(kind for kind in DROPPED if kind not in (keep or ())), *(drop or ())],
            "mend_roles": mend_roles,
            "mask_personal": mask_personal,
            "languages": language or [],
            "shortest_answer": shortest_answer,
            "longest_answer": longest_answer,
            "per_source": per_source,
            "at_most": at_most,
        }
    )
    data = open_data(file, _columns(column))
    held = _samples(held_out)
    with _fitting(output, base, max_length) as fitting, _progress(output, file) as heard:
        shaped, _ = shape_file(
            data, shaping, out, fitting=fitting, held_out=held, replace_target=force, progress=heard
        )
    output.data(shaped.model_dump(mode="json"))
    if not as_json:
        show_shaped(output, shaped)


def mix(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[,weight=W][,at-least=N]…",
            help=words(
                "data with its weight, or with how many of it every window holds; texts are learned whole",
                "데이터와 가중치, 또는 창마다 보장할 개수. 일반 텍스트는 그대로 섞습니다",
            ),
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help=words("file to write", "쓸 파일"))],
    length: Annotated[
        int | None, typer.Option(min=1, help=words("samples (default: each weighted set once)", "샘플 수"))
    ] = None,
    window: Annotated[
        int,
        typer.Option(
            min=1, max=1_000_000, help=words("samples that at-least counts in", "at-least를 세는 창 크기")
        ),
    ] = 1000,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from twotrack.cli.data_report import show_mixed
    from twotrack.learning.data.mixing import mix as mix_files
    from twotrack.learning.data.requests import parse_set

    output = Output(as_json)
    sources = [parse_set(one) for one in sets]
    mixed = mix_files(sources, out, seed=seed, length=length, window=window, replace_target=force)
    output.data(mixed.model_dump(mode="json"))
    if not as_json:
        show_mixed(output, mixed)


def split(
    file: File,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help=words("default: train=0.8 tuning=0.1 proof=0.1", "기본값: train=0.8 tuning=0.1 proof=0.1"),
        ),
    ] = None,
    column: Columns = None,
    folder: Annotated[Path | None, typer.Option(help=words("where to write", "쓸 폴더"))] = None,
    seed: Seed = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from twotrack.cli.data_report import show_split
    from twotrack.learning.data.check import open_data
    from twotrack.learning.data.requests import parse_parts
    from twotrack.learning.data.splitting import split as split_file

    output = Output(as_json)
    found = split_file(
        open_data(file, _columns(column)),
        parse_parts(part) if part else None,
        seed=seed,
        folder=folder,
        replace_targets=force,
    )
    output.data(found.model_dump(mode="json"))
    if not as_json:
        show_split(output, found)


def tokens(
    file: File,
    base: Annotated[
        str, typer.Option(help=words("base whose template and tokenizer are used", "사용할 베이스"))
    ],
    line: Annotated[int | None, typer.Option(min=1, help=words("of this line alone", "이 줄만"))] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help=words("samples", "샘플 수"))] = 3,
    column: Columns = None,
    max_length: Longest = None,
    as_json: Json = False,
) -> None:
    """What is prompt and what is trained, by the code that training uses."""
    from twotrack.cli.data_report import show_tokens
    from twotrack.learning.data.check import open_data
    from twotrack.learning.data.requests import chosen_samples
    from twotrack.learning.data.token_view import view_tokens

    output = Output(as_json)
    samples = list(islice(chosen_samples(open_data(file, _columns(column)), line), count))
    with _codec(output, base) as (codec, name, context):
        limit = min(max_length or context, context)
        rows = asyncio.run(view_tokens(codec, samples, model=name, max_length=limit))
    output.data([row.model_dump(mode="json") for row in rows])
    if not as_json:
        show_tokens(output, rows)


def _columns(given: list[str] | None) -> dict[str, str]:
    columns = {}
    for one in given or []:
        meaning, equals, name = one.partition("=")
        if not equals or not name:
            why = Text("it is written MEANING=NAME", "뜻=이름 꼴로 씁니다")
            raise InvalidInput(what="--column", value=one, why=why)
        columns[meaning.strip()] = name
    return columns


def _samples(path: Path | None) -> "list[Sample] | None":
    from twotrack.learning.data.check import open_data
    from twotrack.learning.data.requests import held_out_samples

    return None if path is None else held_out_samples(open_data(path))


@contextmanager
def _codec(output: Output, base: str) -> "Iterator[tuple[PromptCodec, str, int]]":
    """The base's codec, its name and its context in tokens; the studio says which files are its."""
    from twotrack.registry.layout import Layout
    from twotrack.registry.prompts import Prompts
    from twotrack.registry.schemas import Base

    settings = Settings()
    with studio(settings, output) as client:
        entry: dict[str, Any] = client.get(f"/api/models/{quote(base, safe='')}")
    found = Base.model_validate(entry["base"])
    prompts = Prompts(Layout(settings.home))
    try:
        yield asyncio.run(prompts.for_base(found)), found.name, found.context_length
    finally:
        asyncio.run(prompts.close())


@contextmanager
def _fitting(output: Output, base: str | None, max_length: int | None) -> "Iterator[Fitting | None]":
    from twotrack.learning.data.fitting import Fitting

    if base is None:
        yield None
        return
    with _codec(output, base) as (codec, name, context):
        yield Fitting(codec, name, min(max_length or context, context))


@contextmanager
def _progress(output: Output, file: Path) -> "Iterator[Heard]":
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rows]}", markup=False),
        TimeElapsedColumn(),
    )
    hidden = not output.console.is_terminal
    with Progress(*columns, console=output.console, transient=True, disable=hidden) as progress:
        bar = progress.add_task(file.name, total=1.0, rows="")

        def heard(rows: int, fraction: float) -> None:
            progress.update(bar, completed=fraction, rows=f"{rows:,}")

        yield heard
