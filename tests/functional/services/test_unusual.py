"""What an auditor is told of look-ups: reasons and no values."""

from __future__ import annotations

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.kernel import Caller
from registry.services.principals import Grant
from registry.services.unusual import LOOKED_AT, Reason
from tests.functional.services.homes import ISSUER, Home, person

NO_CASE = Purpose(PurposeCode("emergency_contact"), "", "accident on duty")
NEAR = [{"category": "home_address", "value": {"line": "12 Larch Lane, Fairhollow, MO 64999"}}]
FAR = [{"category": "home_address", "value": {"line": "9 Quarry Street, Millbrook, MO 64111"}}]


def reasons(home: Home, auditor: Caller) -> list[set[Reason]]:
    return [set(one.reasons) for one in home.app.unusual.page(auditor, before=None).entries]


def look(home: Home, name: str, number: str, **changes: Purpose) -> None:
    subject = home.app.kernel.number_tag(number)
    with home.app.database.read() as work:
        (row,) = work.subjects.by_number_tags([subject]).values()
    home.disclose(home.caller(name, Role.READER), home.ask(row.id, Category.HOME_ADDRESS, **changes))


@pytest.fixture
def town(home: Home) -> Home:
    home.enroll(person("T-0001"))
    home.enroll(person("T-0002", given_name="Kim", family_name="Sedgewick", records=NEAR))  # the same ZIP
    home.enroll(person("T-0003", given_name="Lou", records=FAR))  # the same name
    home.enroll(person("T-0004", given_name="Max", family_name="Ferris", records=FAR))
    home.caller("plain", Role.READER)
    home.caller("dana", Role.READER, number="T-0001")
    return home


def test_each_reason(town: Home) -> None:
    auditor = town.caller("auditor", Role.AUDITOR)
    look(town, "plain", "T-0001")
    assert reasons(town, auditor) == []  # nothing about it is unusual
    look(town, "dana", "T-0002")
    look(town, "dana", "T-0003")
    look(town, "dana", "T-0004")
    look(town, "dana", "T-0004", purpose=NO_CASE)
    town.clock.step(12 * 3600)
    look(town, "plain", "T-0004")
    assert reasons(town, auditor) == [
        {Reason.OFF_HOURS},
        {Reason.NO_CASE},
        {Reason.SAME_SURNAME},
        {Reason.SAME_POSTAL_CODE},
    ]
    verify_ledger(town.app, 1)


def test_a_colleague_and_a_popular_person(town: Home) -> None:
    for name, number in (("one", "T-0002"), ("two", "T-0004")):
        grant = Grant(ISSUER, name, frozenset({Role.READER}), number, unit="Benefits")
        town.app.principals.ensure(grant, operator="local:test")
    look(town, "one", "T-0004")
    auditor = town.caller("auditor", Role.AUDITOR)
    assert reasons(town, auditor) == [{Reason.COLLEAGUE}]
    for number in range(5):
        look(town, f"reader-{number}", "T-0001")
    assert reasons(town, auditor) == [{Reason.POPULAR_PERSON}] * 5 + [{Reason.COLLEAGUE}]


def test_reading_is_an_entry_and_opening_is_one_about_whom_it_opened(town: Home) -> None:
    auditor = town.caller("auditor", Role.AUDITOR)
    look(town, "dana", "T-0002")
    before = len(town.entries())
    page = town.app.unusual.page(auditor, before=None)
    reading, opening = town.entries()[before:]
    assert (reading.kind, opening.kind) == ("audit-read", "open")
    assert page.receipt.index == reading.index
    assert len((opening.values or {})["subject"].split()) == 2
    text = f"{page} {reading.values} {opening.values}"
    for value in ("Brightwater", "Sedgewick", "64999", "Larkspur"):
        assert value not in text


def test_a_subjects_own_view_and_other_entries_are_left_out(town: Home) -> None:
    own = town.caller("own", Role.SUBJECT, number="T-0001")
    town.disclose(own, town.ask(None, Category.PHONE, purpose=None, via="self"))
    page = town.app.unusual.page(town.caller("auditor", Role.AUDITOR), before=None)
    assert (page.entries, page.before) == ((), None)
    assert LOOKED_AT * 2 * 2 <= 1_400


def test_only_auditors_are_told(town: Home) -> None:
    for role in set(Role) - {Role.AUDITOR}:
        with pytest.raises(AccessDenied):
            town.app.unusual.page(town.caller(f"the {role}", role), before=None)
        assert town.entries()[-1].kind == "deny"
