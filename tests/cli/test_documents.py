"""`twotrack ingest` and `twotrack collections …` as a person runs them, against a studio at work."""

import asyncio
import json
import os
import pty
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.learning.ingest.conftest import WordEmbedders, worker
from tests.learning.ingest.conftest import folder as folder
from twotrack.core.database import Database
from twotrack.core.settings import Settings
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def run(home: Path, database: Database, database_url: str, serve: Serve) -> AsyncIterator[Run]:
    """`await run("ingest", …)`: how the command ended, and what it wrote."""
    layout = Layout(home)
    with serve(Settings(home=home, threads=1), database_url) as url:
        code = (
            f"import twotrack.cli.background as found; found.running_url = lambda home: {url!r};"
            "from twotrack.cli import main; main()"
        )

        async def command(*arguments: str, language: str = "en", typed: str = "", **options: Any) -> Ended:
            environment = os.environ | {"TWOTRACK_HOME": str(home), "TWOTRACK_LANGUAGE": language}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", code, *arguments),
                env=environment | {"COLUMNS": "160", "TERM": "xterm"},
                stdin=asyncio.subprocess.PIPE,
                stdout=options.get("stdout", asyncio.subprocess.PIPE),
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate(typed.encode())
            assert b"Traceback" not in err, err.decode()
            assert process.returncode is not None
            return Ended(process.returncode, (out or b"").decode(), err.decode())

        async with worker(database, layout, WordEmbedders(layout), Stores(database)):
            yield command


async def test_a_folder_is_taken_in_and_told_of(run: Run, folder: Path) -> None:
    (folder / "empty.txt").touch()
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    ended = await run("ingest", str(folder))
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == ("✓ documents: 3 added, 0 updated, 0 unchanged, 0 removed, 1 failed, 1 of other kinds")
    assert lines[1].startswith("✗ There is no text in 'empty.txt'. If it is a scan")
    korean = await run("ingest", str(folder), "-c", "규정", language="ko")
    assert "✓ 규정: 추가 3, 갱신 0, 그대로 0, 삭제 0, 실패 1, 다른 종류 1" in korean.out
    assert "글이 없는 문서입니다: 'empty.txt'. 스캔한 문서라면" in korean.out


async def test_json_is_the_report_alone(run: Run, folder: Path) -> None:
    ended = await run("ingest", str(folder), "--json")
    assert ended.code == 0
    assert (ended.data["collection"], ended.data["added"], ended.data["failures"]) == ("documents", 3, [])
    two = await run("ingest", str(folder / "harbour.md"), str(folder / "rules"), "--json")
    assert [report["documents"] for report in two.data] == [1, 2]


async def test_progress_is_drawn_on_a_terminal_alone(run: Run, folder: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        ended = await run("ingest", str(folder), stdout=theirs)
        shown = os.read(ours, 65_536).decode("utf-8", "replace")
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.code == 0
    assert "reading" in shown
    assert "\x1b[" in shown
    again = await run("ingest", str(folder))
    assert "\x1b" not in again.out + again.err
    assert "reading" not in again.out


async def test_what_cannot_be_taken_in_ends_with_1_and_the_rest_is_done(run: Run, folder: Path) -> None:
    missing = folder / "missing.txt"
    alone = await run("ingest", str(missing))
    assert alone.code == 1
    assert f"There is no file or folder '{missing}'." in alone.err
    assert "spelling" in alone.err
    both = await run("ingest", str(missing), str(folder), "http://127.0.0.1/secret", "--json")
    assert both.code == 1
    assert both.data[0]["type"] == "urn:twotrack:error:path-missing"
    assert both.data[1]["added"] == 3
    assert both.data[2]["failures"][0]["en"].startswith("'http://127.0.0.1/secret' is not fetched")
    assert "공개되지 않은 주소" in both.data[2]["failures"][0]["ko"]
    (folder / "only-empty").mkdir()
    (folder / "only-empty/nothing.txt").touch()
    assert (await run("ingest", str(folder / "only-empty"))).code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest",),
        ("ingest", ""),
        ("ingest", "x", "--collection"),
        ("ingest", "x", "--colour"),
        ("collections",),
        ("collections", "frobnicate"),
        ("collections", "show"),
        ("collections", "create", "x", "--store", "attic"),
        ("collections", "rename", "x"),
    ],
)
async def test_nonsense_is_answered_with_usage(run: Run, arguments: tuple[str, ...]) -> None:
    ended = await run(*arguments)
    assert ended.code == 2, ended


@pytest.mark.parametrize("command", ["list", "show", "create", "rename", "embed", "remove"])
async def test_every_command_has_a_help_in_both_languages(run: Run, command: str) -> None:
    english = await run("collections", command, "--help")
    korean = await run("collections", command, "--help", language="ko")
    assert english.code == korean.code == 0
    assert "--json" in english.out
    assert english.out != korean.out


async def test_a_name_that_is_none_is_refused_in_words(run: Run) -> None:
    for name in ("a/b", " ", "x" * 101):
        ended = await run("collections", "create", name)
        assert ended.code == 1
        assert "cannot be used" in ended.err
    unknown = await run("collections", "create", "x", "--embedder", "nobody", language="ko")
    assert unknown.code == 1
    assert "쓸 수 있는 임베더" in unknown.err
    away = await run("collections", "create", "x", "--store", "qdrant")
    assert away.code == 1
    assert "TWOTRACK_QDRANT_URL" in away.err
    for arguments in (("show", "x"), ("rename", "x", "y"), ("embed", "x"), ("remove", "x", "-y")):
        gone = await run("collections", *arguments, "--json")
        assert gone.code == 1, arguments
        assert gone.data["type"] == "urn:twotrack:error:collection-not-found"
        assert gone.data["remedy"]


async def test_a_collection_is_made_filled_shown_renamed_embedded_and_removed(run: Run, folder: Path) -> None:
    assert "No documents yet" in (await run("collections", "list")).out
    assert (await run("collections", "list", "--json")).data == []
    made = await run("collections", "create", "rules", "--half", "--json")
    assert (made.data["name"], made.data["half"], made.data["store"]) == ("rules", True, "pgvector")
    (folder / "empty.txt").touch()
    assert (await run("ingest", str(folder), "-c", "rules")).code == 0
    shown = await run("collections", "show", "rules")
    assert "rules/leave.txt" in shown.out
    assert "There is no text in 'empty.txt'." in shown.out
    whole = (await run("collections", "show", "rules", "--json")).data
    assert (whole["documents"], whole["failed"], len(whole["items"])) == (4, 1, 4)
    assert (await run("collections", "rename", "rules", "규정")).code == 0
    (listed,) = (await run("collections", "list", "--json")).data
    assert listed["name"] == "규정"
    embedded = await run("collections", "embed", "규정", "--embedder", "other", "--json")
    assert embedded.code == 0, embedded.err
    assert (embedded.data["embedder"], embedded.data["chunks"]) == ("other", listed["chunks"])
    refused = await run("collections", "remove", "규정", typed="n\n")
    assert refused.code == 1
    assert (await run("collections", "list", "--json")).data
    assert (await run("collections", "remove", "규정", "--yes", "--json")).data == {"deleted": 4}
    assert (await run("collections", "list", "--json")).data == []
