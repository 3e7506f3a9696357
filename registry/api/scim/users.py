"""A SCIM user read as what the services know: an enrollment, or changes of one. Nothing is echoed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry.api.scim.names import (
    CORE,
    CORE_VALUES,
    ENTERPRISE,
    MARK_ATTRIBUTES,
    PROTECTED,
    PROTECTED_ATTRIBUTES,
    SCHEMAS,
    Kept,
    attribute_of,
    subs_of,
)
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, FamilyEntry, FieldProblem, RecordEntry, SubjectChanges
from registry.domain.errors import InvalidInput
from registry.domain.ids import ProvisionId, is_id
from registry.domain.marks import Mark
from registry.services.provision import ProvidedNames
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.entries import MAX_FAMILY, MAX_RECORDS, read_family
from registry.text.rules.marks import read_mark
from registry.text.rules.names import name_problem
from registry.text.rules.reading import ObjectReader, Reading, TextRule
from registry.text.rules.texts import one_line
from registry.text.rules.values import read_value

_LINE = one_line(120)
_ACCOUNT = one_line(255)
_TRUTH = {"true": True, "false": False}
_KINDS = {"home": "home", "mobile": "mobile", "work": "work"}
_TELEPHONE = "tel:"


@dataclass(frozen=True, slots=True)
class UserDraft:
    """What a document says of somebody; None is what it does not say, an empty text what it takes away.

    Attributes:
        manager: id of the manager, who is provisioned too.
        family, records: what is to stand, beside whatever stands already.
    """

    user_name: str | None = field(repr=False)
    outside_id: str | None = field(repr=False)
    given_name: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    title: str | None = field(repr=False)
    is_employed: bool | None
    employee_number: str | None = field(repr=False)
    department: str | None = field(repr=False)
    manager: str | None = field(repr=False)
    family: tuple[FamilyEntry, ...] = field(repr=False)
    records: tuple[RecordEntry, ...] = field(repr=False)

    def names(self) -> ProvidedNames:
        """Return both names, of a whole document."""
        return ProvidedNames(self.user_name or "", self.outside_id or "")

    def enrollment(self, supervisor: str | None) -> Enrollment:
        """Return a whole document as an enrollment; ``supervisor`` is the manager's employee number."""
        return Enrollment(
            employee_number=self.employee_number or "",
            given_name=self.given_name or "",
            family_name=self.family_name or "",
            department=self.department or "",
            title=self.title or "",
            family=self.family,
            records=self.records,
            supervisor=supervisor or "",
        )

    def changes(self, supervisor: str | None) -> SubjectChanges:
        """Return what changes of the subject."""
        return SubjectChanges(
            given_name=self.given_name or None,
            family_name=self.family_name or None,
            department=self.department or None,
            title=self.title,
            supervisor=supervisor,
            settled_family=self.family,
            settled_records=self.records,
        )


def read_new(document: object, *, today: date) -> UserDraft:
    """Read somebody new: the body of POST. Whose a school is stands in the document too.

    Raises:
        InvalidInput: as ``read_whole``; ``unknown_member``.
    """
    draft = read_whole(document, today=today)
    refs = {None, *(member.ref for member in draft.family)}
    if any(record.member not in refs for record in draft.records):
        raise InvalidInput([FieldProblem(f"/{PROTECTED}/schools", "unknown_member")])
    return draft


def read_whole(document: object, *, today: date) -> UserDraft:
    """Read a whole user: the body of PUT.

    Raises:
        InvalidInput: with all problems; pointers name our writing of attributes, never a value or an unknown name.
    """
    reading = Reading(today)
    draft = _draft(reading, document)
    for pointer, text in (
        ("/userName", draft.user_name),
        (f"/{ENTERPRISE}/employeeNumber", draft.employee_number),
        (f"/{ENTERPRISE}/department", draft.department),
        ("/name/familyName", draft.given_name or draft.family_name),
    ):
        if text is None and not any(problem.pointer.startswith(pointer) for problem in reading.problems):
            reading.refuse(pointer, "missing")
    reading.finish()
    return draft


def read_part(document: Mapping[str, Any], *, today: date) -> UserDraft:
    """Read what a PATCH wants; see ``read_whole``."""
    reading = Reading(today)
    draft = _draft(reading, document)
    reading.finish()
    return draft


