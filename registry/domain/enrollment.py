"""One person's enrollment after validation: what every way in (API, import) hands to the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.domain.marks import Mark
from registry.domain.relations import Declared


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
        employee_number: of a member who is an employee too; empty for others.
    """

    ref: str = field(repr=False)
    relation: Relation
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    mark: Mark = field(default_factory=Mark)
    employee_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DeclaredRelation:
    """A relation to another employee, enrolled or not, as HR enters it."""

    kind: Declared = field(repr=False)
    employee_number: str = field(repr=False)


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
    member: str | None = field(default=None, repr=False)
    mark: Mark = field(default_factory=Mark)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A whole valid enrollment. ``repr`` shows nothing personal.

    ``supervisor`` is an employee number, or empty; ``relations`` are those to other employees beside the household
    members of ``family``.
    """

    employee_number: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    department: str = field(repr=False)
    title: str = field(default="", repr=False)
    family: tuple[FamilyEntry, ...] = field(default=(), repr=False)
    records: tuple[RecordEntry, ...] = field(default=(), repr=False)
    supervisor: str = field(default="", repr=False)
    relations: tuple[DeclaredRelation, ...] = field(default=(), repr=False)


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


@dataclass(frozen=True, slots=True)
class VersionDraft:
    """A new value for a record whose category only the store knows; not yet checked against its rule.

    Attributes:
        record: the record that gets a new version.
        value: as submitted.
        pointer: where the draft stands in the submitted document (``/versions/0``).
    """

    record: RecordId
    value: Mapping[str, object] = field(repr=False)
    pointer: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A new value for a record, valid for its category."""

    record: RecordId
    category: Category
    value: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MarkChange:
    """The mark that replaces a record's present one as a whole."""

    record: RecordId
    mark: Mark


@dataclass(frozen=True, slots=True)
class SubjectChanges:
    """What one update asks for. ``repr`` shows nothing personal.

    Attributes:
        given_name, family_name, department, title: new directory texts; None leaves the present one. Only a title
            may be empty, which takes it away.
        add_family: new household members.
        add_records: new records; ``member`` is a ref of ``add_family`` or the id of a person of this household,
            which the service checks.
        versions: new values of present records, to be settled against their categories.
        marks: new marks of present records.
        ends: records whose protection is to end. None of them is in ``versions`` or ``marks``.
        supervisor: employee number of the new supervisor; empty takes it away, None leaves the present one.
        relations: all declared relations from now on; None leaves the present ones.
        settled_family, settled_records: what is to stand afterwards, whether it stands already or not, from whoever
            does not know records by their ids; ``member`` is a ref of ``settled_family``.
    """

    given_name: str | None = field(default=None, repr=False)
    family_name: str | None = field(default=None, repr=False)
    department: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)
    add_family: tuple[FamilyEntry, ...] = field(default=(), repr=False)
    add_records: tuple[RecordEntry, ...] = field(default=(), repr=False)
    versions: tuple[VersionDraft, ...] = ()
    marks: tuple[MarkChange, ...] = ()
    ends: tuple[RecordId, ...] = ()
    supervisor: str | None = field(default=None, repr=False)
    relations: tuple[DeclaredRelation, ...] | None = field(default=None, repr=False)
    settled_family: tuple[FamilyEntry, ...] = field(default=(), repr=False)
    settled_records: tuple[RecordEntry, ...] = field(default=(), repr=False)
