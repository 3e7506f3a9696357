"""Made-up people for measuring: valid, regular and nobody's."""

from __future__ import annotations

from datetime import date

from registry.domain.enrollment import Enrollment
from registry.text.intake import read_enrollment

TODAY = date(2025, 6, 1)
_GIVEN = ("Avery", "Blake", "Casey", "Devon", "Emery", "Finley", "Harper", "Jordan", "Kendall", "Logan")
_FAMILY = ("Ashford", "Birch", "Calder", "Dunmore", "Eastlake", "Farrow", "Greenway", "Holloway", "Ivers", "Juniper")
_STREETS = ("Alder", "Beech", "Cedar", "Dogwood", "Elm", "Fir", "Hazel", "Juniper", "Linden", "Maple")


def number_of(number: int) -> str:
    """Return the employee number of a person."""
    return f"B-{number:07}"


def made_up(number: int) -> Enrollment:
    """Return the person of a number: name, six records, one child."""
    family = f"{_FAMILY[number // 10 % 10]}{_FAMILY[number // 100 % 10].lower()}"
    document = {
        "employee_number": number_of(number),
        "given_name": _GIVEN[number % 10],
        "family_name": family,
        "department": "Parks",
        "family": [{"ref": "c1", "relation": "child", "given_name": _GIVEN[(number + 3) % 10], "family_name": family}],
        "records": [
            {"category": "home_address", "value": {"line": _address(number)}},
            {"category": "phone", "value": {"kind": "mobile", "number": f"816-555-{100 + number % 100:04}"}},
            {
                "category": "ssn",
                "value": {"number": f"{734 + number % 30}-{10 + number // 30 % 80}-{1000 + number % 9000}"},
            },
            {
                "category": "date_of_birth",
                "value": {"date": f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}"},
            },
            {"category": "email", "value": {"address": f"person{number}@example.org"}},
            {"category": "school", "member": "c1", "value": {"name": f"{_STREETS[number % 10]} Elementary School"}},
        ],
    }
    return read_enrollment(document, today=TODAY)


def _address(number: int) -> str:
    return f"{100 + number} {_STREETS[number % 10]} St, Kansas City, MO {64101 + number % 50}"
