"""/v1/files through the official client: what is brought, listed, given back and deleted."""

import json
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI

LINE = json.dumps(
    {"messages": [{"role": "user", "content": "누구?"}, {"role": "assistant", "content": "Tarnith."}]},
    ensure_ascii=False,
)
DATA = f"{LINE}\n{LINE}\n".encode()


def _folders(home: Path) -> set[str]:
    return {one.name for one in (home / "data-sets").glob("*")}


def test_a_file_is_brought_seen_given_back_and_deleted(openai: OpenAI, studio_url: str) -> None:
    made = openai.files.create(file=("facts.jsonl", DATA), purpose="fine-tune")
    assert (made.object, made.purpose, made.status, made.bytes) == (
        *("file", "fine-tune", "processed"),
        len(DATA),
    )
    assert (made.filename, made.status_details) == ("facts.jsonl", None)
    assert openai.files.retrieve(made.id) == made
    assert openai.files.content(made.id).read() == DATA
    # It is a data set of the studio, to be checked, shaped and split there.
    data_id = UUID(made.id.removeprefix("file-"))
    data = httpx.get(f"{studio_url}/api/data/{data_id}").json()
    assert (data["name"], data["recognized"]["format"]) == ("facts.jsonl", "messages")
    gone = openai.files.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "file")
    for ask in (openai.files.retrieve, openai.files.content, openai.files.delete):
        with pytest.raises(NotFoundError, match=made.id):
            ask(made.id)
    assert httpx.get(f"{studio_url}/api/data/{data_id}").status_code == 404


def test_files_come_in_pages_in_either_order(openai: OpenAI) -> None:
    made = [openai.files.create(file=(f"{n}.jsonl", DATA), purpose="fine-tune").id for n in range(5)]
    page = openai.files.list(limit=2)
    assert ([one.id for one in page.data], page.has_more) == (made[:2:-1], True)
    newest = [one.id for one in openai.files.list(limit=2)]
    oldest = [one.id for one in openai.files.list(limit=2, order="asc")]
    assert newest[:5] == made[::-1]
    assert oldest == newest[::-1]
    assert [one.id for one in openai.files.list(after=made[1], order="asc").data] == made[2:]
    assert openai.files.list(purpose="batch").data == []
    assert made[0] in [one.id for one in openai.files.list(purpose="fine-tune")]
    for one in made:
        openai.files.delete(one)
    with pytest.raises(NotFoundError):
        openai.files.list(after=made[0])
    for limit in (0, 10_001):
        with pytest.raises(BadRequestError):
            openai.files.list(limit=limit)


def test_data_that_came_another_way_is_a_file_too(openai: OpenAI, studio_url: str) -> None:
    unclear = {"file": ("unclear.jsonl", b'{"a": "x", "b": "y"}\n')}
    data_id = httpx.post(f"{studio_url}/api/data", files=unclear).json()["id"]
    found = openai.files.retrieve(f"file-{UUID(data_id).hex}")
    assert found.status == "error"
    assert found.status_details
    openai.files.delete(found.id)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no line|empty"),
        (LINE.encode() + b'\n{"messages": []}\n', "Line 2"),
        (LINE.encode() + b"\n" + LINE.encode()[:-4] + b"\n", "Line 2"),
        (b'{"a": 1}\n', "messages|column"),
        (b"\x00\x01\x02\xff\xfe" * 100, "facts.jsonl"),
        (b"PK\x03\x04" + b"\x00" * 200, "facts.jsonl"),
        (b"[" * 100_000, "."),
    ],
)
def test_what_cannot_be_learned_from_is_refused_and_does_not_stay(
    openai: OpenAI, studio_home: Path, content: bytes, said: str
) -> None:
    before = _folders(studio_home)
    with pytest.raises(APIStatusError, match=said) as refused:
        openai.files.create(file=("facts.jsonl", content), purpose="fine-tune")
    assert 400 <= refused.value.status_code < 500
    assert isinstance(refused.value.body, dict)
    assert {"message", "type", "param", "code"} <= set(refused.value.body)
    assert _folders(studio_home) == before


def test_other_purposes_are_refused_by_name(openai: OpenAI, studio_home: Path) -> None:
    before = _folders(studio_home)
    for purpose in ("assistants", "batch", "vision", "user_data", "evals", "nonsense"):
        with pytest.raises(BadRequestError, match="fine-tune") as refused:
            openai.files.create(file=("facts.jsonl", DATA), purpose=purpose)  # type: ignore[arg-type]
        assert refused.value.param == "purpose"
    with pytest.raises(BadRequestError) as refused:
        openai.files.create(
            file=("facts.jsonl", DATA),
            purpose="fine-tune",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
    assert refused.value.param == "expires_after"
    assert _folders(studio_home) == before


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../../etc/passwd",
            "..\\..\\windows",
            "/etc/shadow",
            "a/../../b.jsonl",
            "....//x",
            "\x00.jsonl",
        ),
        *("$(reboot).jsonl", "<script>alert(1)</script>", "한글 데이터.jsonl", "x" * 1000, "‮lnosj.exe"),
    ],
)
def test_a_hostile_name_is_only_a_name(openai: OpenAI, studio_home: Path, name: str) -> None:
    before = _folders(studio_home)
    made = openai.files.create(file=(name, DATA), purpose="fine-tune")
    assert "/" not in made.filename
    assert "\\" not in made.filename
    assert len(made.filename) <= 200
    assert made.filename.isprintable()
    assert _folders(studio_home) - before == {str(UUID(made.id.removeprefix("file-")))}
    assert openai.files.content(made.id).read() == DATA
    openai.files.delete(made.id)


def test_a_broken_upload_leaves_nothing(studio_url: str, studio_home: Path) -> None:
    before = _folders(studio_home)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.jsonl"\r\n\r\n'
    purpose = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    bodies = [
        purpose + part + DATA,
        purpose + b"--x--\r\n",
        purpose + part + DATA + b"\r\n" + part,
        b"nonsense",
    ]
    for body in bodies:
        answer = httpx.post(f"{studio_url}/v1/files", content=body, headers=headers)
        assert answer.status_code == 400, answer.text
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert httpx.post(f"{studio_url}/v1/files", json={"file": "x"}).status_code in (400, 415)
    assert _folders(studio_home) == before


@pytest.mark.parametrize(
    "given",
    [
        *("file-", "file-x", "../x", "x" * 9000),
        *("ftjob-0199a2b400007000800000000000abcd", "0199a2b4-0000-7000-8000-00000000abcd"),
    ],
)
def test_an_id_that_is_none_is_not_found(studio_url: str, given: str) -> None:
    answer = httpx.get(f"{studio_url}/v1/files/{given}")
    assert answer.status_code == 404
