"""Personal data is found by form and checksum, and never shown whole."""

import pytest

from twotrack.learning.data.personal import find_personal, masked, without_personal


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        # Invented numbers with a right checksum.
        ("번호는 800101-1234560 입니다.", "resident", "800101-1234560"),
        ("8001011234560", "resident", "8001011234560"),
        ("220315-3999999", "resident", "220315-3999999"),
        ("연락처 010-1234-5678로", "phone", "010-1234-5678"),
        ("01012345678", "phone", "01012345678"),
        ("+82 10-1234-5678", "phone", "+82 10-1234-5678"),
        ("사무실 02-123-4567", "phone", "02-123-4567"),
        ("(031) 123-4567", "phone", "(031) 123-4567"),
        ("call (212) 555-0123.", "phone", "(212) 555-0123"),
        ("write to kim.minji+a@example.co.kr.", "email", "kim.minji+a@example.co.kr"),
        ("card 4111 1111 1111 1111", "card", "4111 1111 1111 1111"),
        ("378282246310005", "card", "378282246310005"),
        ("입금 계좌: 110-123-456789", "account", "110-123-456789"),
        ("IBAN DE89 3704 0044 0532 0130 00", "account", "DE89 3704 0044 0532 0130 00"),
    ],
)
def test_personal_data_is_found(text: str, kind: str, found: str) -> None:
    (one,) = find_personal(text)
    assert (one.kind, text[one.start : one.stop]) == (kind, found)
    shown = masked(text, one)
    assert found not in shown
    assert shown[:2] == found[:2]
    assert not any(character.isalnum() for character in shown[2:])


@pytest.mark.parametrize(
    "text",
    [
        "800101-1234563",  # the checksum is wrong, and it is too old to have none
        "801301-1234563",  # no thirteenth month
        "4111 1111 1111 1112",  # Luhn
        "1687년에 세워졌고 책 41,300권이 있다.",
        "The order number is 110-123-456789.",
        "2026-11-27 12:00",
        "ratio 0.1234567890123",
        "version 10.20.30.40",
        "@mention and a@b",
        "0000 0000 0000 0000",
        "DE89 3704 0044 0532 0130 01",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert find_personal(text) == []


def test_personal_data_is_replaced_by_its_name() -> None:
    text = "민지(010-1234-5678, minji@example.com)에게"
    assert without_personal(text, "ko") == "민지([전화번호], [이메일 주소])에게"
    assert without_personal("Call 010-1234-5678", "en") == "Call [phone number]"


def test_a_million_characters_are_looked_through_in_moments() -> None:
    for text in ("a" * 10**6, "1" * 10**6, "1 " * 500_000, "a@" * 500_000, "010-" * 250_000):
        assert find_personal(text) is not None
