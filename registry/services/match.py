"""Matching a text against the registry: ask the blind index, open a bounded set of candidates under an entry, decide.

What is opened here has no recipient: the entry says ``open``, and opened values leave this module only as findings
(offsets, categories, reasons).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import Receipt
from registry.domain.categories import Category, kind_of
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Principal, Role
from registry.leaktrace.coverage import Coverage, Tally
from registry.leaktrace.decide import decide
from registry.leaktrace.dossier import Dossier, DossierRecord, Finding, Joining, Matching, Member
from registry.leaktrace.reading import Reader, Reading, read_here, read_parts
from registry.leaktrace.select import select_subjects
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import Term, TermKind
from registry.leaktrace.tried import Named, Tried, values_tried
from registry.marks.canaries import NO_CANARIES, Canaries, first_of
from registry.services.decoys import decoys_of
from registry.services.few_collections import few_collections
from registry.services.kernel import Caller, Kernel, record_lines
from registry.services.opened_once import OpenedOnce
from registry.services.ports import ACTIVE, SubjectRow, Work
from registry.services.reading import WrittenValue, read_writing
from registry.services.rerun import rerun_once
from registry.services.terms_read import TermHits, TermsRead, versions_of
from registry.services.values import card_digest, department_term
from registry.text.remembering import forgetting
from registry.vault.blind_index import BlindIndex
from registry.vault.revealed import RevealedField
from registry.vault.sealed import SealedField

INVESTIGATORS = frozenset({Role.INVESTIGATOR})
# People whose values are compared with one part of a text: forty for every row of one, so that no row of a dump loses
# anybody; a text that means to have a whole registry opened ends here.
MAX_CANDIDATES = 20_000
# Postings read per term: a term that more people share says nothing about one of them.
TERM_CAP = 512
# Counted to here: a larger department is one of so many at least.
_MOST_OF_A_UNIT = 50_000
# Lines an entry may have, with room below the format's limit.
_LINES_PER_ENTRY = 1_400


@dataclass(frozen=True, slots=True)
class Use:
    """What a text is matched for: who may, the rule that an entry names, and whether the values that it tries count."""

    roles: frozenset[Role]
    rule: str
    tries: bool = True


TRACING = Use(INVESTIGATORS, "role.investigator")
MANY_TEXTS = Use(INVESTIGATORS, "role.investigator", tries=False)


@dataclass(frozen=True, slots=True, repr=False)
class Matched:
    """What matching one text found.

    Attributes:
        matching: decided and possible findings.
        versions: of each found record, the versions that were compared.
        entries: indexes of the entries that matching wrote, at least one.
        written: reads how found values are written in the text, blind to what was drawn for any copy.
        tried: works out which values stand beside somebody's name and are not theirs.
        tally: what was counted in the rows of tables.
    """

    matching: Matching
    versions: Mapping[RecordId, tuple[int, ...]]
    entries: tuple[int, ...]
    written: Callable[[Iterable[Finding]], tuple[WrittenValue, ...]]
    tried: Callable[[], tuple[Tried, ...]]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What is to be opened, directory data and records per subject, and who of them is a decoy; who is open; whose full
    names the index knows.
    """  # noqa: D205 - one thought

    subjects: tuple[SubjectRow, ...]
    fields: Mapping[SubjectId, tuple[SealedField, ...]]
    opened: tuple[Dossier, ...]
    named: tuple[tuple[Term, SubjectId], ...]
    decoys: frozenset[SubjectId]


class _Run:
    """One text being matched: what its parts share."""

    def __init__(self, index: BlindIndex, detail: str, use: Use, tally: Tally | None) -> None:
        self.detail = detail
        self.use = use
        self.tally = Tally() if tally is None else tally
        self.asked = TermsRead(index, cap=TERM_CAP)
        self.opened = OpenedOnce()
        self.entries: list[int] = []
        self.found = Joining()
        self.tried: list[Callable[[], tuple[Tried, ...]]] = []


