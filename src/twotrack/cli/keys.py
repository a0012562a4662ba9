"""`twotrack keys …`: who may use the studio. A secret is shown once, by the command that made it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.options import Json, Yes, words
from twotrack.cli.output import Output
from twotrack.core.access.errors import KeyNotFound
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.core.settings import Settings

Which = Annotated[str, typer.Argument(metavar="KEY", help=words("name or id of a key", "키 이름 또는 ID"))]
Role = Annotated[
    Literal["user", "admin"] | None,
    typer.Option(help=words("what it may do (default: user)", "권한(기본값: user)")),
]
Expires = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help=words("its end: a date, a time, or 30d from now on", "만료: 날짜, 시각, 또는 지금부터 30d"),
    ),
]

_NO_TIME = Text(
    "write a date (2027-01-31), a time (2027-01-31T18:00), or a number of days (30d)",
    "날짜(2027-01-31), 시각(2027-01-31T18:00), 날수(30d) 중 하나로 쓰세요",
)
_NOTHING = Text(
    "name what is to change: --name, --role, --expires or --never",
    "--name, --role, --expires, --never 중 바꿀 것을 지정하세요",
)


_SHOWN = {
    "user": Text("user", "사용자"),
    "admin": Text("admin", "관리자"),
    "active": Text("active", "사용 중"),
    "expired": Text("expired", "만료됨"),
    "revoked": Text("revoked", "폐기됨"),
}


def list_keys(
    everything: Annotated[
        bool, typer.Option("--all", help=words("revoked ones too", "폐기된 키까지"))
    ] = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        found = client.get("/api/admin/keys")
    if not everything:
        found = [key for key in found if key["state"] != "revoked"]
    output.data(found)
    if as_json:
        return
    if not found:
        output.say(
            Text(
                "No keys yet: `twotrack keys create NAME`", "아직 키가 없습니다: `twotrack keys create 이름`"
            )
        )
        return
    columns = (
        Text("key", "키"),
        Text("role", "역할"),
        Text("state", "상태"),
        Text("ends in", "끝자리"),
        Text("last used", "마지막 사용"),
        Text("expires", "만료"),
    )
    rows = [
        (
            key["name"],
            _SHOWN[key["role"]].show(output.language),
            _SHOWN[key["state"]].show(output.language),
            key["hint"],
            _minute(key["last_used_at"]),
            _minute(key["expires_at"]),
        )
        for key in found
    ]
    output.table(columns, rows)


def create(
    name: Annotated[str, typer.Argument(help=words("whose it is", "누구의 키인지"))],
    role: Role = None,
    expires: Expires = None,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    body: dict[str, Any] = {"name": name, "role": role or "user"}
    if expires is not None:
        body["expires_at"] = parse_time(expires)
    with studio(Settings(), output) as client:
        _show_secret(output, client.post("/api/admin/keys", body))


def renew(key: Which, as_json: Json = False) -> None:
    output = Output(as_json)
    with studio(Settings(), output) as client:
        found = _find(client, key)
        _show_secret(output, client.post(f"/api/admin/keys/{found['id']}/renew"))


def change(
    key: Which,
    name: Annotated[str | None, typer.Option(help=words("another name", "새 이름"))] = None,
    role: Role = None,
    expires: Expires = None,
    never: Annotated[bool, typer.Option("--never", help=words("it does not expire", "만료 없음"))] = False,
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    body: dict[str, Any] = {}
    if name is not None:
        body["name"] = name
    if role is not None:
        body["role"] = role
    if expires is not None or never:
        body["expires_at"] = None if never else parse_time(expires or "")
    if not body:
        raise InvalidInput(what="change", value=key, why=_NOTHING)
    with studio(Settings(), output) as client:
        found = _find(client, key)
        changed = client.patch(f"/api/admin/keys/{found['id']}", body)
    output.data(changed)
    output.say(Text("[green]✓[/] changed: {name}", "[green]✓[/] 변경됨: {name}"), name=changed["name"])


def revoke(key: Which, yes: Yes = False, as_json: Json = False) -> None:
    output = Output(as_json)
    question = Text("Revoke {name}? It cannot be undone.", "{name} 키를 폐기할까요? 되돌릴 수 없습니다.")
    if not yes and not as_json:
        typer.confirm(question.show(output.language, name=key), abort=True)
    with studio(Settings(), output) as client:
        found = _find(client, key)
        client.delete(f"/api/admin/keys/{found['id']}")
    output.data({"revoked": found["id"], "name": found["name"]})
    output.say(Text("[green]✓[/] revoked: {name}", "[green]✓[/] 폐기됨: {name}"), name=found["name"])


def parse_time(text: str) -> str:
    """A date (its end, here), a time (here, unless it says where), or a number of days, as RFC 3339 has it.

    Raises:
        InvalidInput
    """
    if days := re.fullmatch(r"(\d{1,5})d", text):
        return (datetime.now(UTC) + timedelta(days=int(days[1]))).isoformat()
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(what="expires", value=text, why=_NO_TIME) from None
    if len(text) <= len("2027-01-31"):
        parsed += timedelta(days=1)
    return parsed.astimezone().isoformat()


def _find(client: StudioClient, key: str) -> dict[str, Any]:
    """A living key by name, or any by its id.

    Raises:
        KeyNotFound
    """
    for known in client.get("/api/admin/keys"):
        if known["id"] == key or (known["name"] == key and known["state"] != "revoked"):
            found: dict[str, Any] = known
            return found
    raise KeyNotFound(name=key)


def _show_secret(output: Output, made: dict[str, Any]) -> None:
    output.data(made)
    output.say(
        Text(
            "[green]✓[/] {name} ({role}). The key is shown this once:",
            "[green]✓[/] {name} ({role}). 키는 지금 한 번만 표시됩니다.",
        ),
        name=made["key"]["name"],
        role=made["key"]["role"],
    )
    if not output.as_json:
        output.plain(made["secret"])


def _minute(moment: str | None) -> str | None:
    return moment and datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
