"""Near-duplicates are found as the exact resemblance of their n-grams has it."""

import random

import numpy as np
import pytest

from twotrack.learning.data.similarity import Clusters, Index, normal, resemblance, signatures


def _grams(text: str, size: int) -> set[str]:
    return {text[at : at + size] for at in range(max(1, len(text) - size + 1))}


def _texts(alphabet: str, seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choice(alphabet) for _ in range(3)) for _ in range(300)]


@pytest.mark.parametrize(("alphabet", "gram"), [("가나다라마바사아자차카타파하", 3), ("abcdefghijklmnop", 5)])
def test_the_estimate_is_near_the_exact_resemblance(alphabet: str, gram: int) -> None:
    chance, words = random.Random(1), _texts(alphabet, 2)
    for changed in (0, 2, 5, 15, 40):
        first = [chance.choice(words) for _ in range(60)]
        second = list(first)
        for place in chance.sample(range(60), changed):
            second[place] = chance.choice(words)
        left, right = " ".join(first), " ".join(second)
        ours, theirs = _grams(left, gram), _grams(right, gram)
        exact = len(ours & theirs) / len(ours | theirs)
        estimate = resemblance(*signatures([left, right]))
        # Three standard errors of 96 permutations.
        assert abs(estimate - exact) <= 3 * 0.051


def test_what_is_near_is_found_and_what_is_not_is_left() -> None:
    chance, words = random.Random(3), _texts("가나다라마바사아자차카타파하", 4)
    texts = [" ".join(chance.choice(words) for _ in range(60)) for _ in range(600)]
    near = {}
    for number in range(0, 300, 3):
        altered = texts[number].split()
        altered[7] = "바뀐"
        near[number] = number + 300
        texts[number + 300] = " ".join(altered)
    index = Index()
    for start in range(0, 600, 100):
        index.add(signatures([normal(text) for text in texts[start : start + 100]]))
    clusters = Clusters(len(index))
    for left, right in index.pairs():
        clusters.join_all(left, right)
    index.close()
    labels = clusters.labels()
    assert {n: int(labels[other]) for n, other in near.items()} == {n: n for n in near}
    assert len(np.unique(labels)) == 600 - len(near)


def test_blocks_do_not_matter_and_short_texts_have_signatures() -> None:
    texts = ["", "가", "가나다", "a", "abcdefgh", "가나다라마바사"]
    together = signatures(texts)
    for number, text in enumerate(texts):
        assert np.array_equal(signatures([text])[0], together[number])
    assert resemblance(together[1], together[3]) < 0.2


def test_case_and_punctuation_do_not_count() -> None:
    assert normal("  The «Grey HERON»!  ") == normal("the grey heron") == "the grey heron"
    assert normal("２０２６년 ﬁ") == "2026년 fi"


def test_clusters_are_known_by_their_smallest() -> None:
    clusters = Clusters(7)
    for pair in ((5, 6), (3, 5), (1, 2)):
        clusters.join(*pair)
    clusters.join_equal(np.array([9, 1, 1, 4, 9, 5, 6], dtype=np.uint64))
    assert clusters.labels().tolist() == [0, 1, 1, 3, 0, 3, 3]