class MatchText:
    """Matches texts."""

    def __init__(self, kernel: Kernel, reader: Reader = read_here) -> None:
        """Take the registry, and what reads the rows of long tables."""
        self._kernel = kernel
        self._reader = reader

    @few_collections()
    @forgetting()
    def match(
        self, caller: Caller, text: str, *, detail: str, use: Use = TRACING, tally: Tally | None = None
    ) -> Matched:
        """Match one text.

        Args:
            caller: who may, by ``use``.
            text: as pasted.
            detail: what the entry says the matching is for.
            use: what it is for.
            tally: counts the rows of several texts together; its own where there is none.

        Raises:
            AccessDenied: the caller has no role for it; the refusal is an entry.
        """
        self._kernel.admit(caller, use.roles, detail)
        run = _Run(self._kernel.index, detail, use, tally)
        with closing(read_parts(text, reader=self._reader)) as readings:
            for reading in readings:
                self._part(caller, reading, run)
        return Matched(
            run.found.matching(),
            run.opened.versions(),
            tuple(run.entries),
            few_collections()(forgetting()(partial(read_writing, text, run.opened.found()))),
            few_collections()(forgetting()(lambda: all_tried(part() for part in run.tried))),
            run.tally,
        )

    def coverage(self, tally: Tally) -> Coverage | None:
        """Return what part of the registry the rows of a text cover; None where it is no dump."""
        terms = {department_term(unit): unit for unit in tally.units()}
        with self._kernel.database.read() as work:
            found = self._kernel.index.look_up(work.postings, terms, cap=_MOST_OF_A_UNIT)
        return tally.coverage({unit: len({one.target for one in found.get(term, ())}) for term, unit in terms.items()})

    def _part(self, caller: Caller, reading: Reading, run: _Run) -> None:
        """Match one part of a text; of what was opened, who was found is kept, and some of the others."""
        with self._kernel.database.read() as work:
            candidates = self._candidates(work, reading, run)
        dossiers = [*candidates.opened]
        if candidates.subjects or not run.entries:
            receipts = self._record(caller, candidates, run.detail, run.use)
            run.entries += [receipt.index for receipt in receipts]
            dossiers += self._dossiers(candidates, receipts)
        read = ReadText(reading, lambda digits: card_digest(self._kernel.index, digits))
        matching = decide(read, dossiers)
        run.tally.add(reading, matching, dossiers)
        run.opened.keep(dossiers, {finding.subject for finding in (*matching.findings, *matching.possible)})
        run.found.add(matching)
        if run.use.tries:
            # Worked out when somebody asks; but the readings of a long table are not kept for that.
            tried = partial(values_tried, read, Named(candidates.named, dossiers), matching)
            run.tried.append(tried if reading.is_whole else partial(tuple, tried()))

    def _candidates(self, work: Work, reading: Reading, run: _Run) -> _Candidates:
        hits = _hits(work, reading.terms, run)
        canaries = self._canaries(work, reading, run)
        likely = select_subjects(reading, {term: one.subjects for term, one in hits.items()}, limit=MAX_CANDIDATES)
        chosen = dict.fromkeys([*canaries, *likely]).keys()
        retired = versions_of(hits.values(), chosen)
        for subject, versions in canaries.items():
            retired.setdefault(subject, set()).update(versions)
        opened = run.opened.of(chosen, retired)
        rows = [row for row in work.subjects.by_ids(chosen - opened.keys()).values() if row.state == ACTIVE]
        fields: dict[SubjectId, list[SealedField]] = {row.id: [] for row in rows}
        for record in work.records.of_subjects(fields):
            if record.state == ACTIVE:
                fields[record.subject].append(record.field)
        # A value that is no longer current may be what leaked: open the very versions that the index points to.
        present = {(field.record, field.version) for group in fields.values() for field in group}
        older = [
            pair
            for subject in fields
            for pair in _newest((retired.get(subject, set()) | run.opened.older(subject)) - present, fields[subject])
        ]
        for field in work.records.sealed_versions(older):
            fields[field.subject].append(field)
        names = hits.items() if run.use.tries else ()
        named = tuple((term, min(one.subjects)) for term, one in names if term.kind is TermKind.NAME)
        groups = {subject: tuple(group) for subject, group in fields.items()}
        decoys = decoys_of(self._kernel, work, fields) if self._kernel.canaries.ranges else frozenset()
        return _Candidates(tuple(rows), groups, tuple(opened.values()), named, decoys)

    def _canaries(self, work: Work, reading: Reading, run: _Run) -> dict[SubjectId, set[tuple[RecordId, int]]]:
        """Return the canaries of whose ranges a number stands in a text, with the versions of those numbers.

        The index has the number as enrolled, the first of its range. Whoever else has that very number is no canary:
        a text is compared with theirs as with anybody's.
        """
        if not self._kernel.canaries.ranges:
            return {}
        numbers = (term.text for term in reading.terms if term.kind is TermKind.PHONE)
        ranges = {within for number in numbers if (within := self._kernel.canaries.range_of(number))}
        if not ranges:
            return {}
        hits = _hits(work, [Term(TermKind.PHONE, first_of(one)) for one in ranges], run)
        pointed = versions_of(hits.values(), frozenset().union(*(one.subjects for one in hits.values())))
        decoys = decoys_of(self._kernel, work, pointed)
        return {subject: versions for subject, versions in pointed.items() if subject in decoys}

    @rerun_once
    def _record(self, caller: Caller, candidates: _Candidates, detail: str, use: Use) -> tuple[Receipt, ...]:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & use.roles:
                self._kernel.deny(work, principal, detail)
            rules = self._kernel.policy.rules(use.rule)
            pendings = self._kernel.log.append(work.ledger, list(_drafts(rules, principal, candidates, detail)))
            work.commit()
        return self._kernel.mint(pendings)

    def _dossiers(self, candidates: _Candidates, receipts: Sequence[Receipt]) -> list[Dossier]:
        groups = _groups(candidates)
        self._kernel.vault.prepare(
            field for row in candidates.subjects for field in (row.directory, *candidates.fields[row.id])
        )
        return [
            self._dossier(row, candidates, receipt)
            for group, receipt in zip(groups, receipts, strict=False)
            for row in group
        ]

    def _dossier(self, row: SubjectRow, candidates: _Candidates, receipt: Receipt) -> Dossier:
        names = self._kernel.vault.open(row.directory, receipt).expose()
        opened = [self._kernel.vault.open(field, receipt) for field in candidates.fields[row.id]]
        canaries = self._kernel.canaries if row.id in candidates.decoys else NO_CANARIES
        family = [field for field in opened if field.category == Category.FAMILY_MEMBER]
        return Dossier(
            subject=row.id,
            employee_number=names["employee_number"],
            given_name=names["given_name"],
            family_name=names["family_name"],
            members=tuple(_member(field) for field in family),
            records=tuple(_dossier_record(field, canaries) for field in opened),
            department=names["department"],
            title=names["title"],
        )


