"""A small OWPML package (.hwpx, KS X 6101): headings, paragraphs and tables, nothing else.

Written by hand, since no library writes the format. `make_office.py` is its only user.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

HANCOM = "http://www.hancom.co.kr/hwpml/2011"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
# Measures are HWPUNIT, 1/7200 inch: A4 is 59528 × 84188, its text 42520 wide.
TEXT_WIDTH = 42520
ROW_HEIGHT = 1800
SCRIPTS = ("HANGUL", "LATIN", "HANJA", "JAPANESE", "OTHER", "SYMBOL", "USER")
# Height in 1/100 point: body, then headings of level 1 to 4.
SIZES = (1000, 1800, 1400, 1200, 1100)


@dataclass(frozen=True)
class Line:
    """A paragraph; level 0 is body text, 1 to 4 are headings."""

    text: str
    level: int = 0


Grid = Sequence[Sequence[str]]


def package(title: str, language: str, date: datetime, lines: Sequence[Line | Grid]) -> bytes:
    preview = "\n".join(
        line.text if isinstance(line, Line) else "\n".join("\t".join(r) for r in line) for line in lines
    )
    parts = {
        # A reader tells the format by this entry: it comes first and is not compressed.
        "mimetype": "application/hwp+zip",
        "version.xml": _VERSION,
        "META-INF/container.xml": _CONTAINER,
        "META-INF/manifest.xml": _MANIFEST,
        "Contents/content.hpf": _content(title, language, date),
        "Contents/header.xml": _header(),
        "Contents/section0.xml": _section(lines),
        "settings.xml": _SETTINGS,
        "Preview/PrvText.txt": preview[:1000],
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), text.encode(), method)
    return made.getvalue()


_VERSION = f"""{DECLARATION}
<hv:HCFVersion xmlns:hv="{HANCOM}/version" tagetApplication="WORDPROCESSOR" major="5" minor="1" micro="0"
  buildNumber="1" os="1" xmlVersion="1.4" application="Twotrack samples" appVersion="1"/>"""

_CONTAINER = f"""{DECLARATION}
<ocf:container xmlns:ocf="urn:oasis:names:tc:opendocument:xmlns:container"
  xmlns:hpf="http://www.hancom.co.kr/schema/2011/hpf"><ocf:rootfiles>
<ocf:rootfile full-path="Contents/content.hpf" media-type="application/hwpml-package+xml"/>
<ocf:rootfile full-path="Preview/PrvText.txt" media-type="text/plain"/>
</ocf:rootfiles></ocf:container>"""

_MANIFEST = f"""{DECLARATION}
<odf:manifest xmlns:odf="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"""

_SETTINGS = f"""{DECLARATION}
<ha:HWPApplicationSetting xmlns:ha="{HANCOM}/app">
<ha:CaretPosition listIDRef="0" paraIDRef="0" pos="0"/></ha:HWPApplicationSetting>"""


def _content(title: str, language: str, date: datetime) -> str:
    stamp = date.strftime("%Y-%m-%dT%H:%M:%SZ")
    items = (
        ("header", "Contents/header.xml"),
        ("section0", "Contents/section0.xml"),
        ("settings", "settings.xml"),
    )
    manifest = "".join(
        f'<opf:item id="{name}" href="{path}" media-type="application/xml"/>' for name, path in items
    )
    return f"""{DECLARATION}
<opf:package xmlns:opf="http://www.idpf.org/2007/opf/" version="" unique-identifier="" id="">
<opf:metadata><opf:title>{escape(title)}</opf:title><opf:language>{language}</opf:language>
<opf:meta name="creator" content="text">Nurimae</opf:meta>
<opf:meta name="CreatedDate" content="text">{stamp}</opf:meta>
<opf:meta name="ModifiedDate" content="text">{stamp}</opf:meta></opf:metadata>
<opf:manifest>{manifest}</opf:manifest>
<opf:spine><opf:itemref idref="header" linear="yes"/><opf:itemref idref="section0" linear="yes"/></opf:spine>
</opf:package>"""


