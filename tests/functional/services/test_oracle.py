"""Attacks on what says whether a value is protected: traces, release checks, checks of a value and waivers as oracles.

Each tries to learn more than three candidate values of a category for one person, or anything about people whom the
caller does not know already.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registry.domain.categories import Category
from registry.domain.errors import ApprovalNeeded, InvalidInput
from registry.domain.principals import Role
from registry.domain.purposes import ReleasePurpose
from registry.services.kernel import Caller
from registry.services.release_check import ReleaseAsk
from registry.services.trace import TraceAsk
from registry.services.uploads import Upload
from registry.services.waivers import Waive
from tests.functional.services.homes import Home

TRUE = "816-555-0142"
BOTH = (Role.INVESTIGATOR, Role.RECORDS_OFFICER)


def guess(number: int) -> str:
    return f"Dana Brightwater, 816-555-01{number:02}"


def traced(home: Home, caller: Caller, text: str) -> bool:
    """Whether a trace finds anything."""
    stored = home.app.trace.trace(caller, TraceAsk(text)).stored
    return bool(stored.report.people or stored.possible)


def released(home: Home, caller: Caller, text: str, case: str = "") -> bool:
    """Whether a release check finds anything."""
    ask = ReleaseAsk(Upload(text.encode(), "a.txt"), ReleasePurpose.RECORDS_REQUEST, case)
    return bool(home.app.release_check.check(caller, ask).places)


def is_protected(home: Home, caller: Caller, number: str) -> bool | None:
    return home.app.check_value.check(caller, Category.PHONE, {"kind": "mobile", "number": number}).is_protected


@pytest.mark.parametrize(
    "tools", [(traced, traced, traced), (released, released, released), (traced, released, traced), (released, traced)]
)
def test_changing_the_tool_gains_no_try(home: Home, tools: tuple[Callable[[Home, Caller, str], bool], ...]) -> None:
    home.enroll()
    prober = home.caller("prober", *BOTH)
    for number, tool in enumerate(tools, 1):
        assert not tool(home, prober, guess(number))
    for number in range(len(tools) + 1, 4):
        assert not traced(home, prober, guess(number))
    assert not traced(home, prober, guess(42))
    assert not released(home, prober, guess(42))
    assert is_protected(home, prober, TRUE) is None


def test_another_case_gains_no_try(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    prober = sqlite_home.caller("prober", *BOTH)
    for number in (1, 2, 3):
        assert not released(sqlite_home, prober, guess(number), case=f"RR-{number}")
    assert not released(sqlite_home, prober, guess(42), case="RR-4")


def test_a_second_account_of_the_same_person_gains_no_try(home: Home) -> None:
    home.enroll()
    first = home.caller("first", *BOTH, number="P-7")
    second = home.caller("second", *BOTH, number="P-7")
    assert not traced(home, first, guess(1))
    assert not released(home, second, guess(2))
    assert not traced(home, second, guess(3))
    for caller in (first, second):
        assert not traced(home, caller, guess(42))
        assert not released(home, caller, guess(42))
        assert is_protected(home, caller, TRUE) is None
    # Somebody else is nobody's second account.
    assert traced(home, home.caller("third", *BOTH, number="P-8"), guess(42))


def test_a_brake_of_all_accounts_is_seen_and_lifted_as_one(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    first = sqlite_home.caller("first", *BOTH, number="P-7")
    sqlite_home.caller("second", *BOTH, number="P-7")
    for number in (1, 2, 3):
        traced(sqlite_home, first, guess(number))
    admin = sqlite_home.caller("admin", Role.SECURITY_ADMIN)
    braked = sqlite_home.app.unlock.braked(admin)
    assert {row.sub for row in braked} == {"first", "second"}
    own = next(row.id for row in braked if row.sub == "second")
    sqlite_home.app.unlock.lift_brake(admin, own, "Reviewed with the union")
    assert sqlite_home.app.unlock.braked(admin) == ()
    assert is_protected(sqlite_home, first, TRUE) is True


def test_what_an_account_was_braked_for_before_it_was_somebodys_stays(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    prober = sqlite_home.caller("prober", *BOTH)
    for number in (1, 2, 3):
        traced(sqlite_home, prober, guess(number))
    prober = sqlite_home.caller("prober", *BOTH, number="P-7")
    assert is_protected(sqlite_home, prober, TRUE) is None
    admin = sqlite_home.caller("admin", Role.SECURITY_ADMIN)
    (row,) = sqlite_home.app.unlock.braked(admin)
    sqlite_home.app.unlock.lift_brake(admin, row.id, "Reviewed with the union")
    assert is_protected(sqlite_home, prober, TRUE) is True


def test_a_batch_is_no_way_around(sqlite_home: Home) -> None:
    """What a batch does of each text, for an account that is not at the keyboard."""
    sqlite_home.enroll()
    prober = sqlite_home.caller("prober", *BOTH)
    lines = "\n".join(["name,phone", *(f"Dana Brightwater,816-555-01{number:02}" for number in range(40, 60))])
    assert not traced(sqlite_home, prober, lines)
    assert not traced(sqlite_home, prober, guess(42))


def test_waivers_tell_nothing_that_a_check_does_not(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    prober = sqlite_home.caller("prober", *BOTH)
    right = Upload(guess(42).encode(), "a.txt")
    purpose = ReleasePurpose.RECORDS_REQUEST
    (place,) = sqlite_home.app.release_check.check(prober, ReleaseAsk(right, purpose)).places
    # The id of a place that is there opens no other document, guessed ids none at all, and each try counts.
    for number in (1, 2):
        for one in (place.id, "0" * 32):
            waive = Waive(frozenset({one}), "Because it would tell")
            upload = Upload(guess(number).encode(), "a.txt")
            with pytest.raises(InvalidInput):
                sqlite_home.app.release_check.check(prober, ReleaseAsk(upload, purpose, waive=waive))
    assert not released(sqlite_home, prober, guess(3))
    waive = Waive(frozenset({place.id}), "Because it would tell")
    assert sqlite_home.app.release_check.check(prober, ReleaseAsk(right, purpose, waive=waive)).is_refused


def test_a_waiver_request_is_shown_to_nobody_else_who_asks(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    officer = sqlite_home.caller("officer", Role.RECORDS_OFFICER)
    upload, purpose = Upload(guess(42).encode(), "a.txt"), ReleasePurpose.RECORDS_REQUEST
    (place,) = sqlite_home.app.release_check.check(officer, ReleaseAsk(upload, purpose)).places
    waive = Waive(frozenset({place.id}), "Because it would tell")
    with pytest.raises(ApprovalNeeded):
        sqlite_home.app.release_check.check(officer, ReleaseAsk(upload, purpose, waive=waive))
    other = sqlite_home.caller("other", Role.RECORDS_OFFICER)
    assert sqlite_home.app.approvals.listing(other) == []


def test_places_of_one_person_do_not_show_that_they_are(sqlite_home: Home) -> None:
    """Ids of places are apart by place: nobody counts people by them, and the same value elsewhere has another one."""
    sqlite_home.enroll()
    officer = sqlite_home.caller("officer", Role.RECORDS_OFFICER)
    purpose = ReleasePurpose.RECORDS_REQUEST
    seen: list[str] = []
    for text in (f"Call {TRUE} or {TRUE}", f"Now call {TRUE}"):
        checked = sqlite_home.app.release_check.check(officer, ReleaseAsk(Upload(text.encode()), purpose))
        seen += [one.id for one in checked.places]
    assert len(set(seen)) == 3


def test_every_try_is_an_entry(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    prober = sqlite_home.caller("prober", *BOTH)
    tries = [traced, released, lambda home, caller, _: is_protected(home, caller, TRUE)]
    for tool in tries * 3:
        before = len(sqlite_home.entries())
        tool(sqlite_home, prober, guess(7))
        assert len(sqlite_home.entries()) > before
