"""Terms that change need another version of them, or nobody is told to make the index anew."""

from __future__ import annotations

import hashlib

import pytest

from registry.domain.categories import Category
from registry.leaktrace.terms import TERMS_VERSION, PersonNames, directory_terms, record_terms

OWNER = PersonNames("Mary-Lou", "O'Connell Vance")
VALUES: list[tuple[Category, dict[str, str]]] = [
    *(
        (Category.HOME_ADDRESS, {"street": line, "city": city, "state": "MO", "postal_code": code})
        for line, city, code in (
            ("4412 NW Wornall Rd Apt 5", "Kansas City", "64111"),
            ("W150 N5928 St. Mary's Avenue", "Menomonee Falls", "53051-1234"),
            ("12 Forty-Second Street", "Ft. Osage", "64055"),
            ("P.O. Box 77", "Lee's Summit", "64063"),
            ("1801 1/2 Avenue D", "", ""),
        )
    ),
    *(
        (Category.HOME_ADDRESS, {"line": text})
        for text in ("4412 Wornall Road, Kansas City, MO 64111", "88 Elm Street Fort Scott KS 66701", "7 Park")
    ),
    (Category.PHONE, {"kind": "mobile", "number": "(816) 555-0142 x7"}),
    (Category.SSN, {"number": "900-12-3456"}),
    (Category.PAYMENT_CARD, {"number": "4111 1111 1111 1111"}),
    (Category.EMAIL, {"address": "M.Lou+home@example.org"}),
    (Category.DATE_OF_BIRTH, {"date": "1979-02-03"}),
    (Category.VEHICLE_PLATE, {"plate": "AB-1 2CD", "state": "MO"}),
    (Category.SCHOOL, {"name": "St. Mark's K-8 Elementary School"}),
    (Category.SCHOOL, {"name": "P.S. 118"}),
    (Category.HEALTH, {"statement": "Type 2 diabetes, insulin-dependent; hypertension"}),
    (Category.FAMILY_MEMBER, {"given_name": "Zoë", "family_name": "Núñez de la Vance", "relation": "child"}),
]
# When a digest is another one: raise TERMS_VERSION, say so in the change log, and put version and digest here.
KNOWN = (2, "462e6c51aece71ad8884bc632f4c7c2a")


def digest() -> str:
    made = set(directory_terms(OWNER.given_name, OWNER.family_name))
    for category, value in VALUES:
        try:
            made |= record_terms(category, value, owner=OWNER)
        except KeyError as missing:
            pytest.fail(f"{category}: {missing}")
    return hashlib.sha256("\n".join(sorted(f"{one.kind}|{one.text}" for one in made)).encode()).hexdigest()[:32]


def test_terms_are_those_of_their_version() -> None:
    assert (TERMS_VERSION, digest()) == KNOWN
