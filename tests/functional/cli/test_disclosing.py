"""disclose: a card, a refusal, nobody."""

from __future__ import annotations

import pytest

from registry.cli.demo.people import make_people
from tests.functional.cli.conftest import PEOPLE, Line

PERSON = make_people(PEOPLE)[0]
ASKED = ("disclose", "--employee-number", PERSON.number, "--category")


def test_a_card_with_its_receipt(used: Line) -> None:
    entered = ("--purpose", "emergency_contact", "--form", "as_entered")
    card = used.json(*ASKED, "home_address", *entered)
    (record,) = card["records"]
    assert record["value"] == {"line": PERSON.cells["home_address"]}
    assert record["display"] == PERSON.cells["home_address"]
    assert card["form"] == "as_entered"
    assert used.json("audit", "verify")["size"] == card["receipt"]["size"]
    card = used.json(*ASKED, "home_address", *entered[:2])
    assert card["form"] == "marked"
    assert card["records"][0]["display"] != PERSON.cells["home_address"]
    assert card["receipt"]["index"] == card["receipt"]["size"] - 1
    assert used.json("audit", "verify")["size"] == card["receipt"]["size"]


def test_a_card_for_reading(used: Line) -> None:
    told = used(
        *ASKED, "phone", "--category", "ssn", "--purpose", "safety", "--case", "C-1", "--form", "as_entered"
    ).stdout
    assert f"ssn: {PERSON.cells['ssn']}" in told
    assert f"phone: {PERSON.cells['mobile_phone']} (mobile)" in told
    assert "receipt " in told


def test_a_refusal_names_its_entry(used: Line) -> None:
    size = used.json("audit", "verify")["size"]
    refused = used(*ASKED, "phone", "--purpose", "payroll", exits=3)
    assert f"refused: purpose_not_allowed (entry {size} of the ledger)" in refused.stderr
    assert refused.stdout == ""
    assert used.json("audit", "verify")["size"] == size + 1


def test_a_purpose_that_asks_for_a_case(used: Line) -> None:
    refused = used(*ASKED, "home_address", "--purpose", "official_mail", exits=3).stderr
    assert "refused: case_needed" in refused
    assert "give --case" in refused
    used(*ASKED, "home_address", "--purpose", "official_mail", "--case", "C-7")


def test_nobody_has_that_number(used: Line) -> None:
    size = used.json("audit", "verify")["size"]
    missed = used(
        "disclose", "--employee-number", "T-9", "--category", "phone", "--purpose", "safety", "--case", "C", exits=2
    )
    assert (
        missed.stderr
        == "registry: not found, or not yours: see that the number or id is right, and REGISTRY_URL where it is set\n"
    )
    assert used.json("audit", "verify")["size"] == size + 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--employee-number", "../x"), "--employee-number employee_number_form"),
        (("--case", "x" * 101), "--case too_long"),
        (("--note", "\x00"), "--note"),
        (("--category", "attic"), "--category"),
        (("--purpose", "attic"), "--purpose"),
    ],
)
def test_wrong_use_is_no_entry(used: Line, arguments: tuple[str, str], told: str) -> None:
    size = used.json("audit", "verify")["size"]
    refused = used(*ASKED, "phone", "--purpose", "emergency_contact", *arguments, exits=2)
    assert told in refused.stderr
    assert "x" * 101 not in refused.output
    assert used.json("audit", "verify")["size"] == size
