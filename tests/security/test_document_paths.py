"""Names and paths of documents that try to leave their place.

After AnythingLLM CVE-2024-3025 and CVE-2026-24478, text-generation-webui CVE-2026-35050, SGLang
CVE-2026-7302, LM Studio CVE-2026-119979 (backslash) and LocalAI's dataset_source.
"""

from pathlib import Path
from typing import Any

import pytest

from twotrack.learning.ingest.places import upload_name
from twotrack.registry.layout import Layout

HOSTILE = [
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\secret.txt",
    "notes/../../x.md",
    "....//x",
    "%2e%2e/x",
    "\x00../x",
    "a\nb: c.txt",
    "",
    "..",
    "x" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_uploads_name_is_only_what_it_is_called(name: str) -> None:
    called = upload_name(name)
    assert called
    assert len(called) <= 300
    assert not {"..", ".", ""} & set(called.split("/"))
    assert called.isprintable()


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_upload_lands_in_its_jobs_folder_alone(person: Any, studio: Any, name: str) -> None:
    user = await person("user")
    before = _files(studio.home)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="'
        + name.replace("\r", "").replace("\n", "%0A").encode()[:3000]
        + b'"\r\n\r\nThe words.\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await user.http.post("/api/ingest/files", content=body, headers=headers)
    arrived = _files(studio.home) - before
    if answer.status_code != 202:
        assert answer.status_code == 400, answer.text
        assert arrived == set()
        return
    folder = Layout(studio.home).job(answer.json()["id"])
    assert arrived == {folder / "uploads" / "0"}


@pytest.mark.parametrize("path", ["/etc", "../..", "..", "/", "../data-else", "a/../../..", "/proc/self"])
async def test_a_path_outside_of_the_watched_folder_is_refused(person: Any, studio: Any, path: str) -> None:
    (studio.home / "data-else").mkdir(exist_ok=True)
    for role in ("user", "admin"):
        one = await person(f"{role}-of-paths", role)
        answer = await one.http.post("/api/ingest", json={"path": path})
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "urn:twotrack:error:path-refused"


async def test_a_tilde_is_a_name_below_the_watched_folder_and_nobodys_home(person: Any) -> None:
    user = await person("user")
    for path in ("~", "~root", "~/.ssh"):
        answer = await user.http.post("/api/ingest", json={"path": path})
        assert answer.status_code == 404, answer.text
        assert answer.json()["type"] == "urn:twotrack:error:path-missing"


async def test_a_link_below_the_watched_folder_leads_nowhere_else(person: Any, studio: Any) -> None:
    data = studio.home / "data"
    data.mkdir(exist_ok=True)
    link = data / "elsewhere"
    if not link.is_symlink():
        link.symlink_to("/etc")
    user = await person("user")
    answer = await user.http.post("/api/ingest", json={"path": "elsewhere"})
    assert answer.status_code == 403, answer.text


async def test_below_the_watched_folder_everybody_may_ask(person: Any, studio: Any) -> None:
    (studio.home / "data" / "club").mkdir(parents=True, exist_ok=True)
    user = await person("user")
    answer = await user.http.post("/api/ingest", json={"path": "club"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["args"]["path"] == str((studio.home / "data" / "club").resolve())


async def test_the_owner_at_the_machine_may_name_any_folder(owner: Any, tmp_path: Path) -> None:
    answer = await owner.http.post("/api/ingest", json={"path": str(tmp_path)})
    assert answer.status_code == 202, answer.text


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
