"""`twotrack export`: a variant as files for other programs, compared with the live one first."""

import tarfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote

import httpx
import typer

from twotrack.cli.client import ProblemError, StudioClient, StudioUnreachable, studio
from twotrack.cli.jobs import follow
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output
from twotrack.core.errors import Conflict
from twotrack.core.folders import disk_errors
from twotrack.core.language import Text
from twotrack.core.settings import Settings


class Form(StrEnum):
    PEFT = "peft"
    MERGED = "merged"
    GGUF = "gguf"


class FolderTaken(Conflict):
    detail = Text("{path} exists already.", "이미 있는 경로입니다: {path}")
    remedy = Text("Name another folder with -o.", "-o로 다른 폴더를 지정하세요.")


def export(
    variant: Annotated[str, typer.Argument(help=words("name of a variant", "변형 이름"))],
    form: Annotated[
        Form,
        typer.Option(
            "--format", help=words("PEFT folder, merged safetensors, or GGUF", "PEFT 폴더, 병합 가중치, GGUF")
        ),
    ],
    folder: Annotated[
        Path, typer.Option("-o", "--output", help=words("a new folder for the files", "파일을 둘 새 폴더"))
    ],
    quantization: Annotated[
        str | None,
        typer.Option(
            help=words("of GGUF: f32, f16, q8_0, …; of merged: f32", "GGUF: f32, f16 등, 병합: f32")
        ),
    ] = None,
    dequantize: Annotated[
        bool,
        typer.Option(
            "--dequantize",
            help=words("merge with a quantized base's 32-bit copy", "양자화 베이스의 32비트 사본에 병합"),
        ),
    ] = False,
    prompt: Annotated[
        list[str] | None,
        typer.Option(help=words("compare on this; repeatable", "비교할 프롬프트(반복 가능)")),
    ] = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    # Asked before minutes of work.
    if folder.exists():
        raise FolderTaken(path=str(folder))
    asked = {
        "format": form.value,
        "quantization": quantization,
        "dequantize": dequantize,
        "prompts": prompt or [],
    }
    with studio(Settings(), output) as client:
        job = client.post(f"/api/models/{quote(variant, safe='')}/export", asked)
        title = Text("exporting {variant}", "{variant} 내보내는 중")
        report = follow(client, output, job["id"], title, variant=variant)
        _fetch(client, report, folder)
    output.data(report)
    if not as_json:
        _show(output, report, folder)


def _fetch(client: StudioClient, report: dict[str, Any], folder: Path) -> None:
    """The archive's files into `folder`, which is there only once all of them are."""
    partial = folder.with_name(f".{folder.name}.partial-{report['id']}")
    with disk_errors(folder.parent, "the export"):
        partial.mkdir(parents=True)
        try:
            with client.http.stream("GET", f"/api/exports/{report['id']}/archive") as response:
                if response.status_code >= 400:
                    response.read()
                    raise ProblemError(response.json())
                with tarfile.open(fileobj=cast(Any, _Reader(response)), mode="r|") as archive:
                    archive.extractall(partial, filter="data")
            partial.rename(folder)
        except httpx.HTTPError as error:
            raise StudioUnreachable(url=client.url, why=str(error) or type(error).__name__) from error
        finally:
            if partial.exists():
                import shutil

                shutil.rmtree(partial)


class _Reader:
    """A response's body as the file that tarfile reads from."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks = response.iter_bytes()
        self._left = b""

    def read(self, size: int) -> bytes:
        parts, have = [self._left], len(self._left)
        while have < size and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            have += len(chunk)
        data = b"".join(parts)
        self._left = data[size:]
        return data[:size]


def _show(output: Output, report: dict[str, Any], folder: Path) -> None:
    parity = report["parity"]
    output.table(
        (
            Text("prompt", "프롬프트"),
            Text("tokens", "토큰"),
            Text("largest", "최대 차이"),
            Text("mean", "평균 차이"),
            Text("greedy answer", "탐욕적 답변"),
        ),
        [
            (
                one["prompt"][:40],
                one["tokens"],
                f"{one['largest']:.1e}",
                f"{one['mean']:.1e}",
                "=" if one["parts_at"] is None else f"≠ {one['parts_at']}",
            )
            for one in parity["prompts"]
        ],
    )
    output.say(
        Text(
            "[green]✓[/] {folder}: {live} against {exported}, largest difference {largest}",
            "[green]✓[/] {folder}: {live} 대 {exported}, 최대 차이 {largest}",
        ),
        folder=str(folder),
        live=parity["live"],
        exported=parity["exported"],
        largest=f"{parity['largest']:.1e}",
    )
