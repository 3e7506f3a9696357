"""Two hundred people of a made-up city, as a CSV file in the columns that ``registry import`` takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from stdnum import luhn

from registry.cli.demo import lists

PEOPLE = 200
# The city is the same in every run; only the leak follows the seed that is asked for.
_CITY_SEED = "the people of Wexley Falls"
_COLUMNS = (
    "employee_number", "given_name", "family_name", "department", "title", "home_address", "home_phone", "mobile_phone",
    "ssn", "date_of_birth", "card_1", "spouse_name", "child_1_name", "child_1_school", "child_2_name",
    "child_2_school", "health_statement",
)  # fmt: skip
_SSN_AREAS = range(734, 764)  # never given out before areas lost their meaning, and not in use by these people
_LINES_A_CODE = 100  # NPA-555-0100 to -0199 are kept for fiction
_FIRST_BIRTH = date(1958, 1, 1)
_BIRTH_DAYS = 16_000


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person.

    Attributes:
        number: employee number.
        given_name, family_name: as enrolled.
        cells: the whole row by column.
    """

    number: str
    given_name: str
    family_name: str
    cells: dict[str, str] = field(repr=False)


def make_people(count: int = PEOPLE) -> tuple[Person, ...]:
    """Make the city's people; the same ones each time."""
    chance = Random(_CITY_SEED)  # noqa: S311 - made-up people, no secrets
    phones = _phones(chance)
    names = chance.sample([(g, f) for g in lists.GIVEN_NAMES for f in lists.FAMILY_NAMES], count)
    return tuple(_person(chance, position, name, phones) for position, name in enumerate(names, start=1))


def people_csv(people: Sequence[Person]) -> str:
    """Write people as a CSV file."""
    written = io.StringIO()
    table = csv.DictWriter(written, _COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(person.cells for person in people)
    return written.getvalue()


def _person(chance: Random, position: int, name: tuple[str, str], phones: Iterator[str]) -> Person:
    department, titles = chance.choice(lists.DEPARTMENTS)
    given_name, family_name = name
    cells = {
        "employee_number": f"WF-{1000 + position * 7}",
        "given_name": given_name,
        "family_name": family_name,
        "department": department,
        "title": chance.choice(titles),
        "home_address": _address(chance),
        "mobile_phone": next(phones),
        "ssn": f"{chance.choice(_SSN_AREAS)}-{chance.randint(1, 99):02}-{chance.randint(1, 9999):04}",
        "date_of_birth": (_FIRST_BIRTH + timedelta(days=chance.randrange(_BIRTH_DAYS))).isoformat(),
        "card_1": _card(chance),
    }
    if chance.random() < 0.4:
        cells["home_phone"] = next(phones)
    cells |= _household(chance, family_name)
    if chance.random() < 0.35:
        cells["health_statement"] = chance.choice(lists.HEALTH_STATEMENTS)
    return Person(cells["employee_number"], given_name, family_name, cells)


def _household(chance: Random, family_name: str) -> dict[str, str]:
    cells = {}
    if chance.random() < 0.5:
        cells["spouse_name"] = f"{chance.choice(lists.GIVEN_NAMES)} {family_name}"
    given_names = chance.sample(lists.GIVEN_NAMES, 2)
    for number, given_name in enumerate(given_names[: chance.choice((0, 0, 1, 1, 2))], start=1):
        cells[f"child_{number}_name"] = f"{given_name} {family_name}"
        cells[f"child_{number}_school"] = chance.choice(lists.SCHOOLS)
    return cells


def _address(chance: Random) -> str:
    before, name, kind = chance.choice(lists.STREETS)
    street = " ".join(part for part in (str(chance.randint(100, 9899)), before, name, kind) if part)
    unit = f" Apt {chance.randint(1, 40)}" if chance.random() < 0.25 else ""
    return f"{street}{unit}, {lists.CITY}, {lists.STATE} {chance.choice(lists.ZIP_CODES)}"


def _phones(chance: Random) -> Iterator[str]:
    lines = [f"{code}-555-{100 + line:04}" for code in lists.AREA_CODES for line in range(_LINES_A_CODE)]
    chance.shuffle(lines)
    yield from lines


def _card(chance: Random) -> str:
    prefix, length = chance.choice(lists.TEST_CARDS)
    body = prefix + "".join(str(chance.randrange(10)) for _ in range(length - len(prefix) - 1))
    return body + luhn.calc_check_digit(body)
