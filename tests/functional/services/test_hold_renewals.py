"""A hold that follows another one: told to whoever confirms it, and never without end."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from registry.bootstrap import open_application
from registry.domain.errors import Conflict, LedgerCorrupt
from registry.domain.holds import HoldState
from registry.domain.ids import HoldId, SubjectId
from registry.domain.principals import Role
from registry.services.hold_history import Renewal
from registry.services.holds import HoldWord
from registry.services.kernel import Caller
from registry.storage.guards import GUARDED, RowGuard, guard_key
from tests.functional.services.homes import Home, person
from tests.functional.services.test_at_once import at_once
from tests.functional.services.test_digests import DAY
from tests.functional.services.test_holds import ask, investigator

FIRST, SECOND, THIRD = "approver 1", "approver 2", "approver 3"
NOTE = "the hearing was put off to June"


def approver(home: Home, name: str = FIRST, number: str | None = None) -> Caller:
    return home.caller(name, Role.APPROVER, number=number)


def placed(home: Home, subject: SubjectId, days: int = 90, **changes: bool) -> HoldId:
    view, _ = home.app.holds.place(investigator(home), replace(ask(subject, days), **changes))
    return view.row.id


def confirm(home: Home, hold: HoldId, by: Caller | None = None, note: str = NOTE) -> None:
    home.app.holds.settle(by or approver(home), HoldWord(hold, HoldState.CONFIRMED, note))


def renewed(home: Home, subject: SubjectId, by: Caller | None = None, days: int = 90) -> HoldId:
    hold = placed(home, subject, days)
    confirm(home, hold, by)
    return hold


def told(home: Home, hold: HoldId, by: Caller | None = None) -> Renewal | None:
    return home.app.holds.get(by or approver(home), hold).renewal


def test_the_same_two_do_not_hold_somebodys_notices_for_ever(home: Home) -> None:
    """Every quarter the same investigator asks, and the same approver nods."""
    subject = home.enroll().subject
    renewed(home, subject)
    for _ in range(3):
        home.clock.step(91 * DAY)
        with pytest.raises(Conflict, match="another_approver"):
            renewed(home, subject)
    home.clock.step(92 * DAY)
    renewed(home, subject)  # a year after the first began, at the earliest


def test_nor_do_any_number_of_approvers(home: Home) -> None:
    subject = home.enroll().subject
    renewed(home, subject)
    home.clock.step(90 * DAY)
    renewed(home, subject, approver(home, SECOND))
    home.clock.step(90 * DAY)
    with pytest.raises(Conflict, match="held_too_long"):
        renewed(home, subject, approver(home, THIRD), days=1)
    assert home.entries()[-1].values is not None
    assert home.entries()[-1].values["result"] == "refused held_too_long"


def test_a_second_account_is_no_other_approver(home: Home) -> None:
    subject = home.enroll(person("T-0009")).subject
    renewed(home, subject, approver(home, FIRST, "T-0040"))
    home.clock.step(90 * DAY)
    with pytest.raises(Conflict, match="another_approver"):
        renewed(home, subject, approver(home, "the same person", "T-0040"), days=1)


def test_who_placed_one_and_became_an_approver_is_no_other_person_either(home: Home) -> None:
    subject = home.enroll().subject
    mover = home.caller("mover", Role.INVESTIGATOR)
    view, _ = home.app.holds.place(mover, ask(subject, 90))
    confirm(home, view.row.id)
    home.caller("mover", Role.APPROVER)
    home.clock.step(90 * DAY)
    with pytest.raises(Conflict, match="another_approver"):
        renewed(home, subject, mover, days=1)


def test_whoever_confirms_is_told_since_when_for_how_long_and_on_whose_words(home: Home) -> None:
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    first, _ = renewed(home, subject, days=20), renewed(home, other, days=50)
    home.clock.step(30 * DAY)
    second = placed(home, subject, 15)
    found = told(home, second, approver(home, SECOND))
    assert found is not None
    (earlier,) = found.earlier
    assert (earlier.id, earlier.placed_by.sub, earlier.confirmed_by.sub) == (first, "investigator", FIRST)
    assert (found.since_ms, found.days, found.days_with_this) == (earlier.span.start, 20, 35)
    assert earlier.span.end - earlier.span.start == 20 * DAY * 1000
    assert told(home, first) is None
    assert told(home, second, investigator(home)) is None  # another inquiry is not theirs to know of
    confirm(home, second, approver(home, SECOND))
    detail = (home.entries()[-1].values or {})["detail"]
    assert "; renews 1 since 2026-03-02T" in detail
    assert detail.endswith(" days 20 with this 35")


def test_a_renewal_is_not_confirmed_without_a_word(home: Home) -> None:
    subject = home.enroll().subject
    hold = placed(home, subject, 10)
    confirm(home, hold, note="")
    again = placed(home, subject, 10)
    with pytest.raises(Conflict, match="renewal"):
        confirm(home, again, note="")
    confirm(home, again)


def test_only_days_that_were_held_count(home: Home) -> None:
    subject = home.enroll().subject
    ended = renewed(home, subject)
    home.clock.step(30 * DAY)
    home.app.holds.settle(investigator(home), HoldWord(ended, HoldState.ENDED))
    withdrawn = placed(home, subject)
    home.app.holds.settle(investigator(home), HoldWord(withdrawn, HoldState.ENDED))
    found = told(home, placed(home, subject, 60))
    assert found is not None
    assert (len(found.earlier), found.days, found.days_with_this) == (1, 30, 90)
    renewed(home, subject, days=60)


def test_a_legal_hold_keeps_nothing_back_and_counts_for_nothing(home: Home) -> None:
    subject = home.enroll().subject
    confirm(home, placed(home, subject, 366, is_legal=True), note="")
    hold = placed(home, subject)
    assert told(home, hold) is None
    confirm(home, hold, note="")
    confirm(home, placed(home, subject, 366, is_legal=True), note="")


def test_two_of_the_same_approver_at_once_do_not_add_up_to_more(home: Home) -> None:
    """Two holds that begin together count once; the second reaches beyond the bound, whichever comes first."""
    subject = home.enroll().subject
    renewed(home, subject, days=60)
    home.clock.step(60 * DAY)
    holds = [placed(home, subject, days) for days in (30, 31)]

    def say(hold: HoldId) -> str:
        try:
            confirm(home, hold)
        except Conflict as refused:
            return refused.code
        return "confirmed"

    assert at_once([partial(say, hold) for hold in holds]) == ["confirmed", "another_approver"]


def test_of_two_that_are_confirmed_at_once_one_renews_the_other(home: Home) -> None:
    for number in range(4):
        subject = home.enroll(person(f"KC-09{number:04}")).subject
        holds = [placed(home, subject, days) for days in (5, 6)]

        def say(hold: HoldId) -> str:
            try:
                confirm(home, hold, note="")
            except Conflict as refused:
                return refused.code
            return "confirmed"

        assert sorted(map(str, at_once([partial(say, hold) for hold in holds]))) == ["confirmed", "renewal"]


def test_the_first_hold_is_bounded_too(home: Home) -> None:
    subject = home.enroll().subject
    settings = replace(home.app.settings, approvals={"hold_days": 15})
    with closing(open_application(settings, home.clock)) as app:
        stricter = Home(app, home.clock)
        with pytest.raises(Conflict, match="held_too_long"):
            renewed(stricter, subject, days=16)
        renewed(stricter, subject, days=15)


def test_a_hold_from_before_this_was_kept_counts_too(home: Home) -> None:
    subject = home.enroll().subject
    hold = renewed(home, subject)
    guard, sql = RowGuard(guard_key(home.app.keyring.secret("index"))), home.sql()
    told_then = sql.execute(f"SELECT {', '.join(GUARDED['holds'])} FROM holds").fetchone()
    sql.execute(
        "UPDATE holds SET confirmed_by = NULL, confirmed_at = NULL, guard = ?", (guard.tag("holds", list(told_then)),)
    )
    with pytest.raises(Conflict, match="renewal"):
        confirm(home, placed(home, subject, 1), note="")
    home.clock.step(10 * DAY)
    home.app.holds.settle(investigator(home), HoldWord(hold, HoldState.ENDED))
    found = told(home, placed(home, subject, 1))
    assert found is not None
    assert found.days == 10


def test_who_holds_the_database_takes_no_confirmation_away(home: Home) -> None:
    subject = home.enroll().subject
    renewed(home, subject)
    home.sql().execute("UPDATE holds SET confirmed_by = NULL, confirmed_at = NULL")
    with pytest.raises(LedgerCorrupt):
        renewed(home, subject, days=1)
