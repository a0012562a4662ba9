"""Personal data in texts: found by form and, where there is one, by checksum; shown only in part.

Resident registration numbers: the checksum of the Resident Registration Act's enforcement rule; those given
since October 2020 have none. Cards: ISO/IEC 7812 (Luhn). IBAN: ISO 13616.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from twotrack.core.language import Text

PersonalKind = Literal["resident", "phone", "email", "card", "account"]

NAMES: dict[PersonalKind, Text] = {
    "resident": Text("resident number", "주민등록번호"),
    "phone": Text("phone number", "전화번호"),
    "email": Text("e-mail address", "이메일 주소"),
    "card": Text("card number", "카드번호"),
    "account": Text("account number", "계좌번호"),
}

_RESIDENT = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})([ -]?)([1-8])(\d{6})(?!\d)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_PHONE = re.compile(
    r"(?<![\d.-])(?:"
    r"(?:\+82[ -]?(?:\(0\))?|0)1[016789][ .-]?\d{3,4}[ .-]?\d{4}"  # mobile
    r"|(?:\+82[ -]?|0|\(0)(?:2|[3-6][1-5]|70|50\d)(?:[-.]|\)[ -]?)\d{3,4}[-.]\d{4}"  # with an area code
    r"|\+(?!82)[1-9]\d{0,2}(?:[ .()-]{0,2}\d{2,4}){2,4}"
    r"|\(\d{3}\) ?\d{3}-\d{4}"
    r")(?![\d-])"
)
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|[ -]?\d{6}[ -]?\d{4,5})(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_ACCOUNT = re.compile(r"(?<![\d.-])\d{2,6}-\d{2,6}-\d{2,7}(?:-\d{1,4})?(?![\d-])")
_ACCOUNT_WORDS = re.compile(r"계좌|입금|송금|예금주|은행|뱅크|account|bank|deposit|transfer", re.I)
_NEAR_WORDS = 60
# Nothing of all this can be in a text without one of them.
_WORTH = re.compile(r"\d[\d .()-]{6,}\d")


@dataclass(frozen=True)
class Personal:
    """Found from `start` to `stop`, in characters."""

    kind: PersonalKind
    start: int
    stop: int


def find_personal(text: str) -> list[Personal]:
    """In the order of their places; none overlaps another."""
    if "@" not in text and _WORTH.search(text) is None:
        return []
    found: list[Personal] = []
    taken = bytearray(len(text)) if len(text) < 2**22 else None
    for one in _candidates(text):
        if taken is not None and any(taken[one.start : one.stop]):
            continue
        if taken is not None:
            taken[one.start : one.stop] = b"\1" * (one.stop - one.start)
        found.append(one)
    return sorted(found, key=lambda one: one.start)


def masked(text: str, found: Personal) -> str:
    """What may be shown: the first two characters, and the length of what is hidden."""
    shown = text[found.start : found.stop]
    return shown[:2] + "".join("•" if character.isalnum() else character for character in shown[2:])


def without_personal(text: str, language: str) -> str:
    """`text` with the name of its kind in the place of each, in Korean or English."""
    pieces, at = [], 0
    for one in find_personal(text):
        pieces += [text[at : one.start], f"[{NAMES[one.kind].show('ko' if language == 'ko' else 'en')}]"]
        at = one.stop
    return "".join([*pieces, text[at:]])


def _candidates(text: str) -> Iterator[Personal]:
    """The surest first: what is taken by one kind is not looked at for the next."""
    for match in _EMAIL.finditer(text) if "@" in text else ():
        yield Personal("email", match.start(), match.end())
    for match in _RESIDENT.finditer(text):
        if _is_resident(match):
            yield Personal("resident", match.start(), match.end())
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if 13 <= len(digits) <= 19 and _luhn(digits) and len(set(digits)) > 1:
            yield Personal("card", match.start(), match.end())
    for match in _IBAN.finditer(text):
        if _is_iban(match[0].replace(" ", "")):
            yield Personal("account", match.start(), match.end())
    for match in _PHONE.finditer(text):
        yield Personal("phone", match.start(), match.end())
    for match in _ACCOUNT.finditer(text):
        count = sum(character.isdigit() for character in match[0])
        around = text[max(0, match.start() - _NEAR_WORDS) : match.end() + _NEAR_WORDS]
        if 10 <= count <= 16 and _ACCOUNT_WORDS.search(around):
            yield Personal("account", match.start(), match.end())


def _is_resident(match: re.Match[str]) -> bool:
    year, month, day, hyphen, sort, _ = match.groups()
    century = 1900 if sort in "1256" else 2000
    try:
        born = date(century + int(year), int(month), int(day))
    except ValueError:
        return False
    digits = [int(digit) for digit in re.sub(r"\D", "", match[0])]
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    rest = sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11
    # Those of foreigners (5 to 8) are shifted by two.
    check = ((13 if sort in "5678" else 11) - rest) % 10
    if digits[-1] == check:
        return True
    return bool(hyphen) and born >= date(2020, 10, 1)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _is_iban(text: str) -> bool:
    if not 15 <= len(text) <= 34:
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
