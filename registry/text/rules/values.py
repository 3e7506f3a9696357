"""The table of value rules: for each category the keys that its value may have and the check of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.domain.categories import Category
from registry.text.rules import (
    date_of_birth,
    email,
    family_member,
    health,
    home_address,
    payment_card,
    phone,
    school,
    ssn,
    vehicle_plate,
)
from registry.text.rules.reading import ObjectReader, Reading


@dataclass(frozen=True, slots=True)
class ValueRule:
    """What a category's value may look like.

    Attributes:
        keys: the only keys allowed.
        check: notes every problem of the value; the values it lets through are all texts.
    """

    keys: frozenset[str]
    check: Callable[[ObjectReader], None]


VALUE_RULES: Mapping[Category, ValueRule] = {
    Category.HOME_ADDRESS: ValueRule(home_address.KEYS, home_address.check_home_address),
    Category.PHONE: ValueRule(phone.KEYS, phone.check_phone),
    Category.EMAIL: ValueRule(email.KEYS, email.check_email),
    Category.SSN: ValueRule(ssn.KEYS, ssn.check_ssn),
    Category.DATE_OF_BIRTH: ValueRule(date_of_birth.KEYS, date_of_birth.check_date_of_birth),
    Category.PAYMENT_CARD: ValueRule(payment_card.KEYS, payment_card.check_payment_card),
    Category.SCHOOL: ValueRule(school.KEYS, school.check_school),
    Category.HEALTH: ValueRule(health.KEYS, health.check_health),
    Category.FAMILY_MEMBER: ValueRule(family_member.KEYS, family_member.check_family_member),
    Category.VEHICLE_PLATE: ValueRule(vehicle_plate.KEYS, vehicle_plate.check_vehicle_plate),
}


def read_value(category: Category, value: object, pointer: str, reading: Reading) -> dict[str, str]:
    """Check a value against its category's rule.

    Args:
        category: what it should be.
        value: as submitted, any type.
        pointer: where it stands in the document.
        reading: takes the problems.

    Returns:
        The value exactly as given, or an empty dict when anything about it was refused.
    """
    rule = VALUE_RULES[category]
    known = len(reading.problems)
    holder = reading.open(value, rule.keys, pointer)
    if holder is None:
        return {}
    rule.check(holder)
    if len(reading.problems) != known:
        return {}
    return holder.texts()
