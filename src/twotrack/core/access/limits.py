"""How often: requests of one key or address, wrong keys from one address, lines in the log."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

Clock = Callable[[], float]

# Of whoever was not heard of for longest, nothing is known any more: memory is bounded, whoever comes.
_MOST_KNOWN = 10_000
_WRONG_KEYS = 10
_MINUTE = 60.0


def address_group(address: str) -> str:
    """What one machine has of addresses: a single one, or its /64 of IPv6, in which it can take any."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Allowance:
    """A token bucket for each name: so many a minute, all of a minute's at once if need be."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """name → (tokens left, when that was)"""

    def take(self, name: str, a_minute: int) -> int:
        """0 when `name` may go on, else after how many seconds it may."""
        now = self._clock()
        left, at = self._left.pop(name, (float(a_minute), now))
        left = min(a_minute, left + (now - at) * a_minute / _MINUTE)
        granted = left >= 1
        self._left[name] = (left - 1 if granted else left, now)
        if len(self._left) > _MOST_KNOWN:
            self._left.popitem(last=False)
        return 0 if granted else max(1, math.ceil((1 - left) * _MINUTE / a_minute))


@dataclass
class _Guesses:
    secrets: dict[bytes, float] = field(default_factory=dict)
    """hash → when it was tried first; in that order"""


class WrongKeys:
    """Counts the different wrong keys of an address within a minute.

    Different ones: a program that goes on with one outdated key guesses nothing, and must not lock out those
    who share its address.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Guesses] = OrderedDict()

    def wait(self, address: str) -> int:
        """0, or for how many seconds keys from there are not looked at."""
        guesses = self._recent(address)
        if guesses is None or len(guesses.secrets) < _WRONG_KEYS:
            return 0
        oldest = next(iter(guesses.secrets.values()))
        return max(1, math.ceil(oldest + _MINUTE - self._clock()))

    def note(self, address: str, hashed: bytes) -> None:
        guesses = self._recent(address) or _Guesses()
        guesses.secrets.setdefault(hashed, self._clock())
        self._known[address] = guesses
        self._known.move_to_end(address)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _recent(self, address: str) -> _Guesses | None:
        guesses = self._known.get(address)
        if guesses is None:
            return None
        since = self._clock() - _MINUTE
        guesses.secrets = {secret: at for secret, at in guesses.secrets.items() if at > since}
        if not guesses.secrets:
            del self._known[address]
            return None
        return guesses
