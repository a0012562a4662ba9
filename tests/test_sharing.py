"""The order in which processes take the tests."""

from pathlib import Path

from tests.sharing import LONGEST


def test_what_is_begun_first_is_there() -> None:
    assert [one for one in LONGEST if not (Path(__file__).parents[1] / one).exists()] == []
