"""The schema of each category's value. Every value is an object of texts, kept exactly as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.domain.categories import Category
from registry.domain.enrollment import Relation
from registry.text.rules.phone import PHONE_KINDS


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _value(what: str, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "description": what,
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


_ADDRESS = {
    "description": "In one line, or in parts.",
    "oneOf": [
        _value("In one line.", {"line": _text(300)}),
        _value(
            "In parts.",
            {"street": _text(200), "city": _text(100)},
            {"unit": _text(60), "state": _text(60), "postal_code": _text(12)},
        ),
    ],
    "examples": [{"line": "1234 Example Rd Apt 5, Kansas City, MO 64118"}],
}
_PHONE = _value(
    "A number as written; without a plus sign it is read as American.",
    {"kind": {"enum": sorted(PHONE_KINDS)}, "number": _text(40)},
)
_CARD = _value(
    "12 to 19 digits with a check digit. Kept for matching only: afterwards nothing but the last four can be shown.",
    {"number": _text(40)},
)
_NAMES = {"given_name": _text(100), "family_name": _text(100)}
_BY_CATEGORY: Mapping[Category, dict[str, Any]] = {
    Category.HOME_ADDRESS: _ADDRESS,
    Category.PHONE: _PHONE | {"examples": [{"kind": "mobile", "number": "816-555-0123"}]},
    Category.EMAIL: _value("An address.", {"address": _text(254)}) | {"examples": [{"address": "dana@mail.example"}]},
    Category.SSN: _value("A social security number or ITIN. The example can never be valid.", {"number": _text(40)})
    | {"examples": [{"number": "000-00-0000"}]},
    Category.DATE_OF_BIRTH: _value(
        "A day, not in the future, at most 125 years ago.", {"date": {"type": "string", "format": "date"}}
    ),
    Category.PAYMENT_CARD: _CARD | {"examples": [{"number": "4111 1111 1111 1111"}]},
    Category.SCHOOL: _value("Of a household member.", {"name": _text(150)}, {"city": _text(100)}),
    Category.HEALTH: _value("A statement; may run over lines.", {"statement": _text(4000)}),
    Category.FAMILY_MEMBER: _value(
        "Name and relation.", {"relation": {"enum": [relation.value for relation in Relation]}}, _NAMES
    ),
    Category.VEHICLE_PLATE: _value("A plate.", {"plate": _text(10), "state": {"type": "string", "maxLength": 3}}),
}
VALUE_SCHEMAS: dict[str, dict[str, Any]] = {f"Value_{category.value}": _BY_CATEGORY[category] for category in Category}
