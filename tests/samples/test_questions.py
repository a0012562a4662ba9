"""The labelled questions say what the sample documents say, and neither has changed since it was frozen."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
# A language counts from the day it is frozen.
LANGUAGES = [line.split()[0] for line in (SAMPLES / "questions" / "FROZEN").read_text().splitlines()]
KINDS = {"fact", "number", "date", "table", "paraphrase", "multi", "procedure", "name"}
FIELDS = {"id", "question", "answer", "answerable", "evidence", "kind"}
# Where a package keeps its text; a `t` holds a run of it, a `p` or `is` a paragraph or cell.
PARTS = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/*lides/*.xml",
    ".xlsx": "xl/worksheets/*.xml",
    ".hwpx": "Contents/section*.xml",
}


def questions(language: str) -> list[dict[str, Any]]:
    lines = (SAMPLES / "questions" / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def documents(language: str) -> list[Path]:
    return sorted((SAMPLES / "documents" / language).iterdir())


def office_sources() -> list[Path]:
    return sorted((SAMPLES / "office").glob("*/*.md"))


def made_from(source: Path) -> Path:
    form = re.search(r"^format: (\w+)", source.read_text(encoding="utf-8"), re.M)
    assert form is not None
    return SAMPLES / "documents" / source.parent.name / f"{source.stem}.{form[1]}"


def fragments(source: Path) -> Iterator[tuple[str, bool]]:
    """Headings, paragraphs, list items and cells of a Markdown source, each with whether it is a heading."""
    body = source.read_text(encoding="utf-8").split("---\n", 2)[2].replace("**", "")
    for lump in re.split(r"\n\s*\n|\n(?=[#>|-]|\d+\. )", body):
        cells = lump.split("|") if lump.startswith("|") else [re.sub(r"^(#+|>|-|\d+\.) ", "", lump.strip())]
        for cell in map(normal, cells):
            if cell and not re.fullmatch(r":?-+:?|\*{3}", cell):
                yield cell, lump.lstrip().startswith("#")


def normal(text: str) -> str:
    return " ".join(text.split())


class PageText(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def package_text(path: Path) -> str:
    pieces: list[str] = []

    def walk(element: ET.Element) -> None:
        name = element.tag.rpartition("}")[2]
        edge = "\n" if name in ("p", "is") else ""
        pieces.append(edge)
        if name == "t":
            pieces.append(element.text or "")
        for child in element:
            walk(child)
        pieces.append(edge)

    with zipfile.ZipFile(path) as package:
        for part in sorted(package.namelist()):
            if fnmatch(part, PARTS[path.suffix]):
                walk(ET.fromstring(package.read(part)))
    return "".join(pieces)


@cache
def text_of(path: Path) -> str:
    if path.suffix in PARTS:
        return normal(package_text(path))
    if path.suffix == ".pdf":
        return "\n".join(
            text for text, _ in fragments(SAMPLES / "office" / path.parent.name / f"{path.stem}.md")
        )
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        page = PageText()
        page.feed(text)
        text = " ".join(page.pieces)
    return normal(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_has_the_agreed_fields(language: str) -> None:
    for question in questions(language):
        assert set(question) == FIELDS, question
        assert question["question"].strip() == question["question"] != ""
        assert question["kind"] in KINDS, question
        assert question["answerable"] is bool(question["answer"]) is bool(question["evidence"]), question
        for evidence in question["evidence"]:
            assert set(evidence) == {"document", "quote"}, question
            assert 20 <= len(evidence["quote"]) <= 200, question


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_questions_and_none_twice(language: str) -> None:
    asked = questions(language)
    assert len(asked) >= 160
    assert sum(not question["answerable"] for question in asked) == 32
    for field in ("id", "question"):
        assert [value for value, count in Counter(q[field] for q in asked).items() if count > 1] == []
    assert all(re.fullmatch(rf"{language}-\d{{3}}", question["id"]) for question in asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_document_is_asked_about_and_every_quote_is_in_its_document(language: str) -> None:
    found = [(e["document"], e["quote"]) for question in questions(language) for e in question["evidence"]]
    names = {f"{language}/{path.name}" for path in documents(language)}
    assert {document for document, _ in found} == names
    missing = [(d, q) for d, q in found if normal(q) not in text_of(SAMPLES / "documents" / d)]
    assert missing == []


# Words that carry no topic. Names stay out of the comparison too: a paraphrase may name what it asks about.
ENGLISH_STOP_WORDS = set(
    "a about after all am an and any are as at be been before but by can could did do does down "
    "every for from get had has have he her him his how i if in into is it its just long many may me "
    "more most much must my no not of off on once one only or our out over she should so some such "
    "than that the their them then there these they this those to under until up us was we were what "
    "when where which while who whom whose why will with would you your".split()
)


def english_stems(text: str) -> set[str]:
    words = re.findall(r"(?<![.?] )(?<!^)\b[a-z][a-z'-]+|\b\d[\d.,:]*\b|^\w+|(?<=[.?] )\w+", text)
    return {word.lower().rstrip("'s")[:5] for word in words if word.lower() not in ENGLISH_STOP_WORDS}


def test_sixty_english_questions_share_no_content_word_with_their_evidence() -> None:
    apart = [
        question["id"]
        for question in questions("en")
        if question["answerable"]
        and not english_stems(question["question"])
        & english_stems(" ".join(e["quote"] for e in question["evidence"]))
    ]
    assert len(apart) >= 60


@pytest.mark.parametrize("source", office_sources(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_office_file_says_what_its_source_says(source: Path) -> None:
    made = made_from(source)
    assert made.stat().st_size <= 300_000
    if made.suffix == ".pdf":
        assert made.read_bytes().startswith(b"%PDF-")
        return
    text = text_of(made)
    # A cell that is a number is no string, and the name of a sheet or of the workbook is no cell.
    named = made.suffix == ".xlsx"
    lost = [
        fragment
        for fragment, is_heading in fragments(source)
        if fragment not in text and not (named and (is_heading or re.fullmatch(r"-?[\d.]+", fragment)))
    ]
    assert lost == []


def test_documents_and_questions_are_those_that_were_frozen() -> None:
    check = subprocess.run(
        [sys.executable, SAMPLES / "make_office.py", "--check"], capture_output=True, text=True
    )
    assert (check.returncode, check.stdout) == (0, "")
