"""Forty accounts of the city's staff, and who else signs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.cli.demo.desk import Account
from registry.cli.demo.people import Person
from registry.domain.principals import Role

ADMIN = Account("admin", frozenset({Role.SECURITY_ADMIN}), "Information Security")
INVESTIGATOR = Account("investigator", frozenset({Role.INVESTIGATOR}), "Internal Affairs")


@dataclass(frozen=True, slots=True)
class Unit:
    """A kind of staff: how many, and which lookups their work is made of (purpose, categories)."""

    name: str
    count: int
    work: tuple[tuple[str, tuple[str, ...]], ...]


_CONTACT = ("emergency_contact", ("home_address", "phone", "family_member"))
_PAYROLL = ("payroll", ("ssn", "date_of_birth", "home_address"))
_BENEFITS = ("benefits", ("ssn", "date_of_birth", "home_address", "health"))
_MAIL = ("official_mail", ("home_address",))
_LEGAL = ("legal_service", ("home_address", "phone"))
_SAFETY = ("safety", ("home_address", "phone", "family_member", "school"))

UNITS = (
    Unit("dispatch", 10, (_CONTACT,)),
    Unit("payroll", 8, (_PAYROLL,)),
    Unit("benefits", 5, (_BENEFITS, _PAYROLL)),
    Unit("mailroom", 4, (_MAIL,)),
    Unit("legal", 5, (_LEGAL,)),
    Unit("safety", 3, (_SAFETY, _CONTACT)),
    Unit("personnel", 5, (_CONTACT, _PAYROLL)),
)
# Purposes that are refused without a case reference.
CASE_PURPOSES = frozenset({"official_mail", "legal_service", "safety"})


@dataclass(frozen=True, slots=True)
class Reader:
    """One member of staff: the account and the unit whose work it does."""

    account: Account
    unit: Unit


def make_staff(people: Sequence[Person]) -> tuple[Reader, ...]:
    """Make the forty; each is one of the city's people, the last ones of the file."""
    readers = []
    own = iter(reversed(people))
    for unit in UNITS:
        for number in range(1, unit.count + 1):
            account = Account(f"{unit.name}-{number:02}", frozenset({Role.READER}), unit.name, next(own).number)
            readers.append(Reader(account, unit))
    return tuple(readers)
