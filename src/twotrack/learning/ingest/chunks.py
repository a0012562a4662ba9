"""Cuts a document into chunks along its headings, sentences and table rows, sized in the embedder's tokens.

A chunk is a slice of the document's text, never put together anew, so that a citation can show it where it
stands. What a reader of the slice would miss travels beside it: the path of headings above it, and for rows
of a table the table's header row. Both go into what is embedded and indexed (`stores.schemas.indexed_text`).
"""

import re
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from twotrack.learning.ingest.extracted import Extracted
from twotrack.stores.schemas import ChunkingRule, NewChunk

RULE = ChunkingRule(tokens=200, overlap=40, version=2)
"""Short enough to be one matter, long enough to answer by itself."""

_SHARE = 0.75
"""Of what an embedder takes at once; the rest is for title and headings."""


def rule_for(longest: int) -> ChunkingRule:
    """RULE, or one with shorter chunks for an embedder that takes only `longest` tokens at once."""
    tokens = max(16, min(RULE.tokens, int(longest * _SHARE)))
    return RULE.model_copy(
        update={"tokens": tokens, "overlap": min(RULE.overlap, tokens * RULE.overlap // RULE.tokens)}
    )


Count = Callable[[Sequence[str]], Awaitable[list[int]]]

# After the mark that ends a sentence, with closing quotes and brackets; not after a number ("3. Fees"), an
# initial or a usual abbreviation. A Korean sentence ends with the same marks.
_SENTENCE_END = re.compile(
    r"(?<![0-9A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bNo)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)"
    r"[.!?。！？…]+[\"'”’)\]」』]*(?=\s)|(?<=[0-9A-Z])[!?。！？]+(?=\s)|(?<=[가-힣])\.(?=[가-힣])|\n+"
)
_HEADING_LENGTH = 160


@dataclass(frozen=True)
class _Unit:
    """What is never cut: a sentence, a row, or a piece of one that is too long by itself."""

    start: int
    stop: int
    tokens: int


@dataclass(frozen=True)
class _Section:
    """What lies between two headings, or a table within that."""

    heading: str
    spans: list[tuple[int, int]]


async def cut(document: Extracted, count: Count, rule: ChunkingRule = RULE) -> list[NewChunk]:
    """The chunks of a document in their order; none of a document without text."""
    chunks: list[NewChunk] = []
    for section in _sections(document):
        texts = [document.text[start:stop] for start, stop in section.spans]
        tokens = await count(texts)
        units = [
            unit
            for (start, stop), size in zip(section.spans, tokens, strict=True)
            for unit in _pieces(document.text, start, stop, size, rule.tokens)
        ]
        for run in _packed(units, rule):
            start, stop = run[0].start, run[-1].stop
            chunks.append(
                NewChunk(
                    position=len(chunks),
                    start=start,
                    stop=stop,
                    tokens=sum(unit.tokens for unit in run),
                    text=document.text[start:stop],
                    page=_page(document.pages, start),
                    heading=section.heading,
                )
            )
    return chunks


def _sections(document: Extracted) -> list[_Section]:
    sections: list[_Section] = []
    path: list[tuple[int, str]] = []
    spans: list[tuple[int, int]] = []
    table = ""

    def close() -> None:
        nonlocal spans
        if spans:
            heading = " › ".join(title for _, title in path)
            sections.append(_Section(" › ".join(filter(None, (heading, table))), spans))
        spans = []

    for block in document.blocks:
        text = document.text[block.start : block.stop]
        if block.kind == "heading":
            close()
            table = ""
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, text[:_HEADING_LENGTH]))
            # A heading goes with what it heads: a chunk that begins with it says what it is about.
            spans = [(block.start, block.stop)]
        elif block.kind == "paragraph":
            if table:
                close()
                table = ""
            spans.extend(_sentences(text, block.start))
        else:
            if block.kind == "header_row":
                if spans and (table or not _only_heading(document, spans)):
                    close()
                table = text[:_HEADING_LENGTH]
            spans.append((block.start, block.stop))
    close()
    return sections


def _only_heading(document: Extracted, spans: Sequence[tuple[int, int]]) -> bool:
    return len(spans) == 1 and any(
        block.kind == "heading" and block.start == spans[0][0] for block in document.blocks
    )


def _sentences(text: str, offset: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    for stop in [*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:stop]
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            spans.append((offset + begin, offset + begin + len(piece.strip())))
        start = stop
    return spans


def _pieces(text: str, start: int, stop: int, tokens: int, limit: int) -> list[_Unit]:
    """A span that is too long by itself in even pieces, cut between words where there are any."""
    if tokens <= limit:
        return [_Unit(start, stop, tokens)]
    parts = -(-tokens // max(1, limit * 3 // 4))
    size = max(1, -(-(stop - start) // parts))
    units: list[_Unit] = []
    while start < stop:
        end = min(stop, start + size)
        if end < stop and (space := text.rfind(" ", start + size // 2, end)) > 0:
            end = space + 1
        units.append(_Unit(start, end, max(1, tokens * (end - start) // (size * parts))))
        start = end
    return units


def _packed(units: Sequence[_Unit], rule: ChunkingRule) -> list[list[_Unit]]:
    """Runs of units of at most rule.tokens, each beginning with the end of the run before it."""
    runs: list[list[_Unit]] = []
    run: list[_Unit] = []
    size = 0
    for unit in units:
        if run and size + unit.tokens > rule.tokens:
            runs.append(run)
            run = _tail(run, min(rule.overlap, rule.tokens - unit.tokens))
            size = sum(one.tokens for one in run)
        run.append(unit)
        size += unit.tokens
    return [*runs, run] if run else runs


def _tail(run: Sequence[_Unit], tokens: int) -> list[_Unit]:
    kept: list[_Unit] = []
    for unit in reversed(run[1:]):
        tokens -= unit.tokens
        if tokens < 0:
            break
        kept.insert(0, unit)
    return kept


def _page(pages: Sequence[int] | None, place: int) -> int | None:
    return None if pages is None else max(1, bisect_right(pages, place))
