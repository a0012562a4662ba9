"""Which files are taken in, and how large they may be: one table for folders, uploads and the API."""

from dataclasses import dataclass

from twotrack.core.language import Text

LARGEST_DOCUMENT = 200 * 2**20
LARGEST_UPLOAD = 2 * 2**30
"""Bytes of one request with all its files."""
MOST_FILES = 2000
"""Of one request."""
MOST_URLS = 200

_OFFICE = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True)
class Format:
    name: Text
    media_type: str
    endings: tuple[str, ...]


def _named(name: str, media_type: str, *endings: str) -> Format:
    return Format(Text(name, name), media_type, endings)


FORMATS = (
    _named("PDF", "application/pdf", ".pdf"),
    _named("Word", f"{_OFFICE}wordprocessingml.document", ".docx"),
    _named("PowerPoint", f"{_OFFICE}presentationml.presentation", ".pptx"),
    _named("Excel", f"{_OFFICE}spreadsheetml.sheet", ".xlsx"),
    _named("HWPX", "application/hwp+zip", ".hwpx"),
    _named("HWP 5", "application/x-hwp", ".hwp"),
    _named("HTML", "text/html", ".html", ".htm", ".xhtml"),
    Format(Text("Markdown", "마크다운"), "text/markdown", (".md", ".markdown")),
    _named("CSV", "text/csv", ".csv", ".tsv"),
    Format(Text("plain text", "일반 텍스트"), "text/plain", (".txt", ".text", ".log")),
)

_REFUSED = (".doc", ".ppt", ".xls")
"""Old forms: taken up all the same, to be refused with a word on what to do about them."""

ENDINGS = frozenset(ending for one in FORMATS for ending in one.endings) | frozenset(_REFUSED)
"""What is taken from a folder; of other files only their number is told."""
