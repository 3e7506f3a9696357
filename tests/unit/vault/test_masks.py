"""A masked form lets one recognise what one has, and hides all else."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.vault.masks import masked_value
from registry.vault.revealed import RevealedField


@pytest.mark.parametrize(
    ("category", "value", "masked"),
    [
        (Category.SSN, {"number": "900-45-6789"}, {"number": "***-6789"}),
        (Category.PHONE, {"kind": "home", "number": "(816) 555-0123"}, {"kind": "home", "number": "***-0123"}),
        (Category.PHONE, {"kind": "home", "number": "55501"}, {"kind": "home", "number": "***"}),
        (Category.PAYMENT_CARD, {"last_four": "1111", "digest": "abc"}, {"last_four": "1111"}),
        (Category.HOME_ADDRESS, {"street": "1 Elm St", "city": "Kansas City", "state": "MO"}, {"city": "Kansas City"}),
        (Category.HOME_ADDRESS, {"line": "1 Elm St, Kansas City"}, {"city": "***"}),
        (Category.HEALTH, {"statement": "Asthma"}, {"statement": "***"}),
        (Category.DATE_OF_BIRTH, {"date": "1980-01-02"}, {"date": "***"}),
    ],
)
def test_what_is_left_of_a_value(category: Category, value: dict[str, str], masked: dict[str, str]) -> None:
    assert masked_value(category, value) == masked


def test_the_value_is_not_in_the_masked_field() -> None:
    whole = RevealedField(
        RecordId("r"), SubjectId("s"), ("ssn", 3), {"value": {"number": "900-45-6789"}, "member": "c1"}
    )
    masked = whole.masked()
    assert (masked.record, masked.subject, masked.category, masked.version, masked.member) == ("r", "s", "ssn", 3, "c1")
    assert masked.expose() == {"number": "***-6789"}
    assert masked.masked().expose() == {"number": "***"}
