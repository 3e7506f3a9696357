"""Which served copies held the found values: facts per account, never a judgement about one.

A *copy* is one card released to one account by one entry of the ledger. A copy belongs to an account because it
held at least one of the found values in a version that fits; nothing else decides, and nothing here ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from registry.domain.categories import Category
from registry.domain.ids import EntryIndex, PrincipalId, RecordId, SubjectId
from registry.leaktrace.evidence_items import FirstSeen

MARKED = "marked"
MASKED = "masked"
OWN_VIEW = "self"
INTERNAL_OPEN = "internal open"
EXPOSURE_KINDS = (
    "enrolled by",
    "changed by",
    "import file",
    "subject and household",
    "earlier trace",
    INTERNAL_OPEN,
)


@dataclass(frozen=True, slots=True)
class FoundValue:
    """One decided finding: this value of this person occurs in the text. The value itself is never carried.

    Attributes:
        employee_number: the subject's number, as printed in the report.
        subject: the subject's id.
        record: the record that holds the value, or None when the match does not name one record.
        category, kind: what it is (``phone``, ``phone:mobile``).
        member: ref of the household member (``c1``), or None for the subject. Never a name.
        confidence: how sure the matcher is that the text holds this value, 0 to 1. Says nothing about a source.
        spans: places in the text, ``[start, end)`` in code points.
        reason: the matcher's short reason, without values.
        versions: versions of the record that hold the found value; empty when not known, then any version fits.
        is_tail: the text holds no more of the number than its last four digits.
        seen: the item that it counts in, where a trace is about several; None: the trace's one text.
    """

    employee_number: str
    subject: SubjectId
    record: RecordId | None
    category: Category
    kind: str
    member: str | None
    confidence: float
    spans: tuple[tuple[int, int], ...]
    reason: str
    versions: tuple[int, ...] = ()
    is_tail: bool = False
    seen: FirstSeen | None = None


@dataclass(frozen=True, slots=True)
class ServedCopy:
    """One card released to one account by one entry.

    Attributes:
        entry: index of the disclose entry.
        served_at: when, aware.
        subject: whose card.
        account: the principal it was served to. Only its neutral label reaches a report.
        records: record id, version and category of each released record.
        purpose: the stated purpose's code.
        case_given: whether a case reference was stated; the reference itself stays in the entry.
        form: ``marked``: in forms drawn for the account; ``as_entered``: an unmarked copy; ``masked``: the last four
            digits of numbers, the city of an address.
        via: ``single``, ``batch`` or ``self`` (the subject's own view).
        nonce: of the commitments to what was drawn, 32 bytes; empty where there is none.
        committed: what the entry commits to of each record's draw, by record.
    """

    entry: EntryIndex
    served_at: datetime
    subject: SubjectId
    account: PrincipalId
    records: tuple[tuple[RecordId, int, Category], ...]
    purpose: str
    case_given: bool
    form: str
    via: str
    nonce: bytes = field(default=b"", repr=False)
    committed: Mapping[RecordId, bytes] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SourceExposure:
    """Somebody or something that held a value without being served a copy of it.

    Attributes:
        kind: one of ``EXPOSURE_KINDS``.
        account: the principal, or None where none is known (a household).
        at: when, aware.
        entry: the entry that shows it, or None.
        subject: whose values.
        note: short, without values.
    """

    kind: str
    account: PrincipalId | None
    at: datetime
    entry: EntryIndex | None
    subject: SubjectId
    note: str


@dataclass(frozen=True, slots=True)
class LabelledFinding:
    """A finding and the label by which the report refers to it (``F1``)."""

    label: str
    found: FoundValue


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """One copy as the report shows it.

    Attributes:
        entry, served_at, purpose, case_given, form, via: as in ``ServedCopy``.
        employee_number: whose card.
        held: labels of the found values in this copy.
        other_records: how many released records of this copy are not among the found values.
        seconds_before: publication minus serving; negative when served later; None without a publication time.
        in_doubt: served so near to the stated publication that it may have been before or after it.
    """

    entry: EntryIndex
    served_at: datetime
    purpose: str
    case_given: bool
    form: str
    via: str
    employee_number: str
    held: tuple[str, ...]
    other_records: int
    seconds_before: int | None
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class AccountCopies:
    """All copies of found values served to one account, under a neutral label.

    Attributes:
        label: ``Account 1``; numbered in the order of first serving, which says nothing about suspicion.
        copies: by time, then entry.
        held: labels of the found values that are in any of these copies.
        also: kinds of source exposure that this account has as well.
    """

    label: str
    copies: tuple[CopyFacts, ...]
    held: tuple[str, ...]
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SameCopies:
    """Accounts whose copies held the same found values: by content nobody can tell them apart."""

    held: tuple[str, ...]
    accounts: tuple[str, ...]


def label_findings(findings: Iterable[FoundValue]) -> tuple[LabelledFinding, ...]:
    """Number the findings F1, F2 ... by employee number, kind, member and place."""
    ordered = sorted(findings, key=lambda found: (found.employee_number, found.kind, found.member or "", found.spans))
    return tuple(LabelledFinding(f"F{number}", found) for number, found in enumerate(ordered, start=1))


class FindingsByRecord:
    """Findings by the record that they are of, or, where they name none, by the person: a copy is compared with few."""

    def __init__(self, findings: Sequence[LabelledFinding]) -> None:
        self._of_record: dict[RecordId, list[int]] = {}
        self._of_person: dict[SubjectId, list[int]] = {}
        self._all = findings
        for place, item in enumerate(findings):
            if item.found.record is None:
                self._of_person.setdefault(item.found.subject, []).append(place)
            else:
                self._of_record.setdefault(item.found.record, []).append(place)

    def near(self, copy: ServedCopy) -> list[LabelledFinding]:
        """Return the findings that a copy may have held, in their order: no other one fits it."""
        places = set(self._of_person.get(copy.subject, ()))
        for record, _, _ in copy.records:
            places.update(self._of_record.get(record, ()))
        return [self._all[place] for place in sorted(places)]


def held_findings(copy: ServedCopy, findings: Sequence[LabelledFinding]) -> tuple[str, ...]:
    """Name the found values that a copy held.

    A finding without a record fits every record of its category on the subject's card: saying less would leave
    possible holders off the list. A masked copy held what it showed: last four digits, and nothing else that a text is
    matched by.
    """
    return tuple(item.label for item in findings if any(_fits(item.found, copy, record) for record in copy.records))


def _fits(found: FoundValue, copy: ServedCopy, released: tuple[RecordId, int, Category]) -> bool:
    record, version, category = released
    # No copy shows more of a payment card, so that a masked one is like any other.
    if copy.form == MASKED and not found.is_tail and category is not Category.PAYMENT_CARD:
        return False
    if found.record is None:
        return copy.subject == found.subject and category is found.category
    return record == found.record and (not found.versions or version in found.versions)


def timely(copies: Iterable[ServedCopy], findings: Sequence[FoundValue]) -> list[ServedCopy | None]:
    """Return what of copies can be a source of found values by the time of the item that each counts in.

    A record that was served after the item of the value it holds had been seen is left out of a copy; None where
    nothing is left of it that was found.
    """
    if not any(found.seen for found in findings):
        return list(copies)
    by_record = FindingsByRecord([LabelledFinding("", found) for found in findings])
    return [_timely(copy, [item.found for item in by_record.near(copy)]) for copy in copies]


def _timely(copy: ServedCopy, findings: Sequence[FoundValue]) -> ServedCopy | None:
    kept = tuple(record for record in copy.records if not _is_late(copy, record, findings))
    rest = replace(copy, records=kept)
    return rest if any(_fits(found, rest, record) for found in findings for record in kept) else None


def _is_late(copy: ServedCopy, record: tuple[RecordId, int, Category], findings: Sequence[FoundValue]) -> bool:
    moments = [found.seen.latest_at for found in findings if found.seen is not None and _fits(found, copy, record)]
    return bool(moments) and all(moment is not None and moment < copy.served_at for moment in moments)


def split_by_time(
    copies: Iterable[ServedCopy], published_at: datetime | None
) -> tuple[tuple[ServedCopy, ...], tuple[ServedCopy, ...]]:
    """Part copies into those that can and those that cannot be the source by their time.

    ``published_at`` is the latest moment that it may have been, where it is uncertain. A copy served at that very
    moment stays on the first side: stated times are rounded, and leaving a possible holder out is the worse mistake.
    Without a publication time every copy is on the first side.
    """
    ordered = sorted(copies, key=lambda copy: (copy.served_at, copy.entry))
    if published_at is None:
        return tuple(ordered), ()
    return (
        tuple(copy for copy in ordered if copy.served_at <= published_at),
        tuple(copy for copy in ordered if copy.served_at > published_at),
    )


def first_served_order(copies: Iterable[ServedCopy]) -> tuple[PrincipalId, ...]:
    """Order accounts by their first copy's time, then entry. Nothing about the findings enters the order."""
    ordered = sorted(copies, key=lambda copy: (copy.served_at, copy.entry))
    return tuple(dict.fromkeys(copy.account for copy in ordered))


@dataclass(frozen=True, slots=True)
class Grouping:
    """What ``group_by_account`` needs besides the copies.

    Attributes:
        findings: all labelled findings.
        labels: neutral label of each account.
        published_at: publication time, or None.
        also: exposure kinds of each account.
        uncertainty_seconds: of the publication time, either way.
    """

    findings: tuple[LabelledFinding, ...]
    labels: Mapping[PrincipalId, str]
    published_at: datetime | None
    also: Mapping[PrincipalId, tuple[str, ...]]
    uncertainty_seconds: int = 0


def group_by_account(copies: Sequence[ServedCopy], grouping: Grouping) -> tuple[AccountCopies, ...]:
    """Gather copies per account, accounts in the order of first serving."""
    numbers = {item.found.subject: item.found.employee_number for item in grouping.findings}
    by_record = FindingsByRecord(grouping.findings)
    served: dict[PrincipalId, list[ServedCopy]] = {}
    for copy in copies:
        served.setdefault(copy.account, []).append(copy)
    groups = []
    for account in first_served_order(copies):
        facts = tuple(_facts(copy, by_record.near(copy), grouping, numbers) for copy in served[account])
        held = {label for fact in facts for label in fact.held}
        groups.append(
            AccountCopies(
                label=grouping.labels[account],
                copies=tuple(sorted(facts, key=lambda fact: (fact.served_at, fact.entry))),
                held=tuple(item.label for item in grouping.findings if item.label in held),
                also=grouping.also.get(account, ()),
            )
        )
    return tuple(groups)


def _facts(
    copy: ServedCopy, near: Sequence[LabelledFinding], grouping: Grouping, numbers: Mapping[SubjectId, str]
) -> CopyFacts:
    found = [item.found for item in near]
    seen = _seen(copy, near, grouping)
    seconds = None if seen.published_at is None else int((seen.published_at - copy.served_at).total_seconds())
    return CopyFacts(
        entry=copy.entry,
        served_at=copy.served_at,
        purpose=copy.purpose,
        case_given=copy.case_given,
        form=copy.form,
        via=copy.via,
        employee_number=numbers[copy.subject],
        held=held_findings(copy, near),
        other_records=sum(not any(_fits(one, copy, record) for one in found) for record in copy.records),
        seconds_before=seconds,
        in_doubt=_is_in_doubt(copy.served_at, seen),
    )


def _seen(copy: ServedCopy, near: Sequence[LabelledFinding], grouping: Grouping) -> FirstSeen:
    """Return the publication that a copy is compared with: of several items the first one with a value it held."""
    held = [item.found.seen for item in near if any(_fits(item.found, copy, one) for one in copy.records)]
    known = [(one.published_at, one.item, one) for one in held if one is not None and one.published_at is not None]
    if known:
        return min(known)[2]
    return FirstSeen(0, grouping.published_at, grouping.uncertainty_seconds)


def _is_in_doubt(served_at: datetime, seen: FirstSeen) -> bool:
    if seen.published_at is None or not seen.uncertainty_seconds:
        return False
    return abs(served_at - seen.published_at) <= timedelta(seconds=seen.uncertainty_seconds)


def same_copies(groups: Iterable[AccountCopies]) -> tuple[SameCopies, ...]:
    """Part accounts by the set of found values that their copies held; each part in label order of the report."""
    parts: dict[tuple[str, ...], list[str]] = {}
    for group in groups:
        parts.setdefault(group.held, []).append(group.label)
    return tuple(SameCopies(held, tuple(labels)) for held, labels in parts.items())
