"""Finding subjects by keyed terms. Every search is an entry; its receipt opens the directory data of the hits only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Principal, Role
from registry.leaktrace.terms import full_name_term, search_terms
from registry.policy.decide import NOT_PERMITTED, QUOTA_EXCEEDED
from registry.services.brakes import counted
from registry.services.check_value import CheckValue
from registry.services.decoys import alarm_and_lock, decoys_of
from registry.services.kernel import (
    Caller,
    Kernel,
    ReceiptView,
    record_lines,
    refusal_of,
    result_of,
    view_of,
)
from registry.services.notices import alarm_notices, queue
from registry.services.ports import ACTIVE, SubjectRow, Work
from registry.services.rerun import rerun_once
from registry.services.values import department_term, index_terms, name_in_department_term
from registry.text.names import name_words
from registry.vault.blind_index import IndexTerm, Posting
from registry.vault.revealed import RevealedField

MAX_HITS = 25
_CAP = 200


class SearchKind(StrEnum):
    """What a search goes by."""

    EMPLOYEE_NUMBER = "employee_number"
    NAME = "name"
    DEPARTMENT = "department"  # a target list: never for readers
    VALUE = "value"


ROLES = {
    SearchKind.EMPLOYEE_NUMBER: frozenset({Role.READER, Role.ENROLLER, Role.INVESTIGATOR}),
    SearchKind.NAME: frozenset({Role.READER, Role.ENROLLER, Role.INVESTIGATOR}),
    SearchKind.DEPARTMENT: frozenset({Role.ENROLLER}),
    SearchKind.VALUE: frozenset({Role.INVESTIGATOR}),
}
ANY_ROLE = frozenset(role for roles in ROLES.values() for role in roles)


@dataclass(frozen=True, slots=True)
class SearchAsk:
    """One search.

    Attributes:
        kind: by what.
        term: what the ledger commits to, as a keyed tag: canonical text of the search.
        number_tag: for a search by employee number.
        terms: for every other search; a hit has any of them.
        value: for a search by value: its category and the value.
    """

    kind: SearchKind
    term: str = field(repr=False)
    number_tag: bytes | None = None
    terms: tuple[IndexTerm, ...] = ()
    value: tuple[Category, Mapping[str, str]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search answers.

    Attributes:
        hits: directory data of the subjects found, at most 25.
        is_cut: there are more.
        is_stopped: the caller has asked about too many values, or tried values out, and is told nothing.
    """

    hits: tuple[RevealedField, ...]
    is_cut: bool
    receipt: ReceiptView
    is_stopped: bool = False


def search_tag(kernel: Kernel, ask: SearchAsk) -> str:
    """Return the keyed tag that the entry of a search commits to in place of the term."""
    return kernel.index.tag("search-term", f"{ask.kind} {ask.term}".encode()).hex()


