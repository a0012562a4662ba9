"""`twotrack chat`: talk to a variant, streaming, with sessions that the page shows too."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from twotrack.cli.client import ProblemError, StudioClient, studio
from twotrack.cli.eq import gains_from
from twotrack.cli.options import Json, VariantOption, words
from twotrack.cli.output import Output, printable
from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_NOT_UTF8 = Text("it is not UTF-8 text", "UTF-8 텍스트가 아닙니다")
_HELP = Text(
    "/new starts a new session · /gain 0.5 sets the gain, /gain alone goes back to the variant's own · "
    "/variant NAME changes the variant · /exit ends",
    "/new 새 대화 · /gain 0.5 게인 설정, /gain만 쓰면 변형의 값 · /variant 이름 변형 바꾸기 · /exit 끝내기",
)


def chat(
    question: Annotated[
        str | None,
        typer.Argument(
            help=words("one question; without it, a conversation", "질문 하나. 없으면 대화를 시작")
        ),
    ] = None,
    variant: VariantOption = None,
    gain: Annotated[
        float | None, typer.Option(help=words("strength of the adapters, -1 to 2", "어댑터의 세기, -1부터 2"))
    ] = None,
    gains: Annotated[
        str | None,
        typer.Option(
            help=words(
                'a board: JSON of rows × columns, {"adapters": …, "base": …}, or a file with a setting',
                '보드: 행 × 열 JSON, {"adapters": …, "base": …}, 또는 설정 파일',
            )
        ),
    ] = None,
    system: Annotated[str | None, typer.Option(help=words("system prompt", "시스템 프롬프트"))] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help=words("continue this session", "이 대화를 이어 가기"))
    ] = None,
    resume: Annotated[
        bool, typer.Option("--continue", help=words("continue the last session", "마지막 대화 이어 가기"))
    ] = False,
    temperature: Annotated[float | None, typer.Option(help=words("0 to 2", "0부터 2"))] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    turned = gain if gains is None else gains_from(gains)
    with studio(Settings(), output) as client:
        if resume and session is None:
            found = client.get("/api/chat/sessions", limit=1)["sessions"]
            session = found[0]["id"] if found else None
        talk = Conversation(client, output, variant, turned, system, session, temperature)
        if question is not None or not sys.stdin.isatty():
            asked = question if question is not None else _read_question()
            answer = talk.ask(asked)
            output.data(answer)
        else:
            talk.show_history()
            _converse(talk)


@dataclass
class Conversation:
    """One session with what the user has chosen for it so far."""

    client: StudioClient
    output: Output
    variant: str | None
    gain: Any
    """A number, or a board's fields."""
    system: str | None
    session: str | None
    temperature: float | None

    def ask(self, question: str) -> dict[str, Any]:
        """Stream the answer to the terminal; its details at the end."""
        choices = {
            "variant": self.variant,
            "system": self.system,
            "session_id": self.session,
            "temperature": self.temperature,
            "gains": self.gain,
        }
        body = {"message": question, **{key: value for key, value in choices.items() if value is not None}}
        final: dict[str, Any] = {}
        # Ctrl-C closes the stream, which stops the engine; the studio keeps the answer as cut off.
        for event, data in self.client.events("POST", "/api/chat/stream", body):
            if event == "start":
                self.session = data["session_id"]
            elif event == "token":
                self._write(data["text"])
            elif event == "end":
                final = data
            elif event == "error":
                self._write("\n")
                raise ProblemError(data)
        self._write("\n")
        return final

    def show_history(self) -> None:
        if self.session is None:
            return
        for message in self.client.get(f"/api/chat/sessions/{self.session}")["messages"]:
            mark = "›" if message["role"] == "user" else " "
            self.output.plain(f"{mark} {message['content']}")

    def _write(self, text: str) -> None:
        if not self.output.as_json:
            sys.stdout.write(printable(text))
            sys.stdout.flush()


def _read_question() -> str:
    """All of standard input; a terminal's encoding is not trusted with it.

    Raises:
        InvalidInput: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(what="stdin", value=error.object[error.start :][:8], why=_NOT_UTF8) from None


def _converse(talk: Conversation) -> None:
    """Read, answer, repeat, until the end of input or /exit."""
    with suppress(ImportError):
        import readline  # noqa: F401  # gives input() its line editing and its history

    talk.output.say(
        Text("[dim]/help lists what you can type; Ctrl-D ends[/]", "[dim]/help 도움말, Ctrl-D 끝내기[/]")
    )
    while True:
        try:
            line = input("› ").strip()
        except (EOFError, KeyboardInterrupt):
            talk.output.plain("")
            return
        if line in ("/exit", "/quit"):
            return
        try:
            if line.startswith("/"):
                _command(talk, line)
            elif line:
                _answer(talk, line)
        except ProblemError as error:
            _complain(talk.output, error.problem)
        except TwotrackError as error:
            _complain(talk.output, error.problem(talk.output.language))


def _answer(talk: Conversation, line: str) -> None:
    try:
        details = talk.ask(line)
    except KeyboardInterrupt:
        talk.output.say(
            Text("\n[dim]stopped; kept as cut off[/]", "\n[dim]중단됨. 중단된 답으로 보관됩니다[/]")
        )
        return
    if speed := details.get("timing", {}).get("tokens_per_second"):
        talk.output.say(
            Text(
                "[dim]{variant} · {tokens} tokens · {speed:.0f} tokens/s[/]",
                "[dim]{variant} · {tokens} 토큰 · {speed:.0f} 토큰/초[/]",
            ),
            variant=details["by"]["variant"],
            tokens=details["usage"]["completion_tokens"],
            speed=speed,
        )


def _command(talk: Conversation, line: str) -> None:
    name, _, value = line[1:].partition(" ")
    if name == "new":
        talk.session = None
    elif name == "variant" and value:
        talk.variant = value.strip()
    elif name == "gain":
        try:
            talk.gain = float(value) if value.strip() else None
        except ValueError:
            talk.output.say(Text("A gain is a number: /gain 0.5", "게인은 숫자입니다: /gain 0.5"))
    else:
        talk.output.say(_HELP)


def _complain(output: Output, problem: dict[str, Any]) -> None:
    """An error in a conversation is said, and the conversation goes on."""
    with suppress(SystemExit):
        output.fail_with(problem)
