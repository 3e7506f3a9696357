"""What the HTTP interface may look like: no GET gives a protected value, and every route is in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry.api.app import create_app
from registry.bootstrap import initialise, opened
from registry.settings import DEVELOPMENT, load_settings
from tests.architecture.source import ROOT

_SAFE_METHODS = ("get", "head")
_PROTECTED = {"value", "values", "display", "text", "form_text", "opening"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = load_settings(tmp_path_factory.mktemp("home"), {})
    initialise(settings, DEVELOPMENT)
    with opened(settings) as application:
        described: dict[str, Any] = create_app(application).openapi()
    return described


def properties(schema: Any, document: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the name of every property that a schema describes, references followed."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, document, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference and reference not in seen:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        yield from properties(target, document, seen | {reference})
    yield from schema.get("properties", {})
    for part in schema.values():
        yield from properties(part, document, seen)


def revealing(document: dict[str, Any]) -> list[str]:
    """Name the GET routes whose answers describe a protected value."""
    found = []
    for path, operations in document["paths"].items():
        for method in _SAFE_METHODS:
            responses = operations.get(method, {}).get("responses", {})
            schemas = [
                media.get("schema") for answer in responses.values() for media in answer.get("content", {}).values()
            ]
            if _PROTECTED & set(properties(schemas, document)):
                found.append(f"{method} {path}")
    return found


def test_no_get_gives_a_protected_value(document: dict[str, Any]) -> None:
    assert revealing(document) == []


def test_disclosures_are_posted(document: dict[str, Any]) -> None:
    # Shows that the walk above sees a value where there is one.
    posted = document["paths"]["/v1/disclosures"]["post"]
    as_if_got = {**document, "paths": {"/v1/disclosures": {"get": posted}}}
    assert revealing(as_if_got) == ["get /v1/disclosures"]
    assert not set(_SAFE_METHODS) & set(document["paths"]["/v1/disclosures"])


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    routes = [f"`{method.upper()} {path}`" for path, operations in document["paths"].items() for method in operations]
    assert len(routes) > 10
    assert [route for route in routes if route not in pages] == []
