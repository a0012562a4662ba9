"""What a file is: by its first bytes and, in a package, its entries. A name decides between texts alone."""

import zipfile
from pathlib import Path

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import (
    DocumentEncrypted,
    FormatUnknown,
    PackageSwollen,
    UnreadableDocument,
    damaged,
)

_OFFICE = "application/vnd.openxmlformats-officedocument."
_BY_ENTRY = {
    "word/document.xml": f"{_OFFICE}wordprocessingml.document",
    "ppt/presentation.xml": f"{_OFFICE}presentationml.presentation",
    "xl/workbook.xml": f"{_OFFICE}spreadsheetml.sheet",
    "Contents/section0.xml": "application/hwp+zip",
}
_BY_ENDING = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
}
_OLD_OFFICE = ("WordDocument", "Workbook", "Book", "PowerPoint Document")

_UNPACKED_MIB = 512
_ENTRIES = 20_000
_HEAD = 65_536


def media_type(path: Path, name: str) -> str:
    """
    Raises:
        FormatUnknown, DocumentEncrypted, PackageSwollen, UnreadableDocument
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return _package(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _compound_file(path, name)
    if _is_binary(head):
        raise FormatUnknown(name=name, why=Text("its bytes are no text", "글이 아닌 바이트입니다"))
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if begin.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return _BY_ENDING.get(Path(name.lower()).suffix, "text/plain")


def _package(path: Path, name: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error
    # What a directory entry says is what zipfile unpacks at most.
    size = sum(entry.file_size for entry in entries)
    if size > _UNPACKED_MIB * 2**20 or len(entries) > _ENTRIES:
        raise PackageSwollen(name=name, size_mib=size // 2**20, limit_mib=_UNPACKED_MIB)
    names = {entry.filename for entry in entries}
    for entry, kind in _BY_ENTRY.items():
        if entry in names:
            if any(one.flag_bits & 1 for one in entries):
                raise DocumentEncrypted(name=name)
            return kind
    raise FormatUnknown(
        name=name, why=Text("a ZIP archive that is no document", "문서가 아닌 ZIP 압축 파일입니다")
    )


def _compound_file(path: Path, name: str) -> str:
    import olefile

    try:
        with olefile.OleFileIO(path) as container:
            if container.exists("FileHeader"):
                return "application/x-hwp"
            if container.exists("EncryptedPackage"):
                raise DocumentEncrypted(name=name)
            if any(container.exists(stream) for stream in _OLD_OFFICE):
                raise FormatUnknown(
                    name=name,
                    why=Text(
                        "Office's form of before 2007; save it as DOCX, XLSX or PPTX",
                        "2007년 이전 Office 형식입니다. DOCX, XLSX, PPTX로 저장하세요",
                    ),
                )
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise UnreadableDocument(name=name, why=damaged(error)) from error
    raise FormatUnknown(name=name, why=Text("a container that is no document", "문서가 아닌 복합 파일입니다"))


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    return b"\0" in head or controls * 50 > len(head)
