"""Readers of documents, one a format, behind one visible table: what a file is, its content says.

A reader takes (path, name) and gives an `Extracted`. They parse what strangers wrote: only the confined child
of process.py may call them.
"""

from importlib import import_module
from pathlib import Path

from twotrack.learning.ingest.errors import DocumentEmpty, TextTooLong
from twotrack.learning.ingest.extracted import Extracted
from twotrack.learning.ingest.readers.detection import media_type

LONGEST_TEXT = 20_000_000
"""Characters of one document; a thousand pages have some three million."""

READERS: dict[str, str] = {
    "text/plain": "plain",
    "text/markdown": "markdown",
    "text/html": "html",
    "text/csv": "table",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/hwp+zip": "hwpx",
    "application/x-hwp": "hwp",
}
"""Media type → module here with `read(path, name)`."""


def read(path: Path, name: str) -> tuple[str, Extracted]:
    """Media type and text of a document; `name` is what people call it, and its ending a hint.

    Raises:
        FormatUnknown, DocumentEncrypted, DocumentEmpty, TextTooLong, PackageSwollen, UnreadableDocument
    """
    if path.stat().st_size == 0:
        raise DocumentEmpty(name=name)
    kind = media_type(path, name)
    extracted: Extracted = import_module(f"{__name__}.{READERS[kind]}").read(path, name)
    if not extracted.text.strip():
        raise DocumentEmpty(name=name)
    if len(extracted.text) > LONGEST_TEXT:
        raise TextTooLong(name=name, limit=LONGEST_TEXT)
    return kind, extracted
