"""Makes the office files among the sample documents out of their Markdown sources.

    python samples/make_office.py [en | ko | ko/NAME …]   office/ko/NAME.md → documents/ko/NAME.hwpx
    python samples/make_office.py --freeze [en | ko …]    writes the hash of a language into questions/FROZEN
    python samples/make_office.py --check                 exits with 1 if a frozen language has changed

A source begins with front matter (`format`, `title`, `date`, for a PDF also `page`). What is made depends on
the source alone: times inside the files come from `date`, so that making them again changes nothing in git.
PDF needs a Chromium (`CHROMIUM` names it) and pikepdf; the rest needs python-docx, python-pptx and openpyxl.
"""

import argparse
import hashlib
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from office_source import (
    Block,
    Heading,
    Items,
    PageBreak,
    Paragraph,
    Quotation,
    Source,
    Table,
    plain,
    read_source,
    runs,
)

SAMPLES = Path(__file__).resolve().parent
LANGUAGES = ("en", "ko")
FROZEN = SAMPLES / "questions" / "FROZEN"
PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def write_docx(source: Source) -> bytes:
    import docx
    from docx.enum.text import WD_BREAK
    from docx.oxml.ns import qn

    document = docx.Document()
    normal = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
    normal.set(qn("w:eastAsia"), "Malgun Gothic")

    def fill(paragraph: Any, text: str) -> None:
        for piece, bold in runs(text):
            paragraph.add_run(piece).bold = bold or None

    for block in source.blocks:
        match block:
            case Heading(level, text):
                document.add_heading(plain(text), level - 1)
            case Paragraph(text):
                fill(document.add_paragraph(), text)
            case Quotation(text):
                fill(document.add_paragraph(style="Intense Quote"), text)
            case Items(ordered, texts):
                for text in texts:
                    fill(document.add_paragraph(style="List Number" if ordered else "List Bullet"), text)
            case Table(rows):
                grid = document.add_table(len(rows), len(rows[0]), style="Table Grid")
                for row, cells in zip(rows, grid.rows, strict=True):
                    for text, cell in zip(row, cells.cells, strict=True):
                        fill(cell.paragraphs[0], text)
            case PageBreak():
                document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    _set_properties(document.core_properties, source)
    return _saved(document.save, source)


def write_pptx(source: Source) -> bytes:
    import pptx
    from pptx.util import Inches, Pt

    show = pptx.Presentation()
    slide = body = None
    for block in source.blocks:
        if isinstance(block, Heading) and block.level <= 2:
            slide = show.slides.add_slide(show.slide_layouts[0 if block.level == 1 else 1])
            slide.shapes.title.text = plain(block.text)
            body = slide.placeholders[1].text_frame
            continue
        if slide is None or body is None:
            raise ValueError(f"{source.name}: a slide must begin with a heading")
        match block:
            case Heading(_, text) | Paragraph(text):
                _add_line(body, text, Pt(16))
            case Items(_, texts):
                for text in texts:
                    _add_line(body, text, Pt(16))
            case Quotation(text):
                slide.notes_slide.notes_text_frame.text = plain(text)
            case Table(rows):
                frame = slide.shapes.add_table(
                    len(rows), len(rows[0]), Inches(0.5), Inches(3.4), Inches(9), Inches(0.35 * len(rows))
                )
                for row, cells in zip(rows, frame.table.rows, strict=True):
                    for text, cell in zip(row, cells.cells, strict=True):
                        cell.text = plain(text)
                        cell.text_frame.paragraphs[0].font.size = Pt(12)
    _set_properties(show.core_properties, source)
    return _saved(show.save, source)


def _add_line(frame: Any, text: str, size: int) -> None:
    paragraph = frame.paragraphs[0] if not frame.text else frame.add_paragraph()
    for piece, bold in runs(text):
        run = paragraph.add_run()
        run.text, run.font.bold, run.font.size = piece, bold or None, size


