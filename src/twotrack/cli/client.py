"""The CLI's connection to a studio: the running one of this data folder, or one for the command's duration.

Every command goes through the API that the page uses, so that both see the same jobs, chats and models.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from twotrack.cli.output import Output
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.settings import Settings


class StudioUnreachable(TwotrackError):
    status = 503
    detail = Text("The studio at {url} does not answer: {why}", "스튜디오가 응답하지 않습니다({url}): {why}")
    remedy = Text(
        "`twotrack status` tells how it is; `twotrack up` starts it.",
        "`twotrack status`로 상태를 보고 `twotrack up`으로 시작하세요.",
    )


class ProblemError(Exception):
    """A problem document that the studio answered with."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail")))
        self.problem = problem


class StudioClient:
    """Requests to one studio; errors of the API come out as ProblemError."""

    def __init__(self, url: str, key: str | None, language: str) -> None:
        self.url = url
        headers = {"Accept-Language": language}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        # No limit on reading: an answer may take minutes on a processor. trust_env stays off, since a proxy
        # of the environment must not see what is said to loopback.
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=httpx.Timeout(10, read=None), trust_env=False
        )

    def get(self, path: str, **parameters: Any) -> Any:
        return self._answer(self._send("GET", path, params=parameters))

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self._answer(self._send("POST", path, json=body, **options))

    def patch(self, path: str, body: Any) -> Any:
        return self._answer(self._send("PATCH", path, json=body))

    def delete(self, path: str, **parameters: Any) -> Any:
        return self._answer(self._send("DELETE", path, params=parameters))

    def events(self, method: str, path: str, body: Any = None) -> Iterator[tuple[str, Any]]:
        """(event, data) pairs of a server-sent stream until it ends (WHATWG HTML, section 9.2)."""
        try:
            with self.http.stream(method, path, json=body) as response:
                if response.status_code >= 400:
                    response.read()
                    self._answer(response)
                yield from _parse_events(response.iter_lines())
        except httpx.HTTPError as error:
            raise StudioUnreachable(url=self.url, why=str(error) or type(error).__name__) from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise StudioUnreachable(url=self.url, why=str(error) or type(error).__name__) from error

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        if response.status_code >= 400:
            try:
                problem = response.json()
            except ValueError:
                problem = {"detail": f"HTTP {response.status_code}"}
            raise ProblemError(problem)
        return response.json() if response.content else None


def _parse_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    event = "message"
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield event, json.loads("\n".join(data))
            event, data = "message", []
        elif line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))


@contextmanager
def studio(settings: Settings, output: Output) -> Iterator[StudioClient]:
    """The running studio of this data folder; where none runs, one that ends with the command."""
    from twotrack.cli.background import running_url, started_for

    key = settings.api_key.get_secret_value() if settings.api_key else None
    if url := running_url(settings.home):
        client = StudioClient(url, key, output.language)
        with client.http:
            yield client
        return
    output.say(
        Text("[dim]starting a studio for this command …[/]", "[dim]이 명령을 위해 스튜디오를 시작합니다 …[/]")
    )
    with started_for(settings) as url:
        client = StudioClient(url, key, output.language)
        with client.http:
            yield client
