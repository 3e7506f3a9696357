"""Made-up documents for the tests of the intake."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date

from registry.domain.errors import InvalidInput, UnreadableDocument
from registry.text.intake import read_enrollment

TODAY = date(2026, 3, 1)

_WHOLE = {
    "employee_number": "KC-004211",
    "given_name": "Dana",
    "family_name": "O'Neil",
    "department": "Parks",
    "title": "Gardener",
    "family": [
        {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "O'Neil", "basis": "HR policy 12"},
        {"ref": "c1", "relation": "child", "given_name": "Mia", "family_name": "O'Neil", "confidentiality": "sealed"},
    ],
    "records": [
        {"category": "home_address", "value": {"line": "1234 Made Up Rd Apt 5, Kansas City, MO 64118"}},
        {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0123"}},
        {"category": "ssn", "value": {"number": "736-45-6789"}, "confidentiality": "restricted"},
        {"category": "date_of_birth", "value": {"date": "1984-02-29"}},
        {"category": "payment_card", "value": {"number": "4111 1111 1111 1111"}},
        {"category": "health", "value": {"statement": "Seasonal allergy.\nNo other."}},
        {"category": "school", "member": "c1", "value": {"name": "Made Up Elementary", "city": "Kansas City"}},
        {"category": "email", "value": {"address": "dana.oneil@example.org"}},
        {"category": "vehicle_plate", "value": {"plate": "ZZ0 A1B", "state": "MO"}, "starts_on": "2026-01-01"},
    ],
}


def whole() -> dict:
    """Return a fresh enrollment body that has everything."""
    return copy.deepcopy(_WHOLE)


def with_record(category: str, value: object, **members: object) -> dict:
    """Return the body of somebody with one record and the child ``c1``."""
    return {
        "employee_number": "000417",
        "given_name": "Wren",
        "family_name": "Sample",
        "department": "Parks",
        "family": [{"ref": "c1", "relation": "child", "given_name": "Ash"}],
        "records": [{"category": category, "value": value, **members}],
    }


def problems_of(document: object) -> list[tuple[str, str]]:
    """Return (pointer, code) of everything that the intake refuses; empty when the document is taken."""
    try:
        read_enrollment(document, today=TODAY)
    except InvalidInput as refusal:
        return [(problem.pointer, problem.code) for problem in refusal.problems]
    return []


def outcome(call: Callable[..., object], *arguments: object, **named: object) -> object:
    """Return what a call returns, or the refusal it raises. Any other exception fails the test."""
    try:
        return call(*arguments, **named)
    except (InvalidInput, UnreadableDocument) as refusal:
        return refusal
