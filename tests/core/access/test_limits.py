"""How often: buckets that fill again, wrong keys that are counted, memory that is bounded."""

import pytest

from twotrack.core.access.limits import _MOST_KNOWN, Allowance, WrongKeys, address_group


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_requests_may_come_at_once_and_then_as_the_bucket_fills() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    assert [allowance.take("kim", 60) for _ in range(60)] == [0] * 60
    assert allowance.take("kim", 60) == 1
    assert allowance.take("lee", 60) == 0
    clock.now += 1
    assert allowance.take("kim", 60) == 0
    assert allowance.take("kim", 60) == 1
    clock.now += 3600
    assert [allowance.take("kim", 60) for _ in range(61)] == [0] * 60 + [1]


def test_refused_requests_do_not_put_off_the_next_one() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    allowance.take("kim", 1)
    assert allowance.take("kim", 1) == 60
    clock.now += 30
    assert allowance.take("kim", 1) == 30
    clock.now += 30
    assert allowance.take("kim", 1) == 0


def test_a_limit_that_is_lowered_holds_at_once() -> None:
    allowance = Allowance(Clock())
    allowance.take("kim", 1000)
    assert [allowance.take("kim", 2) for _ in range(3)] == [0, 0, 30]


def test_of_ever_so_many_names_only_the_latest_are_kept() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    wrong = WrongKeys(clock)
    for number in range(_MOST_KNOWN + 100):
        allowance.take(str(number), 1)
        wrong.note(str(number), b"x")
    assert len(allowance._left) == len(wrong._known) == _MOST_KNOWN
    assert allowance.take(str(_MOST_KNOWN + 99), 1) > 0


def test_ten_different_wrong_keys_within_a_minute_slow_an_address() -> None:
    clock = Clock()
    wrong = WrongKeys(clock)
    for number in range(10):
        assert wrong.wait("10.0.0.7") == 0
        wrong.note("10.0.0.7", bytes([number]))
        clock.now += 1
    assert wrong.wait("10.0.0.7") == 50
    assert wrong.wait("10.0.0.8") == 0
    clock.now += 50
    assert wrong.wait("10.0.0.7") == 0


def test_one_outdated_key_ever_again_is_no_guessing() -> None:
    wrong = WrongKeys(Clock())
    for _ in range(1000):
        wrong.note("10.0.0.7", b"old")
    assert wrong.wait("10.0.0.7") == 0


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_machine_is_one_address(address: str, group: str) -> None:
    assert address_group(address) == group
