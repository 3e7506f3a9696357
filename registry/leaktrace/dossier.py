"""What matching takes and gives: opened values of one subject, findings, and the whole result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.terms import PersonNames, Term, record_terms
from registry.text.addresses import Address, parse_address

_NOBODY = PersonNames("", "")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A household member as enrolled."""

    ref: str = field(repr=False)
    relation: str
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)


@dataclass(frozen=True)
class DossierRecord:
    """One opened record.

    Attributes:
        record: its id.
        category: what it is.
        kind: the kind a finding of it has (``phone:home``).
        member: ref of the household member it belongs to, or None.
        value: the opened value; a payment card's is ``{"last_four", "digest"}``.
        version: of the record.
        canary: leading digits of the range that a canary's number varies in from copy to copy; "" for any other value.
    """

    record: RecordId
    category: Category
    kind: str
    member: str | None = field(repr=False)
    value: Mapping[str, str] = field(repr=False)
    version: int = 1
    canary: str = field(default="", repr=False)

    @cached_property
    def terms(self) -> frozenset[Term]:
        """What the value is found by, wherever it is compared; without the names that it may stand with."""
        return record_terms(self.category, self.value, owner=_NOBODY)

    @cached_property
    def address(self) -> Address:
        """A home address taken apart."""
        return parse_address(self.value)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One subject with all opened records."""

    subject: SubjectId
    employee_number: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    members: tuple[Member, ...] = field(default=(), repr=False)
    records: tuple[DossierRecord, ...] = field(default=(), repr=False)
    department: str = field(default="", repr=False)
    title: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One enrolled value that stands in the text.

    Attributes:
        subject, record: whose and which.
        employee_number: the subject's.
        category, kind, member: as in ``DossierRecord``.
        confidence: 0 to 1.
        spans: raw code-point ranges, in order.
        reason: why, in plain words; never holds a value.
        is_tail: the text holds no more of the number than its last four digits.
    """

    subject: SubjectId
    record: RecordId
    employee_number: str = field(repr=False)
    category: Category
    kind: str
    member: str | None
    confidence: float
    spans: tuple[Span, ...]
    reason: str
    is_tail: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """The result: what is decided, and what is only possible."""

    findings: tuple[Finding, ...]
    possible: tuple[Finding, ...]


def joined(parts: Sequence[Matching]) -> Matching:
    """Join the results of a text's parts: one finding a subject, kind and member, decided before possible."""
    if len(parts) == 1:
        return parts[0]
    findings = _by_value(finding for part in parts for finding in part.findings)
    possible = _by_value(finding for part in parts for finding in part.possible)
    rest = (finding for key, finding in possible.items() if key not in findings)
    return Matching(tuple(findings.values()), tuple(rest))


_Key = tuple[SubjectId, str, str | None]


def _by_value(findings: Iterable[Finding]) -> dict[_Key, Finding]:
    found: dict[_Key, Finding] = {}
    for finding in findings:
        key = (finding.subject, finding.kind, finding.member)
        other = found.get(key)
        if other is None:
            found[key] = finding
            continue
        surer = finding if finding.confidence > other.confidence else other
        spans = tuple(sorted({*finding.spans, *other.spans}))
        found[key] = replace(surer, spans=spans, is_tail=finding.is_tail and other.is_tail)
    return found
