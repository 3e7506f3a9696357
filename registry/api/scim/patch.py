"""PATCH (RFC 7644 section 3.5.2), as Entra and Okta send it, turned into one document of what is to be.

Operations in any case, values without a path whose keys may be paths themselves, ``emails[type eq "work"].value``,
truth values as texts. What comes out is read like any other document; a null takes something away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from registry.api.scim.answers import refuse
from registry.api.scim.names import (
    CORE,
    IGNORED,
    PATCH,
    PROTECTED,
    PROTECTED_ATTRIBUTES,
    SCHEMAS,
    attribute_of,
    subs_of,
)

MOST_OPERATIONS = 100
_PATH = re.compile(r"([^\[\]]+?)(?:\[([^\]]*)\])?(?:\.([A-Za-z$]\w*))?")
_CHOICE = re.compile(r'\s*([A-Za-z]\w*)\s+eq\s+(?:"([^"\\]{1,64})"|(true|false))\s*', re.IGNORECASE)
_OPERATIONS = frozenset({"add", "replace", "remove"})
# What may be taken away. Values that are protected may not: protection is ended elsewhere, with a second person.
_REMOVABLE = frozenset({"externalId", "title", "manager"})
_MANY = frozenset({"emails", "phoneNumbers", "addresses"}) | {
    name for name, kept in PROTECTED_ATTRIBUTES.items() if kept.is_many
}


class _Target(NamedTuple):
    """Where an operation points: schema, attribute, which of several (key and value), and sub-attribute."""

    urn: str
    attribute: str
    choice: tuple[str, object] | None
    sub: str


def read_patch(document: object) -> dict[str, Any]:
    """Return the document of what the operations of a PATCH body want, with keys in their proper writing.

    Raises:
        HttpRefusal: 400: no PATCH body, a path that we do not know, or something that cannot be taken away.
    """
    members = {key.casefold(): value for key, value in document.items()} if isinstance(document, dict) else {}
    operations = members.get("operations")
    if members.get("schemas") != [PATCH] or not isinstance(operations, list) or not operations:
        refuse("body", "schemas and Operations of a PatchOp are needed")
    if len(operations) > MOST_OPERATIONS:
        refuse("too_many", f"at most {MOST_OPERATIONS} operations")
    wanted: dict[str, Any] = {}
    for operation in operations:
        _apply(wanted, operation)
    return wanted


def _apply(wanted: dict[str, Any], operation: object) -> None:
    given = {key.casefold(): value for key, value in operation.items()} if isinstance(operation, dict) else {}
    word, path = given.get("op"), given.get("path")
    op = word.casefold() if isinstance(word, str) else ""
    if (
        op not in _OPERATIONS
        or not (path is None or isinstance(path, str))
        or not given.keys() <= {"op", "path", "value"}
    ):
        refuse("body", "an operation is add, replace or remove, with a path and a value")
    if op == "remove":
        _remove(wanted, path)
    elif "value" not in given:
        refuse("body", "add and replace need a value")
    elif path:
        _assign(wanted, _target(path), given["value"])
    elif isinstance(given["value"], dict):
        _assign_all(wanted, given["value"])
    else:
        refuse("body", "without a path the value is an object")


def _assign_all(wanted: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        target = _target(name)
        if target.attribute or not isinstance(value, dict):
            _assign(wanted, target, value)
        else:
            for inner, inner_value in value.items():
                if inner.casefold() != SCHEMAS:
                    _assign(wanted, _target(f"{target.urn}:{inner}"), inner_value)


def _remove(wanted: dict[str, Any], path: str | None) -> None:
    if not path:
        refuse("no_target", "remove needs a path")
    target = _target(path)
    if target.urn == PROTECTED or target.attribute in _MANY:
        refuse("mutability", "what is protected is not ended by provisioning")
    if target.attribute in _REMOVABLE and target.choice is None:
        _holder(wanted, target.urn)[target.attribute] = None
    elif target.urn != CORE or target.attribute not in IGNORED:
        refuse("mutability", "this attribute cannot be taken away")


def _target(path: str) -> _Target:
    known = attribute_of(path)
    if known is not None:
        return _Target(*known, None, "")
    # A URN has dots and colons of its own, so what follows the last colon is looked at.
    head, colon, tail = path.rpartition(":") if "[" not in path else _split(path)
    matched = _PATH.fullmatch(tail)
    known = attribute_of(head + colon + matched[1]) if matched is not None else None
    if matched is None or known is None or not known[1]:
        refuse("path", "no attribute that is kept here")
    urn, attribute = known
    subs = subs_of(urn, attribute)
    sub = subs.get(matched[3].casefold()) if matched[3] else ""
    if sub is None or (matched[2] is not None and attribute not in _MANY):
        refuse("path", "no attribute that is kept here")
    return _Target(urn, attribute, None if matched[2] is None else _choice(matched[2], subs), sub)


def _split(path: str) -> tuple[str, str, str]:
    head, bracket, rest = path.partition("[")
    before, colon, tail = head.rpartition(":")
    return before, colon, tail + bracket + rest


def _choice(text: str, subs: Mapping[str, str]) -> tuple[str, object]:
    matched = _CHOICE.fullmatch(text)
    key = None if matched is None else subs.get(matched[1].casefold())
    if matched is None or key not in {"type", "primary", "kind"}:
        # By type alone: anything else would be a question about values.
        refuse("filter", 'in a path, only: type eq "word" or primary eq true')
    return key, matched[2] if matched[2] is not None else matched[3].casefold() == "true"


def _holder(wanted: dict[str, Any], urn: str) -> dict[str, Any]:
    holder: dict[str, Any] = wanted if urn == CORE else wanted.setdefault(urn, {})
    return holder


def _assign(wanted: dict[str, Any], target: _Target, value: object) -> None:
    if not target.attribute:
        if not isinstance(value, dict):
            refuse("path", "an extension as a whole takes an object")
        _assign_all(wanted, {target.urn: value})
        return
    holder = _holder(wanted, target.urn)
    if target.attribute in _MANY:
        _assign_one_of_many(holder, target, value)
    elif target.sub:
        inner = holder.get(target.attribute)
        holder[target.attribute] = {**(inner if isinstance(inner, dict) else {}), target.sub: value}
    else:
        holder[target.attribute] = value


def _assign_one_of_many(holder: dict[str, Any], target: _Target, value: object) -> None:
    items: list[Any] = holder.setdefault(target.attribute, [])
    if target.choice is None:
        if target.sub:
            refuse("path", "which of several is not said")
        items += value if isinstance(value, list) else [value]
        return
    key, chosen = target.choice
    item = next((one for one in items if isinstance(one, dict) and one.get(key) == chosen), None)
    if item is None:
        item = {key: chosen}
        items.append(item)
    if target.sub:
        item[target.sub] = value
    elif isinstance(value, dict):
        item.update(value)
    else:
        refuse("path", "one of several as a whole takes an object")
