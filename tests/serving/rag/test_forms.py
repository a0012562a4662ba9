"""Which words a search's stems stand for."""

from twotrack.serving.rag.forms import forms_of


def test_a_stem_stands_for_the_words_that_were_cut_down_to_it() -> None:
    texts = ["Borrowed books; a BORROWER borrows.", "빌린 책 3권. Who borrowed them?"]
    assert forms_of(texts, ["borrow", "빌린", "3"]) == {"borrow": ["borrowed", "borrower", "borrows"]}
