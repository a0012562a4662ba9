"""`twotrack keys` against a running studio that asks for a key."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twotrack.cli.keys import parse_time
from twotrack.core.errors import InvalidInput

OWNER_KEY = "the key of the environment"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(used_home: Path) -> Iterator[Run]:
    def twotrack(*arguments: str, key: str | None = OWNER_KEY, **more: str) -> Any:
        environment = os.environ | {
            "TWOTRACK_HOME": str(used_home),
            "TWOTRACK_PORT": "0",
            "TWOTRACK_LANGUAGE": "en",
            "COLUMNS": "200",
            **more,
        }
        environment.pop("TWOTRACK_API_KEY", None)
        if key is not None:
            environment["TWOTRACK_API_KEY"] = key
        command = [sys.executable, "-c", "from twotrack.cli import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert twotrack("up", "--detach").returncode == 0
    yield twotrack
    assert twotrack("down").returncode == 0


def as_json(run: Run, *arguments: str, key: str | None = OWNER_KEY) -> Any:
    done = run(*arguments, "--json", key=key)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_key_lives_from_create_over_renew_to_revoke(run: Run) -> None:
    made = as_json(run, "keys", "create", "김하늘", "--role", "admin", "--expires", "30d")
    assert made["key"]["role"] == "admin"
    # An administrator's key does what the owner's does.
    assert [key["name"] for key in as_json(run, "keys", "list", key=made["secret"])] == ["김하늘"]
    changed = as_json(run, "keys", "change", "김하늘", "--name", "하늘", "--role", "user", "--never")
    assert (changed["role"], changed["expires_at"]) == ("user", None)
    refused = run("keys", "list", key=made["secret"])
    assert refused.returncode == 1
    assert "admin" in refused.stderr
    renewed = as_json(run, "keys", "renew", "하늘")
    assert renewed["key"]["id"] == made["key"]["id"]
    assert run("jobs", key=made["secret"]).returncode == 1
    assert as_json(run, "jobs", key=renewed["secret"]) == []
    as_json(run, "keys", "revoke", "하늘")
    assert run("jobs", key=renewed["secret"]).returncode == 1
    assert as_json(run, "keys", "list") == []
    assert [key["state"] for key in as_json(run, "keys", "list", "--all")] == ["revoked"]


def test_people_see_the_secret_once_and_a_table_without_it(run: Run) -> None:
    made = run("keys", "create", "robot")
    (secret,) = re.findall(r"ttk-[\w-]{43}", made.stdout)
    listed = run("keys", "list", TWOTRACK_LANGUAGE="ko")
    assert "robot" in listed.stdout
    assert "사용자" in listed.stdout
    assert secret not in listed.stdout
    assert secret[-4:] in listed.stdout
    run("keys", "revoke", "robot", "--yes")


@pytest.mark.parametrize("command", ["renew", "revoke", "change"])
def test_a_key_that_is_not_there_is_named(run: Run, command: str) -> None:
    options = {"revoke": ["--yes"], "change": ["--never"]}.get(command, [])
    done = run("keys", command, "nobody", *options)
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_change_of_nothing_is_refused(run: Run) -> None:
    done = run("keys", "change", "anybody")
    assert done.returncode == 1
    assert "--expires" in done.stderr


def test_without_a_key_the_command_says_which_one_is_missing(run: Run) -> None:
    done = run("keys", "list", key=None)
    assert done.returncode == 1
    assert "key" in done.stderr


def test_an_end_is_a_date_to_its_end_a_time_or_so_many_days() -> None:
    day = datetime.fromisoformat(parse_time("2030-01-31"))
    assert (day.month, day.day, day.hour) == (2, 1, 0)
    time = datetime.fromisoformat(parse_time("2030-01-31T18:00+09:00"))
    assert time == datetime(2030, 1, 31, 9, tzinfo=UTC)
    in_days = datetime.fromisoformat(parse_time("2d")) - datetime.now().astimezone()
    assert timedelta(days=1) < in_days <= timedelta(days=2)


@pytest.mark.parametrize("text", ["", "tomorrow", "-3d", "2030-13-01", "99999999d"])
def test_an_end_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text)
