"""Workbooks: each sheet a page and a heading, its rows a table; formulas as the values that they had."""

import datetime
import warnings
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException

from twotrack.learning.ingest.errors import UnreadableDocument, damaged
from twotrack.learning.ingest.extracted import Composer, Extracted

_WIDEST = 256
"""Columns; what stands further to the right is no table that people read."""


def read(path: Path, name: str) -> Extracted:
    try:
        with warnings.catch_warnings():
            # It tells of every extension of the format that it does not keep.
            warnings.simplefilter("ignore")
            # By an open file: a path must end in .xlsx.
            with path.open("rb") as file:
                return _read(file)
    except (
        *(InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError),
        *(zipfile.BadZipFile, SyntaxError, etree.LxmlError),
    ) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error


def _read(file: Any) -> Extracted:
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    composer = Composer()
    for sheet in workbook.worksheets:
        composer.page()
        composer.heading(sheet.title, 1)
        # What a sheet says of its own size may be wrong, or a million empty rows.
        sheet.reset_dimensions()
        table: list[list[str]] = []
        for row in sheet.iter_rows(max_col=_WIDEST):
            cells = [_shown(cell) for cell in row]
            if any(cells):
                table.append(cells)
            elif table:
                composer.table(table)
                table = []
        composer.table(table)
    about = workbook.properties
    return composer.finish(
        title=about.title,
        author=about.creator if about.creator != "openpyxl" else None,
        created=about.created.date().isoformat() if about.created else None,
    )


def _shown(cell: Any) -> str:
    """About as the program shows it: its number formats in full would be a program of their own."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, float | int):
        form = str(cell.number_format).split(";")[0]
        if "%" in form:
            return f"{value * 100:.{_decimals(form)}f}%"
        if form != "General" and ("0" in form or "#" in form):
            return f"{value:{',' if ',' in form else ''}.{_decimals(form)}f}"
        return f"{value:.12g}" if isinstance(value, float) else str(value)
    return str(value)


def _decimals(form: str) -> int:
    _, _, after = form.partition(".")
    return len(after) - len(after.lstrip("0"))
