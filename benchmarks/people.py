"""Made-up people for measuring: valid, regular and nobody's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

_GIVEN = ("Avery", "Blake", "Casey", "Devon", "Emery", "Finley", "Harper", "Jordan", "Kendall", "Logan")
_FAMILY = ("Ashford", "Birch", "Calder", "Dunmore", "Eastlake", "Farrow", "Greenway", "Holloway", "Ivers", "Juniper")
_DEPARTMENTS = ("Parks", "Police", "Fire", "Water", "Streets", "Courts", "Health", "Housing", "Finance", "Planning")
_STREETS = ("Alder", "Beech", "Cedar", "Dogwood", "Elm", "Fir", "Hazel", "Juniper", "Linden", "Maple")
# Every hundred people another area: of each, only the numbers from 555-0100 to 555-0199 are nobody's.
_AREAS = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 "
    "248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 "
    "315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 "
    "407 408 409 410 412 413 414 415 417 419 423 425 432 434 435 440 443 469 470 478 479 480 484 501 502 "
    "503 504 505 507 508 509 510 512 513 515 516 517 518 520 530"
)

_FIRST_DAY, _DAYS, _APART = date(1950, 1, 1), 18_262, 7_919  # no divisor of the last divides the days


def number_of(number: int) -> str:
    """Return the employee number of a person."""
    return f"B-{number:07}"


def document(number: int) -> dict[str, Any]:
    """Return the person of a number as a document for enrollment."""
    family = f"{_FAMILY[number // 10 % 10]}{_FAMILY[number // 100 % 10].lower()}"
    return {
        "employee_number": number_of(number),
        "given_name": _GIVEN[number % 10],
        "family_name": family,
        "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
        "family": [{"ref": "c1", "relation": "child", "given_name": _GIVEN[(number + 3) % 10], "family_name": family}],
        "records": [
            {"category": "home_address", "value": {"line": _address(number)}},
            {"category": "phone", "value": {"kind": "mobile", "number": _phone(number)}},
            {
                "category": "ssn",
                "value": {"number": f"{734 + number % 30}-{10 + number // 30 % 80}-{1000 + number % 9000}"},
            },
            {
                "category": "date_of_birth",
                "value": {"date": _born(number)},
            },
            {"category": "email", "value": {"address": f"person{number}@example.org"}},
            {"category": "school", "member": "c1", "value": {"name": f"{_STREETS[number % 10]} Elementary School"}},
        ],
    }


def post_about(number: int) -> str:
    """Return what somebody might post about a person: name, address and telephone number among other words."""
    person = document(number)
    return (
        f"So {person['given_name']} {person['family_name']} from the city thinks nobody knows. {_address(number)},"
        f" call {_phone(number)} and say hello. Pass it on before they take it down."
    )


def _phone(number: int) -> str:
    areas = _AREAS.split(" ")
    return f"{areas[number // 100 % len(areas)]}-555-{100 + number % 100:04}"


def _born(number: int) -> str:
    """Return a day of fifty years that says nothing of the name: whoever shares one has another name, as people do."""
    return (_FIRST_DAY + timedelta(days=number * _APART % _DAYS)).isoformat()


def _address(number: int) -> str:
    return f"{100 + number % 90_000} {_STREETS[number % 10]} St, Kansas City, MO {64101 + number % 50}"
