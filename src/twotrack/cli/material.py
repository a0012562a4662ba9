"""What `twotrack score` and `twotrack effect` ask: a file of samples, or a data set of the studio."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from twotrack.cli.client import StudioClient
from twotrack.cli.options import words
from twotrack.cli.train import read_text
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text

_MOST_SETS = 500
_NOTHING = Text("name a file of samples, or --data", "샘플 파일이나 --data를 지정하세요")
_TWICE = Text("there is a file of samples besides it", "샘플 파일과 함께 쓸 수 없습니다")
_NO_SET = Text("no data set has this id or name", "이 id나 이름의 데이터가 없습니다")
_SEVERAL = Text(
    "several data sets have this name; name one by its id", "같은 이름의 데이터가 여럿입니다. id로 지정하세요"
)

Samples = Annotated[
    Path | None,
    typer.Argument(
        help=words(
            "questions with answers, and keys if there are, as JSONL", "질문과 답, 있으면 정답 핵심어(JSONL)"
        )
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="SET",
        help=words("id or name of a data set, instead of a file", "파일 대신 쓸 데이터의 id나 이름"),
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="PART",
        help=words("that part of it alone: tuning, proof", "나눈 것 중 이 부분만: tuning, proof"),
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        help=words("so many of the samples at most, evenly spread", "최대 이 개수만 고르게 골라 쓰기"),
    ),
]
General = Annotated[
    Path | None, typer.Option(help=words("texts that should not be forgotten", "잊지 말아야 할 일반 글"))
]


def read_asked(samples: Path | None, data: str | None, general: Path | None) -> dict[str, Any]:
    """The texts of the files, before a studio is asked anything.

    Raises:
        InvalidInput: neither a file nor a data set, or both; a file that cannot be read.
    """
    if samples is None and data is None:
        raise InvalidInput(what="samples", value=None, why=_NOTHING)
    if samples is not None and data is not None:
        raise InvalidInput(what="--data", value=data, why=_TWICE)
    return {
        "samples": "" if samples is None else read_text(samples),
        "general": "" if general is None else read_text(general),
    }


def set_named(client: StudioClient, name: str | None) -> str | None:
    """The id of a data set of this id or name.

    Raises:
        InvalidInput: there is none, or several.
    """
    if name is None:
        return None
    with suppress(ValueError):
        return str(UUID(name))
    found = [one["id"] for one in client.get("/api/data", limit=_MOST_SETS) if one["name"] == name]
    if len(found) != 1:
        raise InvalidInput(what="--data", value=name, why=_SEVERAL if found else _NO_SET)
    return str(found[0])
