"""What matching takes and gives: opened values of one subject, findings, and the whole result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.terms import (
    PersonNames,
    Term,
    TermKind,
    address_terms,
    directory_terms,
    full_name_term,
    member_terms,
    record_terms,
)
from registry.text.addresses import Address, parse_address
from registry.text.emails import canonical_email, email_looks
from registry.text.names import name_key, name_words
from registry.text.nearness import allowed_edits
from registry.text.words import letters, words_as_one

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
    def terms(self) -> tuple[Term, ...]:
        """What the value is found by, wherever it is compared; without the names that it may stand with."""
        if self.category is Category.HOME_ADDRESS:
            return tuple(frozenset(address_terms(self.address)))
        return tuple(record_terms(self.category, self.value, owner=_NOBODY))  # a set of them takes twice the memory

    @cached_property
    def address(self) -> Address:
        """A home address taken apart."""
        return parse_address(self.value)

    @cached_property
    def looks(self) -> str:
        """What an e-mail address looks like."""
        return email_looks(canonical_email(self.value["address"]) or "")

    @cached_property
    def named(self) -> MemberName | None:
        """What a household member's name is compared by; None when one of the names has no letters."""
        given, family = name_words(self.value["given_name"]), name_words(self.value["family_name"])
        if not given or not family:
            return None
        return MemberName(
            (name_key(given, family), name_key(family, given)),
            allowed_edits(min(len(letters(given)), len(letters(family))) + 2),
            member_terms(given, family),
        )

    def slim(self) -> None:
        """Let go of what can be worked out again."""
        for name in ("terms", "address", "looks", "named"):
            self.__dict__.pop(name, None)


class MemberName(NamedTuple):
    """What a household member's name is compared by.

    Attributes:
        keys: its letters, and those with the family name first.
        most: how many letters may be wrong.
        terms: the terms of its parts.
    """

    keys: tuple[str, str]
    most: int
    terms: tuple[Term, ...]

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "MemberName(***)"


class FullName(NamedTuple):
    """What a full name is found by.

    Attributes:
        keys: its letters, and those with the family name first.
        terms: the terms of both.
        weak: terms of one of its names with the other's initial.
    """

    keys: tuple[str, str]
    terms: tuple[Term, Term]
    weak: tuple[Term, ...]

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "FullName(***)"


def full_name(given_name: str, family_name: str) -> FullName | None:
    """Return what a full name is found by; None when one of its names has no letters."""
    given, family = name_words(given_name), name_words(family_name)
    if not given or not family:
        return None
    terms = directory_terms(given_name, family_name)
    return FullName(
        (name_key(given, family), name_key(family, given)),
        (full_name_term(given, family), full_name_term(family, given)),
        tuple(sorted(term for term in terms if term.kind in {TermKind.NAME_GIVEN, TermKind.NAME_FAMILY})),
    )


@dataclass(frozen=True)
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

    @cached_property
    def name(self) -> FullName | None:
        """What the subject's full name is found by, in every part of a text."""
        return full_name(self.given_name, self.family_name)

    @cached_property
    def own_key(self) -> str:
        """The letters of the subject's full name, also where one of its names has none."""
        return _key_of(self)

    def directory(self) -> frozenset[str]:
        """Return what a cell may hold of the subject that is no record: names, number, department, title."""
        given, family = words_as_one(self.given_name), words_as_one(self.family_name)
        alone = map(words_as_one, (self.employee_number, self.department, self.title))
        return frozenset({given, family, given + family, family + given, *alone} - {""})

    @cached_property
    def member_keys(self) -> frozenset[str]:
        """The letters of each household member's full name."""
        return frozenset(map(_key_of, self.members))

    def slim(self) -> None:
        """Let go of what can be worked out again: it takes more than what was opened."""
        for name in ("name", "own_key", "member_keys"):
            self.__dict__.pop(name, None)
        for record in self.records:
            record.slim()


def _key_of(one: Dossier | Member) -> str:
    return name_key(name_words(one.given_name), name_words(one.family_name))


class Finding(NamedTuple):
    """One enrolled value that stands in the text. A tuple and not a dataclass: a dump has a hundred thousand.

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
    employee_number: str
    category: Category
    kind: str
    member: str | None
    confidence: float
    spans: tuple[Span, ...]
    reason: str
    is_tail: bool = False

    def __repr__(self) -> str:
        """Show what was found, and not whose number."""
        return f"Finding(record={self.record!r}, kind={self.kind!r}, spans={self.spans!r}, reason={self.reason!r})"


@dataclass(frozen=True, slots=True)
class Matching:
    """The result: what is decided, and what is only possible."""

    findings: tuple[Finding, ...]
    possible: tuple[Finding, ...]


_Key = tuple[SubjectId, str, str | None]


class Joining:
    """Joins the results of a text's parts as they come: one finding a subject, kind and member."""

    def __init__(self) -> None:
        self._findings: dict[_Key, Finding] = {}
        self._possible: dict[_Key, Finding] = {}

    def add(self, part: Matching) -> None:
        """Add what the next part holds."""
        _add(self._findings, part.findings)
        _add(self._possible, part.possible)

    def matching(self) -> Matching:
        """Return what all parts hold, decided before possible."""
        rest = (finding for key, finding in self._possible.items() if key not in self._findings)
        return Matching(tuple(self._findings.values()), tuple(rest))


def joined(parts: Iterable[Matching]) -> Matching:
    """Join the results of a text's parts."""
    joining = Joining()
    for part in parts:
        joining.add(part)
    return joining.matching()


def _add(found: dict[_Key, Finding], findings: Iterable[Finding]) -> None:
    for finding in findings:
        key = (finding.subject, finding.kind, finding.member)
        other = found.get(key)
        if other is None:
            found[key] = finding
            continue
        surer = finding if finding.confidence > other.confidence else other
        spans = tuple(sorted({*finding.spans, *other.spans}))
        found[key] = surer._replace(spans=spans, is_tail=finding.is_tail and other.is_tail)
