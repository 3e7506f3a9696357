"""The shapes of a trace report: which values, which copies, what is open, and what must not be concluded.

Nothing in a ``TraceReport`` is a protected value, an account's name or an account's id: renderers cannot show what
is not there. Tiers above ``lead`` come from the marks of copies alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.domain.case_states import ReplyBy
from registry.domain.ids import EntryIndex, TraceId
from registry.leaktrace.canaries import LabelledCanary
from registry.leaktrace.copies import (
    AccountCopies,
    FoundValue,
    LabelledFinding,
    SameCopies,
    ServedCopy,
    SourceExposure,
)
from registry.leaktrace.coverage import Coverage
from registry.leaktrace.evidence_items import EvidenceItem, LaterSighting, NotRead, latest_first_seen, latest_of
from registry.leaktrace.marked_copies import LabelledEvidence, LabelledPair, MarksEvidence
from registry.leaktrace.outside import OutsideField
from registry.leaktrace.receipt_codes import CodesEvidence

SCHEMA = "registry.trace-report/1"


class TierLabel(StrEnum):
    """How far the evidence goes, the least first. Those above a lead need marked copies."""

    NONE = "none"
    LEAD = "lead"
    STRONG = "strong"
    ATTRIBUTED = "attributed copy"


@dataclass(frozen=True, slots=True)
class TraceQuestion:
    """What was asked.

    Attributes:
        trace: the trace's id.
        asked_at: when the trace ran, aware.
        text_sha256: 64 hex digits, from ``digest_of_text``.
        text_length: code points of the text.
        published_at: first known publication, aware, or None when not stated.
        source: where the text was seen, as told by who asked; printed as text. Empty when not told.
        engine: name and version of the software.
        entry: the trace's own entry, which commits to the text, or None.
        uncertainty_seconds: the first publication may have been so much earlier or later than told; 0 without a time.
        items: where the text is put together of several, these; the time and the source above are the first one's.
        continues: the trace whose case this one continues, because an item was added to it; None otherwise.
        not_read: parts of all documents that were not read and may hide text.
    """

    trace: TraceId
    asked_at: datetime
    text_sha256: str
    text_length: int
    published_at: datetime | None
    source: str
    engine: str
    entry: EntryIndex | None = None
    uncertainty_seconds: int = 0
    items: tuple[EvidenceItem, ...] = ()
    continues: TraceId | None = None
    not_read: NotRead = ()

    @property
    def latest_at(self) -> datetime | None:
        """The latest moment at which the text may first have been seen: no copy served after it can be the source."""
        return latest_of(self.items) if self.items else latest_first_seen(self.published_at, self.uncertainty_seconds)


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """How the ledger stood when it was asked.

    Attributes:
        origin, size, root_hex: the checkpoint that the copies were read under.
        chain_gaps: one text per person whose counter or previous index has a gap, without values. Printed first.
        subjects_checked: persons whose counters were checked from 1 to their last.
    """

    origin: str
    size: int
    root_hex: str
    chain_gaps: tuple[str, ...]
    subjects_checked: int


@dataclass(frozen=True, slots=True)
class FlagBudget:
    """How many false flags are to be expected of the investigations of a year, this one included.

    Attributes:
        investigations: so many compared draws with a text in the 365 days up to this one, as the ledger counts them.
        limit: so many of them may lead further than a lead; 0 for any number.
        each: chance that one of them flags any copy that had no part, at most.
    """

    investigations: int
    limit: int
    each: float

    @property
    def expected(self) -> float:
        """False flags to be expected, at most."""
        return self.investigations * self.each

    @property
    def is_spent(self) -> bool:
        """Whether this investigation comes after the last that the limit allows."""
        return 0 < self.limit < self.investigations


@dataclass(frozen=True, slots=True)
class TraceEvidence:
    """Everything that a report rests on.

    Attributes:
        findings: decided findings.
        copies: every disclosure of a found record, before and after publication; others are left out of the report.
        exposures: who held the values without a served copy.
        ledger: how the ledger stood.
        marks: what the writing of the text says of marked copies; None where it says nothing.
        codes: what receipt codes in the text say; None where there is none of a served copy.
        budget: how many false flags are to be expected in a year; None where no draws were compared.
        coverage: what part of the registry a dump covers; None where it is none.
    """

    findings: tuple[FoundValue, ...]
    copies: tuple[ServedCopy, ...]
    exposures: tuple[SourceExposure, ...]
    ledger: LedgerCheck
    marks: MarksEvidence | None = None
    codes: CodesEvidence | None = None
    budget: FlagBudget | None = None
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class TierStatement:
    """The tier, its fixed wording and the reasons for it."""

    label: TierLabel
    wording: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonFindings:
    """The findings of one person."""

    employee_number: str
    findings: tuple[LabelledFinding, ...]


@dataclass(frozen=True, slots=True)
class ExposureLine:
    """One source exposure as the report shows it.

    Attributes:
        kind, at, entry, note: as in ``SourceExposure``.
        account: neutral label, or None.
        employee_number: whose values.
        after_publication: True when it cannot be the source by its time, None without a publication time.
    """

    kind: str
    account: str | None
    at: datetime
    entry: EntryIndex | None
    employee_number: str
    note: str
    after_publication: bool | None


@dataclass(frozen=True, slots=True)
class MarksReport:
    """What marks say, under neutral labels.

    Attributes:
        reading, entry, values, slots, seed: as in ``MarksEvidence``.
        copies: lines by label.
        curve: for each prior of an outside source: the prior, what remains for the outside, and for each label.
        pairs: two copies together, by label; ``pairs_compared``: so many were scored.
        canaries: what the digits of canaries say, by finding.
    """

    reading: str
    entry: int
    values: int
    slots: int
    seed: int
    copies: tuple[LabelledEvidence, ...]
    curve: tuple[tuple[float, float, tuple[tuple[str, float], ...]], ...]
    pairs: tuple[LabelledPair, ...] = ()
    pairs_compared: int = 0
    canaries: tuple[LabelledCanary, ...] = ()


@dataclass(frozen=True, slots=True)
class CodesReport:
    """What receipt codes in the text say, under neutral labels.

    Attributes:
        seen, compared, chance: as in ``CodesEvidence``.
        matches: code, entry and label of each copy that has one of them.
    """

    seen: int
    compared: int
    chance: float
    matches: tuple[tuple[str, EntryIndex, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody said of the report.

    Attributes:
        account: the label of their account; "" of who replies for none.
        at: when it was recorded.
        text: their words.
        by: who they are.
    """

    account: str
    at: datetime
    text: str
    by: ReplyBy = ReplyBy.ACCOUNT_HOLDER


