from __future__ import annotations

import pytest

from registry.text.addresses import canonical_address, parse_address, street_key


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("1234 N. Maple Dale Ave., Apt. #5, Troy, MO 64118-0001", "1234 N MAPLE DALE AVE # 5, TROY MO 64118"),
        ("1234 north maple dale avenue unit 5 kansas city mo 64118", "1234 N MAPLE DALE AVE # 5, KANSAS CITY MO 64118"),
        ("42 Fifth St SW, Saint Paul, Minnesota 55101", "42 5TH ST SW, ST PAUL MN 55101"),
        ("42 Forty-Second Street, Ft. Wayne, IN 46802", "42 42ND ST, FT WAYNE IN 46802"),
        ("7 St. Marks Pl, New York, New York 10003", "7 ST MARKS PL, NEW YORK NY 10003"),
        ("25 County Road 6, Elkhorn, WI 53121", "25 COUNTY ROAD 6, ELKHORN WI 53121"),
        ("99 Otter Blvd # 12 Shady Grove OH 44120-3721", "99 OTTER BLVD # 12, SHADY GROVE OH 44120"),
        ("310 Quince Lane, Chicago, Illinois, IL 60612", "310 QUINCE LN, CHICAGO IL 60612"),
        ("P.O. Box 123, Troy, MI 48083", "BOX123, TROY MI 48083"),
        ("RR 2 Box 45, Adel, IA 50003", "RR2BOX45, ADEL IA 50003"),
        ("615 W Kestrel Place, IL 60614", "615 W KESTREL PL, IL 60614"),
    ],
)  # fmt: skip
def test_one_postal_writing(line: str, canonical: str) -> None:
    assert canonical_address({"line": line}) == canonical


def test_parts_and_line_say_the_same() -> None:
    parts = {
        "street": "1234 Maple Hollow Ave",
        "unit": "Apt 5",
        "city": "Kansas City",
        "state": "MO",
        "postal_code": "64118",
    }
    assert canonical_address(parts) == canonical_address({"line": "1234 Maple Hollow Ave #5, Kansas City, MO 64118"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("N Maple Hollow Ave", "maple hollow avenue"),
        ("N Quincy", "Quincy Ave"),
        ("Fifth Ave", "5th Avenue"),
        ("Saint Marks Ct", "St Marks Court"),
        ("Mount Vernon Rd", "Mt Vernon"),
        ("M4pl3 H0ll0w 4v3", "Maple Hollow Ave"),
        ("Carrnel Way", "Carmel Way"),
        ("Otter Creek Trl", "Otter Crk Trail"),
    ],
)
def test_same_street_same_key(one: str, other: str) -> None:
    assert street_key(one.lower().split()) == street_key(other.lower().split())


@pytest.mark.parametrize(("one", "other"), [("Maple St", "Marble St"), ("127th St", "128th St"), ("Oak St", "Elm St")])
def test_other_street_other_key(one: str, other: str) -> None:
    assert street_key(one.lower().split()) != street_key(other.lower().split())


def test_repr_shows_nothing() -> None:
    assert "maple" not in repr(parse_address({"line": "12 Maple St, Troy, MI 48083"})).lower()
