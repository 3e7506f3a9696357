"""Trying values out, in traces and by asking whether one is protected; and that honest texts are not stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from registry.bootstrap.application import LOCAL_ISSUER
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict
from registry.domain.principals import Role
from registry.services.check_value import CHECKABLE
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from tests.functional.services.homes import Home, person
from tests.functional.services.test_brakes import REASON, limited, principal, stored

TRUE = "816-555-0142"


def kinds_found(home: Home, caller: Caller, text: str) -> list[str]:
    traced = home.app.trace.trace(caller, TraceAsk(text))
    report = traced.stored.report
    found = [item.found.kind for one in report.people for item in one.findings]
    return sorted(found + [f"possible {item.kind}" for item in traced.stored.possible])


def phones(*numbers: int) -> str:
    return "Dana Brightwater, " + ", ".join(f"816-555-01{number:02}" for number in numbers)


def kinds(home: Home) -> list[str]:
    return [entry.kind for entry in home.entries()]


def checked(home: Home, caller: Caller, category: Category, **value: Any) -> bool | None:
    return home.app.check_value.check(caller, category, value).is_protected


def test_the_fourth_value_gives_no_finding_even_when_it_is_the_right_one(home: Home) -> None:
    home.enroll()
    prober = home.caller("prober", Role.INVESTIGATOR)
    for number in (1, 2, 3):
        assert kinds_found(home, prober, phones(number)) == []
    assert "enumeration" not in kinds(home)
    assert kinds_found(home, prober, phones(42)) == []
    assert [kind for kind in kinds(home) if kind in ("enumeration", "alarm")] == ["enumeration", "alarm"]
    entry = next(entry for entry in home.entries() if entry.kind == "enumeration")
    assert (entry.values or {})["request"] == "phone"
    # Another category of the same person, another account and, after a month, the same one are as before.
    assert kinds_found(home, prober, "Dana Brightwater, SSN 741-12-3456") == ["ssn"]
    assert kinds_found(home, home.caller("other", Role.INVESTIGATOR), phones(42)) == ["phone:mobile"]
    home.clock.step(31 * 86_400)
    assert kinds_found(home, prober, phones(42)) == ["phone:mobile"]
    verify_ledger(home.app, 1)


def test_many_values_in_one_text_are_tried_as_well(home: Home) -> None:
    home.enroll()
    prober = home.caller("prober", Role.INVESTIGATOR)
    assert kinds_found(home, prober, phones(*range(40, 60))) == []
    assert kinds_found(home, prober, "Dana Brightwater, last four of the phone are 0142") == []
    row = max(stored(home, "tallies"), key=lambda row: len(row[2]))
    assert len(row[2]) == 4 * 12  # a flood does not make the set grow


def test_honest_texts_go_on(home: Home) -> None:
    home.enroll()
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    whole = "Dana Brightwater, 1207 Larkspur Ave Apt 3, Fairhollow, MO 64999, 816-555-0142, SSN 741-12-3456"
    for number in range(12):
        # The same person in many posts, with what is true of her and one wrong value that is copied on.
        found = kinds_found(home, investigator, f"Post {number}: {whole}, or was it 816-555-0143?")
        assert {"home_address", "phone:mobile", "ssn"} <= set(found)
    assert not {"enumeration", "alarm"} & set(kinds(home))


def test_at_the_keyboard_nobody_is_braked(home: Home) -> None:
    home.enroll()
    local = home.app.local_caller()
    assert local.claims.issuer == LOCAL_ISSUER
    assert kinds_found(home, local, phones(*range(40, 60))) == ["phone:mobile"]
    for number in range(10):
        home.app.matcher.match(local, phones(number), detail="trace batch")
    assert kinds_found(home, local, phones(42)) == ["phone:mobile"]
    assert stored(home, "tallies") == []


def test_one_bit_for_a_whole_value(home: Home) -> None:
    open_record = {"category": "phone", "value": {"kind": "home", "number": "816-555-0170"}, "confidentiality": "none"}
    body = person()
    home.enroll(body | {"records": [*body["records"], open_record]})
    officer = home.caller("officer", Role.RECORDS_OFFICER)
    assert checked(home, officer, Category.PHONE, kind="work", number="(816) 555 0142") is True
    assert checked(home, officer, Category.PHONE, kind="mobile", number="816-555-0143") is False
    assert checked(home, officer, Category.PHONE, kind="home", number="816-555-0170") is False  # not marked
    assert checked(home, officer, Category.HOME_ADDRESS, line="1207 Larkspur Avenue, Fairhollow, MO") is True
    assert checked(home, officer, Category.HOME_ADDRESS, line="1207 Larkspur Ave, Farville, MO 64888") is False
    assert checked(home, officer, Category.SSN, number="741-12-3456") is True
    assert checked(home, officer, Category.PAYMENT_CARD, number="4111111111111111") is True
    assert checked(home, officer, Category.EMAIL, address="dana.brightwater@example.org") is True
    entries = [entry for entry in home.entries() if entry.kind == "check"]
    assert [(entry.values or {})["result"] for entry in entries].count("not protected") == 3
    assert not any(entry.records or (entry.values or {})["subject"] for entry in entries)
    # All the digits: an id of random hexadecimal digits has any four of them now and then.
    assert "5550142" not in re.sub(r"\W", "", " ".join(str(entry.values) for entry in entries))
    assert set(CHECKABLE) < set(Category)


def test_only_some_may_ask_and_only_so_much(home: Home) -> None:
    home.enroll()
    for role in set(Role) - {Role.RECORDS_OFFICER, Role.INVESTIGATOR}:
        with pytest.raises(AccessDenied):
            checked(home, home.caller(f"the {role}", role), Category.PHONE, kind="mobile", number=TRUE)
    with limited(home, checks_per_day=3) as braked:
        officer = braked.caller("officer", Role.RECORDS_OFFICER)
        given = [
            checked(braked, officer, Category.PHONE, kind="mobile", number=f"816-555-01{number}")
            for number in (41, 42, 41, 43, 44, 42)
        ]
        assert given == [False, True, False, False, None, True]  # misses count, the same value again does not
        braked.clock.step(86_400)
        assert checked(braked, officer, Category.PHONE, kind="mobile", number="816-555-0144") is False


def test_who_tried_values_in_traces_is_told_nothing_by_checks(home: Home) -> None:
    home.enroll()
    prober = home.caller("prober", Role.INVESTIGATOR)
    kinds_found(home, prober, phones(1, 2))
    assert checked(home, prober, Category.PHONE, kind="mobile", number=TRUE) is True
    kinds_found(home, prober, phones(3))
    for number in (TRUE, "816-555-0105"):  # hit or miss
        assert checked(home, prober, Category.PHONE, kind="mobile", number=number) is None
    assert "brakes.enumeration" in (home.entries()[-1].values or {})["rules"]


def test_another_person_lifts_the_brake_and_counting_begins_anew(home: Home) -> None:
    home.enroll()
    prober = home.caller("prober", Role.INVESTIGATOR)
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    own = principal(home, "prober")
    with pytest.raises(Conflict, match="not_braked"):
        home.app.unlock.lift_brake(admin, own, REASON)
    for number in (1, 2, 3, 42):
        assert kinds_found(home, prober, phones(number)) == []
    assert checked(home, prober, Category.PHONE, kind="mobile", number=TRUE) is None
    home.app.unlock.lift_brake(admin, own, REASON)
    said = home.entries()[-1].values or {}
    assert (home.entries()[-1].kind, said["request"], said["result"]) == ("unlock", "lift a brake", "lifted")
    assert (said["note"], said["detail"]) == (REASON, own)
    assert checked(home, prober, Category.PHONE, kind="mobile", number=TRUE) is True
    assert kinds_found(home, prober, phones(42)) == ["phone:mobile"]
    home.clock.step(20 * 86_400)
    for number in (4, 5, 6):
        kinds_found(home, prober, phones(number))
    assert kinds_found(home, prober, phones(42)) == []
    # What counts in the new round does so for thirty days, also when the round began earlier than that.
    home.clock.step(20 * 86_400)
    assert kinds_found(home, prober, phones(42)) == []
    home.clock.step(31 * 86_400)
    assert kinds_found(home, prober, phones(42)) == ["phone:mobile"]
    verify_ledger(home.app, 1)


def test_nobody_lifts_their_own_brake(home: Home) -> None:
    home.enroll()
    prober = home.caller("prober", Role.INVESTIGATOR, Role.SECURITY_ADMIN, number="T-0001")
    second = home.caller("second", Role.SECURITY_ADMIN, number="T-0001")
    for number in (1, 2, 3):
        kinds_found(home, prober, phones(number))
    for caller in (prober, second, home.caller("boss", Role.APPROVER), home.caller("auditor", Role.AUDITOR)):
        with pytest.raises(AccessDenied):
            home.app.unlock.lift_brake(caller, principal(home, "prober"), REASON)
    assert checked(home, prober, Category.PHONE, kind="mobile", number=TRUE) is None
