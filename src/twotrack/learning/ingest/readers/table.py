"""CSV and TSV: one table, its first row the header."""

import csv
import io
from pathlib import Path

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import UnreadableDocument
from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.learning.ingest.readers.decoding import decode


def read(path: Path, name: str) -> Extracted:
    text = decode(path.read_bytes())
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = list(csv.reader(io.StringIO(text), dialect))
    except csv.Error as error:
        raise UnreadableDocument(
            name=name, why=Text(f"a row is broken: {error}", f"행이 깨져 있습니다: {error}")
        ) from error
    composer = Composer()
    composer.table(rows)
    return composer.finish(rows=max(0, len(rows) - 1))
