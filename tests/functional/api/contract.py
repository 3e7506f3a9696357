"""Checks every request and answer that a test sees against the OpenAPI document, with a small JSON Schema validator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_KNOWN = {
    *("type", "const", "enum", "required", "properties", "additionalProperties", "items", "anyOf", "oneOf", "allOf"),
    *("not", "$ref", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "description", "title", "default", "examples", "format", "propertyNames"),
}


def faults(schema: Any, value: Any, document: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yield what about a value does not fit a schema."""
    if isinstance(schema, bool):
        if not schema:
            yield f"{where}: nothing fits"
        return
    unknown = schema.keys() - _KNOWN
    assert not unknown, f"the validator does not know {unknown}"
    if "$ref" in schema:
        yield from faults(resolve(schema["$ref"], document), value, document, where)
    yield from _plain_faults(schema, value, where)
    for part in schema.get("allOf", ()):
        yield from faults(part, value, document, where)
    for word in ("anyOf", "oneOf"):
        tried = [list(faults(part, value, document, where)) for part in schema.get(word, ())]
        fitting = sum(not found for found in tried)
        if tried and (fitting == 0 or (word == "oneOf" and fitting > 1)):
            yield f"{where}: {word} fits {fitting}: {tried}"
    if "not" in schema and not list(faults(schema["not"], value, document, where)):
        yield f"{where}: fits what it must not"
    if isinstance(value, dict):
        yield from _object_faults(schema, value, document, where)
    if isinstance(value, list):
        yield from _list_faults(schema, value, document, where)


def _plain_faults(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if "type" in schema:
        named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is_type(value, name) for name in named):
            yield f"{where}: not of type {named}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: not the constant"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: not one of {schema['enum']}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: not the pattern"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{where}: length"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: range"


def _is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _object_faults(
    schema: dict[str, Any], value: dict[str, Any], document: dict[str, Any], where: str
) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where}: {key} is missing"
    if len(value) < schema.get("minProperties", 0):
        yield f"{where}: too few members"
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    for key, member in value.items():
        yield from faults(known.get(key, rest), member, document, f"{where}/{key}")


def _list_faults(schema: dict[str, Any], value: list[Any], document: dict[str, Any], where: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{where}: number of items"
    if schema.get("uniqueItems") and len({orjson.dumps(item) for item in value}) != len(value):
        yield f"{where}: an item twice"
    for position, item in enumerate(value):
        yield from faults(schema.get("items", True), item, document, f"{where}/{position}")


def resolve(reference: str, document: dict[str, Any]) -> Any:
    """Follow a reference within the document."""
    target: Any = document
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return target


class Contract:
    """Watches a client: what it sends successfully and all that it gets must be what the document says."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: set[tuple[str, str, int]] = set()
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def watch(self, response: httpx2.Response) -> None:
        """Check one exchange (a response hook of the client)."""
        response.read()
        self.headers(response)
        method = response.request.method.lower()
        template = next((path for form, path in self._paths if form.fullmatch(response.request.url.path)), None)
        operation = None if template is None else self.document["paths"][template].get(method)
        if template is None or operation is None:
            return
        self.seen.add((method, template, response.status_code))
        described = operation["responses"].get(str(response.status_code))
        assert described is not None, f"{method} {template} does not document {response.status_code}"
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type in described["content"], f"{method} {template} {response.status_code}: {media_type}"
        for name in described.get("headers", ()):
            if name not in {"Link", "Idempotent-Replayed"}:
                assert name in response.headers, f"{method} {template} {response.status_code} lacks {name}"
        if media_type.endswith("json"):
            self._fits(described["content"][media_type]["schema"], response.content)
        if response.is_success and "application/json" in operation.get("requestBody", {"content": {}})["content"]:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self._fits(schema, response.request.content)

    def _fits(self, schema: dict[str, Any], raw: bytes) -> None:
        found = list(faults(schema, orjson.loads(raw), self.document))
        assert found == [], found

    def headers(self, response: httpx2.Response) -> None:
        """Check what every answer has and what none has."""
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert re.fullmatch(r"[0-9a-f-]{32,36}", response.headers["x-request-id"])
        assert "server" not in response.headers
        if response.is_error and response.request.url.path.startswith("/scim/"):
            assert response.headers["content-type"] == "application/scim+json"
            assert response.json().keys() <= {"schemas", "status", "scimType", "detail"}
            assert response.json()["status"] == str(response.status_code)
        elif response.is_error and response.request.method != "HEAD":
            assert response.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "code"} <= response.json().keys()
            assert response.json()["status"] == response.status_code
