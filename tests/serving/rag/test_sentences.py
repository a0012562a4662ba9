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
        (
            "If fewer are present half an hour after the appointed time, it is\nput off by one week. Go.",
            [
                "If fewer are present half an hour after the appointed time, it is\nput off by one week.",
                "Go.",
            ],
        ),
        (
            "조합원은 소금을 걷는 철이 끝난 시월에 이사장에게 알려 그해\n말에 탈퇴한다. 출자금은 돌려준다.",
            [
                "조합원은 소금을 걷는 철이 끝난 시월에 이사장에게 알려 그해\n말에 탈퇴한다.",
                "출자금은 돌려준다.",
            ],
        ),
        (
            "Whoever comes to the quay after dark brings these along\n- a lamp\n- a rope",
            ["Whoever comes to the quay after dark brings these along", "- a lamp", "- a rope"],
        ),
        (
            "Whoever comes to the quay after dark brings these along\n1. a lamp\n2. a rope",
            ["Whoever comes to the quay after dark brings these along", "1. a lamp", "2. a rope"],
        ),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:stop] for start, stop in sentence_spans(text)] == sentences
