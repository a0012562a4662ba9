"""`twotrack collections …`: what documents the studio holds."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer

from twotrack.cli.client import studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, Yes, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings


class Store(StrEnum):
    pgvector = "pgvector"
    qdrant = "qdrant"


Name = Annotated[str, typer.Argument(help=words("name of a collection", "컬렉션 이름"))]


Embedder = Annotated[
    str | None,
    typer.Option(
        help=words(
            "what makes its vectors: multilingual-e5-small (the default), folder:/path/of/a/model, "
            "openai:http://host:port/v1#model",
            "벡터를 만들 임베더: multilingual-e5-small(기본값), folder:/모델/경로, "
            "openai:http://호스트:포트/v1#모델",
        )
    ),
]
Half = Annotated[
    bool,
    typer.Option(
        "--half", help=words("vectors of 16-bit numbers: half the memory", "16비트 벡터: 메모리 절반")
    ),
]


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


def create(
    name: Name,
    embedder: Embedder = None,
    store: Annotated[
        Store, typer.Option(help=words("where its vectors lie", "벡터를 둘 저장소"))
    ] = Store.pgvector,
    half: Half = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    body = {"name": name, "embedder": embedder, "store": store.value, "half": half}
    with studio(Settings(), output) as client:
        made = client.post("/api/collections", body)
    output.data(made)
    output.say(
        Text(
            "[green]✓[/] {name}: empty; `twotrack ingest FOLDER -c {name}` fills it",
            "[green]✓[/] {name}: 비어 있습니다. `twotrack ingest 폴더 -c {name}`로 채우세요",
        ),
        name=made["name"],
    )


def rename(
    name: Name,
    new: Annotated[str, typer.Argument(help=words("its new name", "새 이름"))],
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        changed = client.patch(f"/api/collections/{quote(name, safe='')}", {"name": new})
    output.data(changed)
    output.say(Text("[green]✓[/] {name}", "[green]✓[/] {name}"), name=changed["name"])


def embed(name: Name, embedder: Embedder = None, half: Half = False, as_json: Json = False) -> None:
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
