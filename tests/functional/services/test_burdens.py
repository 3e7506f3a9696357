"""Whatever is added against an ask never turns a denial into a permit: holds, marks, relations, limits, as served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry.bootstrap import open_application
from registry.domain.categories import Category
from registry.domain.enrollment import DeclaredRelation, MarkChange, SubjectChanges
from registry.domain.holds import HoldState, Statement
from registry.domain.ids import SubjectId
from registry.domain.marks import Mark, Tier
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.domain.relations import Declared
from registry.services.disclose import Disclosed
from registry.services.enroll import Enrolled
from registry.services.holds import HoldAsk, HoldWord
from registry.services.update import UpdateAsk
from tests.fakes.purposes import SHIPPED
from tests.functional.services.homes import Home, person

READER = "T-0901"
NUMBERS = count(1)
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PURPOSES = st.builds(Purpose, st.sampled_from(list(SHIPPED)), st.sampled_from(["", "C-1"]), st.just("welfare check"))
CATEGORIES = st.sampled_from([Category.PHONE, Category.HOME_ADDRESS, Category.SSN, Category.HEALTH])
# What a reader is shown of nobody's kin where nothing more is marked: a mistake that opens shows here in every run.
USUAL = ("reader", Purpose(PurposeCode("safety"), "C-1", "welfare check"), Category.PHONE)
ASKS = st.tuples(st.sampled_from(["reader", "approver"]), PURPOSES, CATEGORIES)


def enrolled(home: Home, tier: str, *, is_kin: bool) -> Enrolled:
    relations = [{"kind": "kin", "employee_number": READER}] if is_kin else []
    body = person(f"T-{next(NUMBERS):05}", relations=relations)
    for record in body["records"]:
        record["confidentiality"] = tier
    return home.enroll(body)


def shown(home: Home, subject: SubjectId, ask: tuple[str, Purpose, Category]) -> bool:
    role, purpose, category = ask
    caller = home.caller(role, Role(role), number=READER if role == "reader" else None)
    return isinstance(home.disclose(caller, home.ask(subject, category, purpose=purpose)), Disclosed)


def hold(home: Home, people: Enrolled) -> None:
    asked = HoldAsk(
        people.subject, None, frozenset(), 10, Statement.WRITTEN, "County prosecutor", "Subpoena 12", "GJ-1"
    )
    view, _ = home.app.holds.place(home.caller("investigator", Role.INVESTIGATOR), asked)
    home.app.holds.settle(home.caller("boss", Role.APPROVER), HoldWord(view.row.id, HoldState.CONFIRMED, "seen"))


def mark(home: Home, people: Enrolled) -> None:
    marks = tuple(MarkChange(one.record, Mark(Tier.SEALED)) for one in people.records)
    changed(home, people, SubjectChanges(marks=marks))


def relate(home: Home, people: Enrolled) -> None:
    changed(home, people, SubjectChanges(relations=(DeclaredRelation(Declared.KIN, READER),)))


def changed(home: Home, people: Enrolled, changes: SubjectChanges) -> None:
    ask = UpdateAsk(people.subject, changes, None, date(2026, 3, 2))
    home.app.update.update(home.caller("hr", Role.ENROLLER), ask)


@FEW
@given(ask=ASKS, tier=st.sampled_from(["none", "confidential", "restricted"]), is_kin=st.booleans())
@example(ask=USUAL, tier="restricted", is_kin=False)
@example(ask=USUAL, tier="confidential", is_kin=True)
def test_a_hold_a_mark_or_a_relation_opens_nothing(
    sqlite_home: Home, ask: tuple[str, Purpose, Category], tier: str, is_kin: bool
) -> None:
    for burden in (hold, mark, relate):
        people = enrolled(sqlite_home, tier, is_kin=is_kin)
        before = shown(sqlite_home, people.subject, ask)
        burden(sqlite_home, people)
        after = shown(sqlite_home, people.subject, ask)
        assert before or not after


@contextmanager
def limited(home: Home, **brakes: Any) -> Iterator[Home]:
    opened = Home(open_application(replace(home.app.settings, brakes=brakes), home.clock), home.clock)
    try:
        yield opened
    finally:
        opened.close()


@FEW
@given(st.lists(st.tuples(st.integers(0, 3), ASKS), max_size=8), st.integers(1, 3))
def test_a_limit_opens_nothing(
    sqlite_home: Home, asks: list[tuple[int, tuple[str, Purpose, Category]]], most: int
) -> None:
    """The same asks, one after another, with a limit and without one: whoever is shown more has none."""
    tiers = ("none", "confidential", "restricted", "confidential")
    subjects = [enrolled(sqlite_home, tier, is_kin=place == 3).subject for place, tier in enumerate(tiers)]
    with limited(sqlite_home, subjects_per_day=most) as braked:
        with_limit = [shown(braked, subjects[place], ask) for place, ask in asks]
    without = [shown(sqlite_home, subjects[place], ask) for place, ask in asks]
    assert all(free or not held for held, free in zip(with_limit, without, strict=True))