def _hits(work: Work, terms: Iterable[Term], run: _Run) -> dict[Term, TermHits]:
    return run.asked.look_up(work.postings, terms, work.records.subjects_of)


def all_tried(parts: Iterable[Iterable[Tried]]) -> tuple[Tried, ...]:
    """Join what the parts of a text try: different values of one category for one subject add up."""
    values: dict[tuple[SubjectId, Category], frozenset[str]] = {}
    for part in parts:
        for one in part:
            key = (one.subject, one.category)
            values[key] = values.get(key, frozenset()) | one.values
    return tuple(Tried(*key, found) for key, found in values.items())


def _newest(retired: Iterable[tuple[RecordId, int]], current: Sequence[SealedField]) -> Sequence[tuple[RecordId, int]]:
    """Keep as many retired versions, the newest first, as one entry can name beside the directory and current ones."""
    room = max(0, _LINES_PER_ENTRY - 1 - len(current))
    return sorted(retired, key=lambda pair: (-pair[1], pair[0]))[:room]


def _groups(candidates: _Candidates) -> list[list[SubjectRow]]:
    """Part the candidates so that one entry can name all that it opens; one group even when there are none."""
    groups: list[list[SubjectRow]] = [[]]
    lines = 0
    for row in candidates.subjects:
        needed = 1 + len(candidates.fields[row.id])
        if groups[-1] and lines + needed > _LINES_PER_ENTRY:
            groups.append([])
            lines = 0
        groups[-1].append(row)
        lines += needed
    return groups


def _drafts(rules: str, principal: Principal, candidates: _Candidates, detail: str) -> Iterable[EntryDraft]:
    for group in _groups(candidates):
        ordered = sorted(row.id for row in group)
        lines = record_lines(field for row in group for field in (row.directory, *candidates.fields[row.id]))
        values = said_by(principal) | {
            "result": f"candidates {len(group)}",
            "rules": rules,
            "detail": detail,
        }
        yield EntryDraft(Kind.OPEN, values, tuple(ordered), lines)


def _member(field: RevealedField) -> Member:
    value = field.expose()
    return Member(field.member or "", value["relation"], value["given_name"], value["family_name"])


def _dossier_record(field: RevealedField, canaries: Canaries) -> DossierRecord:
    category = Category(field.category)
    value = field.expose()
    canary = canaries.enrolled_in(category, value)
    return DossierRecord(field.record, category, kind_of(category, value), field.member, value, field.version, canary)
