"""Purposes of use: a coded why, and the categories that each one opens.

Systems around health care state purposes by HL7's value set PurposeOfUse (HL7 Terminology, value set
``http://terminology.hl7.org/ValueSet/v3-PurposeOfUse``, codes of the system ``v3-ActReason``). Where one of its codes
means nearly what a purpose here does, it may be stated instead; entries hold the purpose. Paying wages is none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class ReleasePurpose(StrEnum):
    """Why a document is to leave the agency; opens nothing."""

    PUBLICATION = "publication"
    RECORDS_REQUEST = "records_request"
    LEGAL_PROCEEDING = "legal_proceeding"


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


# HL7's code -> the purpose that it stands for.
HL7_CODES: Mapping[str, PurposeCode] = {
    "ETREAT": PurposeCode.EMERGENCY_CONTACT,  # emergency treatment: immediately needed health care
    "COVERAGE": PurposeCode.BENEFITS,  # coverage under a program or policy
    "GOV": PurposeCode.OFFICIAL_MAIL,  # government processes
    "HLEGAL": PurposeCode.LEGAL_SERVICE,  # activities required by a legal proceeding
    "THREAT": PurposeCode.SAFETY,  # preventing injury to who may be the target of violence
}


def stated_purpose(code: str) -> PurposeCode:
    """Return the purpose that a code states: one of ours, or one of HL7's that stands for one.

    Raises:
        ValueError: it is neither.
    """
    return HL7_CODES.get(code) or PurposeCode(code)


@dataclass(frozen=True, slots=True)
class Purpose:
    """The stated purpose of one ask."""

    code: PurposeCode
    case: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
