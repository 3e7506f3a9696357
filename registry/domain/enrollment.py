"""One person's enrollment after validation: what every way in (API, import) hands to the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from registry.domain.categories import Category
from registry.domain.marks import Mark


class Relation(StrEnum):
    """How a household member is related to the subject."""

    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    SIBLING = "sibling"
    PARTNER = "partner"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    """A household member. Becomes a person of its own and one ``family_member`` record.

    Attributes:
        ref: the caller's short name for the member within this enrollment (``c1``); unique there.
        relation, given_name, family_name: as written.
        mark: the mark of the ``family_member`` record.
    """

    ref: str
    relation: Relation
    given_name: str
    family_name: str
    mark: Mark = field(default_factory=Mark)


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One category value as enrolled.

    Attributes:
        category: what it is.
        value: the value exactly as given (strings only), already valid for its category.
        member: ref of the household member it belongs to, or None for the subject.
        mark: its confidentiality mark.
    """

    category: Category
    value: Mapping[str, str] = field(repr=False)
    member: str | None = None
    mark: Mark = field(default_factory=Mark)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A whole valid enrollment. ``repr`` shows nothing personal."""

    employee_number: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    department: str = field(repr=False)
    title: str = field(default="", repr=False)
    family: tuple[FamilyEntry, ...] = field(default=(), repr=False)
    records: tuple[RecordEntry, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Why one field was refused.

    Attributes:
        pointer: JSON pointer (RFC 6901) of the field in the submitted document; never holds a value. For an
            unknown key it points at the object that holds the key, since the key itself may be personal.
        code: short stable code such as ``missing``, ``unknown_key``, ``wrong_type``, ``too_long``,
            ``ssn_area``, ``luhn``, ``not_a_date``.
    """

    pointer: str
    code: str
