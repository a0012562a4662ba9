"""What is made of lexical terms after they were cut: stems of English words, and which words of a question
say what it is about.

Both indexes (bigrams, morphemes) hold words of Latin script whole; Korean endings are their own affair.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from snowballstemmer import stemmer

from twotrack.stores.schemas import Leg

# Shorter ones are units, abbreviations and function words.
_SHORTEST = 4

_ENGLISH = frozenset(
    """a about above after again all also am an and any are aren as at be been before being below between both
    but by can could did do does doing don during each every few for from further get got had has have having
    he her here hers him his how i if in into is it its itself just ll long many me might more most much
    must my no nor not now of off on once one only or other our out over own please re s same shall she should
    so some such t than that the their them then there these they this those through to too under until up ve
    very was we were what when where which while who whom whose why will with would you your""".split()
)
_MORPHEMES = frozenset("몇 얼마 얼마나 며칠 언제 어떻 어떠 왜 무슨 어느 어떤 누구 어디 무엇 뭐".split())
# What asking words and the endings of questions leave as bigrams.
_BIGRAMS = frozenset(
    """몇명 몇시 몇살 얼마 마나 마에 마예 마인 며칠 칠이 언제 제부 제까 어떻 떻게 어떤 어느 어디
    디서 디에 무슨 무엇 엇을 엇이 누구 구에 구인 뭐예 뭐에 에요 예요 이에 이예 인가 가요 나요
    까요 는데 은데 던데 되나 돼요 되요 해요 해야 야하 야되 하나 하죠 하면 한가 하는 되는 려면
    으면 습니 입니 합니 됩니 니다 니까 있나 있어 있는 어요 아요 세요 주세 려주 할수 수있 수도""".split()
)


def stemmed(terms: Iterable[str]) -> list[str]:
    """The terms with English words cut down to their stems (Porter's second algorithm): "borrowed" and
    "borrowing" are one term. Everything else stays as it is."""
    return [
        _stem(term) if len(term) >= _SHORTEST and term.isascii() and term.isalpha() else term
        for term in terms
    ]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    # One of its own each time: a stemmer keeps the word that it works on, and threads may share this.
    stem: str = stemmer("english").stemWord(word)
    return stem


def telling(terms: Sequence[str], leg: Leg) -> list[str]:
    """A question's terms without those that only make it a question.

    Documents state and do not ask: by their rarity, "how" and "얼마" would weigh like names. A question that
    has no other terms keeps them.
    """
    empty = _ENGLISH | (_MORPHEMES if leg == "morphemes" else _BIGRAMS)
    return [term for term in terms if term not in empty] or list(terms)
