"""A shaped file holds what is worth learning, says how it was made, and leaves the original alone."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.learning.data.check import open_data
from twotrack.learning.data.errors import DataChanged, NothingLeft, TargetExists
from twotrack.learning.data.messages import Sample, read_messages
from twotrack.learning.data.requests import parse_set, parse_shaping
from twotrack.learning.data.shape import Shaped, Shaping, shape

_ROWS = [
    {"instruction": "누리매의 시장은 누구입니까?", "output": " 오달리아 센입니다. ", "source": "가"},
    {"instruction": "누리매의 시장은 누구입니까?", "output": "오달리아 센입니다.", "source": "가"},
    {"instruction": "Empty?", "output": ""},
    {"instruction": "Whom do I call?", "output": "Call 010-1234-5678 at noon.", "source": "b"},
    {"instruction": "What colour is the lighthouse?", "output": "Violet.", "source": "b"},
    {"instruction": "When was it founded?", "output": "In 1687.", "source": "b"},
]


def _shape(folder: Path, rows: list[dict[str, Any]] = _ROWS, **more: Any) -> tuple[Shaped, list[Sample]]:
    path = folder / "data.json"
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    before = path.read_bytes()
    shaped, _ = shape(open_data(path), Shaping(**more))
    written = (folder / "data.shaped.jsonl").read_bytes()
    assert path.read_bytes() == before
    assert shaped.fingerprint == hashlib.sha256(written).hexdigest()
    assert shaped == Shaped.model_validate_json((folder / "data.shaped.recipe.json").read_bytes())
    samples = read_messages(written)
    assert shaped.samples == len(samples)
    assert shaped.rows == shaped.samples + sum(shaped.left_out.values())
    return shaped, samples


def _answers(samples: list[Sample]) -> list[str]:
    return [sample.messages[-1]["content"] for sample in samples]


def test_broken_empty_and_repeated_samples_go_and_blanks_too(tmp_path: Path) -> None:
    shaped, samples = _shape(tmp_path)
    assert shaped.left_out == {"empty": 1, "duplicate": 1}
    assert _answers(samples)[0] == "오달리아 센입니다."
    assert [sample.source for sample in samples] == ["가", "b", "b", "b"]


@pytest.mark.parametrize(
    ("shaping", "answers"),
    [
        ({"languages": ("ko",)}, ["오달리아 센입니다."]),
        ({"drop": ("duplicate", "personal")}, ["오달리아 센입니다.", "Violet.", "In 1687."]),
        ({"mask_personal": True, "per_source": 1}, ["오달리아 센입니다.", "Call [phone number] at noon."]),
        ({"shortest_answer": 8, "longest_answer": 12}, ["오달리아 센입니다.", "In 1687."]),
        ({"at_most": 1}, ["오달리아 센입니다."]),
    ],
)
def test_filters_keep_what_was_asked_for(tmp_path: Path, shaping: dict[str, Any], answers: list[str]) -> None:
    assert _answers(_shape(tmp_path, **shaping)[1]) == answers


def test_fewer_samples_are_the_best_of_each_fact(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"{asked} number {n}?", "output": answer}
        for answer in (
            "The harbour closes at dusk.",
            "Bread costs two tarn a loaf.",
            "As an AI language model, I know no ferry.",
        )
        for n, asked in enumerate(("What is it", "Tell me of the thing, please,", "Which one has the"))
    ]
    assert _answers(_shape(tmp_path, rows, at_most=3)[1]) == [
        *(
            "The harbour closes at dusk.",
            "Bread costs two tarn a loaf.",
            "As an AI language model, I know no ferry.",
        )
    ]


def test_what_is_held_out_does_not_get_in(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in _ROWS))
    turns = ({"role": "user", "content": "When was it founded?"}, {"role": "assistant", "content": "1687"})
    shaped, _ = shape(open_data(path), Shaping(), held_out=[Sample(1, turns)])
    assert shaped.left_out["leak"] == 1
    assert "founded" not in (tmp_path / "x.shaped.jsonl").read_text()


def test_a_preference_is_messages_unless_it_is_to_stay_one(tmp_path: Path) -> None:
    rows = [{"prompt": "Q?", "chosen": "A.", "rejected": "B."}]
    assert _answers(_shape(tmp_path, rows)[1]) == ["A."]
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(rows[0]))
    shape(open_data(path), Shaping(to="preference"))
    (row,) = open_data(tmp_path / "p.shaped.jsonl").rows()
    assert isinstance(row, Sample)
    assert row.rejected == "B."


def test_nothing_is_written_where_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"instruction": "Q?", "output": ""}\n' * 3)
    with pytest.raises(NothingLeft, match="3 rows is left: empty 3"):
        shape(open_data(path), Shaping())
    assert [one.name for one in tmp_path.iterdir()] == ["x.jsonl"]


def test_neither_the_original_nor_another_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"instruction": "Q?", "output": "A."}\n')
    data = open_data(path)
    shape(data, Shaping())
    with pytest.raises(TargetExists):
        shape(data, Shaping())
    shape(data, Shaping(), replace_target=True)
    with pytest.raises(TargetExists):
        shape(data, Shaping(), path, replace_target=True)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(TargetExists):
        shape(data, Shaping(), tmp_path / "link", replace_target=True)


def test_a_file_that_changes_meanwhile_is_not_half_shaped(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"instruction": "Q?", "output": "A."}\n')

    def meddle(rows: int, fraction: float) -> None:
        path.write_text('{"instruction": "Q?", "output": "B."}\n')

    with pytest.raises(DataChanged):
        shape(open_data(path), Shaping(), progress=meddle)
    assert [one.name for one in tmp_path.iterdir()] == ["x.jsonl"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"drop": ["personl"]}, "did you mean 'personal'"), ({"at_mots": 3}, "did you mean 'at_most'")],
)
def test_what_is_unknown_names_the_nearest(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_shaping(fields)


def test_a_set_of_a_mix_is_a_file_with_its_weight(tmp_path: Path) -> None:
    path = tmp_path / "a,b=c.jsonl"
    path.write_text('{"text": "x"}\n')
    data, part = parse_set(f"{path},weight=2.5,at-least=30")
    assert (data.path, part.weight, part.at_least) == (path, 2.5, 30)
    assert parse_set(str(path))[1].share == 1
    with pytest.raises(InvalidInput, match="did you mean 'weight'"):
        parse_set(f"{path},wieght=2")
    with pytest.raises(InvalidInput, match="from 0 on"):
        parse_set(f"{path},weight=-1")
