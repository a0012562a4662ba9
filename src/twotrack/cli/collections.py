"""`twotrack collections …`: what documents the studio holds."""

from typing import Annotated
from urllib.parse import quote

import typer

from twotrack.cli.client import studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, Yes, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings

Name = Annotated[str, typer.Argument(help=words("name of a collection", "컬렉션 이름"))]


def list_collections(as_json: Json = False) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        found = client.get("/api/collections")
    output.data(found)
    if as_json:
        return
    if not found:
        output.say(
            Text(
                "No documents yet: `twotrack ingest FOLDER`",
                "아직 문서가 없습니다: `twotrack ingest 폴더`",
            )
        )
        return
    columns = (
        Text("collection", "컬렉션"),
        Text("documents", "문서"),
        Text("unreadable", "읽지 못함"),
        Text("chunks", "청크"),
        Text("embedder", "임베더"),
        Text("store", "저장소"),
    )
    output.table(
        columns,
        [
            (one["name"], one["documents"], one["failed"], one["chunks"], one["embedder"]["id"], one["store"])
            for one in found
        ],
    )


def show(name: Name, as_json: Json = False) -> None:
    """Its documents, those that could not be read with the reason."""
    output = Output(as_json)
    path = f"/api/collections/{quote(name, safe='')}"
    with studio(Settings(), output) as client:
        collection = client.get(path)
        documents = []
        after: str | None = None
        while True:
            page = client.get(f"{path}/documents", limit=1000, **({"after": after} if after else {}))
            documents += page["documents"]
            if (after := page["next"]) is None:
                break
    output.data({**collection, "items": documents})
    if as_json:
        return
    columns = (
        Text("source", "출처"),
        Text("title", "제목"),
        Text("state", "상태"),
        Text("characters", "글자"),
        Text("problem", "문제"),
    )
    output.table(
        columns,
        [
            (one["source"], one["title"], one["state"], one["characters"], (one["error"] or {}).get("detail"))
            for one in documents
        ],
    )


def embed(
    name: Name,
    embedder: Annotated[
        str | None,
        typer.Option(help=words("what makes its vectors (default: the studio's)", "사용할 임베더")),
    ] = None,
    half: Annotated[bool, typer.Option(help=words("vectors of 16-bit numbers", "16비트 벡터"))] = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        body = {"embedder": embedder, "half": half}
        job = client.post(f"/api/collections/{quote(name, safe='')}/embed", body)
        result = follow(
            client, output, job["id"], Text("embedding {name}", "{name} 임베딩하는 중"), name=name
        )
    output.data(result)
    output.say(
        Text(
            "[green]✓[/] {name}: {chunks} vectors by {embedder}",
            "[green]✓[/] {name}: 벡터 {chunks}개, {embedder}",
        ),
        name=name,
        chunks=result["chunks"],
        embedder=result["embedder"],
    )


def remove(name: Name, yes: Yes = False, as_json: Json = False) -> None:
    output = Output(as_json)
    question = Text("Remove {name} and all its documents?", "{name} 컬렉션과 모든 문서를 삭제할까요?")
    if not yes and not as_json:
        typer.confirm(question.show(output.language, name=name), abort=True)
    with studio(Settings(), output) as client:
        removed = client.delete(f"/api/collections/{quote(name, safe='')}")
    output.data(removed)
    output.say(
        Text("[green]✓[/] {count} documents removed", "[green]✓[/] 문서 {count}개 삭제됨"),
        count=removed["deleted"],
    )
