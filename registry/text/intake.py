"""From a parsed document to a valid enrollment or change, or to the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import orjson

from registry.domain.categories import Category
from registry.domain.enrollment import (
    DeclaredRelation,
    Enrollment,
    FamilyEntry,
    MarkChange,
    NewVersion,
    SubjectChanges,
    VersionDraft,
)
from registry.domain.errors import InvalidInput
from registry.domain.ids import RecordId, is_id
from registry.domain.marks import Mark
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.entries import MAX_RECORDS, read_family, read_records, read_relations
from registry.text.rules.family_member import read_names
from registry.text.rules.marks import MARK_KEYS, read_mark
from registry.text.rules.names import name_problem
from registry.text.rules.reading import ObjectReader, Reading, TextRule
from registry.text.rules.texts import one_line
from registry.text.rules.values import read_value

_department_problem = one_line(120)
_title_problem = one_line(120)

_DIRECTORY_KEYS = frozenset({"given_name", "family_name", "department", "title"})
_ENROLLMENT_KEYS = _DIRECTORY_KEYS | {"employee_number", "family", "records", "supervisor", "relations"}
_CHANGE_KEYS = _DIRECTORY_KEYS | {"add_family", "add_records", "versions", "marks", "ends", "supervisor", "relations"}
_VERSION_KEYS = frozenset({"record", "value"})
_MARK_CHANGE_KEYS = MARK_KEYS | {"record"}
_END_KEYS = frozenset({"record"})

_CANONICAL_FORM = 1  # a new form makes every stored digest a stranger, so it has a number


def read_enrollment(document: object, *, today: date) -> Enrollment:
    """Read the body of one enrollment.

    Args:
        document: what ``parse_json`` returned: ``employee_number``, ``given_name`` and ``family_name`` (one of them
            may be left out), ``department``, and if wanted ``title``, ``family``, ``records``, ``supervisor``,
            ``relations``.
        today: the day by which birth dates are judged.

    Returns:
        The enrollment with every text exactly as given.

    Raises:
        InvalidInput: with all problems, at most 50. Pointers are RFC 6901; no value and no unknown key is named.
    """
    reading = Reading(today)
    body = reading.open(document, _ENROLLMENT_KEYS, "")
    if body is None:
        raise InvalidInput(reading.problems)
    employee_number = body.required("employee_number", employee_number_problem)
    given_name, family_name = read_names(body)
    department = body.required("department", _department_problem)
    title = body.optional("title", _title_problem)
    family = read_family(body, "family")
    refs = {member.ref for member in family}
    records = read_records(body, "records", refs.__contains__)
    supervisor = body.optional("supervisor", employee_number_problem)
    relations = read_relations(body, "relations")
    _refuse_oneself(body, employee_number, (family, supervisor, relations))
    reading.finish()
    return Enrollment(
        employee_number, given_name, family_name, department, title, family, records, supervisor, relations
    )


def read_changes(document: object, *, today: date) -> SubjectChanges:
    """Read the body of an update: ``PATCH /v1/subjects/{id}``.

    Args:
        document: any of ``given_name``, ``family_name``, ``department``, ``title``; ``add_family`` and
            ``add_records`` as in an enrollment; ``versions`` ``[{"record", "value"}]``; ``marks`` ``[{"record",
            "confidentiality", "basis"?, "starts_on"?, "ends_on"?, "review_on"?}]``; ``ends`` ``[{"record"}]``;
            ``supervisor`` and ``relations`` as in an enrollment, which replace the present ones.
        today: the day by which birth dates are judged.

    Returns:
        The changes. Values of ``versions`` are still to be settled by ``settle_versions``.

    Raises:
        InvalidInput: with all problems; of its own ``no_changes``, ``record_form``, ``repeated_record``,
            ``conflicting_change``.
    """
    reading = Reading(today)
    body = reading.open(document, _CHANGE_KEYS, "")
    if body is None:
        raise InvalidInput(reading.problems)
    if not any(body.has(key) for key in _CHANGE_KEYS):
        body.refuse("no_changes")
    add_family = read_family(body, "add_family")
    refs = {member.ref for member in add_family}
    changes = SubjectChanges(
        given_name=_changed(body, "given_name", name_problem),
        family_name=_changed(body, "family_name", name_problem),
        department=_changed(body, "department", _department_problem),
        title="" if body.member("title") == "" else _changed(body, "title", _title_problem),
        add_family=add_family,
        add_records=read_records(body, "add_records", lambda member: member in refs or is_id(member)),
        versions=_read_drafts(body),
        marks=_read_mark_changes(body),
        ends=tuple(record for record, _ in _record_items(body, "ends", _END_KEYS)),
        supervisor="" if body.member("supervisor") == "" else _changed(body, "supervisor", employee_number_problem),
        relations=read_relations(body, "relations") if body.has("relations") else None,
    )
    _refuse_changes_of_ended(body, changes)
    reading.finish()
    return changes


def settle_versions(
    drafts: Iterable[VersionDraft], categories: Mapping[RecordId, Category], *, today: date
) -> tuple[NewVersion, ...]:
    """Check the new values of an update against the categories of their records.

    Args:
        drafts: ``versions`` of the changes.
        categories: category of every present record of the subject's household.
        today: the day by which birth dates are judged.

    Raises:
        InvalidInput: with all problems; ``unknown_record`` for a record that is not among the categories.
    """
    reading = Reading(today)
    settled = []
    for draft in drafts:
        category = categories.get(draft.record)
        if category is None:
            reading.refuse(f"{draft.pointer}/record", "unknown_record")
            continue
        value = read_value(category, draft.value, f"{draft.pointer}/value", reading)
        settled.append(NewVersion(draft.record, category, value))
    reading.finish()
    return tuple(settled)


def canonical_document(enrollment: Enrollment) -> bytes:
    """Write an enrollment as bytes that are equal exactly when the content is.

    The order of records, of household members and of keys has no meaning and no influence. Texts are taken as they
    stand: another way of writing the same number is another content. Never store or log these bytes: they are the
    values themselves, to be compared or put through a keyed digest.
    """
    family = sorted(map(_family_texts, enrollment.family))
    records = sorted(
        [record.category.value, record.member or "", *_mark_texts(record.mark), *_flat(record.value)]
        for record in enrollment.records
    )
    directory = [
        enrollment.employee_number,
        enrollment.given_name,
        enrollment.family_name,
        enrollment.department,
        enrollment.title,
    ]
    whole: list[object] = [_CANONICAL_FORM, directory, family, records]
    if enrollment.supervisor or enrollment.relations:
        # Nothing for nothing: a document from before there were such keys is the same content still.
        whole += [
            enrollment.supervisor,
            sorted([each.kind.value, each.employee_number] for each in enrollment.relations),
        ]
    return orjson.dumps(whole)


def _family_texts(member: FamilyEntry) -> list[str]:
    texts = [member.ref, member.relation.value, member.given_name, member.family_name, *_mark_texts(member.mark)]
    return [*texts, member.employee_number] if member.employee_number else texts


def _mark_texts(mark: Mark) -> list[str]:
    days = (mark.starts_on, mark.ends_on, mark.review_on)
    return [mark.tier.value, mark.basis, *("" if day is None else day.isoformat() for day in days)]


def _flat(value: Mapping[str, str]) -> list[str]:
    return [text for item in sorted(value.items()) for text in item]


def _refuse_oneself(
    body: ObjectReader, own: str, named: tuple[tuple[FamilyEntry, ...], str, tuple[DeclaredRelation, ...]]
) -> None:
    """Refuse a document by which somebody is related to themselves: one of the two numbers is wrong."""
    family, supervisor, relations = named
    numbers = {supervisor, *(member.employee_number for member in family)}
    numbers |= {relation.employee_number for relation in relations}
    if own and own in numbers:
        body.refuse("own_number")


def _changed(body: ObjectReader, key: str, rule: TextRule) -> str | None:
    return body.optional(key, rule) if body.has(key) else None


def _record_items(body: ObjectReader, key: str, keys: frozenset[str]) -> list[tuple[RecordId, ObjectReader]]:
    """Read a list of objects that each name a record, no record twice."""
    items: list[tuple[RecordId, ObjectReader]] = []
    seen: set[str] = set()
    for item in body.items(key, keys, MAX_RECORDS):
        record = item.required("record", _record_problem)
        if record in seen:
            item.refuse("repeated_record", "record")
        elif record:
            seen.add(record)
            items.append((RecordId(record), item))
    return items


def _record_problem(text: str) -> str | None:
    return None if is_id(text) and len(text) == 32 else "record_form"


def _read_drafts(body: ObjectReader) -> tuple[VersionDraft, ...]:
    drafts = []
    for record, item in _record_items(body, "versions", _VERSION_KEYS):
        value = item.member("value")
        if isinstance(value, dict):
            drafts.append(VersionDraft(record, dict(value), item.pointer))
        else:
            item.refuse("wrong_type" if item.has("value") else "missing", "value")
    return tuple(drafts)


def _read_mark_changes(body: ObjectReader) -> tuple[MarkChange, ...]:
    changes = []
    for record, item in _record_items(body, "marks", _MARK_CHANGE_KEYS):
        # The mark is replaced as a whole: a forgotten tier must not quietly become the default one.
        if not item.has("confidentiality"):
            item.refuse("missing", "confidentiality")
        changes.append(MarkChange(record, read_mark(item)))
    return tuple(changes)


def _refuse_changes_of_ended(body: ObjectReader, changes: SubjectChanges) -> None:
    touched = {draft.record for draft in changes.versions} | {change.record for change in changes.marks}
    if not touched.isdisjoint(changes.ends):
        body.refuse("conflicting_change", "ends")
