"""The accounting of disclosures of one subject, for whoever hands it to them: what 45 CFR 164.528(b) asks for.

When, to whom, of which unit, what and for which purpose; six years back at most. It is the subject's own accounting
with fewer lines: what a hold keeps from them is not in it either, and what it showed counts as shown to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.tags import equal
from registry.domain.clock import from_unix_ms, unix_ms
from registry.domain.errors import LedgerCorrupt, NotFound
from registry.domain.ids import PrincipalId, SubjectId
from registry.domain.principals import Role
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.disclose import OWN_RECORD
from registry.services.entry_reading import ReadEntry
from registry.services.facts_relations import is_close
from registry.services.held_back import SINCE, Reader, said_under, shown
from registry.services.holds_in_force import Held, in_force
from registry.services.kernel import Caller, Denied, Kernel, ReceiptView, view_of
from registry.services.notices import ToSubject, is_reached
from registry.services.ports import SubjectRow, Work
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once

PRODUCERS = frozenset({Role.AUDITOR, Role.ENROLLER})
YEARS = 6
# What shows something of a person to somebody: a card, or name, department and title of a hit.
_DISCLOSURES = frozenset({Kind.DISCLOSE, Kind.SEARCH})


@dataclass(frozen=True, slots=True)
class AccountingAsk:
    """Whose accounting (one of the two), and since when; None: as far back as it goes."""

    subject: SubjectId | None
    number_tag: bytes | None = field(repr=False)
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accounting:
    """The disclosures of one subject, oldest first; ``since_ms``: none before it is listed."""

    subject: SubjectId
    since_ms: int
    lines: Sequence[ReadEntry]
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class _Begun:
    subject: SubjectId
    since_ms: int
    held: Sequence[Held]
    reader: Reader
    receipt: ReceiptView


class Accountings:
    """Produces accountings of disclosures."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    def produce(self, caller: Caller, ask: AccountingAsk) -> Accounting:
        """List who was shown what of a subject; an entry of its own, in the subject's own accounting too.

        Raises:
            AccessDenied: the caller neither audits nor enrolls, or it is themselves or somebody close.
            NotFound: there is no such subject.
            LedgerCorrupt: not all that were counted are found; an accounting that leaves some out is none.
        """
        begun = self._begin(caller, ask)
        with self._kernel.database.reader() as reader:
            entries = tuple(self._audit.of_subject(reader, begun.subject))
            if len(entries) != self._audit.counted(reader, begun.subject):
                raise LedgerCorrupt("a person's entries are not as many as were counted")
        until_now = [entry for entry in entries if entry.index <= begun.receipt.index]
        lines = [
            entry
            for entry in shown(until_now, begun.held, begun.reader)
            if entry.unix_ms >= begun.since_ms and _is_disclosure(entry)
        ]
        return Accounting(begun.subject, begun.since_ms, lines, begun.receipt)

    @rerun_once
    def _begin(self, caller: Caller, ask: AccountingAsk) -> _Begun:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & PRODUCERS:
                self._kernel.deny(work, principal, "accounting of disclosures")
            row = _subject(work, ask)
            if row is None:
                values = {"result": "refused not_found", "detail": "accounting of disclosures"}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.AUDIT_READ, values))
                raise NotFound
            if is_close(self._kernel, work, principal, [row]):
                denied = Denied(CONFLICT_OF_INTEREST, "accounting.own", "accounting of disclosures")
                self._kernel.deny_about(work, principal, (row.id,), denied)
            since_ms = self._since(ask)
            held = in_force(self._kernel, work).on(row.id)
            values = said_by(principal) | {"request": f"{SINCE}{since_ms}", "detail": said_under(held)}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, values, (row.id,))])
            has_digests = bool(held) and is_reached(work, self._kernel, ToSubject(row.id))
            reader = Reader(self._accounts_of(work, row), has_digests)
            work.commit()
        return _Begun(row.id, since_ms, held, reader, view_of(self._kernel.mint_one(pending)))

    def _since(self, ask: AccountingAsk) -> int:
        now = self._kernel.clock.now()
        # The last of February has no namesake six years before.
        day = now.replace(day=28) if (now.month, now.day) == (2, 29) else now
        furthest = day.replace(year=now.year - YEARS)
        return unix_ms(furthest if ask.since is None else max(furthest, ask.since))

    def _accounts_of(self, work: Work, subject: SubjectRow) -> frozenset[PrincipalId]:
        """Return the subject's own accounts: nothing that they did themselves is kept from them."""
        return frozenset(
            row.id
            for row in work.principals.listing()
            if row.employee is not None and equal(self._kernel.links.open(row.id, row.employee), subject.number_tag)
        )


def since_of(found: Accounting) -> datetime:
    """Return since when an accounting lists."""
    return from_unix_ms(found.since_ms)


def _is_disclosure(entry: ReadEntry) -> bool:
    """Tell whether somebody else was shown something; also where what the entry said was removed."""
    return entry.kind in _DISCLOSURES and (entry.values or {}).get("purpose") != OWN_RECORD


def _subject(work: Work, ask: AccountingAsk) -> SubjectRow | None:
    if ask.subject is not None:
        return work.subjects.by_ids([ask.subject]).get(ask.subject)
    return None if ask.number_tag is None else work.subjects.by_number_tags([ask.number_tag]).get(ask.number_tag)
