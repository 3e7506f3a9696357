"""What is protected: the ten categories and the kinds a finding can be of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Category(StrEnum):
    """One kind of protected value. The text of each is part of the public interface."""

    __hash__ = str.__hash__  # an enumeration's own is a call in Python, and a trace asks for a million

    HOME_ADDRESS = "home_address"
    PHONE = "phone"
    EMAIL = "email"
    SSN = "ssn"
    DATE_OF_BIRTH = "date_of_birth"
    PAYMENT_CARD = "payment_card"
    SCHOOL = "school"
    HEALTH = "health"
    FAMILY_MEMBER = "family_member"
    VEHICLE_PLATE = "vehicle_plate"


# By text, for what is read many times: calling the class takes three times as long.
CATEGORIES: Mapping[str, Category] = {one.value: one for one in Category}


def kind_of(category: Category, value: Mapping[str, str]) -> str:
    """Name the kind a finding of this value has.

    Args:
        category: the value's category.
        value: the value as enrolled; only ``kind`` (phones) and ``relation`` (family) are looked at.

    Returns:
        ``home_address``, ``phone:home``, ``family_member:child`` and the like.
    """
    if category is Category.PHONE:
        return f"phone:{value['kind']}"
    if category is Category.FAMILY_MEMBER:
        return f"family_member:{value['relation']}"
    return category.value
