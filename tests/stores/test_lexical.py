"""BM25 over tsvector columns, against the formula computed in Python."""

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from psycopg import connect

from tests.stores.conftest import AddDocument, MakeCollection
from twotrack.core.database import Database
from twotrack.stores import collections, lexical
from twotrack.stores.lexical import K1, B, bigram_terms, vector_literal
from twotrack.stores.schemas import Collection

TEXTS = [
    "등대는 보라색으로 칠해져 있습니다.",
    "도서관은 장서 41,300권을 가지고 있고 도서관 문은 아홉 시에 엽니다.",
    "The lighthouse is painted violet, and the library opens at nine.",
    "The ferry leaves at nine. The ferry is called the Grey Heron.",
]


def test_korean_is_cut_into_bigrams_and_the_rest_into_words() -> None:
    assert bigram_terms("등대는 Violet-42!") == ["등대", "대는", "violet", "42"]
    assert bigram_terms("한 ½ ﾀｲﾄﾙ") == ["한", "1", "2", "タイ", "イト", "トル"]


def test_a_number_is_the_same_with_and_without_its_separators() -> None:
    assert bigram_terms("41,300") == bigram_terms("41300") == ["41300"]
    assert bigram_terms("1,2,3") == ["1", "2", "3"]


def bm25(texts: Sequence[str], asked: Sequence[str]) -> list[float]:
    counted = [bigram_terms(text) for text in texts]
    average = sum(map(len, counted)) / len(counted)
    scores = []
    for terms in counted:
        score = 0.0
        for term in set(asked):
            df = sum(term in other for other in counted)
            tf = terms.count(term)
            if tf:
                idf = math.log(1 + (len(counted) - df + 0.5) / (df + 0.5))
                score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(terms) / average))
        scores.append(score)
    return scores


async def _fresh(database: Database, collection: Collection) -> Collection:
    async with database.transaction() as connection:
        return await collections.get_collection(connection, collection.id)


async def test_scores_are_those_of_the_formula(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    collection = await make_collection("town")
    _, ids = await add_document(collection, "facts", TEXTS)
    collection = await _fresh(database, collection)
    for question in ("도서관 문은 언제?", "when does the ferry leave", "violet lighthouse", "장서 41300권"):
        terms = bigram_terms(question)
        hits = await lexical.search(database, collection.id, collection.statistics, terms, 10, leg="bigrams")
        expected = {key: score for key, score in zip(ids, bm25(TEXTS, terms), strict=True) if score}
        assert {hit.chunk_id: round(hit.score, 5) for hit in hits} == {
            key: round(score, 5) for key, score in expected.items()
        }
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_a_search_stays_in_its_collection_and_its_documents(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    town, other = await make_collection("town"), await make_collection("other")
    first, _ = await add_document(town, "a", [TEXTS[2]])
    second, _ = await add_document(town, "b", [TEXTS[2] + " Again."])
    await add_document(other, "c", [TEXTS[2]])
    town = await _fresh(database, town)
    terms = bigram_terms("violet")
    found = await lexical.search(database, town.id, town.statistics, terms, 10, leg="bigrams")
    assert {hit.document_id for hit in found} == {first, second}
    found = await lexical.search(
        database, town.id, town.statistics, terms, 10, leg="bigrams", documents=[second]
    )
    assert [hit.document_id for hit in found] == [second]
    assert not await lexical.search(
        database, town.id, town.statistics, terms, 10, leg="bigrams", documents=[]
    )


async def test_terms_that_nothing_holds_find_nothing(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    collection = await make_collection("town")
    await add_document(collection, "facts", TEXTS)
    collection = await _fresh(database, collection)
    for terms in ([], ["zzz"], ["'; DROP TABLE chunks; --", "\\", "'", "a & b | !c"]):
        assert not await lexical.search(
            database, collection.id, collection.statistics, terms, 10, leg="bigrams"
        )


async def test_terms_that_stand_everywhere_are_left_out_of_a_large_collection(
    database: Database, make_collection: MakeCollection, add_document: AddDocument
) -> None:
    collection = await make_collection("town")
    texts = [f"everywhere number{index}" for index in range(1200)]
    await add_document(collection, "many", texts)
    collection = await _fresh(database, collection)
    assert collection.statistics["bigrams"]["common"] == ["everywhere"]
    hits = await lexical.search(
        database,
        collection.id,
        collection.statistics,
        ["everywhere", "number7"],
        10,
        leg="bigrams",
    )
    assert len(hits) == 1
    alone = await lexical.search(
        database, collection.id, collection.statistics, ["everywhere"], 10, leg="bigrams"
    )
    assert len(alone) == 10


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)))
def test_any_terms_make_a_literal_that_names_each_of_them_once(terms: list[str]) -> None:
    literal = vector_literal(terms)
    assert literal.count(":") >= len(set(terms))


def test_any_text_survives_as_a_tsvector(database_url: str) -> None:
    hostile = "it's a \\ back\\slash 'quoted' a:1 b&c <-> 한글's ''"
    with connect(database_url) as connection:
        terms = [*bigram_terms(hostile), "it's", "back\\slash", "'", "\\", "a:1", "b&c"]
        row = connection.execute(
            "SELECT tsvector_to_array(%s::tsvector)", (vector_literal(terms),)
        ).fetchone()
    assert row is not None
    assert set(row[0]) == set(terms)
