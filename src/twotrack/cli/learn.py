"""`twotrack learn`: what was corrected and praised in the chat, learned by a run that is followed."""

from typing import Annotated, Any

import typer

from twotrack.cli.client import studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_COUNTED = Text(
    "{base}: {corrections} corrections and {praised} good answers not learned yet, {learned} learned before.",
    "{base}: 아직 배우지 않은 고친 답변 {corrections}건, 좋은 답변 {praised}건 (이미 배운 것 {learned}건)",
)
_SKIPPED = {
    "disliked": Text(
        "{count} with a thumb down and no correction", "고친 답변 없이 나쁘다고만 표시된 것 {count}건"
    ),
    "from_documents": Text("{count} praised that came from documents", "문서에서 나온 좋은 답변 {count}건"),
    "cut_off": Text("{count} praised that were cut off", "중간에 끊긴 좋은 답변 {count}건"),
    "superseded": Text(
        "{count} whose question has a newer answer", "같은 질문에 더 새로운 답이 있는 것 {count}건"
    ),
    "unfit": Text("{count} that the base cannot take", "베이스에 맞지 않는 것 {count}건"),
}


def learn(
    variant: Annotated[
        str | None,
        typer.Option(help=words("a variant of the base that learns", "학습할 베이스의 변형")),
    ] = None,
    name: Annotated[str | None, typer.Option(help=words("name of the result", "결과의 이름"))] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=words("only say what would be learned", "무엇을 배울지만 보기")),
    ] = False,
    everybody: Annotated[
        bool,
        typer.Option(
            "--everybody",
            help=words("everybody's feedback, where the settings allow it", "설정이 허용하면 모두의 피드백"),
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help=words("also where nothing is new", "새로운 것이 없어도 다시 학습")),
    ] = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        asked = {"everybody": everybody} | ({} if variant is None else {"variant": variant})
        status: dict[str, Any] = client.get("/api/learn", **asked)
        output.say(_COUNTED, **{key: status[key] for key in ("base", "corrections", "praised", "learned")})
        for reason, text in _SKIPPED.items():
            if count := status["skipped"][reason]:
                output.say(Text(f"  not learned: {text.en}", f"  제외: {text.ko}"), count=count)
        if dry_run:
            output.data(status)
            return
        wish = {"variant": variant, "name": name, "everybody": everybody, "again": again}
        started: dict[str, Any] = client.post("/api/learn", wish)
        title = Text("learning from {count} answers", "답변 {count}건을 배우는 중")
        count = started["corrections"] + started["praised"]
        result = follow(client, output, started["job"]["id"], title, count=str(count))
        output.say(
            Text(
                "[green]✓[/] variant {name} has learned them; {before} is as it was",
                "[green]✓[/] 변형 {name}이(가) 배웠습니다. {before}은(는) 그대로입니다",
            ),
            name=str(result["name"]),
            before=started["before"],
        )
        output.data(result)
