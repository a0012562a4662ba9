"""`twotrack up`, `down`, `status`: the studio of one data folder; `serve`, `worker`: one part of it alone."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from twotrack.cli.browser import open_browser
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output, printable
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.run_file import RunFile
from twotrack.core.settings import Settings

Host = Annotated[
    str | None,
    typer.Option(help=words("address to listen on (default 127.0.0.1)", "수신 주소(기본값 127.0.0.1)")),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help=words("port (default 8321); 0 takes a free one", "포트(기본값 8321). 0이면 빈 포트 사용"),
    ),
]


class DatabaseUrlMissing(TwotrackError):
    status = 409
    detail = Text(
        "The API alone needs a database, and DATABASE_URL is not set.",
        "API만 실행하려면 데이터베이스가 필요한데 DATABASE_URL이 설정되지 않았습니다.",
    )
    remedy = Text(
        "Set DATABASE_URL, or start the whole studio with `twotrack up`.",
        "DATABASE_URL을 설정하거나 `twotrack up`으로 스튜디오 전체를 시작하세요.",
    )


def up(
    host: Host = None,
    port: Port = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", "-d", help=words("start in the background", "백그라운드에서 시작")),
    ] = False,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser", help=words("show the page in a browser", "브라우저로 화면 열기")
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    from twotrack.cli.background import start
    from twotrack.supervisor import Plan, Studio, claim

    output = Output(as_json)
    plan = Plan.of(_settings(host, port))
    running = RunFile.read(plan.home)
    if detach and not (running and running.phase == "ready"):
        _say_ready(output, start(plan), browser=browser)
        return
    claimed = claim(plan.home)
    if isinstance(claimed, RunFile):
        output.say(
            Text("The studio already runs at {url}", "스튜디오가 이미 실행 중입니다: {url}"), url=claimed.url
        )
        output.data(claimed.model_dump(mode="json"))
        if browser and not as_json:
            open_browser(claimed.url)
        return
    try:
        output.say(
            Text("[dim]starting the studio in {home} …[/]", "[dim]스튜디오를 시작합니다({home}) …[/]"),
            home=str(plan.home),
        )
        studio = Studio(
            plan,
            output.say,
            ready=lambda state: _say_ready(output, state, foreground=True, browser=browser),
            echo=_echo,
        )
        asyncio.run(studio.run())
    finally:
        os.close(claimed)
    output.say(Text("The studio has ended.", "스튜디오를 종료했습니다."))


def _echo(log: str) -> None:
    """What API and worker complain about; the rest is in their logs."""
    for line in log.splitlines():
        if " INFO " not in line:
            sys.stderr.write(printable(line) + "\n")


def down(as_json: Json = False) -> None:
    from twotrack.cli.background import end

    output = Output(as_json)
    home = Settings().home.absolute()
    ended = end(home)
    output.data({"ended": ended is not None, "home": home})
    if ended is None:
        text = Text("No studio runs in {home}.", "실행 중인 스튜디오가 없습니다({home}).")
        output.say(text, home=str(home))
    else:
        output.say(Text("The studio has ended.", "스튜디오를 종료했습니다."))


def status(as_json: Json = False) -> None:
    """Ends with 1 unless the studio is ready and healthy, so that scripts can ask."""
    output = Output(as_json)
    found = studio_status(Settings().home.absolute())
    output.data(found)
    if not as_json:
        _show(output, found)
    if not found["health"]:
        raise SystemExit(1)


def studio_status(home: Path) -> dict[str, Any]:
    """How the studio of a data folder is, as plain values.

    `phase` is stopped, starting, ready or stopping; `health` is what /api/health answers, or None.
    """
    from twotrack.core.listening import ask_health

    state = RunFile.read(home)
    if state is None:
        return {"running": False, "phase": "stopped", "home": str(home), "health": None}
    uptime = datetime.now(UTC) - state.started_at
    return {
        "running": True,
        "phase": state.phase,
        "home": str(home),
        "url": state.url,
        "version": state.version,
        "pid": state.pid,
        "pids": state.pids,
        "started_at": state.started_at.isoformat(),
        "uptime_seconds": round(uptime.total_seconds()),
        "database": state.database,
        "health": ask_health(state.url) if state.phase == "ready" else None,
    }


def serve(host: Host = None, port: Port = None) -> None:
    from twotrack.core import listening

    settings = _settings(host, port)
    if not settings.database_url:
        raise DatabaseUrlMissing()
    bound = listening.listen(settings.host, settings.port, protected=settings.api_key is not None)
    environment, _ = listening.handed_over(bound)
    environment["TWOTRACK_HOST"] = settings.host
    environment["TWOTRACK_PORT"] = str(bound.getsockname()[1])
    upgraded = subprocess.run([sys.executable, "-P", "-m", "twotrack.core.upgrade"], check=False)
    if upgraded.returncode:
        raise SystemExit(upgraded.returncode)
    bound.set_inheritable(True)
    Output().say(Text("The API answers at {url}", "API 주소: {url}"), url=listening.local_url(bound))
    _become("twotrack.api", environment)


def worker() -> None:
    _become("twotrack.worker", {})


def _become(module: str, environment: dict[str, str]) -> None:
    """Go on as a part of the studio: what this process has imported until now would only take memory."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-P", "-m", module], {**os.environ, **environment})


def _settings(host: str | None, port: int | None) -> Settings:
    """The environment's settings, with what the command line says on top."""
    given = {"host": host, "port": port}
    return Settings(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]


def _say_ready(output: Output, state: RunFile, *, browser: bool, foreground: bool = False) -> None:
    if browser and not output.as_json:
        open_browser(state.url)
    output.say(Text("The studio answers at {url}", "스튜디오가 준비되었습니다: {url}"), url=state.url)
    if foreground:
        output.say(Text("[dim]Ctrl-C ends it.[/]", "[dim]Ctrl-C로 종료합니다.[/]"))
    else:
        output.say(Text("[dim]`twotrack down` ends it.[/]", "[dim]`twotrack down`으로 종료합니다.[/]"))
    output.data(state.model_dump(mode="json"))


_PHASES = {
    "stopped": Text("not running", "실행 중이 아님"),
    "starting": Text("starting", "시작하는 중"),
    "ready": Text("ready", "준비됨"),
    "stopping": Text("stopping", "종료하는 중"),
}


def _show(output: Output, found: dict[str, Any]) -> None:
    phase = _PHASES[found["phase"]]
    if found["phase"] == "ready" and not found["health"]:
        phase = Text("running, but not healthy", "실행 중이나 응답하지 않음")
    output.say(
        Text("studio: {phase} ({home})", "스튜디오: {phase} ({home})"), phase=phase, home=found["home"]
    )
    if not found["running"]:
        return
    minutes, seconds = divmod(found["uptime_seconds"], 60)
    database = Text("embedded", "내장") if found["database"] == "embedded" else Text("external", "외부")
    output.say(Text("address: {url}", "주소: {url}"), url=found["url"])
    output.say(
        Text("up for: {minutes} min {seconds} s", "실행 시간: {minutes}분 {seconds}초"),
        minutes=minutes,
        seconds=seconds,
    )
    output.say(Text("database: {kind}", "데이터베이스: {kind}"), kind=database)
    processes = ", ".join(
        f"{name} {pid}" for name, pid in {"supervisor": found["pid"], **found["pids"]}.items()
    )
    output.say(Text("processes: {processes}", "프로세스: {processes}"), processes=processes)
