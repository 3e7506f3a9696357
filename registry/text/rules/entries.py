"""The two lists of an enrollment: household members and records."""

from __future__ import annotations

import re
from collections.abc import Callable

from registry.domain.categories import Category
from registry.domain.enrollment import DeclaredRelation, FamilyEntry, RecordEntry, Relation
from registry.domain.relations import Declared
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.family_member import RELATION_RULE, read_names
from registry.text.rules.marks import MARK_KEYS, read_mark
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_of
from registry.text.rules.values import read_value

MAX_FAMILY = 30
MAX_RECORDS = 200
MAX_RELATIONS = 30

_FAMILY_KEYS = frozenset(
    {"ref", "relation", "given_name", "family_name", "confidentiality", "basis", "employee_number"}
)
_RELATION_KEYS = frozenset({"kind", "employee_number"})
_RECORD_KEYS = MARK_KEYS | {"category", "value", "member"}

# At most 31 characters, so that a ref is never taken for an identifier, which has 32.
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}")
_CATEGORY_RULE = one_of(frozenset(Category))
_DECLARED_RULE = one_of(frozenset(Declared))

IsMember = Callable[[str], bool]
"""Tells whether a record may name this member."""


def read_family(holder: ObjectReader, key: str) -> tuple[FamilyEntry, ...]:
    """Read household members. Codes of its own: ``ref_form``, ``duplicate_ref``, ``too_many``."""
    entries = []
    refs: set[str] = set()
    for member in holder.items(key, _FAMILY_KEYS, MAX_FAMILY):
        ref = member.required("ref", ref_problem)
        if ref in refs:
            member.refuse("duplicate_ref", "ref")
        elif ref:
            refs.add(ref)
        relation = member.required("relation", RELATION_RULE)
        given_name, family_name = read_names(member)
        number = member.optional("employee_number", employee_number_problem)
        if ref and relation:
            entries.append(FamilyEntry(ref, Relation(relation), given_name, family_name, read_mark(member), number))
    return tuple(entries)


def read_relations(holder: ObjectReader, key: str) -> tuple[DeclaredRelation, ...]:
    """Read relations to other employees. Codes of its own: ``repeated``, ``too_many``."""
    relations: dict[DeclaredRelation, None] = {}
    for item in holder.items(key, _RELATION_KEYS, MAX_RELATIONS):
        kind = item.required("kind", _DECLARED_RULE)
        number = item.required("employee_number", employee_number_problem)
        if not kind or not number:
            continue
        relation = DeclaredRelation(Declared(kind), number)
        if relation in relations:
            item.refuse("repeated")
        relations[relation] = None
    return tuple(relations)


def read_records(holder: ObjectReader, key: str, is_member: IsMember) -> tuple[RecordEntry, ...]:
    """Read records.

    Codes of its own: ``family_entry_needed`` (household members are no records), ``unknown_member``,
    ``member_needed`` (a school is somebody else's than the subject's), ``duplicate_record``, ``only_one`` (nobody has
    two birth dates; a second social security number is possible), ``too_many``.
    """
    entries = []
    seen: set[object] = set()
    for record in holder.items(key, _RECORD_KEYS, MAX_RECORDS):
        entry = _read_record(record, is_member)
        if entry is None:
            continue
        twin, code = _identity(entry)
        if twin in seen:
            record.refuse(code)
        seen.add(twin)
        entries.append(entry)
    return tuple(entries)


def _identity(entry: RecordEntry) -> tuple[object, str]:
    if entry.category is Category.DATE_OF_BIRTH:
        return (entry.category, entry.member), "only_one"
    return (entry.category, entry.member, frozenset(entry.value.items())), "duplicate_record"


def _read_record(record: ObjectReader, is_member: IsMember) -> RecordEntry | None:
    code = record.required("category", _CATEGORY_RULE)
    category = Category(code) if code else None
    if category is Category.FAMILY_MEMBER:
        record.refuse("family_entry_needed", "category")
        category = None
    member = _read_member(record, category, is_member)
    value: dict[str, str] = {}
    if not record.has("value"):
        record.refuse("missing", "value")
    elif category is not None:
        value = read_value(category, record.member("value"), f"{record.pointer}/value", record.reading)
    mark = read_mark(record)
    if category is None or not value:
        return None
    return RecordEntry(category, value, member, mark)


def _read_member(record: ObjectReader, category: Category | None, is_member: IsMember) -> str | None:
    member = record.optional("member", _ref_or_id_problem)
    if member and not is_member(member):
        record.refuse("unknown_member", "member")
    if category is Category.SCHOOL and not record.has("member"):
        record.refuse("member_needed", "member")
    return member or None


def ref_problem(text: str) -> str | None:
    return None if _REF.fullmatch(text) else "ref_form"


def _ref_or_id_problem(text: str) -> str | None:
    return None if len(text) <= 32 else "unknown_member"
