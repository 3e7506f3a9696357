"""Limits on how much one account may see or try, and the small sets of keyed tags by which that is counted.

A set stands in one row under a keyed label. It says how many different ones there were, and, to whoever holds the
key, whether a given one was among them; at rest it says neither of whom nor of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from registry.domain.ids import PrincipalId
from registry.domain.principals import Principal
from registry.domain.purposes import PurposeCode
from registry.services.kernel import Kernel
from registry.services.ports import PrincipalRow, TallyRow, Work

DAY_MS = 86_400_000
# A set of a day is of no use after it; one of candidate values counts for so many days.
CANDIDATE_DAYS = 30
_KEPT_DAYS = 32
TAG_BYTES = 8
_ITEM_BYTES = TAG_BYTES + 4


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """How much one account may do. 0 is no limit.

    Attributes:
        subjects_per_day: different subjects an account may see a day (UTC), for each purpose.
        by_purpose: the same for some purposes.
        cooling_days: how long an account counts as new.
        cooling_subjects_per_day: the limit of a new account, for each purpose.
        checks_per_day: different values an account may ask about a day.
        candidates: different values of one category an account may try for one person in 30 days.
        hours: when people work, as hours of the day (UTC), first and last excluded.
        popular_readers: different accounts that looked at one person within a day, from which that is unusual.
        strong_traces_per_year: investigations of 365 days whose results may be more than a lead.
    """

    subjects_per_day: int = 0
    by_purpose: Mapping[PurposeCode, int] = field(default_factory=dict)
    cooling_days: int = 0
    cooling_subjects_per_day: int = 0
    checks_per_day: int = 0
    candidates: int = 3
    hours: tuple[int, int] = (6, 20)
    popular_readers: int = 5
    strong_traces_per_year: int = 0

    @property
    def has_quotas(self) -> bool:
        """Whether anything limits how many subjects somebody may see."""
        is_cooling = bool(self.cooling_days and self.cooling_subjects_per_day)
        return bool(self.subjects_per_day) or is_cooling or any(self.by_purpose.values())

    def of(self, purpose: PurposeCode) -> int:
        """Return the limit for a purpose; 0 for none."""
        return self.by_purpose.get(purpose, self.subjects_per_day)


DEVELOPMENT_LIMITS = BrakeLimits()
PRODUCTION_LIMITS = BrakeLimits(
    subjects_per_day=250,
    cooling_days=7,
    cooling_subjects_per_day=40,
    checks_per_day=200,
    candidates=3,
    strong_traces_per_year=100,
)


class TagSet:
    """A set of keyed tags with the day each was added, as a row holds it."""

    __slots__ = ("_day", "_days", "has_changed", "label")

    def __init__(self, row: TallyRow, *, first_day: int = 0) -> None:
        """Read a row.

        Args:
            row: held by the transaction.
            first_day: what was added before that day counts no more.
        """
        self.label = row.label
        self._day = row.day
        self.has_changed = False
        items = (row.tags[at : at + _ITEM_BYTES] for at in range(0, len(row.tags), _ITEM_BYTES))
        read = {item[:TAG_BYTES]: int.from_bytes(item[TAG_BYTES:], "big") for item in items}
        self._days = {tag: day for tag, day in read.items() if day >= first_day}

    def __len__(self) -> int:
        return len(self._days)

    def __contains__(self, tag: bytes) -> bool:
        return tag in self._days

    def tags(self) -> frozenset[bytes]:
        """Return the tags that count."""
        return frozenset(self._days)

    def put(self, tags: Iterable[bytes], day: int) -> None:
        """Have these tags and no others."""
        self._days = dict.fromkeys(tags, day)
        self.has_changed = True

    def add(self, tag: bytes, day: int) -> None:
        """Add a tag, or note that it was met again."""
        self._days[tag] = day
        self.has_changed = True

    def row(self, day: int) -> TallyRow:
        """Return the row to store."""
        items = (tag + added.to_bytes(4, "big") for tag, added in self._days.items())
        # A clock that steps back over midnight must not stop anybody: the day of a row never falls.
        return TallyRow(self.label, max(day, self._day), b"".join(items))


def label_of(kernel: Kernel, *parts: str) -> bytes:
    """Return the keyed label of a set: what it counts and for whom."""
    return kernel.index.tag("tally", "\0".join(parts).encode())


class Counted(NamedTuple):
    """Who is counted: a person, under whatever account; ``account`` is the one that is used."""

    account: PrincipalId
    person: str


def counted(principal: Principal) -> Counted:
    """Return as whom a principal is counted: an account with an employee number is its person's."""
    tag = principal.employee_tag
    return Counted(principal.id, principal.id if tag is None else f"person {tag.hex()}")


def counted_row(kernel: Kernel, row: PrincipalRow) -> Counted:
    """Return as whom an account is counted."""
    tag = None if row.employee is None else kernel.links.open(row.id, row.employee)
    return Counted(row.id, row.id if tag is None else f"person {tag.hex()}")


def tag_of(kernel: Kernel, label: bytes, what: str) -> bytes:
    """Return the keyed tag of something within one set: nothing shows that two sets hold the same."""
    return kernel.index.tag("tally-item", label + what.encode())[:TAG_BYTES]


def day_of(now_ms: int) -> int:
    """Return the day, counted from 1970 (UTC)."""
    return now_ms // DAY_MS


def seconds_to_next_day(now_ms: int) -> int:
    """Return how long a limit of a day still holds."""
    return -(-(DAY_MS - now_ms % DAY_MS) // 1000)


def store_sets(work: Work, sets: Iterable[TagSet], day: int) -> None:
    """Store the sets that changed, and delete some that are of no use any more."""
    changed = [one.row(day) for one in sets if one.has_changed]
    if changed:
        work.brakes.store(changed)
        work.brakes.forget_before(day - _KEPT_DAYS)
