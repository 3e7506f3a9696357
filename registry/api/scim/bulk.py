"""Bulk (RFC 7644 section 3.7): which operations somebody wants done, and in which order references let them be done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from registry.api.scim.answers import refuse
from registry.api.scim.names import BULK
from registry.text.strict_json import MAX_DOCUMENT_BYTES

MOST_OPERATIONS = 100
MOST_BYTES = MAX_DOCUMENT_BYTES
_MOST_ERRORS = 10**6
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_BULK_ID = re.compile(r"[A-Za-z0-9._~:-]{1,64}")
_REFERENCE = re.compile(r"bulkId:([A-Za-z0-9._~:-]{1,64})")
_PATH = re.compile(r"/([A-Za-z]{1,20})(?:/([A-Za-z0-9._~:-]{1,80}))?")
_VERSION = re.compile(r'(?:W/)?"[0-9a-f]{1,64}"|\*')
_KEYS = frozenset({"method", "bulkid", "path", "version", "data"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was sent.

    Attributes:
        method: ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
        bulk_id: what others of the same request call the result by, or an empty text.
        endpoint: the kind of resource, as ``Users``.
        target: id of the resource, possibly a reference; empty for POST.
        version: entity tag that it has to have, or an empty text.
        data: the document; empty for DELETE.
        references: which results of other operations it needs.
    """

    method: str
    bulk_id: str
    endpoint: str
    target: str
    version: str
    data: Mapping[str, Any] = field(repr=False)

    references: frozenset[str]

    def resolved(self, known: Mapping[str, str]) -> Operation:
        """Return it with ids in place of references; ``known`` has all of them."""
        target, data = _put(self.target, known), _put(self.data, known)
        return replace(self, target=target, data=data, references=frozenset())


class Wished(NamedTuple):
    """A whole request: operations in the order sent, and after how many errors to stop (None: never)."""

    operations: tuple[Operation, ...]
    most_errors: int | None


class Done(NamedTuple):
    """What became of one operation: its status, and the id of what it made, or an empty text."""

    status: int
    made: str

    @property
    def is_error(self) -> bool:
        """Tell whether it failed."""
        return self.status >= 400


# Why an operation is not tried: what it refers to was not made, or refers to it in turn.
NOT_MADE = "not_made"
CIRCULAR = "circular"


def read_bulk(document: object) -> Wished:
    """Read the body of a bulk request. If any of it has no form, none of it is done.

    Raises:
        HttpRefusal: 400; ``too_many`` operations.
    """
    members = {key.casefold(): value for key, value in document.items()} if isinstance(document, dict) else {}
    given, most = members.get("operations"), members.get("failonerrors")
    if members.get("schemas") != [BULK] or not isinstance(given, list) or not given:
        refuse("body", "schemas and Operations of a BulkRequest are needed")
    if len(given) > MOST_OPERATIONS:
        refuse("too_many", f"at most {MOST_OPERATIONS} operations")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= _MOST_ERRORS):
        refuse("body", "failOnErrors is a number from 1")
    operations = tuple(_operation(one) for one in given)
    made = [one.bulk_id for one in operations if one.method == "POST"]
    if len(set(made)) < len(made):
        refuse("body", "a bulkId comes once")
    return Wished(operations, most)


def carry_out(
    wished: Wished, do: Callable[[int, Operation], Done], skip: Callable[[int, Operation, str], Done]
) -> None:
    """Have operations done in the order sent, each after those that it refers to.

    Args:
        wished: all of them.
        do: does one, whose references are resolved; with its place.
        skip: says of one that it cannot be done, and why.
    """
    waiting = dict(enumerate(wished.operations))
    makers = {one.bulk_id: place for place, one in waiting.items() if one.method == "POST"}
    known: dict[str, str] = {}
    errors = 0
    while waiting and (wished.most_errors is None or errors < wished.most_errors):
        place, reason = _next(waiting, makers, known)
        operation = waiting.pop(place)
        done = skip(place, operation, reason) if reason else do(place, operation.resolved(known))
        errors += done.is_error
        if done.made and operation.method == "POST":
            known[operation.bulk_id] = done.made


def _next(waiting: Mapping[int, Operation], makers: Mapping[str, int], known: Mapping[str, str]) -> tuple[int, str]:
    """Return which operation comes next, and why it cannot be done or an empty text."""
    for place, operation in waiting.items():
        missing = operation.references - known.keys()
        if not missing:
            return place, ""
        if any(makers.get(name) not in waiting for name in missing):
            return place, NOT_MADE
    return next(iter(waiting)), CIRCULAR


def _operation(given: object) -> Operation:
    members = {key.casefold(): value for key, value in given.items()} if isinstance(given, dict) else {}
    if not members or not members.keys() <= _KEYS or len(members) < len(given):  # type: ignore[arg-type]  # a dict
        refuse("body", "an operation has method, path, bulkId, version and data")
    method = _text(members, "method").upper()
    bulk_id, version = _text(members, "bulkid"), _text(members, "version")
    path = _PATH.fullmatch(_text(members, "path"))
    if method not in _METHODS or path is None or bool(path[2]) is (method == "POST"):
        refuse("body", "an operation has a method, and a path that goes with it")
    if (bulk_id or method == "POST") and _BULK_ID.fullmatch(bulk_id) is None:
        refuse("body", "a bulkId is 1 to 64 letters, digits and . _ ~ : -")
    if version and _VERSION.fullmatch(version) is None:
        refuse("body", "a version is an entity tag")
    data = members.get("data")
    if method == "DELETE":
        data = {}
    if not isinstance(data, dict):
        refuse("body", "data is an object")
    target = path[2] or ""
    return Operation(method, bulk_id, path[1], target, version, data, _references(target) | _references(data))


def _text(members: Mapping[str, Any], key: str) -> str:
    value = members.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse("body", "method, path, bulkId and version are texts")
    return value


def _references(value: object) -> frozenset[str]:
    if isinstance(value, str):
        matched = _REFERENCE.fullmatch(value)
        return frozenset() if matched is None else frozenset({matched[1]})
    parts: Sequence[object] = (
        list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    )
    return frozenset().union(*(_references(part) for part in parts))


def _put(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        matched = _REFERENCE.fullmatch(value)
        return value if matched is None else known[matched[1]]
    if isinstance(value, Mapping):
        return {key: _put(part, known) for key, part in value.items()}
    return [_put(part, known) for part in value] if isinstance(value, list) else value
