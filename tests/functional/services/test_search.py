"""A search finds who is there, however many others share the name or the department."""

from __future__ import annotations

import pytest

from registry.domain.principals import Role
from registry.services.search import Found
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes
from tests.functional.services.homes import TODAY, Home, person


def found(home: Home, given_name: str, family_name: str, department: str) -> Found:
    search = home.app.search
    return search.search(home.caller("reader", Role.READER), search.by_name(given_name, family_name, department))


def test_a_common_name_hides_nobody_in_a_department(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.services.search._CAP", 2)
    for number in range(3):
        home.enroll(person(f"T-{number}"))
    wanted = home.enroll(person("T-9", department="Police")).subject
    assert [hit.subject for hit in found(home, "Dana", "Brightwater", "police").hits] == [wanted]


def test_a_large_department_hides_nobody_of_a_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.services.search._CAP", 2)
    for number in range(3):
        home.enroll(person(f"T-{number}", given_name="Robin"))
    wanted = home.enroll(person("T-9")).subject
    assert [hit.subject for hit in found(home, "DANA", "brightwater", " Parks ").hits] == [wanted]


def test_who_moved_to_another_department_is_found_there_alone(home: Home) -> None:
    enrolled = home.enroll()
    changes = read_changes({"department": "Police"}, today=TODAY)
    home.app.update.update(home.caller("hr", Role.ENROLLER), UpdateAsk(enrolled.subject, changes, None, TODAY))
    assert not found(home, "Dana", "Brightwater", "Parks").hits
    assert [hit.subject for hit in found(home, "Dana", "Brightwater", "Police").hits] == [enrolled.subject]
