"""HTML: what a reader of the page sees, in its blocks; scripts, navigation and what is hidden stay out."""

import re
from pathlib import Path

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import UnreadableDocument
from twotrack.learning.ingest.extracted import Composer, Extracted
from twotrack.learning.ingest.readers.decoding import decode

_LEFT_OUT = frozenset(
    "head script style noscript template svg math iframe object canvas nav button select textarea".split()
)
_INLINE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp small span "
    "strong sub sup time tt u var wbr".split()
)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]{2,30})", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def read(path: Path, name: str) -> Extracted:
    data = path.read_bytes()
    announced = _CHARSET.search(data[:4096])
    text = decode(data, announced[1].decode() if announced else None)
    try:
        # Without its declaration lxml takes a text as it is.
        root = document_fromstring(
            re.sub(r"^\s*<\?xml[^>]*\?>", "", text), parser=HTMLParser(no_network=True)
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise UnreadableDocument(
            name=name, why=Text("there is no HTML in it", "HTML을 찾을 수 없습니다")
        ) from error
    title = " ".join((root.findtext(".//title") or "").split())
    return _Page().compose(root, title)


class _Page:
    def __init__(self) -> None:
        self._composer = Composer()
        self._inline: list[str] = []

    def compose(self, root: HtmlElement, title: str) -> Extracted:
        # Walked without recursion: how deep a page is nested is its author's choice.
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                if self._begin(element):
                    walk.skip_subtree()
            elif event == "end":
                if _is_block(element):
                    self._release()
                self._inline.append(element.tail or "")
            else:
                self._inline.append(element.tail or "")
        self._release()
        return self._composer.finish(title=title, language=(root.get("lang") or "")[:16])

    def _begin(self, element: HtmlElement) -> bool:
        """Whether all of the element is dealt with."""
        tag = element.tag
        if tag in _LEFT_OUT or element.get("hidden") is not None or _HIDDEN.search(element.get("style", "")):
            return True
        if re.fullmatch("h[1-6]", tag):
            self._release()
            self._composer.heading(_text(element), int(tag[1]))
            return True
        if tag == "table" and element.find(".//table") is None:
            self._release()
            self._table(element)
            return True
        if tag == "br":
            self._inline.append("\n")
        elif _is_block(element):
            self._release()
        self._inline.append(element.text or "")
        return False

    def _table(self, table: HtmlElement) -> None:
        if (caption := table.find("caption")) is not None:
            self._composer.paragraph(_text(caption))
        rows = [[_text(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        self._composer.table(rows)

    def _release(self) -> None:
        lines = (" ".join(line.split()) for line in _collapsed(self._inline).split("\n"))
        self._composer.paragraph("\n".join(line for line in lines if line))
        self._inline.clear()


def _collapsed(parts: list[str]) -> str:
    """A newline in the source is a space; one that <br> made stands alone."""
    return "".join("\n" if part == "\n" else part.replace("\n", " ") for part in parts)


def _text(element: HtmlElement) -> str:
    """Of a heading or cell: its lines and paragraphs parted by spaces."""
    parts: list[str] = []
    for event, one in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        seen = isinstance(one.tag, str) and one.tag not in ("script", "style")
        if event == "start" and seen:
            parts += [" " if _is_block(one) or one.tag == "br" else "", one.text or ""]
        elif event != "start" and one is not element:
            parts += [" " if seen and _is_block(one) else "", one.tail or ""]
    return " ".join("".join(parts).split())


def _is_block(element: HtmlElement) -> bool:
    return isinstance(element.tag, str) and element.tag not in _INLINE and element.tag != "br"
