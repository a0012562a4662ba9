"""Retrieval on the frozen questions and on a Korean corpus that nobody here wrote: each leg, both together,
BM25 over words between spaces, and what answers cite and decline.

The corpus: the guides of Writer in Debian's package libreoffice-help-ko. Its questions are the index entries
that its authors gave their pages, such as "각주 삽입 및 편집"; a passage of that page is a hit.
"""

import asyncio
import hashlib
import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree, html

from benchmarks.measure import Row
from twotrack.core import jobs
from twotrack.core.database import Database, migrate
from twotrack.core.embedded_postgres import EmbeddedPostgres
from twotrack.core.job_runner import Lane, Runner
from twotrack.embedders.service import Embedders
from twotrack.evaluation import rag
from twotrack.evaluation.rag import Labelled, Outcome, Span
from twotrack.learning.ingest.job import ingest_job
from twotrack.registry.layout import Layout
from twotrack.serving.rag.confidence import THRESHOLD
from twotrack.serving.rag.quoting import quote
from twotrack.serving.rag.retrieving import Legs, Library, find
from twotrack.stores import lexical
from twotrack.stores.choice import Stores
from twotrack.stores.schemas import Leg

_SAMPLES = Path(__file__).parent.parent / "samples"
_PACKAGE = "libreoffice-help-ko"
_QUESTIONS = 300
_HANGUL = re.compile("[가-힣]")

Ranking = dict[str, list[Outcome]]
"""Setting → an outcome for each question."""


@dataclass(frozen=True)
class Asked:
    """A question with the places that answer it, piece of evidence by piece."""

    question: str
    answerable: bool
    evidence: list[list[Span]]


def run() -> list[Row]:
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        with EmbeddedPostgres(home) as server:
            migrate(server.url())
            return asyncio.run(_measured(server.url(), Layout(home), Path(folder)))


