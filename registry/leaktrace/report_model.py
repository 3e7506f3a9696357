"""From evidence to the honest trace report: which values, which copies, what is open, what must not be concluded.

Pure: no clock, no chance, no I/O. The same evidence gives the same report, in whatever order it arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.domain.ids import PrincipalId, SubjectId
from registry.leaktrace import wording, wording_canaries, wording_documents, wording_pairs
from registry.leaktrace.codes_report import label_codes, tier_of_codes
from registry.leaktrace.copies import (
    INTERNAL_OPEN,
    MARKED,
    OWN_VIEW,
    AccountCopies,
    FindingsByRecord,
    FoundValue,
    Grouping,
    LabelledFinding,
    SameCopies,
    ServedCopy,
    SourceExposure,
    first_served_order,
    group_by_account,
    held_findings,
    label_findings,
    same_copies,
    split_by_time,
    timely,
)
from registry.leaktrace.evidence_items import items_with
from registry.leaktrace.marks_report import label_marks, tier_of_marks, tier_of_pairs
from registry.leaktrace.outside import OUTSIDE_DEFAULTS, OutsideField, outside_fields
from registry.leaktrace.report_shapes import (
    SCHEMA,
    CodesReport,
    ExposureLine,
    FlagBudget,
    LedgerCheck,
    MarksReport,
    PersonFindings,
    TierLabel,
    TierStatement,
    TraceEvidence,
    TraceQuestion,
    TraceReport,
)

__all__ = [
    "LEAD_OUTSIDE_LIMIT",
    "SCHEMA",
    "AccountCopies",
    "ExposureLine",
    "FoundValue",
    "LedgerCheck",
    "PersonFindings",
    "SameCopies",
    "ServedCopy",
    "SourceExposure",
    "TierLabel",
    "TierStatement",
    "TraceEvidence",
    "TraceQuestion",
    "TraceReport",
    "build_report",
    "digest_of_text",
    "label_ranges",
]

_MOST_RUNS = 24  # of labels in a sentence; the JSON form has lists of all
LEAD_OUTSIDE_LIMIT = 0.5  # a found value that is more obtainable outside than this never makes a lead


def digest_of_text(text: str, nonce: bytes) -> str:
    """Bind a report to the pasted text without making short texts searchable.

    A bare SHA-256 of a text that is just a phone number or an SSN can be searched by anyone who holds the report.
    The nonce stays with the sealed text and in the trace's entry.

    Args:
        text: the text as given.
        nonce: 32 random bytes.

    Returns:
        SHA-256 over the nonce and the UTF-8 text (lone surrogates kept as they are), 64 hex digits.
    """
    if len(nonce) != hashlib.sha256().digest_size:
        raise ValueError("the nonce is 32 bytes")
    return hashlib.sha256(nonce + text.encode("utf-8", "surrogatepass")).hexdigest()


def build_report(
    question: TraceQuestion,
    evidence: TraceEvidence,
    assumptions: Mapping[str, OutsideField] = OUTSIDE_DEFAULTS,
) -> TraceReport:
    """Make the report.

    Args:
        question: what was asked.
        evidence: findings, copies, exposures and the ledger's state; any order.
        assumptions: how obtainable each kind is outside, by kind.

    Returns:
        The report; equal for equal evidence. Copies that held no found value and exposures of persons without a
        finding are left out.

    Raises:
        ValueError: a time without a zone.
    """
    _check_times(question, evidence)
    sorted_out = _sort_out(question, evidence)
    fields = outside_fields((item.found.kind for item in sorted_out.findings), assumptions)
    counts = _counts(sorted_out)
    return TraceReport(
        schema=SCHEMA,
        question=question,
        ledger=evidence.ledger,
        gaps=(wording.GAP_CAP, *evidence.ledger.chain_gaps) if evidence.ledger.chain_gaps else (),
        first_line=wording.FIRST_LINE,
        tier=_tier(
            sorted_out,
            counts,
            fields,
            published=question.published_at is not None,
            uncapped=not evidence.ledger.chain_gaps and not _is_spent(evidence),
        ),
        summary=(*_summary(question, evidence, sorted_out, counts), *wording_documents.not_read(question.not_read)),
        people=_people(sorted_out.findings),
        accounts=sorted_out.accounts,
        not_distinguished=same_copies(sorted_out.accounts),
        own_views=sorted_out.own_views,
        after_publication=sorted_out.after,
        unexplained=sorted_out.unexplained,
        exposures=tuple(line for line in sorted_out.exposures if line.kind != INTERNAL_OPEN),
        internal_opens=tuple(line for line in sorted_out.exposures if line.kind == INTERNAL_OPEN),
        not_from_here=wording.NOT_FROM_HERE,
        outside=fields,
        unknown=_unknown(question, evidence, sorted_out),
        would_change=_would_change(question, evidence),
        must_not=wording.MUST_NOT,
        marks=sorted_out.marks,
        codes=sorted_out.codes,
        budget=evidence.budget,
        coverage=evidence.coverage,
    )


def _is_spent(evidence: TraceEvidence) -> bool:
    return evidence.budget is not None and evidence.budget.is_spent


@dataclass(frozen=True, slots=True)
class _SortedOut:
    findings: tuple[LabelledFinding, ...]
    accounts: tuple[AccountCopies, ...]
    own_views: tuple[AccountCopies, ...]
    after: tuple[AccountCopies, ...]
    exposures: tuple[ExposureLine, ...]
    unexplained: tuple[str, ...]
    marks: MarksReport | None
    codes: CodesReport | None


def _check_times(question: TraceQuestion, evidence: TraceEvidence) -> None:
    times = [question.asked_at, question.published_at or question.asked_at]
    times += [copy.served_at for copy in evidence.copies] + [exposure.at for exposure in evidence.exposures]
    if any(moment.tzinfo is None for moment in times):
        raise ValueError("every time of a report is aware")


def _sort_out(question: TraceQuestion, evidence: TraceEvidence) -> _SortedOut:
    findings = label_findings(evidence.findings)
    subjects = {item.found.subject: item.found.employee_number for item in findings}
    by_record = FindingsByRecord(findings)
    relevant = [copy for copy in evidence.copies if held_findings(copy, by_record.near(copy))]
    before, after = _split(relevant, [item.found for item in findings], question.latest_at)
    exposures = _by_time(one for one in evidence.exposures if one.subject in subjects)
    others = {copy.account for copy in before if copy.via != OWN_VIEW}
    candidates = tuple(copy for copy in before if copy.account in others)
    own = tuple(copy for copy in before if copy.account not in others)
    labels = _labels((candidates, own, after), exposures)
    grouping = Grouping(findings, labels, question.published_at, _also(exposures), question.uncertainty_seconds)
    accounts = group_by_account(candidates, grouping)
    covered = {label for account in accounts for label in account.held}
    return _SortedOut(
        findings=findings,
        accounts=accounts,
        own_views=group_by_account(own, grouping),
        after=group_by_account(after, grouping),
        exposures=tuple(_exposure_line(one, question.latest_at, labels, subjects) for one in exposures),
        unexplained=tuple(item.label for item in findings if item.label not in covered),
        marks=None if evidence.marks is None else label_marks(evidence.marks, labels, findings),
        codes=None if evidence.codes is None else label_codes(evidence.codes, labels),
    )


def _split(
    copies: Sequence[ServedCopy], findings: Sequence[FoundValue], latest_at: datetime | None
) -> tuple[tuple[ServedCopy, ...], tuple[ServedCopy, ...]]:
    """Part copies by time; where a text has several items, by the time of the one that each value counts in."""
    parted = list(zip(copies, timely(copies, findings), strict=True))
    before, after = split_by_time([part for _, part in parted if part is not None], latest_at)
    return before, (*after, *(copy for copy, part in parted if part is None))


def _by_time(exposures: Iterable[SourceExposure]) -> tuple[SourceExposure, ...]:
    return tuple(sorted(exposures, key=lambda one: (one.at, one.kind, one.entry or 0, one.account or "", one.subject)))


def _labels(parts: Iterable[tuple[ServedCopy, ...]], exposures: Iterable[SourceExposure]) -> dict[PrincipalId, str]:
    """Give each account one label for the whole report: candidates first, all by first serving or first exposure."""
    order = [account for part in parts for account in first_served_order(part)]
    order += [one.account for one in exposures if one.account is not None]
    return {account: f"Account {number}" for number, account in enumerate(dict.fromkeys(order), start=1)}


def _also(exposures: Iterable[SourceExposure]) -> dict[PrincipalId, tuple[str, ...]]:
    kinds: dict[PrincipalId, list[str]] = {}
    for one in exposures:
        if one.account is not None and one.kind != INTERNAL_OPEN:
            kinds.setdefault(one.account, []).append(one.kind)
    return {account: tuple(sorted(set(names))) for account, names in kinds.items()}


def _exposure_line(
    exposure: SourceExposure,
    published_at: datetime | None,
    labels: Mapping[PrincipalId, str],
    subjects: Mapping[SubjectId, str],
) -> ExposureLine:
    return ExposureLine(
        kind=exposure.kind,
        account=None if exposure.account is None else labels[exposure.account],
        at=exposure.at,
        entry=exposure.entry,
        employee_number=subjects[exposure.subject],
        note=exposure.note,
        after_publication=None if published_at is None else exposure.at > published_at,
    )


def _counts(sorted_out: _SortedOut) -> wording.Counts:
    copies = [copy for account in sorted_out.accounts for copy in account.copies]
    return wording.Counts(
        findings=len(sorted_out.findings),
        people=len({item.found.subject for item in sorted_out.findings}),
        accounts=len(sorted_out.accounts),
        copies=len(copies),
        full=sum(len(account.held) == len(sorted_out.findings) for account in sorted_out.accounts),
    )


def _tier(
    sorted_out: _SortedOut, counts: wording.Counts, fields: tuple[OutsideField, ...], *, published: bool, uncapped: bool
) -> TierStatement:
    reasons = wording.tier_reasons(counts, published=published, marked=sorted_out.marks is not None)
    obtainable = {field.kind: field.obtainable for field in fields}
    unexplained = set(sorted_out.unexplained)
    scarce = [
        item.label
        for item in sorted_out.findings
        if item.label not in unexplained and obtainable[item.found.kind] <= LEAD_OUTSIDE_LIMIT
    ]
    stated = _tier_of_copies(sorted_out, uncapped=uncapped) if published else None
    if stated is not None:
        return stated
    if scarce and published:
        reason = wording.lead_reason(label_ranges(scarce), LEAD_OUTSIDE_LIMIT)
        return TierStatement(TierLabel.LEAD, wording.LEAD, (reason, *reasons))
    if counts.accounts and published:
        reasons = (wording.none_reason(LEAD_OUTSIDE_LIMIT), *reasons)
    return TierStatement(TierLabel.NONE, wording.none_tier(counts.accounts), reasons)


def _tier_of_copies(sorted_out: _SortedOut, *, uncapped: bool) -> TierStatement | None:
    """Return the highest of what codes, the writing of single copies and that of pairs carry; of equals the first."""
    coded = None if sorted_out.codes is None else tier_of_codes(sorted_out.codes, sorted_out.marks, uncapped=uncapped)
    marked = None if sorted_out.marks is None else tier_of_marks(sorted_out.marks)
    paired = None if sorted_out.marks is None else tier_of_pairs(sorted_out.marks)
    stated = [one for one in (coded, marked, paired) if one is not None]
    return max(stated, key=lambda one: list(TierLabel).index(one.label), default=None)


def label_ranges(labels: Sequence[str], most: int = _MOST_RUNS) -> str:
    """Write labels short: ``F1 to F4, F7``. Order is kept; a run is three or more that follow one another.

    Of more runs than ``most`` the first are written, with how many labels there are besides.
    """
    runs: list[list[int]] = []
    more = 0
    for place, label in enumerate(labels):
        number = int(label[1:])
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        elif len(runs) == most:
            more = len(labels) - place
            break
        else:
            runs.append([number])
    told = [f"F{run[0]} to F{run[-1]}" if len(run) > 2 else ", ".join(f"F{number}" for number in run) for run in runs]
    return ", ".join([*told, *([f"and {more:,} more"] if more else [])])


def _until(question: TraceQuestion) -> str:
    return "up to the time of this trace" if question.published_at is None else "before publication"


def _summary(
    question: TraceQuestion, evidence: TraceEvidence, sorted_out: _SortedOut, counts: wording.Counts
) -> tuple[str, ...]:
    if not counts.findings:
        return (wording.no_findings(),)
    until = _until(question)
    found_what = wording.found_what(counts, sorted({item.found.kind for item in sorted_out.findings}))
    if not counts.accounts:
        complete = not evidence.ledger.chain_gaps
        return (found_what, wording.nothing_served(until=until, complete=complete))
    sentences = [
        found_what,
        wording.served_what(counts, until=until),
        *_items_sentences(question, sorted_out),
        *_marks_sentences(sorted_out, counts),
        *_budget_sentences(evidence.budget),
        wording.indistinguishable(counts, set_apart=_are_set_apart(sorted_out)),
    ]
    if sorted_out.unexplained:
        labels = sorted_out.unexplained
        sentences.append(wording.unexplained(labels, label_ranges(labels), until))
    if question.published_at is None:
        sentences.append(wording.NO_PUBLICATION_TIME)
    in_doubt = sum(copy.in_doubt for account in sorted_out.accounts for copy in account.copies)
    if in_doubt:
        sentences.append(wording.copies_in_doubt(in_doubt))
    return tuple(sentences)


def _are_set_apart(sorted_out: _SortedOut) -> bool:
    marked = () if sorted_out.marks is None else sorted_out.marks.copies
    return sorted_out.codes is not None or any(one.evidence.tier != TierLabel.NONE for one in marked)


def _items_sentences(question: TraceQuestion, sorted_out: _SortedOut) -> tuple[str, ...]:
    if len(question.items) < 2:
        return ()
    again = sum(len(items_with(question.items, item.found.spans)) > 1 for item in sorted_out.findings)
    told = wording.items_counted(len(question.items), again)
    return (told, wording.continued(question.continues)) if question.continues else (told,)


def _marks_sentences(sorted_out: _SortedOut, counts: wording.Counts) -> tuple[str, ...]:
    unmarked = sum(copy.form != MARKED for account in sorted_out.accounts for copy in account.copies)
    told = (wording.unmarked_copies(unmarked, counts.copies),) if unmarked else ()
    if sorted_out.marks is not None:
        marks = sorted_out.marks
        pairs = (wording_pairs.pairs_compared(marks.pairs_compared, len(marks.pairs)),) if marks.pairs_compared else ()
        canaries = (wording_canaries.canary_found(one) for one in marks.canaries)
        return (*told, wording.marks_read(marks.values, marks.slots), *canaries, *pairs)
    return (*told, wording.NOTHING_READ) if unmarked < counts.copies else told


def _budget_sentences(budget: FlagBudget | None) -> tuple[str, ...]:
    if budget is None:
        return ()
    counted = wording.budget_counted(budget.investigations, budget.expected)
    return (counted, wording.budget_spent(budget.limit)) if budget.is_spent else (counted,)


def _people(findings: tuple[LabelledFinding, ...]) -> tuple[PersonFindings, ...]:
    people: dict[str, list[LabelledFinding]] = {}
    for item in findings:
        people.setdefault(item.found.employee_number, []).append(item)
    return tuple(PersonFindings(number, tuple(items)) for number, items in people.items())


def _unknown(question: TraceQuestion, evidence: TraceEvidence, sorted_out: _SortedOut) -> tuple[str, ...]:
    unknown = list(wording.ALWAYS_UNKNOWN)
    if evidence.ledger.chain_gaps:
        unknown.insert(0, wording.UNKNOWN_GAP)
    if question.published_at is None:
        unknown.append(wording.UNKNOWN_PUBLICATION)
    elif sorted_out.findings:
        unknown.append(wording.UNKNOWN_EARLIER)
    loose = [item.label for item in sorted_out.findings if item.found.record is None]
    if loose:
        unknown.append(wording.unknown_record(label_ranges(loose)))
    shared = _same_place(sorted_out.findings)
    if shared:
        unknown.append(wording.shared_places(label_ranges(shared)))
    return tuple(unknown)


def _same_place(findings: tuple[LabelledFinding, ...]) -> list[str]:
    """Labels of findings that rest on a place in the text which another finding rests on too (one shared address)."""
    places: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for item in findings:
        if item.found.spans:
            places.setdefault(item.found.spans, []).append(item.label)
    shared = {label for labels in places.values() if len(labels) > 1 for label in labels}
    return [item.label for item in findings if item.label in shared]


def _would_change(question: TraceQuestion, evidence: TraceEvidence) -> tuple[str, ...]:
    changes = list(wording.ALWAYS_CHANGES)
    if question.published_at is None:
        changes.insert(0, wording.CHANGES_PUBLICATION)
    if _is_spent(evidence):
        changes.insert(0, wording.CHANGES_BUDGET)
    if evidence.ledger.chain_gaps:
        changes.insert(0, wording.CHANGES_GAP)
    return tuple(changes)
