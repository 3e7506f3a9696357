"""What matching takes and gives: opened values of one subject, findings, and the whole result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A household member as enrolled."""

    ref: str = field(repr=False)
    relation: str
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DossierRecord:
    """One opened record.

    Attributes:
        record: its id.
        category: what it is.
        kind: the kind a finding of it has (``phone:home``).
        member: ref of the household member it belongs to, or None.
        value: the opened value; a payment card's is ``{"last_four", "digest"}``.
        version: of the record.
    """

    record: RecordId
    category: Category
    kind: str
    member: str | None = field(repr=False)
    value: Mapping[str, str] = field(repr=False)
    version: int = 1


@dataclass(frozen=True, slots=True)
class Dossier:
    """One subject with all opened records."""

    subject: SubjectId
    employee_number: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    members: tuple[Member, ...] = field(default=(), repr=False)
    records: tuple[DossierRecord, ...] = field(default=(), repr=False)


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
