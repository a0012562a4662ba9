"""Plain text: paragraphs between empty lines."""

import re
from pathlib import Path

from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.learning.ingest.readers.decoding import decode


def read(path: Path, name: str) -> Extracted:
    composer = Composer()
    for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)+", decode(path.read_bytes())):
        composer.paragraph(paragraph)
    return composer.finish()
