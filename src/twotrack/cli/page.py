"""`twotrack page`: a copy of the page for a static host."""

from pathlib import Path
from typing import Annotated

import typer

from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.language import Text


def page(
    folder: Annotated[Path, typer.Argument(help=words("where to write it", "사본을 쓸 폴더"))],
    api: Annotated[
        str | None,
        typer.Option(
            help=words(
                "address of the studio, as in https://studio.example; without it the page asks its user",
                "스튜디오 주소(예: https://studio.example). 생략하면 화면이 사용자에게 묻습니다",
            )
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from twotrack.page import write_copy

    output = Output(as_json)
    folder = folder.absolute()
    origin = write_copy(folder, api)
    output.data({"folder": folder, "api": origin})
    output.say(Text("The page is in {folder}", "화면 사본을 만들었습니다: {folder}"), folder=str(folder))
    output.say(
        Text(
            "[dim]Serve it at the root of a host, and list it under Settings, Origins in the studio.[/]",
            "[dim]호스트의 최상위 경로에 올리고, 그 호스트의 출처를 스튜디오에 추가하세요(설정, 출처).[/]",
        )
    )
