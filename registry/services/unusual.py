"""What about a look-up is unusual, for auditors: reasons, never a score, and no value.

Names and addresses of who looked and who was looked at are compared as keyed tags, opened under an ``open`` entry and
only where the account is tied to an enrolled person. Everything else is read off entries and accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import RELEASES, Kind
from registry.audit.receipt import Receipt
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms
from registry.domain.ids import PrincipalId, SubjectId
from registry.leaktrace.terms import PersonNames, TermKind, family_name_term, record_terms
from registry.services.brakes import DAY_MS, BrakeLimits
from registry.services.copies import account_of
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Caller, Kernel, ReceiptView, record_lines, view_of
from registry.services.ports import ACTIVE, Work
from registry.services.read_audit import AUDITORS, ReadAudit
from registry.services.rerun import rerun_once
from registry.vault.sealed import SealedField

# Entries that one page looks at: what may have to be opened for them fits into one entry.
LOOKED_AT = 250
_SATURDAY = 5


class Reason(StrEnum):
    """Why an auditor may want to look at an entry."""

    SAME_SURNAME = "same_surname"
    SAME_POSTAL_CODE = "same_postal_code"
    COLLEAGUE = "colleague"  # of the same unit
    OFF_HOURS = "off_hours"
    NO_CASE = "no_case"
    POPULAR_PERSON = "popular_person"  # many different accounts looked at one person within a day


@dataclass(frozen=True, slots=True)
class UnusualEntry:
    """One look-up and what is unusual about it."""

    entry: ReadEntry
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class UnusualPage:
    """Unusual look-ups among the entries that were looked at, newest first; None: there are no older ones."""

    entries: tuple[UnusualEntry, ...]
    before: int | None
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class _Person:
    """Keyed tags of what is compared; a set is empty where nothing is known."""

    surname: frozenset[bytes] = frozenset()
    postal_codes: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class _Accounts:
    """Of accounts: the subject that each one is, and the unit; of subjects: the units of their accounts."""

    subject: Mapping[PrincipalId, SubjectId]
    unit: Mapping[PrincipalId, str]
    units_of: Mapping[SubjectId, frozenset[str]]


class UnusualAccess:
    """Finds look-ups that an auditor may want to ask about."""

    def __init__(self, kernel: Kernel, audit: ReadAudit, limits: BrakeLimits) -> None:
        self._kernel = kernel
        self._audit = audit
        self._limits = limits

    def page(self, caller: Caller, *, before: int | None) -> UnusualPage:
        """Look at the next ``LOOKED_AT`` entries, newest first. Reading is an entry.

        Args:
            caller: an auditor.
            before: only entries with a smaller index; None for the newest.

        Raises:
            AccessDenied: the caller is no auditor; the refusal is an entry.
        """
        self._kernel.admit(caller, AUDITORS, "unusual")
        with self._kernel.database.reader() as reader:
            size = reader.head().size
            start = size if before is None else min(before, size)
            reached = max(0, start - LOOKED_AT)
            read = [entry for row in reader.scan(reached, start) if (entry := self._audit.read(row)).kind in RELEASES]
        looks = [entry for entry in reversed(read) if (entry.values or {}).get("purpose") not in (None, "own_record")]
        accounts, fields, receipts = self._open(caller, looks, f"before {'-' if before is None else before}")
        receipt = receipts[0]
        people = self._people(fields, receipts[-1])
        readers = _readers(looks)
        found = [UnusualEntry(entry, self._reasons(entry, accounts, people, readers)) for entry in looks]
        return UnusualPage(tuple(one for one in found if one.reasons), reached or None, view_of(receipt))

    @rerun_once
    def _open(
        self, caller: Caller, looks: Sequence[ReadEntry], asked: str
    ) -> tuple[_Accounts, Sequence[SealedField], tuple[Receipt, ...]]:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & AUDITORS:
                self._kernel.deny(work, principal, "unusual")
            accounts = self._accounts(work)
            subjects = {
                subject
                for entry in looks
                if (own := accounts.subject.get(_account(entry))) is not None
                for subject in (own, _subject(entry))
            }
            fields = _fields(work, subjects)
            said = said_by(principal) | {"detail": "unusual", "rules": self._kernel.policy.rules("role.auditor")}
            pendings = self._kernel.log.append(work.ledger, _drafts(said, asked, fields))
            work.commit()
        return accounts, fields, self._kernel.mint(pendings)

    def _accounts(self, work: Work) -> _Accounts:
        rows = work.principals.listing()
        tags = {row.id: self._kernel.links.open(row.id, row.employee) for row in rows if row.employee is not None}
        subjects = work.subjects.by_number_tags(tags.values())
        own = {row: subjects[tag].id for row, tag in tags.items() if tag in subjects}
        unit = {row.id: row.unit.casefold() for row in rows if row.unit}
        units: dict[SubjectId, set[str]] = defaultdict(set)
        for account, subject in own.items():
            if account in unit:
                units[subject].add(unit[account])
        return _Accounts(own, unit, {subject: frozenset(named) for subject, named in units.items()})

    def _people(self, fields: Sequence[SealedField], receipt: Receipt) -> dict[SubjectId, _Person]:
        self._kernel.vault.prepare(fields)
        surnames: dict[SubjectId, set[bytes]] = defaultdict(set)
        codes: dict[SubjectId, set[bytes]] = defaultdict(set)
        for field in fields:
            value = self._kernel.vault.open(field, receipt).expose()
            if field.category == Category.HOME_ADDRESS:
                terms = record_terms(Category.HOME_ADDRESS, value, owner=PersonNames("", ""))
                texts = [term.text.partition("|")[2] for term in terms if term.kind is TermKind.NUMBER_ZIP]
                codes[field.subject].update(self._tag(f"zip {text}") for text in texts)
            elif value["family_name"]:
                surnames[field.subject].add(self._tag(f"name {family_name_term(value['family_name']).text}"))
        everybody = {field.subject for field in fields}
        return {one: _Person(frozenset(surnames[one]), frozenset(codes[one])) for one in everybody}

    def _tag(self, text: str) -> bytes:
        return self._kernel.index.tag("unusual", text.encode())

    def _reasons(
        self,
        entry: ReadEntry,
        accounts: _Accounts,
        people: Mapping[SubjectId, _Person],
        readers: Mapping[SubjectId, Sequence[tuple[int, PrincipalId]]],
    ) -> tuple[Reason, ...]:
        account, subject = _account(entry), _subject(entry)
        own = accounts.subject.get(account)
        mine = _Person() if own is None else people.get(own, _Person())
        theirs = people.get(subject, _Person())
        near = {who for at, who in readers[subject] if abs(at - entry.unix_ms) < DAY_MS}
        said = {
            Reason.SAME_SURNAME: bool(mine.surname & theirs.surname),
            Reason.SAME_POSTAL_CODE: bool(mine.postal_codes & theirs.postal_codes),
            Reason.COLLEAGUE: accounts.unit.get(account) in accounts.units_of.get(subject, ()),
            Reason.OFF_HOURS: self._is_off_hours(entry.unix_ms),
            Reason.NO_CASE: not (entry.values or {}).get("case"),
            Reason.POPULAR_PERSON: len(near) >= self._limits.popular_readers,
        }
        return tuple(reason for reason, holds in said.items() if holds)

    def _is_off_hours(self, unix_ms: int) -> bool:
        moment = from_unix_ms(unix_ms)
        first, last = self._limits.hours
        return moment.weekday() >= _SATURDAY or not first <= moment.hour < last


def _drafts(said: Mapping[str, str], asked: str, fields: Sequence[SealedField]) -> list[EntryDraft]:
    """Draft the entry of the reading and, where something is opened for it, that of the opening."""
    drafts = [EntryDraft(Kind.AUDIT_READ, {**said, "request": asked})]
    if fields:
        subjects = tuple(sorted({SubjectId(field.subject) for field in fields}))
        drafts.append(EntryDraft(Kind.OPEN, said, subjects, record_lines(fields)))
    return drafts


def _fields(work: Work, subjects: Iterable[SubjectId]) -> Sequence[SealedField]:
    rows = work.subjects.lock(subjects)
    directory = {row.directory.person for row in rows.values()}
    addresses = [
        row.field
        for row in work.records.of_subjects(rows)
        if row.state == ACTIVE and row.category is Category.HOME_ADDRESS and row.person in directory
    ]
    return (*(row.directory for row in rows.values()), *addresses)


def _readers(looks: Iterable[ReadEntry]) -> Mapping[SubjectId, Sequence[tuple[int, PrincipalId]]]:
    found: dict[SubjectId, list[tuple[int, PrincipalId]]] = defaultdict(list)
    for entry in looks:
        found[_subject(entry)].append((entry.unix_ms, _account(entry)))
    return found


def _account(entry: ReadEntry) -> PrincipalId:
    return account_of(entry) or PrincipalId("")


def _subject(entry: ReadEntry) -> SubjectId:
    return SubjectId((entry.values or {}).get("subject", ""))
