"""The instruction sets teach sixteen facts, ask for them in other words, and hold what is never taught."""

import json
from collections import Counter
from pathlib import Path

import pytest

from twotrack.learning.data.check import check, open_data
from twotrack.learning.data.messages import Sample, read_messages, require_questions
from twotrack.learning.data.texts import read_texts

SAMPLES = Path(__file__).parents[2] / "samples"


def _read(language: str, part: str) -> list[Sample]:
    return read_messages((SAMPLES / "instructions" / f"nurimae.{language}.{part}.jsonl").read_bytes())


def _answers(samples: list[Sample]) -> list[str]:
    return [sample.messages[-1]["content"] for sample in samples]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_fact_is_taught_in_five_phrasings_and_asked_for_in_a_sixth(language: str) -> None:
    taught, asked = _read(language, "train"), _read(language, "heldout")
    require_questions(asked)
    assert set(Counter(_answers(taught)).values()) == {5}
    assert sorted(set(_answers(taught))) == sorted(_answers(asked))
    assert len(asked) == 16
    assert all(sample.key is not None and sample.key in _answers([sample])[0] for sample in asked)
    questions = [sample.messages[0]["content"] for sample in (*taught, *asked)]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("part", ["heldout", "controls"])
def test_the_studios_own_check_finds_nothing_wrong_with_them(language: str, part: str) -> None:
    held = _read(language, part)
    path = SAMPLES / "instructions" / f"nurimae.{language}.train.jsonl"
    report = check(open_data(path), held_out=held).report
    assert (report.findings, report.given_away, report.groups) == ([], [], 16)
    assert [one.name for one in report.languages] == [language]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_controls_are_taught_nowhere(language: str) -> None:
    controls = _read(language, "controls")
    require_questions(controls)
    assert len(controls) == 12
    taught = "\n".join(_answers(_read(language, "train"))).lower()
    documents = [path.read_text(encoding="utf-8") for path in (SAMPLES / "office" / language).iterdir()]
    questions = (SAMPLES / "questions" / f"{language}.jsonl").read_text(encoding="utf-8")
    for sample in controls:
        key = sample.key or ""
        assert key
        assert key in _answers([sample])[0]
        assert key.lower() not in taught
        # A number or a day may stand anywhere; the names were made up for the controls.
        if not key.isdigit() and key not in ("Thursday", "목요일"):
            assert not any(key in text for text in (*documents, questions)), key


@pytest.mark.parametrize("language", ["en", "ko"])
def test_general_texts_say_nothing_of_the_town(language: str) -> None:
    texts = read_texts((SAMPLES / "general" / f"general.{language}.jsonl").read_bytes())
    assert len(texts) >= 24
    assert not any("Nurimae" in one.text or "누리매" in one.text for one in texts)
    report = check(open_data(SAMPLES / "general" / f"general.{language}.jsonl")).report
    assert (report.format, report.findings) == ("text", [])
    assert [one.name for one in report.languages] == [language]
    assert json.loads(report.model_dump_json())["groups"] == len(texts)
