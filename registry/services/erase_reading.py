"""Before somebody is taken out: reading what they are found by, because the blind index does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.domain.ids import TraceId
from registry.domain.principals import Principal
from registry.services.erase_scope import Scope
from registry.services.erase_trail import Trail
from registry.services.found_by import FoundBy, Receipts, directories_of, parted, versions_of
from registry.services.kept_trace import records_found
from registry.services.kernel import Kernel, record_lines
from registry.services.ports import Work
from registry.services.ports_cases import TraceRow
from registry.services.trace import case_line
from registry.vault.cases import REPORT, CaseVault
from registry.vault.erased_postings import Whereabouts, places_of
from registry.vault.sealed import SealedField


@dataclass(frozen=True, slots=True)
class Opened:
    """What an entry permits to open: values of the person, and reports of traces that may have found them."""

    version: int
    fields: Sequence[SealedField] = field(repr=False)
    cases: Sequence[TraceRow] = field(repr=False)
    seen: frozenset[TraceId]
    pendings: Sequence[PendingReceipt]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read.

    Attributes:
        version: of the subject then.
        places: where the persons stand in the blind index.
        unfound: versions whose terms are not all there.
        seen: traces in the chain then.
        traces: those that found one of the persons; for a whole subject all of them.
    """

    version: int
    places: Whereabouts
    unfound: int
    seen: frozenset[TraceId]
    traces: frozenset[TraceId]


def say_opened(kernel: Kernel, work: Work, principal: Principal, scope: Scope, trail: Trail) -> Opened:
    """Write the entries under which everything of a scope is opened; the caller commits."""
    fields = [*(directories_of(work, scope.subject) if scope.is_whole else ()), *versions_of(work, scope.record_ids)]
    rows = [] if scope.is_whole else [row for one in sorted(trail.traces) if (row := work.traces.get(one)) is not None]
    lines = [*record_lines(fields), *(case_line(row.case, REPORT) for row in rows)]
    values = said_by(principal) | {"result": "opened", "detail": "everything, to erase it from the index"}
    drafts = [EntryDraft(Kind.OPEN, values, (scope.subject.id,), part) for part in parted(lines)]
    pendings = kernel.log.append(work.ledger, drafts)
    return Opened(scope.subject.version, fields, rows, frozenset(trail.traces), pendings)


def read_opened(kernel: Kernel, cases: CaseVault, scope: Scope, opened: Opened, *, skip_lost: bool = False) -> Known:
    """Open what the entries permit, and find where it stands.

    Args:
        kernel: of the registry.
        cases: opens reports of traces.
        scope: who goes.
        opened: what may be opened.
        skip_lost: go on where a key is gone: such a value counts as unfound, and a trace whose report does not open
            may have found them.

    Raises:
        LedgerCorrupt: a posting was changed.
        EnvelopeRejected: a value does not open.
        KeyUnavailable: a key does not.
    """
    receipts = Receipts(kernel.mint(opened.pendings))
    kernel.vault.prepare(opened.fields)
    terms, lost = FoundBy(), 0
    passed = (EnvelopeRejected, KeyUnavailable) if skip_lost else ()
    for one in opened.fields:
        receipt = receipts.next()
        try:
            value = kernel.vault.open(one, receipt).expose()
        except passed:
            lost += 1
            continue
        terms.take(one, value)
    found = set()
    for row in opened.cases:
        receipt = receipts.next()
        try:
            in_report = records_found(cases.open_report(row.case, receipt))
        except passed:
            in_report = frozenset(scope.record_ids)
        if in_report & set(scope.record_ids):
            found.add(row.id)
    with kernel.database.read() as work:
        places = places_of(kernel.index, work.postings, terms.names(), scope.targets)
    there = {(one.name, posting) for one in places.places for posting in one.found.values()}
    unfound = terms.unfound(there) + lost
    return Known(opened.version, places, unfound, opened.seen, opened.seen if scope.is_whole else frozenset(found))
