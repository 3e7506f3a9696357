"""The JSON form keeps to the schema that is shipped with it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.leaktrace.copies import EXPOSURE_KINDS
from registry.leaktrace.report_model import SCHEMA, TierLabel, TraceReport
from registry.reports.as_json import report_document
from tests.unit.reports.samples import EVERY, ordinary

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_KNOWN = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "required", "additionalProperties", "properties",
    "items", "const", "enum", "pattern", "minimum", "maximum", "minItems", "maxItems", "anyOf",
}  # fmt: skip


def schema() -> dict[str, Any]:
    text = files("registry.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def faults(value: Any, rule: dict[str, Any], root: dict[str, Any], where: str = "") -> list[str]:
    """Check the part of JSON Schema that the file uses; an unknown keyword is a fault."""
    found = [f"{where}: keyword {keyword}" for keyword in set(rule) - _KNOWN]
    if "$ref" in rule:
        found += faults(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, where)
    if "anyOf" in rule and all(faults(value, option, root, where) for option in rule["anyOf"]):
        found.append(f"{where}: no option fits")
    if value not in rule.get("enum", [value]) or value != rule.get("const", value):
        found.append(f"{where}: enum or const")
    if not _is_of_type(value, rule.get("type", list(_TYPES))):
        return [*found, f"{where}: type"]
    if not _is_within(value, rule):
        found.append(f"{where}: pattern, range or length")
    if isinstance(value, list):
        items = [(str(number), item, rule.get("items", {})) for number, item in enumerate(value)]
    elif isinstance(value, dict):
        properties = rule.get("properties", {})
        found += [f"{where}: missing {name}" for name in rule.get("required", []) if name not in value]
        if rule.get("additionalProperties") is False:
            found += [f"{where}: extra {name}" for name in value if name not in properties]
        items = [(name, item, properties.get(name, {})) for name, item in value.items()]
    else:
        items = []
    return found + [fault for name, item, inner in items for fault in faults(item, inner, root, f"{where}/{name}")]


def _is_of_type(value: Any, names: str | list[str]) -> bool:
    names = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _is_within(value: Any, rule: dict[str, Any]) -> bool:
    if isinstance(value, str):
        return re.search(rule.get("pattern", ""), value) is not None
    if isinstance(value, list):
        return bool(rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)))
    if isinstance(value, int | float):
        return bool(rule.get("minimum", value) <= value <= rule.get("maximum", value))
    return True


@pytest.mark.parametrize("report", EVERY)
def test_every_report_keeps_to_the_schema(report: TraceReport) -> None:
    document = json.loads(json.dumps(report_document(report)))
    assert faults(document, schema(), schema()) == []


def test_the_checker_sees_faults() -> None:
    document = report_document(ordinary())
    document["tier"]["label"] = "certain"
    document["extra"] = 1
    del document["first_line"]
    document["accounts"][0]["label"] = "a" * 32
    assert len(faults(document, schema(), schema())) == 4


def test_the_schema_names_what_the_code_names() -> None:
    rules = schema()
    assert rules["properties"]["schema"]["const"] == SCHEMA
    assert rules["properties"]["tier"]["properties"]["label"]["enum"] == [label.value for label in TierLabel]
    assert rules["$defs"]["finding"]["properties"]["category"]["enum"] == [category.value for category in Category]
    assert rules["$defs"]["exposures"]["items"]["properties"]["kind"]["enum"] == list(EXPOSURE_KINDS)
