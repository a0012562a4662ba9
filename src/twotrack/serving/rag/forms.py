"""Which words of the passages a search's stems stand for: readers look for words."""

from collections.abc import Collection, Iterable

from twotrack.stores import lexical
from twotrack.stores.terms import stemmed


def forms_of(texts: Iterable[str], stems: Collection[str]) -> dict[str, list[str]]:
    """Stem → the words of the texts, in lower case, that were cut down to it."""
    words = sorted(
        {
            word
            for text in texts
            for _, word, _ in lexical.words(lexical.normalized(text))
            if word.isascii() and word.isalpha()
        }
    )
    forms: dict[str, list[str]] = {}
    for word, stem in zip(words, stemmed(words), strict=True):
        if stem in stems:
            forms.setdefault(stem, []).append(word)
    return forms
