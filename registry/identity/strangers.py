"""How much those may ask who have not shown a good token yet, so that a flood of them costs others little.

Every request without a remembered token spends credit of its source, and of all strangers together. A source without
credit is turned away unexamined; one that goes on all the same is cut off at its connections for a while. A source
that a good token came from is a place where people work: it has more credit, of its own, and is never cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address

# One unknown machine: a page of mistakes at once, then what a health check needs.
STRANGER_BURST, STRANGER_RATE = 60.0, 2.0
# All unknown machines together: one costs over a millisecond, so they have a twentieth of a core.
COMMON_BURST, COMMON_RATE = 200.0, 30.0
# A machine, or a proxy, that good tokens come from.
VOUCHED_BURST, VOUCHED_RATE = 300.0, 100.0
VOUCHED_SECONDS = 600.0
# Answers to bodies that had not come in whole: each ends its connection, and the next one begins with as much again.
UNREAD_BURST, UNREAD_RATE = 20.0, 5.0
# So many requests turned away before connections are cut, and for how long.
CUT_AFTER, CUT_SECONDS = 20, 10.0
MAX_SOURCES = 4_096


@dataclass(slots=True)
class _Credit:
    left: float
    at: float
    turned_away: int = 0
    cut_until: float = 0.0

    def spend(self, now: float, burst: float, rate: float) -> bool:
        self.left = min(burst, self.left + (now - self.at) * rate)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


class Strangers:
    """Credit of sources. For one thread, the event loop's; memory is bounded whatever comes."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._common = _Credit(COMMON_BURST, monotonic())
        self._credits: dict[str, _Credit] = {}
        self._unread: dict[str, _Credit] = {}
        self._vouched: dict[str, float] = {}  # until when

    def vouch(self, source: str) -> None:
        """Note that a good token came from a source."""
        if source not in self._vouched:
            _make_room(self._vouched)
            self._credits.pop(_group(source), None)
        self._vouched[source] = self._monotonic() + VOUCHED_SECONDS

    def may_ask(self, source: str) -> bool:
        """Take the credit for one request of a stranger; False when there is none, and it is not to be examined."""
        now = self._monotonic()
        is_vouched = self._vouched.get(source, 0.0) > now
        key = source if is_vouched else _group(source)
        credit = self._credits.get(key)
        if credit is None:
            _make_room(self._credits)
            credit = self._credits[key] = _Credit(VOUCHED_BURST if is_vouched else STRANGER_BURST, now)
        if is_vouched:
            return credit.spend(now, VOUCHED_BURST, VOUCHED_RATE)
        # The common credit is last: what a single source would waste of it is nobody else's loss.
        if credit.spend(now, STRANGER_BURST, STRANGER_RATE):
            return self._common.spend(now, COMMON_BURST, COMMON_RATE)
        credit.turned_away += 1
        if credit.turned_away >= CUT_AFTER:
            credit.turned_away, credit.cut_until = 0, now + CUT_SECONDS
        return False

    def may_be_answered(self, sender: str) -> bool:
        """Take the credit for an answer to an unread body; False when there is none, and it is to come later.

        Args:
            sender: a principal's name, or the source of a stranger.
        """
        now = self._monotonic()
        credit = self._unread.get(sender)
        if credit is None:
            _make_room(self._unread)
            credit = self._unread[sender] = _Credit(UNREAD_BURST, now)
        return credit.spend(now, UNREAD_BURST, UNREAD_RATE)

    def is_cut_off(self, source: str) -> bool:
        """Tell whether connections of a source are to be closed unread."""
        credit = self._credits.get(_group(source))
        if credit is None:
            return False
        now = self._monotonic()
        return now < credit.cut_until and now >= self._vouched.get(source, 0.0)

    def __len__(self) -> int:
        return len(self._credits) + len(self._unread) + len(self._vouched)


def _group(source: str) -> str:
    """Return what stands for a source's owner: an IPv6 customer has 2^64 addresses.

    All of IPv4 is one such network as a socket of both families writes it: those are told apart by their own address.
    """
    if ":" not in source:
        return source
    try:
        address = IPv6Address(source.partition("%")[0])
    except ValueError:
        return source
    return f"{int(address) >> 64:x}::/64" if address.ipv4_mapped is None else str(address.ipv4_mapped)


def _make_room(table: dict[str, _Credit] | dict[str, float]) -> None:
    while len(table) >= MAX_SOURCES:
        del table[next(iter(table))]  # the oldest
