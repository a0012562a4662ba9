"""The command line as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twotrack.page import FOLDER


def twotrack(
    *arguments: str, home: Path, language: str = "en", stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TWOTRACK_HOME": str(home), "TWOTRACK_LANGUAGE": language, "COLUMNS": "100"}
    command = [sys.executable, "-c", "from twotrack.cli import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(("language", "word"), [("en", "start the studio"), ("ko", "스튜디오 시작")])
def test_help_speaks_the_users_language(home: Path, language: str, word: str) -> None:
    shown = twotrack("--help", home=home, language=language)
    assert shown.returncode == 0
    assert word in shown.stdout


def test_nonsense_is_answered_with_usage_and_no_traceback(home: Path) -> None:
    for arguments in (["frobnicate"], ["up", "--port", "many"], ["models"], ["train"]):
        shown = twotrack(*arguments, home=home)
        assert shown.returncode == 2, arguments
        assert "Traceback" not in shown.stderr + shown.stdout


def test_status_of_a_studio_that_does_not_run_ends_with_1(home: Path) -> None:
    shown = twotrack("status", "--json", home=home)
    assert shown.returncode == 1
    assert json.loads(shown.stdout)["phase"] == "stopped"


def test_down_without_a_studio_says_so_and_succeeds(home: Path) -> None:
    shown = twotrack("down", home=home)
    assert shown.returncode == 0
    assert "No studio" in shown.stdout


def test_training_data_that_is_not_there_is_named(home: Path) -> None:
    shown = twotrack("train", "missing.jsonl", home=home)
    assert shown.returncode == 1
    assert "missing.jsonl" in shown.stderr


def test_a_path_to_map_that_is_not_there_is_named_and_needs_no_studio(home: Path) -> None:
    shown = twotrack("map", "/there/is/no/config.json", home=home)
    assert shown.returncode == 1
    assert "There is no file or folder '/there/is/no/config.json'." in shown.stderr
    assert not any(home.iterdir())


@pytest.mark.parametrize("arguments", [["map"], ["export", "some", "--format", "peft", "-o"]])
def test_a_path_that_the_system_refuses_is_no_traceback(home: Path, arguments: list[str]) -> None:
    shown = twotrack(*arguments, f"/{5000 * 'a'}", home=home)
    assert shown.returncode == 1
    assert "File name too long" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_training_data_in_another_encoding_is_named_with_its_place(home: Path, tmp_path: Path) -> None:
    data = tmp_path / "euc-kr.jsonl"
    data.write_bytes('{"messages": "안녕"}'.encode("euc-kr"))
    shown = twotrack("train", str(data), "--json", home=home)
    assert shown.returncode == 1
    assert "byte 14" in json.loads(shown.stdout)["detail"]


def test_a_question_in_another_encoding_is_refused_in_words(used_home: Path) -> None:
    environment = os.environ | {"TWOTRACK_HOME": str(used_home), "TWOTRACK_LANGUAGE": "en"}
    command = [sys.executable, "-c", "from twotrack.cli import main; main()", "chat"]
    asked = subprocess.run(
        command, input="안녕".encode("euc-kr"), capture_output=True, env=environment, check=False
    )
    assert asked.returncode == 1
    assert b"not UTF-8" in asked.stderr
    assert b"Traceback" not in asked.stderr


def test_a_recipe_with_an_unknown_key_names_the_nearest(home: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("base: starter\nname: x\nlearning_rat: 1e-3\ndata: data.jsonl\n")
    (tmp_path / "data.jsonl").write_text("{}\n")
    shown = twotrack("train", str(recipe), home=home, language="ko")
    assert shown.returncode == 1
    assert "learning_rate" in shown.stderr


def test_doctor_reports_every_check_as_json(home: Path) -> None:
    shown = twotrack("doctor", "--json", home=home)
    topics = {finding["topic"]: finding["verdict"] for finding in json.loads(shown.stdout)}
    assert topics["llama.cpp"] == "ok"
    assert topics["database"] == "ok"
    assert "problem" not in topics.values()


def test_page_writes_a_copy_for_a_static_host_or_says_why_not(home: Path, tmp_path: Path) -> None:
    refused = twotrack("page", str(tmp_path / "copy"), "--api", "studio.example/path", home=home)
    assert refused.returncode == 1
    assert "--api" in refused.stderr
    assert "studio.example/path" in refused.stderr
    assert not (tmp_path / "copy").exists()
    if not (FOLDER / "index.html").is_file():
        missing = twotrack("page", str(tmp_path / "copy"), home=home)
        assert missing.returncode == 1
        assert "has no page" in missing.stderr
        pytest.skip("the page was not built")
    made = twotrack("page", str(tmp_path / "copy"), "--api", "https://studio.example", "--json", home=home)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"folder": str(tmp_path / "copy"), "api": "https://studio.example"}
    assert json.loads((tmp_path / "copy" / "config.json").read_text())["api"] == "https://studio.example"
