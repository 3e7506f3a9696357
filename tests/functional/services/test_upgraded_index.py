"""An index of the former terms of homes without commas, upgraded: what only the terms of this version find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services import index_change as service
from registry.services.disclose import Disclosed
from registry.services.index_change import MAKING, REMOVING, SEALING
from registry.text import addresses
from tests.functional.services.homes import Home, person
from tests.functional.services.test_erase import erase, inspector
from tests.functional.services.test_rebuild_index import Kept, kept, upgraded
from tests.functional.services.test_rekey_index import postings, whole

__all__ = ["kept"]

HOMES = ("77 Juniper Circle Blue Springs MO 64015", "19 Quarry Court Lee's Summit MO 64063")
AS_STORED = ("she lives at 77 Juniper Circle, Blue Springs", "seen at 19 Quarry Court, Lee's Summit")
# The street begins with another letter, so number and city find it: the former terms had no city.
OTHERWISE = ("she lives at 77 Kuniper Circle, Blue Springs", "seen at 19 Wuarry Court, Lee's Summit")


@contextmanager
def former_terms() -> Iterator[None]:
    """Take homes apart as version 1 of the terms did: what the parser calls no city is all of the street."""
    split = addresses._split_at_type
    addresses._split_at_type = lambda text: (text, "")
    try:
        yield
    finally:
        addresses._split_at_type = split


def enrolled(home: Home, number: str, line: str) -> SubjectId:
    records = [{"category": "home_address", "value": {"line": line}}]
    return home.enroll(person(number, family=[], records=records)).subject


def lives(home: Home, text: str) -> set[SubjectId]:
    """Return whose homes a text finds."""
    matching = home.app.matcher.match(inspector(home), text, detail="test").matching
    return {one.subject for one in matching.findings if one.category is Category.HOME_ADDRESS}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(service, "AT_ONCE", 3)


def test_homes_of_the_former_terms_are_found_in_every_writing_once_it_is_made_anew(kept: Kept) -> None:
    home = kept.home
    with former_terms():
        subjects = [enrolled(home, f"T-000{at}", line) for at, line in enumerate(HOMES)]
    upgraded(home)
    later = enrolled(home, "T-0009", HOMES[0])  # by the terms of this version, beside them
    first, second = subjects
    reader = home.caller("reader", Role.READER)
    before = postings(home)

    def check(*, is_anew: bool) -> None:
        assert [lives(home, text) for text in AS_STORED] == [{first, later}, {second}]
        otherwise = [{first, later}, {second}] if is_anew else [{later}, set()]
        assert [lives(home, text) for text in OTHERWISE] == otherwise
        for subject in subjects:
            assert isinstance(home.disclose(reader, home.ask(subject, Category.HOME_ADDRESS)), Disclosed)
        whole(home)

    check(is_anew=False)
    steps: list[str] = []

    def during(step: str, _done: int, _of: int) -> None:
        steps.append(step)
        check(is_anew=step != MAKING)

    assert kept.index.standing().is_older
    kept.run(told=during)
    assert {MAKING, SEALING, REMOVING} == set(steps)
    check(is_anew=True)
    assert not postings(home).keys() & before.keys()
    assert kept.index.standing().next_step == ""
    for subject in (*subjects, later):
        assert erase(home, subject).kept["unfound"] == 0
    assert postings(home) == {}
    verify_ledger(home.app, 1)


def test_who_is_erased_before_it_leaves_postings_that_making_it_anew_takes_away(kept: Kept) -> None:
    home = kept.home
    with former_terms():
        subject = enrolled(home, "T-0001", HOMES[0])
    upgraded(home)
    assert erase(home, subject).kept["unfound"] > 0
    assert postings(home)
    kept.run()
    assert postings(home) == {}
