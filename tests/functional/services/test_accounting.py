"""The accounting of disclosures that is handed to a subject: what 45 CFR 164.528(b) asks for, and no more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, NotFound
from registry.domain.holds import HoldState, Statement
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.accounting import Accounting, AccountingAsk
from registry.services.disclose import Disclosed
from registry.services.holds import HoldAsk, HoldWord
from registry.services.kernel import Caller
from registry.services.read_audit import categories_of, recipient_of
from tests.functional.services.homes import Home, person


def auditor(home: Home) -> Caller:
    return home.caller("auditor", Role.AUDITOR)


def produced(home: Home, subject: SubjectId, since: datetime | None = None) -> Accounting:
    return home.app.accountings.produce(auditor(home), AccountingAsk(subject, None, since))


def looked_up(home: Home, subject: SubjectId, name: str = "reader", code: str = "safety") -> int:
    purpose = Purpose(PurposeCode(code), "CASE-1", "welfare check")
    answer = home.disclose(home.caller(name, Role.READER), home.ask(subject, Category.HOME_ADDRESS, purpose=purpose))
    assert isinstance(answer, Disclosed)
    return answer.receipt.index


def held(home: Home, subject: SubjectId) -> None:
    ask = HoldAsk(subject, None, frozenset(), 30, Statement.WRITTEN, "County prosecutor", "Subpoena 12 of the court")
    view, _ = home.app.holds.place(home.caller("inspector", Role.INVESTIGATOR), ask)
    home.app.holds.settle(home.caller("boss", Role.APPROVER), HoldWord(view.row.id, HoldState.CONFIRMED))


def indexes(found: Accounting) -> list[int]:
    return [entry.index for entry in found.lines]


def test_who_was_shown_what_and_why(home: Home) -> None:
    subject = home.enroll().subject
    seen = looked_up(home, subject)
    home.disclose(home.caller("stranger", Role.APPROVER), home.ask(subject, Category.PHONE))  # refused
    found = produced(home, subject)
    (line,) = found.lines
    assert (line.index, recipient_of(line), categories_of(line)) == (
        seen,
        "https://registry.invalid/development#reader",
        ("home_address",),
    )
    assert (line.values or {})["purpose"] == "safety"
    assert home.entries()[-1].kind == Kind.AUDIT_READ
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert found.receipt.index in {entry.index for entry in mine.entries}


def test_it_goes_back_six_years_and_to_a_moment(home: Home) -> None:
    subject = home.enroll().subject
    early = looked_up(home, subject)
    home.clock.step(3_600)
    since = home.clock.now()
    late = looked_up(home, subject)
    assert indexes(produced(home, subject)) == [early, late]
    assert indexes(produced(home, subject, since=since)) == [late]
    home.clock.step(timedelta(days=6 * 366).total_seconds())
    assert indexes(produced(home, subject)) == []
    assert indexes(produced(home, subject, since=since)) == []


def test_what_a_hold_keeps_back_is_not_in_it_and_what_was_told_stays(home: Home) -> None:
    subject = home.enroll().subject
    told = looked_up(home, subject)
    assert indexes(produced(home, subject)) == [told]
    hidden = looked_up(home, subject, "other")
    held(home, subject)
    assert indexes(produced(home, subject)) == [told]
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    shown = {entry.index for entry in mine.entries}
    # What was handed to them before is there, or its absence would tell.
    assert told in shown
    assert hidden not in shown


def test_what_was_before_the_moment_that_was_asked_for_was_not_told(home: Home) -> None:
    subject = home.enroll().subject
    early = looked_up(home, subject)
    home.clock.step(60)
    produced(home, subject, since=home.clock.now())
    held(home, subject)
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert early not in {entry.index for entry in mine.entries}


def test_a_refusal_that_no_accounting_of_disclosures_lists_was_not_told_by_one(home: Home) -> None:
    subject = home.enroll().subject
    home.disclose(home.caller("stranger", Role.APPROVER), home.ask(subject, Category.PHONE))  # refused
    (refused,) = [entry.index for entry in home.entries() if entry.kind == Kind.DENY]
    assert indexes(produced(home, subject)) == []
    held(home, subject)
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert refused not in {entry.index for entry in mine.entries}


def test_it_is_for_who_hands_it_over_and_for_nobody_close(home: Home) -> None:
    subject = home.enroll().subject
    ask = AccountingAsk(None, home.app.kernel.number_tag("T-0001"))
    assert home.app.accountings.produce(home.caller("hr", Role.ENROLLER), ask).subject == subject
    for caller in (home.caller("dana", Role.AUDITOR, number="T-0001"), home.caller("reader", Role.READER)):
        with pytest.raises(AccessDenied):
            home.app.accountings.produce(caller, ask)
    with pytest.raises(NotFound):
        produced(home, SubjectId("0" * 32))
    assert home.entries()[-1].kind == Kind.AUDIT_READ


def test_others_disclosures_are_not_in_it(home: Home) -> None:
    one, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    looked_up(home, other)
    assert indexes(produced(home, one)) == []