def write_xlsx(source: Source) -> bytes:
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    book.remove(book.active)
    sheet = None
    for block in source.blocks:
        if isinstance(block, Heading) and block.level <= 2:
            if block.level == 2:
                sheet = book.create_sheet(block.text)
            continue
        if sheet is None:
            raise ValueError(f"{source.name}: a `## ` heading, the name of a sheet, must come first")
        match block:
            case Heading(_, text):
                sheet.append([plain(text)])
                sheet.cell(sheet.max_row, 1).font = Font(bold=True)
            case Paragraph(text) | Quotation(text):
                sheet.append([plain(text)])
            case Items(_, texts):
                for text in texts:
                    sheet.append([plain(text)])
            case Table(rows):
                for index, row in enumerate(rows):
                    sheet.append([_cell_value(plain(cell)) for cell in row])
                    if index == 0:
                        for cell in sheet[sheet.max_row]:
                            cell.font = Font(bold=True)
    _set_properties(book.properties, source)
    return _saved(book.save, source)


def _cell_value(text: str) -> str | int | float:
    if not PLAIN_NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def write_pdf(source: Source) -> bytes:
    import pikepdf

    program = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        raise FileNotFoundError("no Chromium found to print PDF with: install it or name it in CHROMIUM")
    made, stamp = io.BytesIO(), source.date.strftime("D:%Y%m%d%H%M%S+00'00'")
    with tempfile.TemporaryDirectory() as folder:
        page, pdf = Path(folder, "page.html"), Path(folder, "page.pdf")
        page.write_text(_html(source), encoding="utf-8")
        options = [
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
        ]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses its sandbox to root; the page is our own.
        subprocess.run(
            [program, *options, f"--print-to-pdf={pdf}", page.as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )
        with pikepdf.open(pdf) as document:
            document.docinfo["/CreationDate"] = document.docinfo["/ModDate"] = stamp
            # Chromium leaves the many small objects of its fonts and tags unpacked: half of the file.
            streams = pikepdf.ObjectStreamMode.generate
            document.save(made, object_stream_mode=streams, recompress_flate=True, deterministic_id=True)
    return made.getvalue()


def _html(source: Source) -> str:
    # A paragraph is never split over two pages: the footer would stand in the middle of its text.
    # A second weight of a Korean font would add half of the file's size.
    style = f"""
      @page {{ size: {source.front.get("page", "A4")}; margin: 18mm 16mm 20mm;
               @bottom-center {{ content: "{source.title} · " counter(page); font-size: 8pt }} }}
      body {{ font: 10.5pt/1.5 "Noto Sans", "Noto Sans CJK KR", sans-serif; word-break: keep-all }}
      p, li, tr, blockquote {{ break-inside: avoid }}
      h1, h2, h3, h4 {{ break-after: avoid; line-height: 1.25 }}
      * {{ font-weight: normal }}
      table {{ border-collapse: collapse; width: 100% }}
      th, td {{ border: 0.5pt solid; padding: 1mm 2mm; text-align: left; vertical-align: top }}
      hr {{ break-after: page; border: 0; margin: 0 }}
    """
    body = "\n".join(map(_html_block, source.blocks))
    return (
        f'<!doctype html><html lang="{source.language}"><meta charset="utf-8">'
        f"<title>{html.escape(source.title)}</title><style>{style}</style><body>{body}</body></html>"
    )


def _html_block(block: Block) -> str:
    def inline(text: str) -> str:
        return "".join(f"<b>{html.escape(t)}</b>" if bold else html.escape(t) for t, bold in runs(text))

    match block:
        case Heading(level, text):
            return f"<h{level}>{inline(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{inline(text)}</p>"
        case Quotation(text):
            return f"<blockquote>{inline(text)}</blockquote>"
        case Items(ordered, texts):
            tag = "ol" if ordered else "ul"
            return f"<{tag}>" + "".join(f"<li>{inline(text)}</li>" for text in texts) + f"</{tag}>"
        case Table(rows):
            tags = ["th"] + ["td"] * (len(rows) - 1)
            cells = [
                "".join(f"<{tag}>{inline(c)}</{tag}>" for c in row)
                for tag, row in zip(tags, rows, strict=True)
            ]
            return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
        case PageBreak():
            return "<hr>"


def write_hwpx(source: Source) -> bytes:
    import hwpx_package

    lines: list[hwpx_package.Line | hwpx_package.Grid] = []
    for block in source.blocks:
        match block:
            case Heading(level, text):
                lines.append(hwpx_package.Line(plain(text), level))
            case Paragraph(text) | Quotation(text):
                lines.append(hwpx_package.Line(plain(text)))
            case Items(ordered, texts):
                marks = (f"{index}." if ordered else "•" for index, _ in enumerate(texts, 1))
                lines += [hwpx_package.Line(f"{m} {plain(t)}") for m, t in zip(marks, texts, strict=True)]
            case Table(rows):
                lines.append([[plain(cell) for cell in row] for row in rows])
            case PageBreak():
                pass
    return hwpx_package.package(source.title, source.language, source.date, lines)


def _set_properties(properties: Any, source: Source) -> None:
    properties.title, properties.language = source.title, source.language
    properties.author = properties.creator = "Nurimae"
    properties.last_modified_by = properties.lastModifiedBy = "Nurimae"
    properties.created = properties.modified = source.date


def _saved(save: Callable[[io.BytesIO], None], source: Source) -> bytes:
    """The saved package with every time of the clock in it replaced by the date of the source."""
    first, made = io.BytesIO(), io.BytesIO()
    save(first)
    with zipfile.ZipFile(first) as read, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as write:
        for name in read.namelist():
            data = read.read(name)
            if name == "docProps/core.xml":
                stamp = source.date.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                data = re.sub(rb"(W3CDTF\">)[^<]+", rb"\g<1>" + stamp, data)
            write.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


WRITERS: dict[str, Callable[[Source], bytes]] = {
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "pdf": write_pdf,
    "hwpx": write_hwpx,
}


def language_hash(language: str) -> str:
    """SHA-256 over the names and contents of a language's documents and questions, in order of name."""
    paths = [*(SAMPLES / "documents" / language).rglob("*"), SAMPLES / "questions" / f"{language}.jsonl"]
    total = hashlib.sha256()
    for name in sorted(path.relative_to(SAMPLES).as_posix() for path in paths if path.is_file()):
        total.update(f"{name}\n{hashlib.sha256((SAMPLES / name).read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def frozen() -> dict[str, str]:
    """Language → hash, as FROZEN has it."""
    lines = FROZEN.read_text(encoding="utf-8").split("\n") if FROZEN.exists() else []
    return dict(line.split() for line in lines if line)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="*", metavar="en | ko | LANGUAGE/NAME", default=list(LANGUAGES))
    parser.add_argument("--freeze", action="store_true", help="write the hashes into FROZEN, make nothing")
    parser.add_argument("--check", action="store_true", help="compare with FROZEN, make nothing")
    arguments = parser.parse_args()
    if arguments.check:
        changed = [language for language, value in frozen().items() if value != language_hash(language)]
        sys.stdout.write(
            "".join(f"{language}: documents or questions changed since FROZEN\n" for language in changed)
        )
        return 1 if changed else 0
    if arguments.freeze:
        hashes = frozen() | {language: language_hash(language) for language in arguments.what}
        FROZEN.write_text("".join(f"{language} {value}\n" for language, value in sorted(hashes.items())))
        return 0
    for what in arguments.what:
        language, _, name = what.partition("/")
        for path in sorted((SAMPLES / "office" / language).glob(f"{name or '*'}.md")):
            source = read_source(path)
            target = SAMPLES / "documents" / language / f"{path.stem}.{source.front['format']}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(WRITERS[source.front["format"]](source))
            sys.stdout.write(f"{target.relative_to(SAMPLES)}  {target.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
