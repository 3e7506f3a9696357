"""Which of a subject's entries an accounting leaves out while a hold is in force, as 45 CFR 164.528(a)(2) lets it.

Left out is what others did that a hold covers and that the subject was not told before: what was told once stays, or
its absence would tell what it is to hide. What was shown is read from the entries alone, so that it is the same in
every process and after every restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.audit.kinds import Kind
from registry.domain.ids import PrincipalId
from registry.services.brakes import DAY_MS, day_of
from registry.services.disclose import OWN_RECORD
from registry.services.entry_reading import ReadEntry
from registry.services.holds_in_force import Held

ACCOUNTING = "accounting"
# What the request of an accounting of disclosures begins with; milliseconds follow.
SINCE = "since "
_UNDER = f"{ACCOUNTING} held "
_ALL = "*"
# What others asked for. An internal check names nobody, and what HR or the subject changed is no disclosure.
_OF_OTHERS = frozenset(
    {
        Kind.DISCLOSE,
        Kind.DENY,
        Kind.SEARCH,
        Kind.BREAKGLASS,
        Kind.REQUEST,
        Kind.APPROVE,
        Kind.REFUSE,
        Kind.USE,
        Kind.REVIEW,
        Kind.OUTCOME,
    }
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose accounting it is: the subject's accounts, and whether digests reach the subject."""

    accounts: frozenset[PrincipalId]
    has_digests: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """An accounting: where it stands, the purposes it left out, and since when it listed; 0: everything."""

    index: int
    left_out: frozenset[str]
    since_ms: int


def said_under(held: Sequence[Held]) -> str:
    """Return what the entry of an accounting says: under which holds it was produced. For auditors; never shown."""
    if not held:
        return ACCOUNTING
    purposes = {purpose for one in held for purpose in one.purposes or {_ALL}}
    return _UNDER + " ".join(sorted(purposes))


def shown(entries: Sequence[ReadEntry], held: Sequence[Held], reader: Reader) -> list[ReadEntry]:
    """Return the entries that an accounting shows, in their order.

    Args:
        entries: the whole chain of one subject, oldest first.
        held: the holds on the subject that are in force.
        reader: whose accounting it is.
    """
    if not held:
        return list(entries)
    # Of the accountings so far, the subject's own and those that were handed to them.
    reads = [_Read(entry.index, _left_out(entry), _since(entry)) for entry in entries if _is_accounting(entry)]
    return [entry for entry in entries if not _is_held(entry, held, reader) or _was_shown(entry, reads)]


def _is_held(entry: ReadEntry, held: Sequence[Held], reader: Reader) -> bool:
    values = entry.values or {}
    purpose = values.get("purpose", "")
    account = values.get("principal", "").partition(" ")[0]
    is_own = purpose == OWN_RECORD or account in reader.accounts
    if entry.kind not in _OF_OTHERS or is_own:
        return False
    return any(
        not purpose or one.covers(purpose)
        for one in held
        # Nobody hides what they did themselves: a hold covers no lookup of who placed or confirmed it.
        if account not in one.said_by and not _was_in_a_digest(entry, one, reader)
    )


def _was_in_a_digest(entry: ReadEntry, one: Held, reader: Reader) -> bool:
    """Tell whether a digest counted it before the hold was confirmed: one day's go out when the next has begun."""
    is_counted = reader.has_digests and entry.kind == Kind.DISCLOSE
    return is_counted and entry.unix_ms < day_of(one.confirmed_at) * DAY_MS


def _was_shown(entry: ReadEntry, reads: Sequence[_Read]) -> bool:
    purpose = (entry.values or {}).get("purpose", "")
    return any(
        read.index > entry.index and entry.unix_ms >= read.since_ms and not _covers(read.left_out, purpose)
        for read in reads
        if read.since_ms == 0 or entry.kind in (Kind.DISCLOSE, Kind.SEARCH)  # all that one of disclosures lists
    )


def _since(entry: ReadEntry) -> int:
    told = (entry.values or {}).get("request", "")
    return int(told.removeprefix(SINCE)) if told.startswith(SINCE) else 0


def _covers(left_out: frozenset[str], purpose: str) -> bool:
    return bool(left_out) and (not purpose or purpose in left_out or _ALL in left_out)


def _is_accounting(entry: ReadEntry) -> bool:
    detail = (entry.values or {}).get("detail", "")
    return entry.kind == Kind.AUDIT_READ and (detail == ACCOUNTING or detail.startswith(_UNDER))


def _left_out(entry: ReadEntry) -> frozenset[str]:
    return frozenset((entry.values or {})["detail"].removeprefix(ACCOUNTING).removeprefix(" held ").split())