def _header() -> str:
    faces = "".join(
        f'<hh:fontface lang="{script}" fontCnt="1">'
        '<hh:font id="0" face="함초롬바탕" type="TTF" isEmbedded="0"/></hh:fontface>'
        for script in SCRIPTS
    )

    def each(value: int) -> str:
        return " ".join(f'{script.lower()}="{value}"' for script in SCRIPTS)

    characters = "".join(
        f'<hh:charPr id="{level}" height="{size}" textColor="#000000" shadeColor="none" useFontSpace="0" '
        'useKerning="0" symMark="NONE" borderFillIDRef="1">'
        f"<hh:fontRef {each(0)}/><hh:ratio {each(100)}/><hh:spacing {each(0)}/><hh:relSz {each(100)}/>"
        f"<hh:offset {each(0)}/>{'<hh:bold/>' if level else ''}</hh:charPr>"
        for level, size in enumerate(SIZES)
    )
    paragraphs = "".join(
        f'<hh:paraPr id="{level}" tabPrIDRef="0" condense="0" fontLineHeight="0" snapToGrid="1" '
        'suppressLineNumbers="0" checked="0">'
        '<hh:align horizontal="LEFT" vertical="BASELINE"/>'
        f'<hh:heading type="{"OUTLINE" if level else "NONE"}" idRef="0" level="{max(level - 1, 0)}"/>'
        '<hh:breakSetting breakLatinWord="KEEP_WORD" breakNonLatinWord="KEEP_WORD" widowOrphan="0" '
        'keepWithNext="0" keepLines="0" pageBreakBefore="0" lineWrap="BREAK"/>'
        f'<hh:margin>{_margin(level)}</hh:margin><hh:lineSpacing type="PERCENT" value="160" unit="HWPUNIT"/>'
        "</hh:paraPr>"
        for level in range(len(SIZES))
    )
    styles = "".join(
        f'<hh:style id="{level}" type="PARA" name="{f"개요 {level}" if level else "바탕글"}" '
        f'engName="{f"Outline {level}" if level else "Normal"}" paraPrIDRef="{level}" charPrIDRef="{level}" '
        f'nextStyleIDRef="0" langID="1042" lockForm="0"/>'
        for level in range(len(SIZES))
    )
    return f"""{DECLARATION}
<hh:head xmlns:hh="{HANCOM}/head" xmlns:hc="{HANCOM}/core" version="1.4" secCnt="1">
<hh:beginNum page="1" footnote="1" endnote="1" pic="1" tbl="1" equation="1"/>
<hh:refList>
<hh:fontfaces itemCnt="{len(SCRIPTS)}">{faces}</hh:fontfaces>
<hh:borderFills itemCnt="2">{_border(1, "NONE")}{_border(2, "SOLID")}</hh:borderFills>
<hh:charProperties itemCnt="{len(SIZES)}">{characters}</hh:charProperties>
<hh:tabProperties itemCnt="1"><hh:tabPr id="0" autoTabLeft="0" autoTabRight="0"/></hh:tabProperties>
<hh:paraProperties itemCnt="{len(SIZES)}">{paragraphs}</hh:paraProperties>
<hh:styles itemCnt="{len(SIZES)}">{styles}</hh:styles>
</hh:refList>
<hh:compatibleDocument targetProgram="HWP201X"><hh:layoutCompatibility/></hh:compatibleDocument>
</hh:head>"""


def _margin(level: int) -> str:
    before = {"intent": 0, "left": 0, "right": 0, "prev": 600 if level else 0, "next": 300}
    return "".join(f'<hc:{side} value="{value}" unit="HWPUNIT"/>' for side, value in before.items())


def _border(number: int, kind: str) -> str:
    sides = "".join(
        f'<hh:{side}Border type="{kind}" width="0.12 mm" color="#000000"/>'
        for side in ("left", "right", "top", "bottom")
    )
    return (
        f'<hh:borderFill id="{number}" threeD="0" shadow="0" centerLine="NONE" breakCellSeparateLine="0">'
        f'<hh:slash type="NONE"/><hh:backSlash type="NONE"/>{sides}</hh:borderFill>'
    )