async def _measured(url: str, layout: Layout, folder: Path) -> list[Row]:
    database = Database(url)
    await database.open()
    embedders, stores = Embedders(layout, bulk=True), Stores(database)

    async def ingest(attempt: jobs.Attempt) -> dict[str, Any]:
        return await ingest_job(attempt, database=database, layout=layout, embedders=embedders, stores=stores)

    runner = Runner(database, [Lane({"ingest": ingest}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    library = Library(database, stores, embedders)
    rows: list[Row] = []
    try:
        await _ingest(database, "samples", _SAMPLES / "documents")
        texts = await _texts(database, "samples")
        for language, name in (("en", "English"), ("ko", "Korean")):
            labels = (_SAMPLES / "questions" / f"{language}.jsonl").read_text("utf-8")
            asked = [_located(one, texts) for one in rag.read_questions(labels)]
            found = await _rankings(library, "samples", asked, answers=True)
            rows += _rows(f"{name} questions", found, target=language == "ko")
            rows += _answer_rows(f"{name} questions", found["both"])
        guides, entries = await asyncio.to_thread(_help_pages, folder)
        if guides is None:
            return [*rows, Row("retrieval", _PACKAGE, "not measured: it takes Debian's apt-get")]
        await _ingest(database, "guides", guides)
        whole = {source: len(text) for source, text in (await _texts(database, "guides")).items()}
        asked = [
            Asked(entry, True, [[(page, 0, whole[page]) for page in pages if page in whole]])
            for entry, pages in entries.items()
        ]
        rows += _rows(f"{_PACKAGE}, index entries", await _rankings(library, "guides", asked), target=True)
    finally:
        await runner.stop(0.1)
        serving.cancel()
        await asyncio.wait([serving])
        await embedders.close()
        await stores.close()
        await database.close()
    return rows


async def _ingest(database: Database, collection: str, folder: Path) -> None:
    job_id = await jobs.enqueue(database, "ingest", {"collection": collection, "path": str(folder)})
    async for job in jobs.wait(database, job_id):
        last = job
    assert last.state == "succeeded", last.error


async def _texts(database: Database, collection: str) -> dict[str, str]:
    """Source → text."""
    rows = await database.fetch_all(
        "SELECT source, text FROM documents JOIN collections ON collections.id = collection_id"
        " WHERE name = %s",
        (collection,),
    )
    return {row["source"]: row["text"] for row in rows}


def _located(one: Labelled, texts: dict[str, str]) -> Asked:
    evidence = []
    for document, words in one.evidence:
        source = rag.source_of(document, texts)
        assert source is not None, document
        evidence.append([(source, *span) for span in rag.find_quote(texts[source], words)])
    return Asked(one.question, one.answerable, evidence)


async def _rankings(
    library: Library, collection: str, asked: Sequence[Asked], *, answers: bool = False
) -> Ranking:
    by_spaces = await _by_spaces(library.database, collection)
    settings: list[tuple[str, Legs, Leg | None]] = [
        ("dense", "dense", None),
        ("bigrams", "lexical", "bigrams"),
        ("both", "both", None),
    ]
    if library.embedders.morphemes.available:
        settings.insert(2, ("morphemes", "lexical", "morphemes"))
    ranking: Ranking = {name: [] for name in ("spaces", *(name for name, _, _ in settings))}
    for one in asked:
        ranks = rag.first_ranks(by_spaces(one.question), one.evidence)
        ranking["spaces"].append(Outcome(one.answerable, ranks))
        for name, legs, leg in settings:
            found = await find(library, one.question, collection=collection, k=rag.K, legs=legs, leg=leg)
            spans = [(passage.source, passage.start, passage.stop) for passage in found.passages]
            ranks = rag.first_ranks(spans, one.evidence)
            if not answers or name != "both":
                ranking[name].append(Outcome(one.answerable, ranks))
                continue
            abstained = found.confidence < THRESHOLD
            _, cited = await quote(library, found)
            places = [place for piece in one.evidence for place in piece]
            right = tuple(
                rag.overlaps((quoted.source, quoted.start, quoted.end), places) for quoted in cited.citations
            )
            ranking[name].append(Outcome(one.answerable, ranks, abstained, () if abstained else right))
    return ranking


async def _by_spaces(database: Database, collection: str) -> Callable[[str], list[Span]]:
    """BM25 over what stands between spaces: what a search without a word of Korean would do."""
    rows = await database.fetch_all(
        "SELECT source, start, stop, title || ' ' || heading || ' ' || chunks.text AS text FROM chunks"
        " JOIN documents ON documents.id = document_id"
        " JOIN collections ON collections.id = chunks.collection_id WHERE collections.name = %s",
        (collection,),
    )
    held = [Counter(lexical.normalized(row["text"]).split()) for row in rows]
    average = sum(terms.total() for terms in held) / len(held)
    among = Counter(term for terms in held for term in terms)

    def search(question: str) -> list[Span]:
        scores = [0.0] * len(held)
        for term in set(lexical.normalized(question).split()):
            rarity = math.log(1 + (len(held) - among[term] + 0.5) / (among[term] + 0.5))
            for index, terms in enumerate(held):
                if count := terms[term]:
                    length = 1 - lexical.B + lexical.B * terms.total() / average
                    scores[index] += rarity * count * (lexical.K1 + 1) / (count + lexical.K1 * length)
        order = sorted((index for index in range(len(held)) if scores[index]), key=lambda i: -scores[i])
        return [(rows[i]["source"], rows[i]["start"], rows[i]["stop"]) for i in order[: rag.K]]

    return search


def _rows(name: str, found: Ranking, *, target: bool) -> list[Row]:
    measures = {setting: rag.measure(outcomes) for setting, outcomes in found.items()}
    told = {
        "spaces": "BM25 over words between spaces",
        "bigrams": "BM25 over bigrams",
        "morphemes": "BM25 over morphemes",
        "dense": "vectors",
        "both": "both",
    }
    rows = [
        Row(name, f"MRR@10, {told[setting]}", f"{report['MRR@10'] or 0:.3f}")
        for setting, report in measures.items()
    ]
    rows.append(Row(name, "nDCG@10, both", f"{measures['both']['nDCG@10'] or 0:.3f}"))
    for setting in found:
        if setting == "both":
            continue
        mean, low, high = rag.paired_interval(found[setting], found["both"], "MRR@10")
        measured = f"{mean:+.3f} ({low:+.3f} … {high:+.3f})"
        figure = f"MRR@10, both against {told[setting]}"
        aim = target and setting == "spaces"
        rows.append(Row(name, figure, measured, *(("≥ +0.1", mean >= 0.1) if aim else ())))
    return rows


def _answer_rows(name: str, outcomes: Sequence[Outcome]) -> list[Row]:
    report = rag.measure(outcomes)
    right = [one.abstained for one in outcomes if 1 in one.ranks]
    return [
        *(
            Row(name, figure, f"{report[figure]:.3f}" if report[figure] is not None else "–")
            for figure in ("citation correctness", "abstention precision", "abstention recall")
        ),
        Row(name, "declined though the first passage answers", f"{sum(map(bool, right)) / len(right):.3f}"),
    ]


def _help_pages(folder: Path) -> tuple[Path | None, dict[str, list[str]]]:
    """A folder with the guides' bare pages, and index entry → pages. Without apt-get none."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None, {}
    package, pages = folder / "package", folder / "guides"
    package.mkdir()
    pages.mkdir()
    fetched = subprocess.run(["apt-get", "download", _PACKAGE], cwd=package, capture_output=True, check=False)
    if fetched.returncode:
        return None, {}
    (archive,) = package.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, package], check=True)
    entries: dict[str, list[str]] = {}
    for page in sorted(package.glob("usr/share/libreoffice/help/ko/text/swriter/guide/*.html")):
        content = html.fromstring(
            page.read_bytes(), parser=html.HTMLParser(encoding="utf-8")
        ).get_element_by_id("DisplayArea")
        for entry in content.xpath(".//meta[@itemprop='keywords']/@content"):
            words = " ".join(re.sub("[,;]", " ", entry).split())
            if len(_HANGUL.findall(words)) >= 4 and not re.search("[A-Za-z]", words):
                entries.setdefault(words, []).append(page.name)
        body = etree.tostring(content, encoding="unicode", method="html")
        (pages / page.name).write_text(f"<!doctype html><meta charset=utf-8><body>{body}", encoding="utf-8")
    drawn = sorted(entries, key=lambda words: hashlib.sha256(words.encode()).digest())[:_QUESTIONS]
    return pages, {words: entries[words] for words in drawn}
