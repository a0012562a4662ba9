"""Which origins an administrator can list, and how they are written."""

import pytest

from twotrack.core.access.origins import check_origin


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://studio.example", "https://studio.example"),
        ("https://studio.example/", "https://studio.example"),
        ("HTTPS://Studio.Example:443", "https://studio.example"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://스튜디오.한국", "https://xn--2z1b50x3uc0yr.xn--3e0b707e"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given: str, origin: str) -> None:
    assert check_origin(given) == origin
    assert check_origin(origin) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "https://*.example",
        "null",
        "studio.example",
        "file:///tmp/page.html",
        "chrome-extension://abc",
        "https://",
        "https://studio.example/path",
        "https://studio.example?query",
        "https://studio.example#part",
        "https://user@studio.example",
        "https://user:password@studio.example",
        "https://studio.example:99999",
        "https://studio.example:port",
        "https://a b",
        "https://a\r\nb",
        "https://" + "a" * 70 + ".example",
        "https://a.example,https://b.example",
    ],
)
def test_what_is_no_single_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_origin(text)