# The first paragraph of a section carries the page's measures.
_PAGE = (
    '<hp:run charPrIDRef="0"><hp:secPr id="" textDirection="HORIZONTAL" spaceColumns="1134" tabStop="8000" '
    'outlineShapeIDRef="0" memoShapeIDRef="0" textVerticalWidthHead="0" masterPageCnt="0">'
    '<hp:startNum pageStartsOn="BOTH" page="0" pic="0" tbl="0" equation="0"/>'
    '<hp:pagePr landscape="WIDELY" width="59528" height="84188" gutterType="LEFT_ONLY">'
    '<hp:margin header="4252" footer="4252" gutter="0" left="8504" right="8504" top="5668" bottom="4252"/>'
    "</hp:pagePr></hp:secPr>"
    '<hp:ctrl><hp:colPr id="" type="NEWSPAPER" layout="LEFT" colCount="1" sameSz="1" sameGap="0"/></hp:ctrl>'
    "</hp:run>"
)


def _section(lines: Sequence[Line | Grid]) -> str:
    return (
        f'{DECLARATION}\n<hs:sec xmlns:hs="{HANCOM}/section" xmlns:hp="{HANCOM}/paragraph" '
        f'xmlns:hc="{HANCOM}/core">{"".join(_paragraphs(lines))}</hs:sec>'
    )


def _paragraphs(lines: Sequence[Line | Grid]) -> Iterator[str]:
    for number, line in enumerate(lines):
        page = _PAGE if number == 0 else ""
        if isinstance(line, Line):
            yield _paragraph(number, line.level, f"{page}{_run(line.level, line.text)}")
        else:
            yield _paragraph(
                number, 0, f'{page}<hp:run charPrIDRef="0">{_table(number, line)}<hp:t/></hp:run>'
            )


def _run(level: int, text: str) -> str:
    return f'<hp:run charPrIDRef="{level}"><hp:t>{escape(text)}</hp:t></hp:run>'


def _paragraph(number: int, level: int, inside: str) -> str:
    return (
        f'<hp:p id="{number}" paraPrIDRef="{level}" styleIDRef="{level}" pageBreak="0" columnBreak="0" '
        f'merged="0">{inside}</hp:p>'
    )


def _table(number: int, rows: Grid) -> str:
    columns = len(rows[0])
    width = TEXT_WIDTH // columns
    body = "".join(
        "<hp:tr>" + "".join(_cell(cell, c, r, width) for c, cell in enumerate(row)) + "</hp:tr>"
        for r, row in enumerate(rows)
    )
    return (
        f'<hp:tbl id="{1000 + number}" zOrder="0" numberingType="TABLE" textWrap="TOP_AND_BOTTOM" '
        'textFlow="BOTH_SIDES" lock="0" dropcapstyle="None" pageBreak="CELL" repeatHeader="1" '
        f'rowCnt="{len(rows)}" colCnt="{columns}" cellSpacing="0" borderFillIDRef="2" noAdjust="0">'
        f'<hp:sz width="{width * columns}" widthRelTo="ABSOLUTE" height="{ROW_HEIGHT * len(rows)}" '
        'heightRelTo="ABSOLUTE" protect="0"/>'
        '<hp:pos treatAsChar="1" affectLSpacing="0" flowWithText="1" allowOverlap="0" holdAnchorAndSO="0" '
        'vertRelTo="PARA" horzRelTo="PARA" vertAlign="TOP" horzAlign="LEFT" vertOffset="0" horzOffset="0"/>'
        '<hp:outMargin left="0" right="0" top="0" bottom="0"/>'
        f'<hp:inMargin left="510" right="510" top="141" bottom="141"/>{body}</hp:tbl>'
    )


def _cell(text: str, column: int, row: int, width: int) -> str:
    return (
        f'<hp:tc name="" header="{1 if row == 0 else 0}" hasMargin="0" protect="0" editable="0" dirty="0" '
        'borderFillIDRef="2">'
        '<hp:subList id="" textDirection="HORIZONTAL" lineWrap="BREAK" vertAlign="CENTER" '
        'linkListIDRef="0" linkListNextIDRef="0" textWidth="0" textHeight="0" hasTextRef="0" hasNumRef="0">'
        f"{_paragraph(0, 0, _run(0, text))}</hp:subList>"
        f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/><hp:cellSpan colSpan="1" rowSpan="1"/>'
        f'<hp:cellSz width="{width}" height="{ROW_HEIGHT}"/>'
        '<hp:cellMargin left="510" right="510" top="141" bottom="141"/></hp:tc>'
    )
