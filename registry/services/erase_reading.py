"""Before somebody is taken out: reading what they are found by, because the blind index does not tell.

A posting can only be found by its term, so every value is opened once more, under an entry, and its terms are made as
when it was stored: with every name that its owner ever had. A card's whole number is not kept; its list is named in
the sealed value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt, Receipt
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.domain.ids import PersonId, RecordId, TraceId
from registry.domain.principals import Principal
from registry.leaktrace.terms import PersonNames, record_terms
from registry.services.erase_scope import Scope
from registry.services.erase_trail import Trail
from registry.services.kernel import Kernel, record_lines
from registry.services.ports import Work
from registry.services.ports_cases import TraceRow
from registry.services.trace import case_line, records_found
from registry.services.values import index_terms, list_of_card, shown_form, subject_terms
from registry.transparency.fields import RecordLine
from registry.vault.blind_index import Posting
from registry.vault.cases import REPORT, CaseVault
from registry.vault.erased_postings import Lists, Places, TermKey, places_of
from registry.vault.sealed import DIRECTORY, SealedField

_LINES_PER_ENTRY = 1_000


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
    places: Sequence[Places]
    unfound: int
    seen: frozenset[TraceId]
    traces: frozenset[TraceId]


def say_opened(kernel: Kernel, work: Work, principal: Principal, scope: Scope, trail: Trail) -> Opened:
    """Write the entries under which everything of a scope is opened; the caller commits."""
    fields = _fields(work, scope)
    rows = [] if scope.is_whole else [row for one in sorted(trail.traces) if (row := work.traces.get(one)) is not None]
    lines = [*record_lines(fields), *(case_line(row.case, REPORT) for row in rows)]
    values = said_by(principal) | {"result": "opened", "detail": "everything, to erase it from the index"}
    drafts = [EntryDraft(Kind.OPEN, values, (scope.subject.id,), part) for part in _parted(lines)]
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
    receipts = _Receipts(kernel.mint(opened.pendings))
    kernel.vault.prepare(opened.fields)
    terms, lost = _Terms(kernel, scope), 0
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
    lists = terms.lists()
    with kernel.database.read() as work:
        places = places_of(work.postings, lists, scope.targets)
    there = {(one.name, posting) for one in places for posting in one.found.values()}
    unfound = terms.unfound(there) + lost
    return Known(opened.version, places, unfound, opened.seen, opened.seen if scope.is_whole else frozenset(found))


class _Receipts:
    """Hands out for each line in turn the receipt that covers it."""

    def __init__(self, receipts: Sequence[Receipt]) -> None:
        self._receipts = receipts
        self._done = 0

    def next(self) -> Receipt:
        receipt = self._receipts[self._done // _LINES_PER_ENTRY]
        self._done += 1
        return receipt


class _Terms:
    """The terms of everything that was opened."""

    def __init__(self, kernel: Kernel, scope: Scope) -> None:
        self._index = kernel.index
        self._own = scope.subject.directory.person
        self._names: dict[PersonId, list[PersonNames]] = {}
        self._values: list[tuple[SealedField, Mapping[str, str]]] = []
        self._made: list[tuple[Posting, list[frozenset[TermKey]]]] | None = None

    def take(self, one: SealedField, value: Mapping[str, str]) -> None:
        """Add a value, and the names that it gives its owner."""
        if one.category in (DIRECTORY, Category.FAMILY_MEMBER):
            self._names.setdefault(one.person, []).append(PersonNames(value["given_name"], value["family_name"]))
        self._values.append((one, value))

    def lists(self) -> Lists:
        """Return the list of every term."""
        keys = {key for _, ways in self._all() for way in ways for key in way}
        return {key: self._index.list_of(key) for key in keys}

    def unfound(self, there: set[tuple[TermKey, Posting]]) -> int:
        """Count the versions that do not stand under all their terms, whichever name they were stored with."""
        return sum(
            not any(all((key, posting) in there for key in way) for way in ways) for posting, ways in self._all()
        )

    def _all(self) -> list[tuple[Posting, list[frozenset[TermKey]]]]:
        if self._made is None:
            self._made = [(Posting(one.record, one.version), self._ways(one, value)) for one, value in self._values]
        return self._made

    def _ways(self, one: SealedField, value: Mapping[str, str]) -> list[frozenset[TermKey]]:
        """Return the terms that a version may have been stored with, one set for each name of its owner."""
        if one.category == DIRECTORY:
            return [frozenset(subject_terms(_document(value)))]
        category = Category(one.category)
        if category is Category.PAYMENT_CARD:
            named = list_of_card(value)
            return [] if named is None else [frozenset({named})]
        names = self._names.get(one.person) or [PersonNames("", "")]
        entered = shown_form(category, value)
        return [frozenset(index_terms(record_terms(category, entered, owner=name))) for name in names]


def _fields(work: Work, scope: Scope) -> list[SealedField]:
    pairs = [(row.record, row.version) for row in work.records.versions_of(scope.record_ids)]
    fields = sorted(work.records.sealed_versions(pairs), key=lambda one: (one.record, one.version))
    if not scope.is_whole:
        return fields
    now = scope.subject.directory
    former = [
        SealedField(
            RecordId(now.subject), now.subject, now.person, DIRECTORY, row.version, row.sealed, row.digest, now.key
        )
        for row in work.erasures.former_directories(scope.subject.id)
    ]
    return [now, *former, *fields]


def _document(value: Mapping[str, str]) -> Enrollment:
    return Enrollment(
        employee_number=value["employee_number"],
        given_name=value["given_name"],
        family_name=value["family_name"],
        department=value["department"],
        title=value["title"],
    )


def _parted(lines: Iterable[RecordLine]) -> Iterable[tuple[RecordLine, ...]]:
    left = iter(lines)
    while part := tuple(islice(left, _LINES_PER_ENTRY)):
        yield part
