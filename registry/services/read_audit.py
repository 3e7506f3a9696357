"""Reading the ledger: entries for auditors, and a subject's own accounting. Reading is itself an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader, EntryRow
from registry.domain.categories import Category
from registry.domain.errors import LedgerCorrupt, NotFound
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Principal, Role
from registry.services.entry_filter import EVERYTHING, EntryFilter, newest_first, span_of
from registry.services.entry_reading import ReadEntry, SharedEntries
from registry.services.held_back import ACCOUNTING, Reader, said_under, shown
from registry.services.holds_in_force import Held, in_force
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import ToSubject, is_reached
from registry.services.ports import ACTIVE, MarkRow, SubjectRow, Work
from registry.services.rerun import rerun_once
from registry.transparency.fields import RECORD_PREFIX, RecordLine
from registry.transparency.leaf import parse_leaf

AUDITORS = frozenset({Role.AUDITOR})
SUBJECTS = frozenset({Role.SUBJECT})
MAX_PAGE = 200

# Kinds whose entries name somebody who saw or set a value. An internal check has no recipient, and who looks into a
# leak is not for the people around it to know.
_WITH_RECIPIENT = frozenset(
    {Kind.ENROLL, Kind.UPDATE, Kind.MARK, Kind.DISCLOSE, Kind.DENY, Kind.SEARCH, Kind.BREAKGLASS}
)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of entries, newest first, and where the next one starts (None: no more); a filtered one may be short."""

    entries: tuple[ReadEntry, ...]
    before: int | None
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What a subject sees of one own record without its value."""

    record: RecordId
    category: Category
    version: int
    mark: MarkRow | None


@dataclass(frozen=True, slots=True)
class _Own:
    """Whose own view it is, what is kept from them, and the receipt of reading it."""

    subject: SubjectRow
    held: Sequence[Held]
    reader: Reader
    receipt: ReceiptView


class ReadAudit:
    """Reads entries."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def page(self, caller: Caller, *, before: int | None, limit: int, wanted: EntryFilter = EVERYTHING) -> EntryPage:
        """Read a page of entries, newest first.

        Args:
            caller: an auditor.
            before: only entries with a smaller index; None for the newest. With it a walk stays steady while the ledger
                grows.
            limit: at most so many, up to ``MAX_PAGE``.
            wanted: which, among the next ``MOST_LOOKED_AT`` entries; the page after it goes on from there.

        Raises:
            AccessDenied: the caller is no auditor; the refusal is an entry.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & AUDITORS:
                self._kernel.deny(work, principal, "entries")
            asked = f" {told}" if (told := wanted.told()) else ""
            request = f"before {'-' if before is None else before} limit {limit}{asked}"
            values = said_by(principal) | {"request": request, "detail": "entries"}
            draft = EntryDraft(Kind.AUDIT_READ, values)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        with self._kernel.database.reader() as reader:
            size = reader.head().size
            below = size if before is None else min(before, size)
            indexes = None if wanted.subject is None else list(self._kernel.log.chains.indexes(reader, wanted.subject))
            span = span_of(reader, wanted, below)
            looked = newest_first(reader, wanted, span, limit, (self.read, indexes))
        return EntryPage(looked.entries, looked.before or None, view_of(receipt))

    def checkpoint(self) -> str:
        """Return the signed note of the ledger's head. No entry: it speaks of nobody and is meant to be passed on."""
        with self._kernel.database.reader() as reader:
            return reader.head().checkpoint

    def accounting(self, caller: Caller) -> EntryPage:
        """Read every entry about the caller's own records, newest first, but for what a hold in force keeps back.

        Raises:
            AccessDenied: the caller is no subject.
            NotFound: the caller is not enrolled.
            LedgerCorrupt: not all that were counted are found; an accounting that leaves some out is none.
        """
        own = self._own(caller, ACCOUNTING)
        with self._kernel.database.reader() as reader:
            entries = tuple(self.of_subject(reader, own.subject.id))
            if len(entries) != self.counted(reader, own.subject.id):
                raise LedgerCorrupt("a person's entries are not as many as were counted")
        # As of its own entry: what comes after it falls under holds that may be confirmed after it.
        until_now = [entry for entry in entries if entry.index <= own.receipt.index]
        return EntryPage(tuple(reversed(shown(until_now, own.held, own.reader))), None, own.receipt)

    def is_shown(self, work: Work, principal: Principal, subject: SubjectId, index: int) -> bool:
        """Tell whether an accounting would show a subject an entry now. Not an entry itself."""
        indexes = set(self._kernel.log.chains.indexes(work.entries, subject))
        if index not in indexes:
            return False
        held, reader = self._kept_from(work, principal, subject)
        if not held:
            return True
        return any(entry.index == index for entry in shown(tuple(self.of_subject(work.entries, subject)), held, reader))

    def _kept_from(self, work: Work, principal: Principal, subject: SubjectId) -> tuple[Sequence[Held], Reader]:
        held = in_force(self._kernel, work).on(subject)
        return held, Reader(
            frozenset({principal.id}), bool(held) and is_reached(work, self._kernel, ToSubject(subject))
        )

    def own_records(self, caller: Caller) -> tuple[SubjectRow, tuple[OwnRecord, ...], ReceiptView]:
        """List the caller's own records: marks and metadata, no values.

        Raises:
            AccessDenied: the caller is no subject.
            NotFound: the caller is not enrolled.
        """
        own = self._own(caller, "own records")
        subject = own.subject
        with self._kernel.database.read() as work:
            rows = [row for row in work.records.of_subjects([subject.id]) if row.state == ACTIVE]
            marks = work.records.marks_of(row.id for row in rows)
        listed = tuple(OwnRecord(row.id, row.category, row.field.version, marks.get(row.id)) for row in rows)
        return subject, listed, own.receipt

    def of_subject(
        self, reader: EntryReader, subject: SubjectId, shared: SharedEntries | None = None
    ) -> Iterator[ReadEntry]:
        """Yield the entries of a subject's chain, oldest first. Not an entry itself: for services that write one.

        Args:
            reader: committed rows.
            subject: whose.
            shared: entries about several people that were read before; those that are read now join them.
        """
        indexes = list(self._kernel.log.chains.indexes(reader, subject))
        if shared is None:
            yield from map(self.read, reader.entries(indexes))
            return
        known = shared.known(indexes)
        fresh = [self.read(row) for row in reader.entries([index for index in indexes if index not in known])]
        for entry in fresh:
            shared.keep(entry)
        yield from sorted((*known.values(), *fresh), key=lambda one: one.index)

    def counted(self, reader: EntryReader, subject: SubjectId) -> int:
        """Return how many entries a subject's sealed state counts."""
        sealed = reader.states_of([subject]).get(subject)
        if sealed is None:
            raise LedgerCorrupt("a subject has no chain state")
        return self._kernel.log.chain_state(subject, sealed, reader.head().size).counter

    def read(self, row: EntryRow) -> ReadEntry:
        """Open what one entry says."""
        leaf = parse_leaf(row.leaf)
        opening = self._kernel.log.opening(row)
        values = None if opening is None else opening.values
        return ReadEntry(row.index, leaf.unix_ms, leaf.kind, values, _lines(values))

    @rerun_once
    def _own(self, caller: Caller, what: str) -> _Own:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            subject = _own_subject(work, principal)
            if not principal.roles & SUBJECTS:
                self._kernel.deny(work, principal, what)
            about = () if subject is None else (subject.id,)
            held, reader = ((), None) if subject is None else self._kept_from(work, principal, subject.id)
            said = said_under(held) if what == ACCOUNTING else what
            draft = EntryDraft(Kind.AUDIT_READ, said_by(principal) | {"detail": said}, about)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if subject is None or reader is None:
            raise NotFound
        return _Own(subject, held, reader, view_of(receipt))


def _own_subject(work: Work, principal: Principal) -> SubjectRow | None:
    if principal.employee_tag is None:
        return None
    return work.subjects.by_number_tags([principal.employee_tag]).get(principal.employee_tag)


def _lines(values: Mapping[str, str] | None) -> tuple[RecordLine, ...]:
    if values is None:
        return ()
    texts: Iterable[str] = (text for name, text in values.items() if name.startswith(RECORD_PREFIX))
    return tuple(RecordLine.parse(text.encode()) for text in texts)


def categories_of(entry: ReadEntry) -> Sequence[str]:
    """Return the categories an entry names, each once, in order."""
    return tuple(dict.fromkeys(line.category for line in entry.records))


def names_recipient(entry: ReadEntry) -> bool:
    """Tell whether a subject's accounting names who is behind an entry, what came of it and which values it was about.

    An entry of another kind is only listed: an internal check opens values of many people at once, so that not even its
    lines are about the reader alone.
    """
    return entry.kind in _WITH_RECIPIENT


def recipient_of(entry: ReadEntry) -> str | None:
    """Return whom a subject's accounting names for an entry, as issuer and sub with a space between; else None."""
    if not names_recipient(entry):
        return None
    return (entry.values or {}).get("principal", "").partition(" ")[2] or None
