"""What the shipped purposes are, written by hand."""

from __future__ import annotations

from typing import NamedTuple

from registry.domain.categories import Category
from registry.domain.purposes import PurposeCode

_PAYROLL = frozenset({Category.SSN, Category.DATE_OF_BIRTH, Category.HOME_ADDRESS})


class Shipped(NamedTuple):
    """What one purpose opens, whether it needs a case, and the code of HL7 that stands for it."""

    opens: frozenset[Category]
    needs_case: bool
    hl7: str


SHIPPED = {
    PurposeCode("emergency_contact"): Shipped(
        frozenset({Category.HOME_ADDRESS, Category.PHONE, Category.FAMILY_MEMBER}), needs_case=False, hl7="ETREAT"
    ),
    PurposeCode("payroll"): Shipped(_PAYROLL, needs_case=False, hl7=""),
    PurposeCode("benefits"): Shipped(_PAYROLL | {Category.HEALTH}, needs_case=False, hl7="COVERAGE"),
    PurposeCode("official_mail"): Shipped(frozenset({Category.HOME_ADDRESS}), needs_case=True, hl7="GOV"),
    PurposeCode("legal_service"): Shipped(
        frozenset({Category.HOME_ADDRESS, Category.PHONE}), needs_case=True, hl7="HLEGAL"
    ),
    PurposeCode("safety"): Shipped(frozenset(Category), needs_case=True, hl7="THREAT"),
}
