"""`twotrack ingest`: documents from folders, files and URLs."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from twotrack.cli.client import ProblemError, StudioClient, studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE", help=words("folders, files and URLs of documents", "문서 폴더, 파일, URL")
        ),
    ],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help=words("where they go", "넣을 컬렉션"))
    ] = "documents",
    as_json: Json = False,
) -> None:
    """Ends with 1 where a source could not be taken in at all."""
    output = Output(as_json)
    if not all(source.strip() for source in sources):
        # An empty path would be the folder that one is in.
        raise typer.BadParameter(words("it is empty", "비어 있습니다"), param_hint="SOURCE")
    requests = _requests(sources)
    results: list[dict[str, Any]] = []
    with studio(Settings(), output) as client:
        for body, title in requests:
            try:
                results.append(ingest_source(client, output, collection, body, title))
            except ProblemError as error:
                if len(requests) == 1:
                    raise
                # The others are no worse for it.
                results.append(error.problem)
                output.complain(error.problem)
    output.data(results[0] if len(results) == 1 else results)
    if any("documents" not in result or result["documents"] == result["failed"] for result in results):
        raise typer.Exit(1)


def ingest_source(
    client: StudioClient, output: Output, collection: str, body: dict[str, Any], title: str
) -> dict[str, Any]:
    """Take documents in as a job of the studio; its report."""
    job = client.post("/api/ingest", {"collection": collection, **body})
    report = follow(client, output, job["id"], Text("reading {source}", "{source} 읽는 중"), source=title)
    whole = report["failed"] < report["documents"]
    output.say(
        Text(
            "{mark} {name}: {added} added, {updated} updated, {unchanged} unchanged, {deleted} removed, "
            "{failed} failed, {skipped} of other kinds",
            "{mark} {name}: 추가 {added}, 갱신 {updated}, 그대로 {unchanged}, 삭제 {deleted}, "
            "실패 {failed}, 다른 종류 {skipped}",
        ),
        mark=Text("[green]✓[/]", "[green]✓[/]") if whole else Text("[red]✗[/]", "[red]✗[/]"),
        name=report["collection"],
        **{key: report[key] for key in ("added", "updated", "unchanged", "deleted", "failed", "skipped")},
    )
    for failure in report["failures"]:
        output.say(Text("[red]✗[/] {why}", "[red]✗[/] {why}"), why=failure[output.language])
    if (left := report["failed"] - len(report["failures"])) > 0:
        output.say(Text("… and {left} more", "… 외 {left}개"), left=left)
    return report


def _requests(sources: list[str]) -> list[tuple[dict[str, Any], str]]:
    """Bodies of the requests, with what is shown: all URLs at once, each folder and file by itself."""
    # Also those that are not fetched: it is said which are.
    urls = [source for source in sources if _SCHEME.match(source)]
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"path": str(Path(source).expanduser().absolute())}, source)
        for source in sources
        if source not in urls
    ]
    return [*bodies, *([({"urls": urls}, ", ".join(urls))] if urls else [])]
