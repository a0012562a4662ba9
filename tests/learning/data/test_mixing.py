"""Mixes keep their guarantees in every window, follow their weights, and are the same for the same seed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from twotrack.learning.data.check import open_data
from twotrack.learning.data.errors import MixImpossible, TargetExists
from twotrack.learning.data.messages import read_messages
from twotrack.learning.data.mixing import Part, least_in_windows, mix, mix_order

_set = st.tuples(
    st.integers(1, 400),
    st.one_of(st.none(), st.floats(0.01, 50)),
    st.integers(0, 12),
)


def _parts(sets: list[tuple[int, float | None, int]]) -> tuple[list[int], list[Part]]:
    sizes = [size for size, _, _ in sets]
    return sizes, [Part(name=str(n), weight=w, at_least=m) for n, (_, w, m) in enumerate(sets)]


@given(
    st.lists(_set, min_size=1, max_size=5),
    st.integers(60, 200),
    st.integers(0, 900),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_every_window_holds_what_is_guaranteed(
    sets: list[tuple[int, float | None, int]], window: int, length: int, seed: int
) -> None:
    sizes, parts = _parts(sets)
    order = mix_order(sizes, parts, seed=seed, length=length, window=window)
    assert len(order.sets) == len(order.items) == length
    for start in range(length - window + 1):
        seen = np.bincount(order.sets[start : start + window], minlength=len(parts))
        assert all(seen[number] >= part.at_least for number, part in enumerate(parts))


@given(st.lists(_set, min_size=1, max_size=4), st.integers(0, 900), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_no_sample_comes_again_before_all_others_of_its_set(
    sets: list[tuple[int, float | None, int]], length: int, seed: int
) -> None:
    sizes, parts = _parts(sets)
    order = mix_order(sizes, parts, seed=seed, length=length)
    for number, size in enumerate(sizes):
        items = order.items[order.sets == number]
        for start in range(0, len(items), size):
            cycle = items[start : start + size]
            assert len(set(cycle.tolist())) == len(cycle)
            assert cycle.max() < size


@given(
    st.lists(st.floats(0.1, 10), min_size=2, max_size=5),
    st.lists(st.integers(0, 8), min_size=5, max_size=5),
    st.integers(100, 3000),
)
@settings(deadline=None, max_examples=60)
def test_weights_are_followed_wherever_guarantees_leave_them(
    weights: list[float], floors: list[int], length: int
) -> None:
    parts = [Part(name=str(n), weight=w, at_least=floors[n]) for n, w in enumerate(weights)]
    order = mix_order([50] * len(parts), parts, seed=1, length=length, window=100)
    shares = np.array(weights) / sum(weights)
    if all(share * 100 >= floor for share, floor in zip(shares, floors, strict=False)):
        counts = np.bincount(order.sets, minlength=len(parts))
        # Each of two evenly spread sequences is off by one at most, and the last window may be unfinished.
        assert np.abs(counts - shares * length).max() <= 2 * len(parts)


@given(st.lists(_set, min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_without_a_length_every_weighted_set_is_seen_whole(sets: list[tuple[int, float | None, int]]) -> None:
    sizes, parts = _parts(sets)
    try:
        order = mix_order(sizes, parts, seed=0)
    except MixImpossible:
        reject()
    weighted = [n for n, part in enumerate(parts) if part.share > 0] or list(range(len(parts)))
    counts = np.bincount(order.sets, minlength=len(parts))
    assert all(counts[n] >= sizes[n] for n in weighted)
    assert min(counts[n] - sizes[n] for n in weighted) == 0


def test_thirty_in_every_thousand_is_exactly_that() -> None:
    parts = [Part(name="facts"), Part(name="general", at_least=30)]
    order = mix_order([20_000, 32], parts, seed=4)
    assert least_in_windows(order.sets, 1) == 30
    assert int((order.sets == 0).sum()) == 20_000
    general = np.flatnonzero(order.sets == 1)
    assert np.diff(general).max() <= 35


def test_a_seed_gives_the_same_order_on_every_machine() -> None:
    parts = [Part(name="a", weight=2), Part(name="b")]
    order = mix_order([5, 3], parts, seed=7, length=12)
    assert list(zip(order.sets.tolist(), order.items.tolist(), strict=True)) == _EXPECTED
    other = mix_order([5, 3], parts, seed=8, length=12)
    assert other.sets.tolist() == order.sets.tolist()
    assert other.items.tolist() != order.items.tolist()


# Written down once: whoever changes it changes the order of every mix that was ever made.
_EXPECTED = [(0, 0), (1, 0), (0, 2), (0, 4), (1, 1), (0, 3), (0, 1), (1, 2), (0, 3), (0, 0), (1, 2), (0, 1)]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([Part(name="a", at_least=600), Part(name="b", at_least=500)], "1100 samples are guaranteed"),
        ([Part(name="a", weight=1), Part(name="b", at_least=1000)], "nothing is left for a"),
    ],
)
def test_what_cannot_be_mixed_is_refused(parts: list[Part], said: str) -> None:
    with pytest.raises(MixImpossible, match=said):
        mix_order([10] * len(parts), parts, seed=0)


def _write(path: Path, count: int) -> Path:
    rows = [{"instruction": f"{path.stem} question {n}", "output": f"answer {n}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_mix_of_files_is_one_that_training_reads(tmp_path: Path) -> None:
    facts = _write(tmp_path / "facts.jsonl", 50)
    (tmp_path / "general.jsonl").write_text(
        '{"text": "Bread rises."}\n{"text": "Water boils."}\n{"text": ""}\n'
    )
    sources = [
        (open_data(facts, source="facts"), Part(name="facts")),
        (open_data(tmp_path / "general.jsonl", source="general"), Part(name="general", at_least=2)),
    ]
    mixed = mix(sources, tmp_path / "mix.jsonl", seed=3, window=10)
    data = (tmp_path / "mix.jsonl").read_bytes()
    samples = read_messages(data)
    assert len(samples) == mixed.samples
    assert [part.least for part in mixed.parts] == [8, 2]
    assert mixed.parts[1].left_out == 1
    sources_seen = [sample.source for sample in samples]
    assert all(sources_seen[at : at + 10].count("general") == 2 for at in range(len(samples) - 9))
    assert {sample.messages[0]["content"] for sample in samples if sample.messages} == {
        f"facts question {n}" for n in range(50)
    }
    assert json.loads((tmp_path / "mix.recipe.json").read_text())["fingerprint"] == mixed.fingerprint
    with pytest.raises(TargetExists):
        mix(sources, tmp_path / "mix.jsonl", seed=3, window=10)
    again = mix(sources, tmp_path / "again.jsonl", seed=3, window=10)
    assert again.fingerprint == mixed.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["facts.jsonl", "general.jsonl", "mix.jsonl", "mix.recipe.json", "again.jsonl", "again.recipe.json"]
    )
