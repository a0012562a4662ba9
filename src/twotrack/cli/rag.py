"""`twotrack ask` and `twotrack rag …`: answers from documents, what was found, and how good that is."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import ProblemError, StudioClient, studio
from twotrack.cli.options import Json, VariantOption, words
from twotrack.cli.output import Output, printable
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.core.settings import Settings


class Mode(StrEnum):
    quote = "quote"
    write = "write"


class Legs(StrEnum):
    both = "both"
    dense = "dense"
    lexical = "lexical"


CollectionOption = Annotated[
    str | None,
    typer.Option("--collection", "-c", help=words("default: the oldest", "기본값: 가장 오래된 컬렉션")),
]
ConfidenceOption = Annotated[
    float | None,
    typer.Option(
        help=words(
            "decline below this probability that the documents hold the answer; 0 always answers",
            "문서에 답이 있을 확률이 이보다 낮으면 답하지 않음. 0이면 항상 답함",
        ),
        min=0.0,
        max=1.0,
        show_default=False,
    ),
]
QuestionArgument = Annotated[str, typer.Argument(help=words("a question", "질문"))]


def ask(
    question: QuestionArgument,
    collection: CollectionOption = None,
    variant: VariantOption = None,
    mode: Annotated[
        Mode | None,
        typer.Option(
            help=words(
                "quote the documents, or let the variant write (default: by its size)",
                "문서를 그대로 인용하거나 변형이 쓰게 함(기본값: 변형의 크기에 따라)",
            )
        ),
    ] = None,
    min_confidence: ConfidenceOption = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    choices = {
        "collection": collection,
        "variant": variant,
        "mode": mode,
        "min_confidence": min_confidence,
    }
    body = {"question": question, **{key: value for key, value in choices.items() if value is not None}}
    final: dict[str, Any] = {}
    with studio(Settings(), output) as client:
        for event, data in client.events("POST", "/api/rag/stream", body):
            if event == "token" and not as_json:
                sys.stdout.write(printable(data["text"]))
                sys.stdout.flush()
            elif event == "end":
                final = data
            elif event == "error":
                raise ProblemError(data)
    output.data(final)
    if not as_json:
        output.plain("")
        _show_citations(output, final)


def _show_citations(output: Output, answer: dict[str, Any]) -> None:
    for number, one in enumerate(answer["citations"], start=1):
        page = (
            Text(", page {page}", ", {page}쪽").show(output.language, page=one["page"]) if one["page"] else ""
        )
        output.plain(f"[{number}] {one['source']}{page} ({one['start']}–{one['end']})")
    unsupported = [one for one in answer["sentences"] if not one["citations"]]
    if unsupported and not answer["abstained"]:
        output.say(
            Text(
                "[yellow]{count} sentence(s) of the answer rest on nothing that was found:[/]",
                "[yellow]찾은 문서에 근거가 없는 문장 {count}개:[/]",
            ),
            count=len(unsupported),
        )
        for one in unsupported:
            output.plain(f"  {answer['answer'][one['start'] : one['end']]}")


def search(
    question: QuestionArgument,
    collection: CollectionOption = None,
    k: Annotated[int, typer.Option("-k", help=words("passages at most", "최대 구절 수"), min=1, max=100)] = 5,
    legs: Annotated[Legs, typer.Option(help=words("which searches", "쓸 검색"))] = Legs.both,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        found = _search(client, question, collection, k, legs)
    output.data(found)
    if as_json:
        return
    for one in found["passages"]:
        page = f" p. {one['page']}" if one["page"] else ""
        output.plain(f"{one['source']}{page} {one['heading']}".rstrip())
        output.say(
            Text(
                "[dim]meaning: {dense} · words: {lexical} · fused {score:.4f}[/]",
                "[dim]의미 {dense} · 낱말 {lexical} · 합산 {score:.4f}[/]",
            ),
            dense=f"#{one['dense_rank']}" if one["dense_rank"] else "–",
            lexical=f"#{one['lexical_rank']}" if one["lexical_rank"] else "–",
            score=one["score"],
        )
        output.plain(one["text"] + "\n")


def evaluate(
    questions: Annotated[
        Path, typer.Argument(help=words("labelled questions (JSONL)", "라벨이 있는 질문(JSONL)"))
    ],
    collection: CollectionOption = None,
    legs: Annotated[Legs, typer.Option(help=words("which searches", "쓸 검색"))] = Legs.both,
    against: Annotated[
        Legs | None,
        typer.Option(help=words("compare with these, question by question", "질문마다 이 설정과 비교")),
    ] = None,
    answers: Annotated[
        bool, typer.Option("--answers", help=words("answer them too: citations, abstention", "답변도 평가"))
    ] = False,
    variant: VariantOption = None,
    mode: Annotated[Mode | None, typer.Option(help=words("as with `ask`", "`ask`와 같음"))] = None,
    min_confidence: ConfidenceOption = None,
    as_json: Json = False,
) -> None:
    from twotrack.evaluation import rag

    output = Output(as_json)
    try:
        labelled = rag.read_questions(questions.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(what="questions", value=str(questions), why=str(error)) from error
    given = {"collection": collection, "variant": variant, "mode": mode, "min_confidence": min_confidence}
    choices = given if answers else None
    with studio(Settings(), output) as client:
        places = _evidence(client, labelled, collection)
        outcomes = [_outcome(client, one, places[one.id], collection, legs, choices) for one in labelled]
        report: dict[str, Any] = {"questions": len(labelled), "measures": rag.measure(outcomes)}
        if against is not None:
            others = [_outcome(client, one, places[one.id], collection, against, None) for one in labelled]
            report["against"] = rag.measure(others)
            report["differences"] = rag.compare(others, outcomes)
    output.data(report)
    if not as_json:
        _show_report(output, report)


def _show_report(output: Output, report: dict[str, Any]) -> None:
    columns = [Text("measure", "지표"), Text("value", "값")]
    if "against" in report:
        columns += [Text("against", "비교"), Text("difference (95 %)", "차이(95 %)")]
    rows = []
    for name, value in report["measures"].items():
        row = [name, "–" if value is None else f"{value:.3f}"]
        if name in report.get("differences", {}):
            mean, low, high = report["differences"][name]
            row += [f"{report['against'][name]:.3f}", f"{mean:+.3f} ({low:+.3f} … {high:+.3f})"]
        rows.append(row + [""] * (len(columns) - len(row)))
    output.table(columns, rows)


def _search(
    client: StudioClient, question: str, collection: str | None, k: int, legs: Legs
) -> dict[str, Any]:
    body: dict[str, Any] = {"question": question, "k": k, "legs": legs}
    if collection is not None:
        body["collection"] = collection
    found: dict[str, Any] = client.post("/api/rag/search", body)
    return found


def _outcome(
    client: StudioClient,
    labelled: Any,
    places: list[list[Any]],
    collection: str | None,
    legs: Legs,
    choices: dict[str, Any] | None,
) -> Any:
    from twotrack.evaluation import rag

    passages = _search(client, labelled.question, collection, rag.K, legs)["passages"]
    spans = [(one["document_id"], one["start"], one["stop"]) for one in passages]
    ranks = rag.first_ranks(spans, places)
    if choices is None:
        return rag.Outcome(labelled.answerable, ranks)
    chosen = {key: value for key, value in choices.items() if value is not None}
    answer = client.post("/api/rag/invoke", {"question": labelled.question, **chosen})
    every = [span for one in places for span in one]
    cited = tuple(
        rag.overlaps((one["document"], one["start"], one["end"]), every) for one in answer["citations"]
    )
    return rag.Outcome(labelled.answerable, ranks, answer["abstained"], cited)


def _evidence(
    client: StudioClient, labelled: list[Any], collection: str | None
) -> dict[str, list[list[Any]]]:
    """Question's id → for each piece of its evidence the places of its words.

    Raises:
        EvidenceMissing
    """
    from twotrack.evaluation import rag

    sources = _sources(client, collection)
    texts: dict[str, str] = {}
    found: dict[str, list[list[Any]]] = {}
    for one in labelled:
        places = []
        for document, words_ in one.evidence if one.answerable else ():
            source = rag.source_of(document, sources)
            if source is None:
                raise rag.EvidenceMissing(question=one.id, what=document)
            key = sources[source]
            if key not in texts:
                texts[key] = client.get(f"/api/documents/{key}")["text"]
            spans = rag.find_quote(texts[key], words_)
            if not spans:
                raise rag.EvidenceMissing(question=one.id, what=f"{document}: {words_}")
            places.append([(key, start, stop) for start, stop in spans])
        found[one.id] = places
    return found


def _sources(client: StudioClient, collection: str | None) -> dict[str, str]:
    """Source → id of every document."""
    if collection is None:
        collection = next((one["name"] for one in client.get("/api/collections")), "")
    path = f"/api/collections/{quote(collection, safe='')}/documents"
    sources: dict[str, str] = {}
    after: str | None = None
    while True:
        page = client.get(path, limit=1000, **({"after": after} if after else {}))
        sources |= {one["source"]: one["id"] for one in page["documents"]}
        if (after := page["next"]) is None:
            return sources
