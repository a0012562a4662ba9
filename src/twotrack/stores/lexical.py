"""Lexical search: BM25 over tsvector columns that hold morphemes or character bigrams.

PostgreSQL's own ranking knows neither how rare a term is nor how long a text; BM25 (Robertson and Zaragoza,
"The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3) does. Its own parsers know no
Korean, so the terms are made here, and a column holds what they came to.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.stores.schemas import Hit, Leg

K1, B = 0.9, 0.4
"""How fast a repeated term stops to count, and how much a long text is held back: what Anserini takes for
passages (Yang, Fang and Lin, "Anserini: Reproducible Ranking Baselines Using Lucene", JDIQ 2018)."""

# A term that stands in more than this part of a large collection says little and costs much.
_COMMON = 0.2
_LARGE = 1000
_SAMPLE = 2000
# Candidates by the rarity of their terms alone; the exact score is computed for these.
_CANDIDATES = 400
_MOST_TERMS = 128
# A term that so many chunks hold is not counted further: it weighs next to nothing.
_ENOUGH = 20_000
# A tsvector takes lexemes of 2,046 bytes at most, and positions up to 16,383.
_LONGEST_TERM = 512
_LAST_POSITION = 16_383

_CJK = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_WORDS = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+")
_THOUSANDS = re.compile(r"(?<=\d)[,'](?=\d{3}(?!\d))")

_COLUMNS: dict[Leg, LiteralString] = {"bigrams": "bigrams", "morphemes": "morphemes"}
_LENGTHS: dict[Leg, LiteralString] = {"bigrams": "bigrams_length", "morphemes": "morphemes_length"}


def normalized(text: str) -> str:
    """What counts as the same to every lexical leg: compatibility forms (NFKC), case, 41,300 and 41300."""
    return _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).lower())


def bigram_terms(text: str) -> list[str]:
    """Terms in their order: two characters at a time of Hangul, Han and Kana, whole words of all else.

    Particles and endings stay part of a Korean word in writing; of its bigrams most are the same without.
    """
    terms: list[str] = []
    for _, word, is_cjk in words(normalized(text)):
        if is_cjk and len(word) > 1:
            terms.extend(word[start : start + 2] for start in range(len(word) - 1))
        else:
            terms.append(word)
    return terms


def words(text: str) -> list[tuple[int, str, bool]]:
    """Runs of letters and digits in a normalized text: place, word, and whether it is Hangul, Han or Kana."""
    return [
        (found.start(), found[0][:_LONGEST_TERM], found["cjk"] is not None) for found in _WORDS.finditer(text)
    ]


def vector_literal(terms: Sequence[str]) -> str:
    """`terms` as PostgreSQL writes a tsvector, each lexeme with its positions."""
    positions: dict[str, list[int]] = {}
    for position, term in enumerate(terms, start=1):
        positions.setdefault(term, []).append(min(position, _LAST_POSITION))
    # The server keeps 256 positions of a lexeme at most; more of them count as 256.
    return " ".join(f"{_quoted(term)}:{','.join(map(str, at[:256]))}" for term, at in positions.items())


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


async def search(
    database: Database,
    collection: UUID,
    statistics: dict[str, Any],
    terms: Sequence[str],
    k: int,
    *,
    leg: Leg,
    documents: Sequence[UUID] | None = None,
) -> list[Hit]:
    """The `k` chunks with the highest BM25 score for `terms`, the best first.

    `statistics` are the collection's (see `refresh_statistics`). `documents` keeps the search to these; how
    rare a term is stays a matter of the whole collection.
    """
    known = statistics.get(leg, {})
    asked = _telling(terms, frozenset(known.get("common", ())))
    if not asked:
        return []
    column, length = _COLUMNS[leg], _LENGTHS[leg]
    among: LiteralString = "" if documents is None else "WHERE document_id = ANY(%(documents)s)"
    query: LiteralString = f"""
        WITH hits AS MATERIALIZED (
            SELECT asked.term, found.id, found.document_id
            FROM unnest(%(terms)s::text[], %(queries)s::text[]::tsquery[]) AS asked (term, query)
            CROSS JOIN LATERAL (
                SELECT id, document_id FROM chunks
                WHERE collection_id = %(collection)s AND {column} @@ asked.query
            ) AS found
        ),
        weights AS (
            SELECT term, ln(1 + (greatest(%(chunks)s, count(*)) - count(*) + 0.5) / (count(*) + 0.5)) AS idf
            FROM hits GROUP BY term
        ),
        candidates AS MATERIALIZED (
            SELECT id FROM hits JOIN weights USING (term) {among}
            GROUP BY id ORDER BY sum(idf) DESC, id LIMIT %(candidates)s
        )
        SELECT chunks.id AS chunk_id, chunks.document_id, sum(
            idf * cardinality(lexeme.positions) * (%(k1)s + 1)
            / (cardinality(lexeme.positions) + %(k1)s * (1 - %(b)s + %(b)s * {length} / %(average)s))
        ) AS score
        FROM candidates JOIN chunks USING (id)
        CROSS JOIN LATERAL unnest({column}) AS lexeme
        JOIN weights ON weights.term = lexeme.lexeme
        GROUP BY chunks.id ORDER BY score DESC, chunks.id LIMIT %(k)s
    """
    rows = await database.fetch_all(
        query,
        {
            "collection": collection,
            "terms": asked,
            "queries": [_quoted(term) for term in asked],
            "chunks": statistics.get("chunks", 0),
            "average": float(known.get("average") or 1.0),
            "documents": None if documents is None else list(documents),
            "candidates": max(_CANDIDATES, 4 * k),
            "k": k,
            "k1": K1,
            "b": B,
        },
    )
    return [Hit(row["chunk_id"], row["document_id"], float(row["score"])) for row in rows]


def _telling(terms: Sequence[str], common: frozenset[str]) -> list[str]:
    """Each term once, without those that stand everywhere, unless there are no others."""
    distinct = list(dict.fromkeys(terms))
    return ([term for term in distinct if term not in common] or distinct)[:_MOST_TERMS]


async def refresh_statistics(connection: Connection, collection: UUID) -> dict[str, Any]:
    """Count a collection anew: chunks, average lengths, and (of a large one) what stands everywhere in it."""
    row = await (
        await connection.execute(
            "SELECT count(*) AS chunks, avg(bigrams_length) AS bigrams, avg(morphemes_length) AS morphemes"
            " FROM chunks WHERE collection_id = %s",
            (collection,),
        )
    ).fetchone()
    assert row is not None
    statistics: dict[str, Any] = {"chunks": row["chunks"]}
    for leg, column in _COLUMNS.items():
        common = await _common_terms(connection, collection, row["chunks"], column)
        statistics[leg] = {"average": float(row[leg] or 0), "common": common}
    await connection.execute(
        "UPDATE collections SET statistics = %s WHERE id = %s", (as_jsonb(statistics), collection)
    )
    return statistics


async def _common_terms(
    connection: Connection, collection: UUID, chunks: int, column: LiteralString
) -> list[str]:
    if chunks < _LARGE:
        return []
    every = max(1, chunks // _SAMPLE)
    # ts_stat takes a query as text; what goes into this one is a UUID and two numbers of ours.
    sample = (
        f"SELECT {column} FROM chunks WHERE collection_id = '{collection}' AND {column} IS NOT NULL"
        f" AND id % {every} = 0"
    )
    rows = await (
        await connection.execute(
            "SELECT word FROM ts_stat(%(sample)s) WHERE ndoc > %(part)s *"
            " (SELECT count(*) FROM chunks WHERE collection_id = %(collection)s AND id %% %(every)s = 0)"
            " ORDER BY ndoc DESC LIMIT 500",
            {"sample": sample, "part": _COMMON, "collection": collection, "every": every},
        )
    ).fetchall()
    return [row["word"] for row in rows]


async def rarities(
    database: Database, collection: UUID, statistics: dict[str, Any], terms: Sequence[str], *, leg: Leg
) -> dict[str, float]:
    """BM25's weight of each term in this collection; that of a term that nothing holds is the highest."""
    asked = list(dict.fromkeys(terms))[:_MOST_TERMS]
    rows = await database.fetch_all(
        "SELECT asked.term, (SELECT count(*) FROM (SELECT FROM chunks WHERE collection_id = %(collection)s"
        f" AND {_COLUMNS[leg]} @@ asked.query LIMIT %(most)s) AS found) AS count"
        " FROM unnest(%(terms)s::text[], %(queries)s::text[]::tsquery[]) AS asked (term, query)",
        {
            "collection": collection,
            "terms": asked,
            "queries": [_quoted(term) for term in asked],
            "most": _ENOUGH,
        },
    )
    chunks = statistics.get("chunks", 0)
    counts = {row["term"]: row["count"] for row in rows}
    return {
        term: math.log(1 + (max(chunks, count) - count + 0.5) / (count + 0.5))
        for term, count in counts.items()
    }


async def terms_of(database: Database, chunk_ids: Sequence[int], *, leg: Leg) -> dict[int, frozenset[str]]:
    """The terms that each of the chunks was indexed with."""
    rows = await database.fetch_all(
        f"SELECT id, tsvector_to_array({_COLUMNS[leg]}) AS terms FROM chunks WHERE id = ANY(%s)",
        (list(chunk_ids),),
    )
    return {row["id"]: frozenset(row["terms"] or ()) for row in rows}
