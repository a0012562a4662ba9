"""`twotrack jobs`, and following a job with a progress bar, which other commands do too."""

from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from twotrack.cli.client import ProblemError, StudioClient, studio
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output, printable
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_FILE_SHOWN = 40
FINAL = ("succeeded", "failed", "cancelled")


def jobs(
    cancel: Annotated[
        str | None, typer.Option(metavar="ID", help=words("cancel this job", "이 작업을 취소"))
    ] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        if cancel:
            output.data(client.post(f"/api/jobs/{cancel}/cancel"))
            output.say(Text("cancelling {job}", "취소하는 중: {job}"), job=cancel)
            return
        found = client.get("/api/jobs")
    output.data(found)
    if not as_json:
        output.table(
            (
                Text("job", "작업"),
                Text("kind", "종류"),
                Text("state", "상태"),
                Text("stage", "단계"),
                Text("created", "생성"),
            ),
            [
                (job["id"], job["kind"], job["state"], job["progress"].get("stage"), job["created_at"][:19])
                for job in found
            ],
        )


def follow(client: StudioClient, output: Output, job_id: str, title: Text, **values: Any) -> dict[str, Any]:
    """Show a job's progress until it ends; its result. Ctrl-C cancels the job.

    Raises:
        ProblemError: the job failed or was cancelled.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    job: dict[str, Any] = {}
    # In a log file a bar that is drawn again and again is only noise.
    hidden = not output.console.is_terminal
    with Progress(*columns, console=output.console, transient=True, disable=hidden) as progress:
        bar = progress.add_task(title.show(output.language, **values), total=None, note="")
        try:
            for event, data in client.events("GET", f"/api/jobs/{job_id}/events"):
                if event == "job":
                    job = data
                    state = job["progress"]
                    fraction = state.get("fraction")
                    progress.update(
                        bar,
                        total=1 if fraction is not None else None,
                        completed=fraction or 0,
                        note=_note(state),
                    )
        except KeyboardInterrupt:
            client.post(f"/api/jobs/{job_id}/cancel")
            raise
    if job.get("state") != "succeeded":
        cancelled = {"detail": Text("The job was cancelled.", "작업이 취소되었습니다.").show(output.language)}
        raise ProblemError(job.get("error") or cancelled)
    result: dict[str, Any] = job["result"] or {}
    return result


def _note(state: dict[str, Any]) -> str:
    """The figures of a job's progress that fit on its line."""
    parts = [str(state.get("stage", ""))]
    if isinstance(total := state.get("total"), int):
        parts.append(f"{state.get('done', 0)}/{total}")
    if isinstance(file := state.get("file"), str) and file:
        parts.append(file if len(file) <= _FILE_SHOWN else f"…{file[-_FILE_SHOWN:]}")
    for key, form in (("loss", "loss {:.3f}"), ("tokens_per_second", "{:.0f} tokens/s")):
        if isinstance(value := state.get(key), int | float):
            parts.append(form.format(value))
    return printable(" · ".join(parts))