def _draft(reading: Reading, document: object) -> UserDraft:
    core = ObjectReader(reading, _folded(reading, document), "")
    enterprise = ObjectReader(reading, _folded_extension(reading, core, ENTERPRISE), f"/{ENTERPRISE}")
    protected = ObjectReader(reading, _folded_extension(reading, core, PROTECTED), f"/{PROTECTED}")
    names = ObjectReader(reading, _folded_inner(reading, core, "name"), "/name")
    mark = read_mark(ObjectReader(reading, _members(protected, MARK_ATTRIBUTES), protected.pointer))
    family = _family(reading, protected, mark)
    records = _records(reading, (core, protected), mark)
    return UserDraft(
        user_name=_text(core, "userName", _ACCOUNT),
        outside_id=_text(core, "externalId", _ACCOUNT, is_removable=True),
        given_name=_text(names, "givenName", name_problem),
        family_name=_text(names, "familyName", name_problem),
        title=_text(core, "title", _LINE, is_removable=True),
        is_employed=_truth(core, "active"),
        employee_number=_text(enterprise, "employeeNumber", employee_number_problem),
        department=_text(enterprise, "department", _LINE),
        manager=_manager(enterprise),
        family=family,
        records=records,
    )


# ---- names in one writing ----


def _folded(reading: Reading, document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        reading.refuse("", "wrong_type")
        return {}
    found: dict[str, Any] = {}
    for name, value in document.items():
        known = attribute_of(name)
        key = None if known is None else known[1] if known[0] == CORE else known[0] if not known[1] else None
        if key is None or key in found:
            # The name itself may be somebody's number.
            reading.refuse("", "unknown_key" if key is None else "repeated")
        else:
            found[key] = value
    return found


def _folded_extension(reading: Reading, core: ObjectReader, urn: str) -> dict[str, Any]:
    given = core.member(urn)
    if not isinstance(given, dict):
        if core.has(urn):
            core.refuse("wrong_type", urn)
        return {}
    given = {name: value for name, value in given.items() if name.casefold() != SCHEMAS}
    known = {name: attribute_of(f"{urn}:{name}") for name in given}
    return _renamed(reading, f"/{urn}", given, {name: each[1] for name, each in known.items() if each is not None})


def _folded_inner(reading: Reading, core: ObjectReader, attribute: str) -> dict[str, Any]:
    given = core.member(attribute)
    if not isinstance(given, dict):
        if core.has(attribute):
            core.refuse("wrong_type", attribute)
        return {}
    return _subs_renamed(reading, f"/{attribute}", given, subs_of(CORE, attribute))


def _subs_renamed(reading: Reading, pointer: str, given: Mapping[str, Any], subs: Mapping[str, str]) -> dict[str, Any]:
    names = {name: subs[name.casefold()] for name in given if name.casefold() in subs}
    return _renamed(reading, pointer, given, names)


def _renamed(reading: Reading, pointer: str, given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if len(names) < len(given):
        reading.refuse(pointer, "unknown_key")
    if len(set(names.values())) < len(names):
        reading.refuse(pointer, "repeated")
    return {name: given[written] for written, name in names.items()}


# ---- plain attributes ----


def _text(holder: ObjectReader, key: str, rule: TextRule, *, is_removable: bool = False) -> str | None:
    if not holder.has(key):
        return None
    # RFC 7643, section 2.5: a null is a value that is not there.
    if holder.member(key) is None or (is_removable and holder.member(key) == ""):
        return "" if is_removable else None
    known = len(holder.reading.problems)
    text = holder.optional(key, rule)
    return text if len(holder.reading.problems) == known else None


def _truth(holder: ObjectReader, key: str) -> bool | None:
    value = holder.member(key)
    if isinstance(value, str):  # Entra sends texts unless told otherwise
        value = _TRUTH.get(value.casefold(), value)
    if value is None or isinstance(value, bool):
        return value
    holder.refuse("wrong_type", key)
    return None


def _manager(enterprise: ObjectReader) -> str | None:
    if not enterprise.has("manager"):
        return None
    given = enterprise.member("manager")
    if given is None or given == "":
        return ""
    if isinstance(given, dict):
        pointer = f"{enterprise.pointer}/manager"
        given = _subs_renamed(enterprise.reading, pointer, given, subs_of(ENTERPRISE, "manager")).get("value")
    if isinstance(given, str) and is_id(given):
        return ProvisionId(given)
    enterprise.refuse("unknown_member", "manager")
    return None


# ---- protected values ----


def _family(reading: Reading, protected: ObjectReader, mark: Mark) -> tuple[FamilyEntry, ...]:
    items = _items(protected, "family", MAX_FAMILY)
    keys = PROTECTED_ATTRIBUTES["family"].keys
    named = [_keyed(reading, f"{protected.pointer}/family/{place}", item, keys) for place, item in enumerate(items)]
    marked = [{**item, **_mark_members(mark)} for item in named]
    return read_family(ObjectReader(reading, {"family": marked}, protected.pointer), "family")


def _mark_members(mark: Mark) -> dict[str, str]:
    return {"confidentiality": mark.tier.value, **({"basis": mark.basis} if mark.basis else {})}


def _records(reading: Reading, holders: tuple[ObjectReader, ObjectReader], mark: Mark) -> tuple[RecordEntry, ...]:
    core, protected = holders
    found = [*_core_records(reading, core), *_protected_records(reading, protected)]
    # The same address as a core attribute and in the extension is one.
    kept = {(category, member, frozenset(value.items())): value for category, member, value in found if value}
    return tuple(RecordEntry(category, value, member, mark) for (category, member, _), value in kept.items())


_Value = tuple[Category, str | None, dict[str, str]]


def _protected_records(reading: Reading, protected: ObjectReader) -> list[_Value]:
    found: list[_Value] = []
    for name, kept in PROTECTED_ATTRIBUTES.items():
        if kept.category is Category.FAMILY_MEMBER or protected.member(name) is None:
            continue
        items = _items(protected, name, MAX_RECORDS) if kept.is_many else [protected.member(name)]
        for place, item in enumerate(items):
            pointer = f"{protected.pointer}/{name}" + (f"/{place}" if kept.is_many else "")
            found.append(_protected_value(reading, pointer, item, kept))
    return found


def _protected_value(reading: Reading, pointer: str, item: object, kept: Kept) -> _Value:
    plain = kept.keys.get("")
    if plain is not None and not isinstance(item, str):
        reading.refuse(pointer, "wrong_type")
        return kept.category, None, {}
    value = {plain: item} if plain is not None else _keyed(reading, pointer, item, kept.keys)
    member = value.pop("member", None)
    if kept.category is Category.SCHOOL and not (isinstance(member, str) and member):
        reading.refuse(f"{pointer}/member", "member_needed")
    return (
        kept.category,
        member if isinstance(member, str) else None,
        read_value(kept.category, value, pointer, reading),
    )


def _keyed(reading: Reading, pointer: str, item: object, keys: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(item, dict):
        reading.refuse(pointer, "wrong_type")
        return {}
    subs = {name.casefold(): name for name in keys}
    return {keys[name]: value for name, value in _subs_renamed(reading, pointer, item, subs).items()}


def _core_records(reading: Reading, core: ObjectReader) -> list[_Value]:
    found: list[_Value] = []
    for name in CORE_VALUES:
        for place, item in enumerate(_items(core, name, MAX_RECORDS)):
            pointer = f"/{name}/{place}"
            if not isinstance(item, dict):
                reading.refuse(pointer, "wrong_type")
                continue
            told = _subs_renamed(reading, pointer, item, subs_of(CORE, name))
            category, value = _CORE_READERS[name](told)
            if value is not None:
                found.append((category, None, read_value(category, value, pointer, reading)))
    return found


def _email(told: Mapping[str, Any]) -> tuple[Category, dict[str, Any] | None]:
    return Category.EMAIL, {"address": told.get("value")}


def _phone(told: Mapping[str, Any]) -> tuple[Category, dict[str, Any] | None]:
    number, kind = told.get("value"), told.get("type")
    if isinstance(number, str):
        number = number.removeprefix(_TELEPHONE)  # RFC 7643, section 4.1.2, has them as RFC 3966 writes them
    return Category.PHONE, {"kind": _KINDS.get(str(kind).casefold(), "other"), "number": number}


def _address(told: Mapping[str, Any]) -> tuple[Category, dict[str, Any] | None]:
    if str(told.get("type") or "home").casefold() != "home":
        return Category.HOME_ADDRESS, None  # where somebody works is no secret, and nothing that is kept here
    parts = {"streetAddress": "street", "locality": "city", "region": "state", "postalCode": "postal_code"}
    value = {ours: told[theirs] for theirs, ours in parts.items() if told.get(theirs) not in (None, "")}
    return Category.HOME_ADDRESS, value or {"line": told.get("formatted")}


_CORE_READERS = {"emails": _email, "phoneNumbers": _phone, "addresses": _address}


def _items(holder: ObjectReader, key: str, limit: int) -> list[object]:
    value = holder.member(key)
    if value is None:
        return []
    if not isinstance(value, list):
        holder.refuse("wrong_type", key)
        return []
    if len(value) > limit:
        holder.refuse("too_many", key)
        return []
    return value


def _members(holder: ObjectReader, keys: tuple[str, ...]) -> dict[str, object]:
    return {key: value for key in keys if (value := holder.member(key)) is not None}
