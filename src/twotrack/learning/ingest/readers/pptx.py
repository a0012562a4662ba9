"""Presentations: each slide a page, its title a heading, then shapes, tables and the speaker's notes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pptx
from lxml import etree
from pptx.exc import PackageNotFoundError

from twotrack.learning.ingest.errors import UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted


def read(path: Path, name: str) -> Extracted:
    try:
        presentation = pptx.Presentation(str(path))
        composer = Composer()
        for slide in presentation.slides:
            composer.page()
            title = slide.shapes.title
            if title is not None and title.has_text_frame:
                composer.heading(_lines(title.text_frame.text), 1)
            for shape in _flat(slide.shapes):
                if title is not None and shape.shape_id == title.shape_id:
                    continue
                if getattr(shape, "has_table", False):
                    composer.table([[cell.text for cell in row.cells] for row in shape.table.rows])
                elif shape.has_text_frame:
                    composer.paragraph(_lines(shape.text_frame.text))
            if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
                composer.paragraph(_lines(slide.notes_slide.notes_text_frame.text))
        about = presentation.core_properties
        return composer.finish(
            title=about.title,
            author=about.author,
            created=about.created.date().isoformat() if about.created else None,
        )
    except (PackageNotFoundError, KeyError, ValueError, AttributeError, etree.LxmlError) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    """With those in groups, in groups of groups too."""
    waiting = list(shapes)[::-1]
    while waiting:
        shape = waiting.pop()
        inner = getattr(shape, "shapes", None)
        if inner is None:
            yield shape
        else:
            waiting.extend(list(inner)[::-1])


def _lines(text: str) -> str:
    # A vertical tab is a line break within a paragraph.
    return text.replace("\v", "\n")
