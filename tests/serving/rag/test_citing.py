"""Sentences of an answer against the passages they rest on."""

import pytest

from tests.serving.rag.conftest import TOWN, Fill
from twotrack.serving.rag.citing import cite
from twotrack.serving.rag.quoting import quote
from twotrack.serving.rag.retrieving import Library, find


@pytest.mark.parametrize(
    ("answer", "rests_on"),
    [
        ("A bicycle costs 3 tarn extra.", ["A bicycle costs 3 tarn extra."]),
        ("The bicycle costs 3 tarn more.", ["A bicycle costs 3 tarn extra."]),
        # The number is another one.
        ("A bicycle costs 4 tarn extra.", [None]),
        ("Dogs travel free. The captain is called Thole.", ["Dogs travel free.", None]),
        ("가입비는 20000탄입니다.", ["조합원의 가입비는 20,000탄입니다."]),
    ],
)
async def test_what_rests_on_nothing_has_no_citation(
    library: Library, fill: Fill, answer: str, rests_on: list[str | None]
) -> None:
    await fill("town", TOWN)
    found = await find(library, answer)
    cited = await cite(library, found, answer, found.passages)
    named = [
        cited.citations[sentence.citations[0]].text if sentence.citations else None
        for sentence in cited.sentences
    ]
    assert named == rests_on
    for one in cited.citations:
        assert TOWN[one.source][one.start : one.end] == one.text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What does a bicycle cost on the ferry?", "A bicycle costs 3 tarn extra."),
        ("가입비는 얼마인가요?", "조합원의 가입비는 20,000탄입니다."),
    ],
)
async def test_a_quote_is_the_document_word_for_word(
    library: Library, fill: Fill, question: str, words: str
) -> None:
    await fill("town", TOWN)
    text, cited = await quote(library, await find(library, question))
    (one,) = cited.citations
    assert words in text
    assert text == one.text == TOWN[one.source][one.start : one.end]
    assert [sentence.citations for sentence in cited.sentences] == [[0]]


async def test_of_a_long_passage_the_sentences_around_the_best_one_are_quoted(
    library: Library, fill: Fill
) -> None:
    padding = [f"Rule {number} is about nets and is of no interest to anybody else." for number in range(30)]
    text = " ".join([*padding[:15], "A bicycle costs 3 tarn extra.", *padding[15:]])
    await fill("long", {"en/rules.txt": text})
    quoted, cited = await quote(library, await find(library, "What does a bicycle cost?"))
    assert "A bicycle costs 3 tarn extra." in quoted
    assert len(quoted) <= 480
    assert cited.citations[0].text == quoted == text[cited.citations[0].start : cited.citations[0].end]
