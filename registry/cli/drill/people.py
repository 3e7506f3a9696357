"""Made-up people of a drill: streets, numbers and days that belong to nobody, different in every drill."""

from __future__ import annotations

from random import Random
from typing import Any

_GIVEN = ("Avery", "Blake", "Corey", "Devon", "Ellis", "Finley", "Harper", "Jules", "Kerry", "Logan", "Morgan", "Quinn")
_FAMILY = ("Ashgrove", "Birkmoor", "Cobbledale", "Dunmarsh", "Elderbank", "Fernhurst", "Glenwharf", "Hollinbrook")
_STREETS = (
    "Quarry Ridge",
    "Mallow",
    "Thistledown",
    "Cooper's Mill",
    "Lanternwick",
    "Ninth",
    "Saint Alban",
    "Wrenfield",
)
_TYPES = ("Street", "Avenue", "Road", "Boulevard", "Drive", "Lane", "Court", "Place")
_DIRECTIONS = ("North ", "South ", "East ", "West ")
_AREAS = (
    *("205", "207", "208", "215", "217", "225", "228", "229", "231", "239", "251", "252", "256", "262", "270", "276"),
    *("304", "307", "308", "314", "316", "317", "318", "319", "320", "330", "334", "352", "360", "361", "386", "402"),
    *("405", "409", "414", "417", "419", "423", "432", "434", "440", "478", "501", "502", "504", "507", "515", "518"),
    *("530", "541", "559", "563", "573", "580", "601", "605", "607", "608", "616", "618", "636", "660", "662", "701"),
)
# No ZIP code begins with these digits and no line is given out under 555-01.
_ZIP = "0000"


def made_up(drill: str, number: int) -> dict[str, Any]:
    """Return an enrollment of one made-up person.

    Args:
        drill: its id; it makes the values, so that no two drills share one.
        number: which of its people.
    """
    chance = Random(f"{drill} {number}")  # noqa: S311 - made-up values, no secret
    given, family = chance.choice(_GIVEN), f"{chance.choice(_FAMILY)}{_letters(drill, number)}"
    unit = f" Apt {chance.randrange(1, 60)}" if chance.random() < 0.5 else ""
    line = (
        f"{chance.randrange(10_000, 99_999)} {chance.choice(_DIRECTIONS)}{chance.choice(_STREETS)} "
        f"{chance.choice(_TYPES)}{unit}, Drill Hollow, Missouri {_ZIP}{chance.randrange(10)}"
    )
    area = chance.choice(_AREAS)
    number_line = f"{area}-555-01{chance.randrange(100):02}"
    return {
        "employee_number": f"DRILL-{drill[:12].upper()}-{number}",
        "given_name": given,
        "family_name": family,
        "department": "Drill",
        "title": "Nobody",
        "records": [
            {"category": "home_address", "value": {"line": line}, "basis": f"drill {drill}"},
            {"category": "phone", "value": {"kind": "mobile", "number": number_line}, "basis": f"drill {drill}"},
        ],
    }


def _letters(drill: str, number: int) -> str:
    return "".join("abcdefghijklmnop"[int(digit, 16)] for digit in f"{drill[:4]}{number:x}")
