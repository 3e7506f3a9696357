"""Purposes of use: a coded why, and the categories that each one opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from registry.domain.categories import Category


class PurposeCode(StrEnum):
    """First set of purposes."""

    EMERGENCY_CONTACT = "emergency_contact"
    PAYROLL = "payroll"
    BENEFITS = "benefits"
    OFFICIAL_MAIL = "official_mail"
    LEGAL_SERVICE = "legal_service"
    SAFETY = "safety"


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """What a purpose opens and what it asks for.

    Attributes:
        opens: categories that may be released for it.
        needs_case: whether a case reference must be given.
    """

    opens: frozenset[Category]
    needs_case: bool


_PAYROLL = frozenset({Category.SSN, Category.DATE_OF_BIRTH, Category.HOME_ADDRESS})

PURPOSES: dict[PurposeCode, PurposeRule] = {
    PurposeCode.EMERGENCY_CONTACT: PurposeRule(
        frozenset({Category.HOME_ADDRESS, Category.PHONE, Category.FAMILY_MEMBER}), needs_case=False
    ),
    PurposeCode.PAYROLL: PurposeRule(_PAYROLL, needs_case=False),
    PurposeCode.BENEFITS: PurposeRule(_PAYROLL | {Category.HEALTH}, needs_case=False),
    PurposeCode.OFFICIAL_MAIL: PurposeRule(frozenset({Category.HOME_ADDRESS}), needs_case=True),
    PurposeCode.LEGAL_SERVICE: PurposeRule(frozenset({Category.HOME_ADDRESS, Category.PHONE}), needs_case=True),
    PurposeCode.SAFETY: PurposeRule(frozenset(Category), needs_case=True),
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """The stated purpose of one ask."""

    code: PurposeCode
    case: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