@dataclass(frozen=True, slots=True)
class TraceReport:
    """The whole report. Sentences are final; renderers add layout only.

    Attributes:
        schema: name and version of this shape.
        question, ledger: as given.
        gaps: gap texts with the cap's sentence in front; printed before everything else; usually empty.
        first_line: the copy-is-not-a-person line.
        tier: one of ``TierLabel``.
        summary: what was found and served, in sentences.
        people: findings per person, by employee number.
        accounts: candidate accounts (copies not later than publication), by first serving.
        not_distinguished: those accounts parted by what their copies held.
        own_views: accounts that were served found values of their own subject only.
        after_publication: copies served later; not possible sources.
        unexplained: labels of the found values in no candidate copy.
        exposures: source exposures by time, without internal opens.
        internal_opens: system opens by time; never candidates.
        not_from_here: the hypothesis that is always open.
        outside: the outside assumption per found kind.
        unknown, would_change, must_not: closing lists.
        marks: what the writing of the text says of marked copies, or None.
        codes: receipt codes of served copies that stand in the text, or None.
        budget: how many false flags are to be expected in a year, or None.
        coverage: what part of the registry a dump covers, or None.
        sightings: what was added to the case later, oldest first.
        replies: of those whose copies the report speaks of, oldest first; their own words, which may hold anything.
    """

    schema: str
    question: TraceQuestion
    ledger: LedgerCheck
    gaps: tuple[str, ...]
    first_line: str
    tier: TierStatement
    summary: tuple[str, ...]
    people: tuple[PersonFindings, ...]
    accounts: tuple[AccountCopies, ...]
    not_distinguished: tuple[SameCopies, ...]
    own_views: tuple[AccountCopies, ...]
    after_publication: tuple[AccountCopies, ...]
    unexplained: tuple[str, ...]
    exposures: tuple[ExposureLine, ...]
    internal_opens: tuple[ExposureLine, ...]
    not_from_here: str
    outside: tuple[OutsideField, ...]
    unknown: tuple[str, ...]
    would_change: tuple[str, ...]
    must_not: tuple[str, ...]
    marks: MarksReport | None = None
    codes: CodesReport | None = None
    budget: FlagBudget | None = None
    coverage: Coverage | None = None
    replies: tuple[Reply, ...] = ()
    sightings: tuple[LaterSighting, ...] = ()

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all found values, by number."""
        return tuple([one.label for person in self.people for one in person.findings])


def not_held(labels: Sequence[str], account: AccountCopies) -> tuple[str, ...]:
    """Return those of all labels of a report that are in none of an account's copies."""
    held = frozenset(account.held)
    return tuple([label for label in labels if label not in held])
