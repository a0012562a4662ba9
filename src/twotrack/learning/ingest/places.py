"""Where documents come from: a folder or file, uploads, URLs; each becomes a list of items."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import DocumentInaccessible, NothingToIngest, PathMissing
from twotrack.learning.ingest.formats import ENDINGS
from twotrack.stores.schemas import Origin

_LONGEST_NAME = 300


@dataclass(frozen=True)
class Item:
    """One document to be taken in. `source` names it within its collection."""

    source: str
    origin: Origin
    path: Path | None = None
    """None where it must be fetched first: `source` is its URL."""

    @property
    def name(self) -> str:
        return self.source.rpartition("/")[2] or self.source


@dataclass(frozen=True)
class Place:
    items: tuple[Item, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    """What every document from here carries."""
    folder_id: str | None = None
    whole: bool = False
    """Whether everything of that folder is among the items: what is not has been deleted."""
    skipped: int = 0
    unreadable: tuple[tuple[str, OSError], ...] = ()
    """Folders below it that the system does not let be read."""


def of_path(path: Path) -> Place:
    """A folder with what lies below it, or one file.

    Links that lead out of the folder are left alone: whoever may put a file there need not be allowed to read
    what they lead to.

    Raises:
        PathMissing, DocumentInaccessible, NothingToIngest
    """
    try:
        real = path.resolve(strict=True)
    except PermissionError as error:
        raise DocumentInaccessible(name=str(path), why=error.strerror or str(error)) from error
    except (OSError, RuntimeError) as error:
        raise PathMissing(path=str(path)) from error
    if real.is_file():
        identity = _identity(real.parent)
        return Place(
            (Item(_printable(real.name), "folder", real),), _metadata(real.parent, identity), identity
        )
    unreadable: list[OSError] = []
    found = sorted(set(files_below(real, unreadable)))
    taken = [file for file in found if file.suffix.lower() in ENDINGS]
    if not taken and unreadable:
        raise DocumentInaccessible(name=str(path), why=unreadable[0].strerror or str(unreadable[0]))
    if not taken:
        raise NothingToIngest(why=Text(f"no document lies below {path}", f"폴더에 문서가 없습니다: {path}"))
    identity = _identity(real)
    names = _distinct([_printable(file.relative_to(real).as_posix()) for file in taken])
    return Place(
        tuple(Item(name, "folder", file) for name, file in zip(names, taken, strict=True)),
        _metadata(real, identity),
        identity,
        whole=not unreadable,
        skipped=len(found) - len(taken),
        unreadable=tuple((_below(error.filename, real), error) for error in unreadable),
    )


def of_uploads(folder: Path, names: Sequence[str]) -> Place:
    """Uploads lie in `folder` under their number."""
    return Place(
        tuple(Item(name, "upload", folder / str(number)) for number, name in enumerate(_distinct(names)))
    )


def of_urls(urls: Sequence[str]) -> Place:
    return Place(tuple(Item(url, "url") for url in dict.fromkeys(urls)))


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that came out alike ("a\\nb.txt" and "ab.txt", two spellings of one Hangul name) are numbered."""
    made: list[str] = []
    taken = set(names)
    seen: set[str] = set()
    for name in names:
        number = 2
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            stem, dot, ending = name.rpartition(".")
            chosen = f"{stem} ({number}){dot}{ending}" if dot else f"{name} ({number})"
            number += 1
        seen.add(chosen)
        made.append(chosen)
    return made


def _below(path: str, root: Path) -> str:
    folder = Path(path)
    return _printable((folder.relative_to(root) if folder.is_relative_to(root) else folder).as_posix()) + "/"


def upload_name(given: str) -> str:
    """What an uploaded file is called, with the folders that a browser sends along; no path to follow."""
    parts = [part for part in _printable(given.replace("\\", "/")).split("/") if part.strip(" .")]
    return "/".join(parts) or "document"


def name_for_reader(name: str, media_type: str) -> str:
    """A page's address seldom ends like a file's name."""
    ending = {"text/html": ".html", "text/markdown": ".md", "text/csv": ".csv"}.get(media_type)
    return name if ending is None or Path(name.lower()).suffix in ENDINGS else f"{name}{ending}"


def files_below(root: Path, unreadable: list[OSError] | None = None) -> Iterator[Path]:
    """All but hidden ones and what programs put there; folders that cannot be read are noted."""
    note = None if unreadable is None else unreadable.append
    for folder, folders, names in os.walk(root, onerror=note):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for name in names:
            file = Path(folder, name)
            if name.startswith((".", "~$")):
                continue
            if file.is_symlink() and not file.resolve().is_relative_to(root):
                continue
            if (file := file.resolve() if file.is_symlink() else file).is_file():
                yield file


def _identity(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _metadata(folder: Path, identity: str) -> dict[str, str]:
    return {"folder": _printable(folder.name), "folder_id": identity}


def _printable(name: str) -> str:
    """Without control characters and bytes that are no text; cut to a length that people still read."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return "".join(c for c in text if c.isprintable())[-_LONGEST_NAME:]
