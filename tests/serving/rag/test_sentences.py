"""Where sentences end, in both languages."""

import pytest

from twotrack.serving.rag.sentences import sentence_spans


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("The ferry leaves at 8. Dogs travel free!", ["The ferry leaves at 8.", "Dogs travel free!"]),
        ("It costs 3.50 tarn. Mr. Thole said so.", ["It costs 3.50 tarn.", "Mr. Thole said so."]),
        (
            "총회는 3월에 열립니다. 가입비는 2만 탄입니다.",
            ["총회는 3월에 열립니다.", "가입비는 2만 탄입니다."],
        ),
        ("열립니다.가입비는", ["열립니다.", "가입비는"]),
        ("Boat | 12.00\nVan | 30.00", ["Boat | 12.00", "Van | 30.00"]),
        ('He asked: "Why?" Nobody knew.', ['He asked: "Why?"', "Nobody knew."]),
        ("3. Fees are due in May.", ["3. Fees are due in May."]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:stop] for start, stop in sentence_spans(text)] == sentences
