"""`twotrack recipes`: the recipes that ship, to read and to begin with. No studio is needed."""

from typing import Annotated

import typer

from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text, from_environment


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(help=words("print this one's file", "이 레시피의 파일을 출력")),
    ] = None,
    as_json: Json = False,
) -> None:
    from twotrack.learning.train.presets import list_presets, preset_named

    output = Output(as_json)
    language = from_environment()
    if name is None:
        found = list_presets(language)
        output.table(
            (Text("recipe", "레시피"), Text("for", "용도"), Text("base", "베이스")),
            [(one.name, one.title, one.source) for one in found],
        )
        output.data([one.model_dump() for one in found])
        return
    try:
        preset = preset_named(name, language)
    except TwotrackError as error:
        output.fail(error)
    # As it is, so that it can be written to a file.
    output.plain(preset.text.rstrip("\n"))
    output.data(preset.model_dump())
