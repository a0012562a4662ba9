"""Chunks along headings, sentences and rows; words stand for tokens here."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from twotrack.learning.ingest.chunks import cut
from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.stores.schemas import ChunkingRule, indexed_text


async def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def document(*paragraphs: str) -> Extracted:
    composer = Composer()
    for paragraph in paragraphs:
        composer.paragraph(paragraph)
    return composer.finish()


async def test_a_chunk_is_a_slice_of_the_text_with_the_headings_above_it() -> None:
    composer = Composer()
    composer.heading("Harbour", 1)
    composer.paragraph("The harbour opens at nine. It closes at six.")
    composer.heading("Fees", 2)
    composer.paragraph("A boat pays four tarn.")
    composer.heading("Library", 1)
    composer.paragraph("도서관은 아홉 시에 엽니다. 월요일은 쉽니다.")
    made = composer.finish()
    chunks = await cut(made, words)
    assert [chunk.heading for chunk in chunks] == ["Harbour", "Harbour › Fees", "Library"]
    assert all(chunk.text == made.text[chunk.start : chunk.stop] for chunk in chunks)
    assert indexed_text("Town", chunks[1]) == "Town › Harbour › Fees\nFees\n\nA boat pays four tarn."


async def test_sentences_are_whole_and_repeated_as_far_as_the_overlap_goes() -> None:
    made = document("One two three. Four five six. Seven eight nine. Ten eleven twelve.")
    chunks = await cut(made, words, ChunkingRule(tokens=16, overlap=0).model_copy(update={"tokens": 6}))
    assert [chunk.text for chunk in chunks] == [
        "One two three. Four five six.",
        "Seven eight nine. Ten eleven twelve.",
    ]
    rule = ChunkingRule(tokens=16, overlap=3).model_copy(update={"tokens": 6})
    chunks = await cut(made, words, rule)
    assert [chunk.text.split()[0] for chunk in chunks] == ["One", "Four", "Seven"]


async def test_numbers_and_abbreviations_end_no_sentence() -> None:
    made = document("Dr. Senn paid 3.5 tarn on 2026. 04. 01. to St. Verrin. 누리매의 등대입니다. 끝.")
    rule = ChunkingRule(tokens=16, overlap=0).model_copy(update={"tokens": 1})
    texts = "".join(chunk.text for chunk in await cut(made, words, rule))
    assert "3.5" in texts
    whole = await cut(made, words)
    assert len(whole) == 1


async def test_rows_are_whole_and_carry_the_header_row() -> None:
    composer = Composer()
    composer.heading("Fees", 1)
    composer.table([["item", "fee"], *[[f"boat {number}", f"{number} tarn"] for number in range(40)]])
    made = composer.finish()
    rule = ChunkingRule(tokens=50, overlap=0)
    chunks = await cut(made, words, rule)
    assert len(chunks) > 1
    assert all(chunk.heading == "Fees › item | fee" for chunk in chunks)
    assert all(line.count("|") == 1 for chunk in chunks[1:] for line in chunk.text.splitlines())


async def test_pages_are_counted_from_one() -> None:
    composer = Composer()
    composer.page()
    composer.paragraph("First page.")
    composer.page()
    composer.paragraph("Second page.")
    made = composer.finish()
    rule = ChunkingRule(tokens=16, overlap=0).model_copy(update={"tokens": 2})
    assert [(chunk.page, chunk.text) for chunk in await cut(made, words, rule)] == [
        (1, "First page."),
        (2, "Second page."),
    ]


async def test_a_word_without_end_is_cut_and_nothing_of_it_lost() -> None:
    async def letters(texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    made = document("가" * 1000)
    chunks = await cut(made, letters, ChunkingRule(tokens=100, overlap=0))
    assert "".join(chunk.text for chunk in chunks) == "가" * 1000
    assert all(chunk.tokens <= 100 for chunk in chunks)


async def test_a_document_without_text_has_no_chunks() -> None:
    assert await cut(document(), words) == []


@given(st.lists(st.text(max_size=200), max_size=8), st.integers(16, 60), st.integers(0, 15))
async def test_every_word_of_any_document_is_in_a_chunk(
    paragraphs: list[str], tokens: int, overlap: int
) -> None:
    made = document(*paragraphs)
    chunks = await cut(made, words, ChunkingRule(tokens=tokens, overlap=overlap))
    covered: set[int] = set()
    for chunk in chunks:
        assert chunk.text == made.text[chunk.start : chunk.stop]
        covered.update(range(chunk.start, chunk.stop))
    assert all(place in covered for place, character in enumerate(made.text) if not character.isspace())
