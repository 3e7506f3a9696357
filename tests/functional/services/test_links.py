"""A stolen database does not tell which account belongs to which subject, and a link cannot be moved."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AccessDenied
from registry.domain.principals import Role
from registry.services.disclose import Refused
from registry.services.principals import Grant
from tests.functional.services.homes import ISSUER, Home


def test_no_column_joins_an_account_with_its_subject(home: Home) -> None:
    subject = home.enroll().subject
    home.caller("dana", Role.READER, number="T-0001")
    (number_tag,) = home.sql().execute("SELECT number_tag FROM subjects WHERE id = ?", (subject,)).fetchone()
    (link,) = home.sql().execute("SELECT employee FROM principals WHERE sub = 'dana'").fetchone()
    assert number_tag not in link
    home.app.principals.ensure(home_grant("other", "T-0001"), operator="local:test")
    (second,) = home.sql().execute("SELECT employee FROM principals WHERE sub = 'other'").fetchone()
    assert link != second


def home_grant(name: str, number: str) -> Grant:
    return Grant(ISSUER, name, frozenset({Role.READER}), number)


def test_the_link_is_followed_and_cannot_be_moved_to_another_account(home: Home) -> None:
    subject = home.enroll().subject
    dana = home.caller("dana", Role.READER, number="T-0001")
    answer = home.disclose(dana, home.ask(subject, Category.PHONE))
    assert isinstance(answer, Refused)
    assert answer.reason == "conflict_of_interest"
    lee = home.caller("lee", Role.READER, number="T-0002")
    home.sql().execute(
        "UPDATE principals SET employee = (SELECT employee FROM principals WHERE sub = 'dana') WHERE sub = 'lee'"
    )
    with pytest.raises(AccessDenied):
        home.app.kernel.admit(lee, frozenset({Role.READER}), "look")
