"""Made-up people whose addresses are known piece by piece, so that whoever writes about them needs nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

DEPARTMENTS = ("Parks", "Police", "Fire", "Water", "Streets", "Courts", "Housing", "Planning")
_GIVEN = ("Alva", "Bryn", "Cleo", "Dara", "Esme", "Flynn", "Greer", "Hollis", "Indra", "Jory", "Keir", "Linnea")
_FAMILY = ("Ambrose", "Beckwith", "Carmody", "Delacroix", "Eastman", "Fairbairn", "Gillespie", "Halloran", "Inskip")
_STREETS = ("Larkspur", "Juniper", "Coppermill", "Foxglove", "Harrow", "Kestrel", "Millrace", "Orchard", "Tamarack")
_CITIES = (("Fairhollow",), ("Brackenridge",), ("Mill", "Crossing"), ("Osterville",))
TYPES = {"St": "Street", "Ave": "Avenue", "Rd": "Road", "Blvd": "Boulevard", "Dr": "Drive", "Ln": "Lane", "Ct": "Court"}
DIRECTIONS = {"N": "North", "S": "South", "E": "East", "W": "West"}
ORDINALS = {"3rd": "Third", "4th": "Fourth", "5th": "Fifth", "6th": "Sixth", "7th": "Seventh", "8th": "Eighth"}
# No line is given out between 555-0100 and 555-0199, and no ZIP code begins with 000.
_AREAS = [area for area in range(201, 990) if area % 100 != 11 and area // 100 != 5 and area % 100 not in (0, 55)]
_WITH_UNIT, _WITH_ORDINAL, _WITH_SAINT, _WITH_DIRECTION = 0.25, 0.12, 0.08, 0.40


@dataclass(frozen=True, slots=True)
class Citizen:
    """One made-up person.

    Attributes:
        number: of the person; it makes house number, telephone number and mailbox, so that no two share one.
        given, family: names.
        unit: department.
        direction: a letter, or empty.
        street: name of the street, or its number as a figure (``5th``).
        type: abbreviation of the street's type.
        apartment: or empty.
        city: its words; ``Saint`` in full.
    """

    number: int
    given: str
    family: str
    unit: str
    direction: str
    street: str
    type: str
    apartment: str
    city: tuple[str, ...]

    @property
    def house(self) -> str:
        """Return the house number."""
        return str(1000 + self.number)

    @property
    def digits(self) -> tuple[str, str, str]:
        """Return the groups of the telephone number."""
        return str(_AREAS[self.number // 100 % len(_AREAS)]), "555", f"{100 + self.number % 100:04}"

    @property
    def mail(self) -> str:
        """Return the mailbox."""
        return f"{self.given}.{self.family}{self.number}@example.org".lower()

    @property
    def zip(self) -> str:
        """Return the ZIP code."""
        return f"{self.number % 100:05}"

    @property
    def name(self) -> str:
        """Return the whole name."""
        return f"{self.given} {self.family}"

    def document(self) -> dict[str, Any]:
        """Return the person as a document for enrollment, as a clerk types it."""
        street = " ".join(filter(None, (self.house, self.direction, self.street, self.type)))
        unit = f" Apt {self.apartment}" if self.apartment else ""
        line = f"{street}{unit}, {' '.join(self.city)}, MO {self.zip}"
        return {
            "employee_number": f"A-{self.number:06}",
            "given_name": self.given,
            "family_name": self.family,
            "department": self.unit,
            "title": "Clerk",
            "family": [],
            "records": [
                {"category": "home_address", "value": {"line": line}},
                {"category": "phone", "value": {"kind": "mobile", "number": "-".join(self.digits)}},
                {"category": "email", "value": {"address": self.mail}},
            ],
        }


def citizen(number: int, chance: Random, unit: str) -> Citizen:
    """Make up a person of a department."""
    street = chance.choice(list(ORDINALS)) if chance.random() < _WITH_ORDINAL else chance.choice(_STREETS)
    city = ("Saint", "Alder") if chance.random() < _WITH_SAINT else chance.choice(_CITIES)
    return Citizen(
        number,
        chance.choice(_GIVEN),
        f"{chance.choice(_FAMILY)}-{chance.choice(_FAMILY)}",
        unit,
        chance.choice(list(DIRECTIONS)) if chance.random() < _WITH_DIRECTION else "",
        street,
        chance.choice(list(TYPES)),
        str(chance.randrange(2, 80)) if chance.random() < _WITH_UNIT else "",
        city,
    )
