"""Korean words into their morphemes (Kiwi), those that carry meaning. Runs in a child of its own.

Without its dictionaries of proper nouns and multi-word terms Kiwi takes half the memory (267 MB against 512).
"""

from collections.abc import Sequence

# Nouns, numerals, roots, verbs and adjectives by their stems, adverbs and Han words;
# no particles, no endings, no auxiliary verbs. The tag set is that of the Sejong corpus.
_MEANING = ("NNG", "NNP", "NR", "XR", "VV", "VA", "SH", "MAG", "MM")
# 하다, 되다, 있다, 없다, 것, 수 …: they stand in every text.
_EMPTY = frozenset({"하", "되", "있", "없", "이", "그", "저", "것", "수", "등", "때"})


class KiwiBody:
    def __init__(self, *, threads: int | None) -> None:
        from kiwipiepy import Kiwi

        from twotrack.engines.machine import usable_threads

        # Kiwi takes 0 for no threads at all, and then refuses lists.
        workers = max(1, threads or usable_threads())
        self._kiwi = Kiwi(num_workers=workers, load_default_dict=False, load_multi_dict=False)
        self._kiwi.space_tolerance = 2

    def terms(self, texts: Sequence[str]) -> list[list[str]]:
        from twotrack.stores.lexical import normalized, words

        plain = [normalized(text) for text in texts]
        found: list[list[str]] = []
        for text, tokens in zip(plain, self._kiwi.tokenize(plain), strict=True):
            # Of Latin words and numbers Kiwi makes pieces; they are terms as they stand.
            terms = [(start, word) for start, word, is_cjk in words(text) if not is_cjk]
            terms += [
                (token.start, token.form)
                for token in tokens
                # VV-I and VV-R are one verb: regular or not.
                if token.tag.split("-")[0] in _MEANING and token.form not in _EMPTY
            ]
            found.append([term for _, term in sorted(terms)])
        return found
