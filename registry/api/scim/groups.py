"""Groups: documents read as what the services know of units, PATCH as Entra and Okta send it, and units written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.api.scim.answers import refuse
from registry.api.scim.names import BASE, GROUP, PATCH, SCHEMAS, group_attribute_of
from registry.domain.clock import from_unix_ms, iso
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.ids import ProvisionId, is_id
from registry.services.units import MemberChange, UnitSeen
from registry.text.rules.texts import one_line

MOST_MEMBERS = 1_000  # of one document; fewer are moved at once
_MOST_OPERATIONS = 100
_NAME = one_line(120)  # as a department
_OUTSIDE = one_line(255)
_ONE_MEMBER = re.compile(r'members\s*\[\s*value\s+eq\s+"([0-9a-f]{32})"\s*\]', re.IGNORECASE)
_MEMBER_KEYS = frozenset({"value", "$ref", "display", "type"})
_KEPT = ("displayName", "externalId", "members")


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """What a document says of a group; None is what it does not say, an empty text what it takes away."""

    name: str | None = field(repr=False)
    outside_id: str | None = field(repr=False)
    members: MemberChange


def read_group(document: object) -> GroupDraft:
    """Read a whole group: the body of POST and PUT.

    Raises:
        InvalidInput: with all problems, by place and code.
    """
    given = _folded(document)
    if given.get("displayName") is None:
        raise InvalidInput([FieldProblem("/displayName", "missing")])
    # Who is in it stays where that is not said: a document without members is no word about people.
    members = None if given.get("members") is None else _members(given["members"])
    return GroupDraft(_name(given["displayName"]), _outside(given.get("externalId")), MemberChange(only=members))


def read_group_patch(document: object) -> GroupDraft:
    """Read what the operations of a PATCH want, taken together in their order.

    Raises:
        HttpRefusal: 400: no PATCH body, or a path that we do not know.
        InvalidInput: a value breaks its rule.
    """
    members = {key.casefold(): value for key, value in document.items()} if isinstance(document, dict) else {}
    operations = members.get("operations")
    if members.get(SCHEMAS) != [PATCH] or not isinstance(operations, list) or not operations:
        refuse("body", "schemas and Operations of a PatchOp are needed")
    if len(operations) > _MOST_OPERATIONS:
        refuse("too_many", f"at most {_MOST_OPERATIONS} operations")
    wanted = _Wanted()
    for operation in operations:
        wanted.apply(operation)
    return wanted.draft()


def group_document(seen: UnitSeen) -> dict[str, Any]:
    """Return a group as it stands."""
    row = seen.row
    document: dict[str, Any] = {
        "schemas": [GROUP],
        "id": row.id,
        "externalId": seen.names.outside_id,
        "displayName": seen.names.name,
        "members": [
            {"value": member, "$ref": f"{BASE}/Users/{member}", "type": "User"} for member in seen.members or ()
        ],
        "meta": {
            "resourceType": "Group",
            "created": iso(from_unix_ms(row.created_at)),
            "lastModified": iso(from_unix_ms(row.updated_at)),
            "location": location_of_group(seen),
        },
    }
    if seen.version:
        document["meta"]["version"] = etag_of_group(seen.version)
    return {name: value for name, value in document.items() if value not in ("", [])}


def etag_of_group(version: str) -> str:
    """Return the entity tag of a version."""
    return f'W/"{version}"'


def location_of_group(seen: UnitSeen) -> str:
    """Return where a group is found."""
    return f"{BASE}/Groups/{seen.row.id}"


def group_place(name: str) -> tuple[str, str] | None:
    """Return where in a document an attribute of a group stands; None for one that is never shown."""
    known = group_attribute_of(name)
    if known is not None:
        return known, ""
    outer, _, inner = name.rpartition(".")
    known = group_attribute_of(outer)
    # Of members all is shown or nothing: what stands beside an id is made of it.
    return None if known is None else (known, "") if known == "members" else (known, inner)


class _Wanted:
    """What the operations so far want."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._only: frozenset[ProvisionId] | None = None
        self._joining: frozenset[ProvisionId] = frozenset()
        self._leaving: frozenset[ProvisionId] = frozenset()

    def draft(self) -> GroupDraft:
        """Return them as one change."""
        members = MemberChange(self._only, self._joining, self._leaving)
        return GroupDraft(self._texts.get("displayName"), self._texts.get("externalId"), members)

    def apply(self, operation: object) -> None:
        """Add one operation."""
        given = {key.casefold(): value for key, value in operation.items()} if isinstance(operation, dict) else {}
        word, path = given.get("op"), given.get("path")
        op = word.casefold() if isinstance(word, str) else ""
        if (
            op not in ("add", "replace", "remove")
            or not (path is None or isinstance(path, str))
            or not given.keys() <= {"op", "path", "value"}
        ):
            refuse("body", "an operation is add, replace or remove, with a path and a value")
        if op == "remove":
            self._remove(path or "", given.get("value"))
        elif "value" not in given:
            refuse("body", "add and replace need a value")
        elif path:
            self._assign(op, _attribute(path), given["value"])
        elif isinstance(given["value"], dict):
            for name, value in given["value"].items():
                self._assign(op, _attribute(name), value)
        else:
            refuse("body", "without a path the value is an object")

    def _assign(self, op: str, attribute: str, value: object) -> None:
        if attribute == "displayName":
            self._texts[attribute] = _name(value)
        elif attribute == "externalId":
            self._texts[attribute] = _outside(value)
        elif attribute == "members" and op == "replace":
            self._only, self._joining, self._leaving = _members(value), frozenset(), frozenset()
        elif attribute == "members":
            self._join(_members(value))

    def _remove(self, path: str, value: object) -> None:
        if not path:
            refuse("no_target", "remove needs a path")
        one = _ONE_MEMBER.fullmatch(path)
        attribute = "members" if one is not None else _attribute(path)
        if attribute == "externalId":
            self._texts[attribute] = ""
        elif attribute != "members":
            refuse("mutability", "this attribute cannot be taken away")
        elif one is not None:
            self._leave(frozenset({ProvisionId(one[1])}))
        elif value is not None:  # Entra says in the value who goes
            self._leave(_members(value))
        else:
            self._only, self._joining, self._leaving = frozenset(), frozenset(), frozenset()

    def _join(self, members: frozenset[ProvisionId]) -> None:
        self._joining |= members
        self._leaving -= members

    def _leave(self, members: frozenset[ProvisionId]) -> None:
        self._leaving |= members
        self._joining -= members


