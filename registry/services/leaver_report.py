"""What one principal did and saw since a moment, for whoever has to take leave of them. No values; itself an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader
from registry.audit.receipt import PendingReceipt
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import NotFound
from registry.domain.ids import PrincipalId
from registry.domain.principals import Principal, Role
from registry.services.entry_filter import MOST_LOOKED_AT
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import Work
from registry.services.principals import at_keyboard
from registry.services.read_audit import MAX_PAGE, ReadAudit, categories_of
from registry.services.rerun import rerun_once

REPORT_READERS = frozenset({Role.AUDITOR, Role.SECURITY_ADMIN})


@dataclass(frozen=True, slots=True)
class ReportAsk:
    """Whose report, and which page of it.

    Attributes:
        principal: whose.
        since_ms: only entries at or after this moment, in milliseconds.
        before: only entries with a smaller index; None for the newest.
        limit: at most so many, up to ``MAX_PAGE``.
    """

    principal: PrincipalId
    since_ms: int
    before: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page of one principal's entries, newest first, and where the next one starts (None: no more)."""

    entries: tuple[ReadEntry, ...]
    before: int | None
    receipt: ReceiptView


def told(entry: ReadEntry) -> dict[str, Any]:
    """Return what a report says of one entry: no value, no note, no case."""
    said = entry.values or {}
    return {
        "index": entry.index,
        "at": iso(from_unix_ms(entry.unix_ms)),
        "kind": entry.kind,
        "result": said.get("result", ""),
        "subjects": said.get("subject", "").split(),
        "categories": list(categories_of(entry)),
        "purpose": said.get("purpose") or None,
    }


class LeaverReport:
    """Reads what a principal did."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    @rerun_once
    def page(self, caller: Caller, ask: ReportAsk) -> ReportPage:
        """Read a page; it looks at ``MOST_LOOKED_AT`` entries at most, so that it may be short, or empty.

        Raises:
            AccessDenied: the caller is neither auditor nor security administrator; the refusal is an entry.
            NotFound: no such principal; asking is an entry all the same.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & REPORT_READERS:
                self._kernel.deny(work, principal, "report of a principal")
            is_known, pending = self._note(work, principal, ask)
        return self._read(ask, pending, is_known=is_known)

    @rerun_once
    def printed(self, ask: ReportAsk, *, operator: str) -> ReportPage:
        """Read a page at the machine's own command line; as ``page``, with the operator in the entry.

        Raises:
            NotFound: no such principal; asking is an entry all the same.
        """
        with self._kernel.database.write() as work:
            is_known, pending = self._note(work, at_keyboard(operator), ask)
        return self._read(ask, pending, is_known=is_known)

    def _note(self, work: Work, principal: Principal, ask: ReportAsk) -> tuple[bool, PendingReceipt]:
        is_known = bool(work.principals.by_ids([ask.principal]))
        request = f"{ask.principal} since {ask.since_ms} before {'-' if ask.before is None else ask.before}"
        said = {"request": request, "detail": "report of a principal", "result": "read" if is_known else "not_found"}
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, said_by(principal) | said)])
        work.commit()
        return is_known, pending

    def _read(self, ask: ReportAsk, pending: PendingReceipt, *, is_known: bool) -> ReportPage:
        receipt = view_of(self._kernel.mint_one(pending))
        if not is_known:
            raise NotFound
        with self._kernel.database.reader() as reader:
            size = reader.head().size
            start = size if ask.before is None else min(ask.before, size)
            entries, before = self._newest_first(reader, ask, start)
        return ReportPage(entries, before, receipt)

    def _newest_first(
        self, reader: EntryReader, ask: ReportAsk, start: int
    ) -> tuple[tuple[ReadEntry, ...], int | None]:
        found: list[ReadEntry] = []
        lowest = max(0, start - MOST_LOOKED_AT)
        for stop in range(start, lowest, -MAX_PAGE):
            for row in reversed(list(reader.scan(max(lowest, stop - MAX_PAGE), stop))):
                entry = self._audit.read(row)
                if entry.unix_ms < ask.since_ms:
                    return tuple(found), None
                if (entry.values or {}).get("principal", "").startswith(ask.principal):
                    found.append(entry)
                if len(found) == ask.limit:
                    return tuple(found), row.index or None
        return tuple(found), lowest or None
