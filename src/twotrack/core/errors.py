"""Errors that people read: each names the thing, its value and the remedy, in Korean and English.

A class knows its HTTP status; one handler renders it for the API (RFC 9457), one for the CLI.
"""

import math
import re
from typing import Any, ClassVar

from twotrack.core.language import Language, Text


class TwotrackError(Exception):
    """Base of all errors that are shown to people.

    Subclasses set the class attributes; the constructor's keyword values fill the `{fields}` of `detail`
    and `remedy` and travel with the problem document.
    """

    status: ClassVar[int] = 500
    detail: ClassVar[Text] = Text("Something inside the studio failed.", "스튜디오 안에서 오류가 났습니다.")
    remedy: ClassVar[Text | None] = None

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.explain("en"))

    @property
    def code(self) -> str:
        """The class's name in kebab case, without a trailing `error`: BaseNotFound → base-not-found."""
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(self).__name__).lower()
        return name.removesuffix("-error")

    def explain(self, language: Language) -> str:
        """What happened, without the remedy."""
        return self.detail.show(language, **self.values)

    def advise(self, language: Language) -> str | None:
        """What to do about it, or None."""
        return self.remedy.show(language, **self.values) if self.remedy else None

    def headers(self) -> dict[str, str]:
        """Response headers that belong to this error, such as Retry-After."""
        return {}

    def problem(self, language: Language) -> dict[str, Any]:
        """This error as an RFC 9457 problem document."""
        document: dict[str, Any] = {
            "type": f"urn:twotrack:error:{self.code}",
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": encodable(self.explain(language)),
        }
        if remedy := self.advise(language):
            document["remedy"] = remedy
        if self.values:
            document["values"] = {key: _plain(value, language) for key, value in self.values.items()}
        return document


def _plain(value: Any, language: Language) -> Any:
    if isinstance(value, Text):
        return value.show(language)
    # JSON knows no NaN and no infinity, and UTF-8 no half of a surrogate pair: what was sent may hold both.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | bool | None) else encodable(str(value))


def encodable(text: str) -> str:
    """`text` with a question mark for every lone surrogate: JSON can carry those, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


class InvalidInput(TwotrackError):
    """A value that cannot be used. `what` names it, `value` is what was given, `why` says what is wrong."""

    status = 422
    detail = Text("{what} {value!r} cannot be used: {why}", "{what} 값을 쓸 수 없습니다({value!r}): {why}")


class NotFound(TwotrackError):
    """`what` is the kind of thing in English and Korean words that stand alone; `name` what was asked for."""

    status = 404
    detail = Text("There is no {what} called {name!r}.", "찾을 수 없습니다. {what}: {name!r}")


class Conflict(TwotrackError):
    """The request contradicts the present state; `why` says which."""

    status = 409
    detail = Text("{why}", "{why}")


class DiskFull(TwotrackError):
    """Sizes are in bytes."""

    status = 507
    detail = Text(
        "{path} has {free_mib} MiB free, and {what} needs {needed_mib} MiB.",
        "{path}의 여유 공간은 {free_mib} MiB인데 {needed_mib} MiB가 필요합니다({what}).",
    )
    remedy = Text(
        "Free some space, or set TWOTRACK_HOME to a folder on a larger disk.",
        "공간을 비우거나 TWOTRACK_HOME을 더 큰 디스크의 폴더로 지정하세요.",
    )


class FileUnusable(TwotrackError):
    """`path` is a file that a user named, `why` the system's word for what keeps it from being used."""

    detail = Text("The file {path} cannot be used: {why}.", "파일을 쓸 수 없습니다({path}): {why}.")


class FolderUnusable(TwotrackError):
    """`path` is the file or folder, `why` says what keeps it from being used."""

    status = 503
    detail = Text("{path} cannot be used: {why}.", "사용할 수 없는 경로입니다({path}): {why}.")
    remedy = Text(
        "Give it to the user who runs the studio, or set TWOTRACK_HOME to another folder.",
        "스튜디오를 실행하는 사용자에게 권한을 주거나 TWOTRACK_HOME을 다른 폴더로 지정하세요.",
    )
