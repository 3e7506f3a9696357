"""For how long notices to one subject have been kept back, and on whose word: what a renewal is measured by.

A hold ends by itself, but the next one may follow it. Whoever is asked to confirm one is told of those before it, and
no one approver, nor any number of them, keeps a subject in the dark for good (``ApprovalRules``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.domain.approvals import ApprovalRules
from registry.domain.clock import from_unix_ms, iso
from registry.domain.holds import COUNTED_MS, DAY_MS, HoldState, Span, held_ms, whole_days
from registry.domain.ids import HoldId, SubjectId
from registry.domain.principals import Principal
from registry.services.holds_in_force import said_of
from registry.services.kernel import Kernel
from registry.services.ports import PrincipalRow, Work
from registry.services.ports_notices import HoldRow

# Why a confirmation is refused: the year's days are used up; or those of who confirms, and another approver is needed.
HELD_TOO_LONG = "held_too_long"
ANOTHER_APPROVER = "another_approver"
# Or that it renews others while nothing is said of why that is needed.
RENEWS = "renewal"


@dataclass(frozen=True, slots=True)
class EarlierHold:
    """A hold that kept something from the same subject within the year: when, and on whose words."""

    id: HoldId
    span: Span
    placed_by: PrincipalRow
    confirmed_by: PrincipalRow

    @property
    def people(self) -> tuple[PrincipalRow, PrincipalRow]:
        """The accounts on whose word it was in force."""
        return self.placed_by, self.confirmed_by


@dataclass(frozen=True, slots=True)
class Renewal:
    """What an approver is told of the holds before one: none of it is told to whoever places a hold.

    Attributes:
        earlier: the holds of the year on the same subject, oldest first; at least one.
        days, days_with_this: days of the year that notices were kept back, without and with the hold that waits.
    """

    earlier: Sequence[EarlierHold]
    days: int
    days_with_this: int

    @property
    def since_ms(self) -> int:
        """Since when, in milliseconds: the beginning of the oldest."""
        return min(one.span.start for one in self.earlier)

    @property
    def said(self) -> str:
        """What the entry of a confirmation says of it."""
        since = iso(from_unix_ms(self.since_ms))
        return f"; renews {len(self.earlier)} since {since} days {self.days} with this {self.days_with_this}"


def earlier_holds(kernel: Kernel, work: Work, row: HoldRow, subject: SubjectId) -> Sequence[EarlierHold]:
    """Return the other holds that kept something from a subject within a year before the end of this one."""
    rows = {one.entry: one for one in work.holds.in_force_since(row.until - COUNTED_MS) if one.id != row.id}
    found = []
    for entry in work.entries.entries(sorted(rows)) if rows else ():
        one, opening = rows[entry.index], kernel.log.opening(entry)
        said = None if opening is None else said_of(opening.values, one.id, one.until)
        if said is not None and said.subject == subject and not said.is_legal and one.confirmed_at is not None:
            found.append(one)
    accounts = work.principals.by_ids({name for one in found for name in (one.principal, one.confirmed_by) if name})
    return [
        EarlierHold(one.id, Span(one.confirmed_at, _end(one)), accounts[one.principal], accounts[one.confirmed_by])
        for one in found
        if one.confirmed_at is not None and one.confirmed_by is not None
    ]


def renewal_of(earlier: Sequence[EarlierHold], row: HoldRow, now_ms: int) -> Renewal | None:
    """Return what an approver is told of the holds before one; None when it is the first of the year."""
    began = row.confirmed_at or row.settled_at or now_ms
    earlier = [one for one in earlier if one.span.start <= began]
    if not earlier:
        return None
    before, this = [one.span for one in earlier], Span(min(began, _end(row)), _end(row))
    return Renewal(earlier, whole_days(held_ms(before)), whole_days(held_ms([*before, this])))


def too_long(rules: ApprovalRules, earlier: Iterable[EarlierHold], own: Iterable[EarlierHold], this: Span) -> str:
    """Return why a hold may not come into force; nothing when it may.

    Args:
        rules: how long is too long.
        earlier: the other holds on the subject.
        own: those of them that whoever would confirm this one placed or confirmed.
        this: the time from now until the end of the hold.
    """
    if held_ms([*(one.span for one in earlier), this]) > rules.hold_days * DAY_MS:
        return HELD_TOO_LONG
    if held_ms([*(one.span for one in own), this]) > rules.hold_approver_days * DAY_MS:
        return ANOTHER_APPROVER
    return ""


def on_the_word_of(kernel: Kernel, principal: Principal, earlier: Iterable[EarlierHold]) -> Sequence[EarlierHold]:
    """Return those of some holds that a person, under whatever account, placed or confirmed."""
    return [one for one in earlier if any(kernel.is_same_person(principal, who) for who in one.people)]


def _end(row: HoldRow) -> int:
    """Return when a hold was over, or will be: by its time, or by whoever ended it."""
    return min(row.until, row.settled_at or row.until) if row.state == HoldState.ENDED else row.until
