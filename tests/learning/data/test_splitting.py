"""Splits put every sample into one part, tear no group apart, and are the same for the same seed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotrack.learning.data.check import open_data
from twotrack.learning.data.errors import SplitImpossible, TargetExists
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.splitting import assign, split

SAMPLES = Path(__file__).parents[3] / "samples" / "instructions"

_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=60)
_shares = st.lists(st.floats(0.02, 1), min_size=1, max_size=4)


def _samples(sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    keys = np.random.default_rng(3).integers(0, 2**63, len(groups)).astype(np.uint64)
    return groups, keys


@given(_sizes, _shares, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=150)
def test_no_group_is_torn_apart_and_no_part_is_empty_or_overfull(
    sizes: list[int], shares: list[float], seed: int
) -> None:
    groups, keys = _samples(sizes)
    if len(sizes) < len(shares):
        with pytest.raises(SplitImpossible):
            assign(groups, keys, shares, seed=seed)
        return
    parts = assign(groups, keys, shares, seed=seed)
    for group in range(len(sizes)):
        assert len(set(parts[groups == group].tolist())) == 1
    counts = np.bincount(parts, minlength=len(shares))
    assert counts.sum() == len(groups)
    assert counts.min() > 0
    wanted = np.array(shares) / sum(shares) * len(groups)
    assert (counts <= wanted + max(sizes) + 1e-9).all()


@given(_sizes, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_the_order_of_the_file_decides_nothing(sizes: list[int], seed: int, chance: object) -> None:
    groups, keys = _samples([*sizes, 1, 1])
    shuffled = list(range(len(groups)))
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis calls it an object
    before = assign(groups, keys, [0.8, 0.1, 0.1], seed=seed)
    after = assign(groups[shuffled], keys[shuffled], [0.8, 0.1, 0.1], seed=seed)
    assert after.tolist() == before[shuffled].tolist()


def test_many_small_groups_come_close_to_the_shares_and_seeds_differ() -> None:
    groups, keys = _samples([5] * 400)
    parts = assign(groups, keys, [0.8, 0.1, 0.1], seed=0)
    assert np.bincount(parts).tolist() == [1600, 200, 200]
    assert assign(groups, keys, [0.8, 0.1, 0.1], seed=1).tolist() != parts.tolist()


def test_phrasings_of_one_fact_never_straddle(tmp_path: Path) -> None:
    source = tmp_path / "facts.jsonl"
    source.write_bytes((SAMPLES / "nurimae.en.train.jsonl").read_bytes())
    found = split(open_data(source), seed=5)
    assert (found.groups, found.grouped_by, found.samples) == (16, "content", 80)
    answers = []
    for part in found.parts:
        samples = read_messages((tmp_path / part.file).read_bytes())
        assert len(samples) == part.samples == 5 * part.groups
        answers.append({sample.messages[-1]["content"] for sample in samples})
    assert sum(map(len, answers)) == len(set().union(*answers)) == 16
    assert source.read_bytes() == (SAMPLES / "nurimae.en.train.jsonl").read_bytes()
    with pytest.raises(TargetExists):
        split(open_data(source), seed=5)
    again = split(open_data(source), seed=5, replace_targets=True)
    assert again == found


def test_a_group_column_goes_before_what_the_answers_say(tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    rows = [
        {
            "question": f"Is {n} odd, by the rule that {n} has?",
            "answer": "yes" if n % 2 else "no",
            "fact": n // 4,
        }
        for n in range(80)
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = split(open_data(source, {"group": "fact"}), {"train": 3, "proof": 1})
    assert (found.groups, found.grouped_by) == (20, "group")
    assert [part.samples for part in found.parts] == [60, 20]


def test_an_answer_that_is_a_label_binds_nothing(tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    words = ["강", "산", "배", "등대", "시장", "도서관", "축제", "기차", "학교", "병원"]
    rows = [
        {
            "instruction": f"{one}과 {other}, 둘 다 마을에 있습니까?",
            "output": "예" if len(one) > len(other) else "아니요",
        }
        for one in words
        for other in words
    ]
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    # By their answers they would be two; some of these questions are nearly the same.
    assert split(open_data(source)).groups > 20


def test_too_few_facts_for_the_parts_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    source.write_text('{"instruction": "Q?", "output": "A."}\n' * 9)
    with pytest.raises(SplitImpossible, match="1 groups for 3 parts"):
        split(open_data(source))
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]