class Search:
    """Finds subjects."""

    def __init__(self, kernel: Kernel, checks: CheckValue) -> None:
        """Take the parts.

        Args:
            kernel: the registry.
            checks: what counts the values that somebody asks about, here as everywhere.
        """
        self._kernel = kernel
        self._checks = checks

    def by_number(self, employee_number: str) -> SearchAsk:
        """Return the ask for one employee number."""
        tag = self._kernel.number_tag(employee_number)
        return SearchAsk(SearchKind.EMPLOYEE_NUMBER, employee_number, number_tag=tag)

    def by_name(self, given_name: str, family_name: str, department: str = "") -> SearchAsk:
        """Return the ask for a full name, narrowed by a department if one is given."""
        terms = index_terms([full_name_term(name_words(given_name), name_words(family_name))])
        if department:
            terms = frozenset({name_in_department_term(given_name, family_name, department)})
        return SearchAsk(SearchKind.NAME, _text(terms), terms=tuple(terms))

    def by_department(self, department: str) -> SearchAsk:
        """Return the ask for everybody of a department."""
        terms = (department_term(department),)
        return SearchAsk(SearchKind.DEPARTMENT, _text(terms), terms=terms)

    def by_value(self, category: Category, value: Mapping[str, str]) -> SearchAsk:
        """Return the ask for one whole value."""
        terms = index_terms(search_terms(category, value))
        return SearchAsk(SearchKind.VALUE, _text(terms), terms=tuple(terms), value=(category, value))

    @rerun_once
    def search(self, caller: Caller, ask: SearchAsk) -> Found:
        """Search.

        Raises:
            AccessDenied: the caller may not search by this.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            is_allowed = bool(principal.roles & ROLES[ask.kind])
            rule = self._stopped_by(work, principal, ask) if is_allowed else None
            subjects = self._subjects(work, ask) if is_allowed and rule is None else []
            kept = subjects[:MAX_HITS]
            alarms = self._alarms(work, principal, kept) if ask.kind is SearchKind.VALUE else ()
            *_, pending = self._kernel.log.append(
                work.ledger, [*alarms, self._draft(principal, ask, kept, is_allowed=is_allowed, stopped=rule)]
            )
            queue(work, self._kernel, alarm_notices(alarms))
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if not is_allowed:
            raise refusal_of(principal, NOT_PERMITTED, receipt.index)
        self._kernel.vault.prepare(row.directory for row in kept)
        hits = tuple(self._kernel.vault.open(row.directory, receipt) for row in kept)
        return Found(hits, len(subjects) > MAX_HITS, view_of(receipt), rule is not None)

    def _stopped_by(self, work: Work, principal: Principal, ask: SearchAsk) -> str | None:
        """Count a value that is searched for as a check of it: a hit names its person, which says more than one bit."""
        return None if ask.value is None else self._checks.stopped_by(work, counted(principal), *ask.value)

    def _alarms(self, work: Work, principal: Principal, hits: Sequence[SubjectRow]) -> tuple[EntryDraft, ...]:
        """Lock who found a decoy by one of its values: nobody can know them but from this registry."""
        decoys = decoys_of(self._kernel, work, [row.id for row in hits])
        return alarm_and_lock(work, [(principal, subject) for subject in sorted(decoys)])

    def _subjects(self, work: Work, ask: SearchAsk) -> list[SubjectRow]:
        if ask.number_tag is not None:
            return [row for row in work.subjects.by_number_tags([ask.number_tag]).values() if row.state == ACTIVE]
        postings = self._kernel.index.look_up(work.postings, ask.terms, cap=_CAP)
        found = {posting for group in postings.values() for posting in group}
        if ask.kind is SearchKind.VALUE:
            return self._holders(work, found)
        rows = work.subjects.by_ids(SubjectId(posting.target) for posting in found)
        # A posting of an earlier version speaks of a name that is no longer so.
        current = [row for row in rows.values() if Posting(row.id, row.directory.version) in found]
        return sorted((row for row in current if row.state == ACTIVE), key=lambda row: row.id)

    def _holders(self, work: Work, postings: set[Posting]) -> list[SubjectRow]:
        records = work.records.by_ids(RecordId(posting.target) for posting in postings)
        current = {row.subject for row in records.values() if Posting(row.id, row.field.version) in postings}
        rows = work.subjects.by_ids(current)
        return sorted((row for row in rows.values() if row.state == ACTIVE), key=lambda row: row.id)

    def _draft(
        self, principal: Principal, ask: SearchAsk, hits: Sequence[SubjectRow], *, is_allowed: bool, stopped: str | None
    ) -> EntryDraft:
        result = f"denied {QUOTA_EXCEEDED}" if stopped else f"hits {len(hits)}"
        values = said_by(principal) | {
            "request": f"{ask.kind} {search_tag(self._kernel, ask)}",
            "result": result if is_allowed else result_of(principal, NOT_PERMITTED),
            "rules": self._kernel.policy.rules(stopped or f"search.{ask.kind}"),
        }
        lines = record_lines(row.directory for row in hits)
        return EntryDraft(Kind.SEARCH, values, tuple(sorted(row.id for row in hits)), lines)


def _text(terms: Iterable[IndexTerm]) -> str:
    return " ".join(sorted(f"{term.kind}:{term.text}" for term in terms))