def _attribute(name: str) -> str:
    known = group_attribute_of(name)
    if known is None:
        refuse("path", "no attribute that is kept here")
    return known


def _folded(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidInput([FieldProblem("", "wrong_type")])
    named = [(group_attribute_of(name), value) for name, value in document.items()]
    found = {name: value for name, value in named if name is not None}
    if len(found) < len(named):
        # The name itself may be somebody's number.
        code = "unknown_key" if any(name is None for name, _ in named) else "repeated"
        raise InvalidInput([FieldProblem("", code)])
    return {name: value for name, value in found.items() if name in _KEPT}


def _name(value: object) -> str:
    return _text("displayName", value, _NAME)


def _outside(value: object) -> str:
    return "" if value is None or value == "" else _text("externalId", value, _OUTSIDE)


def _text(key: str, value: object, rule: Any) -> str:
    problem = rule(value) if isinstance(value, str) else "wrong_type"
    if problem is not None:
        raise InvalidInput([FieldProblem(f"/{key}", problem)])
    return str(value)


def _members(value: object) -> frozenset[ProvisionId]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MOST_MEMBERS:
        raise InvalidInput([FieldProblem("/members", "too_many")])
    return frozenset(_member(place, item) for place, item in enumerate(items))


def _member(place: int, item: object) -> ProvisionId:
    pointer = f"/members/{place}"
    if not isinstance(item, Mapping):
        raise InvalidInput([FieldProblem(pointer, "wrong_type")])
    if not _known(item):
        raise InvalidInput([FieldProblem(pointer, "unknown_key")])
    value = {key.casefold(): text for key, text in item.items()}.get("value")
    if not (isinstance(value, str) and is_id(value)):
        raise InvalidInput([FieldProblem(pointer, "unknown_member")])
    return ProvisionId(value)


def _known(names: Iterable[str]) -> bool:
    return all(name.casefold() in _MEMBER_KEYS for name in names)
