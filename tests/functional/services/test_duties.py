"""Roles that nobody may hold together: not through two accounts of one person either."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from registry.domain.errors import InvalidInput
from registry.domain.ids import PrincipalId
from registry.domain.principals import Role
from registry.services.kernel import Caller
from registry.services.ports import PrincipalRow
from registry.services.principals import LEAVE, Grant, Move
from tests.functional.services.homes import Home

REAL = "https://sign-in.example"
OTHER = "https://login.city.example"
NUMBER = "T-0400"


def admin(home: Home) -> Caller:
    return home.caller("admin", Role.SECURITY_ADMIN)


def give(home: Home, sub: str, *roles: Role, number: str | None = NUMBER, issuer: str = REAL) -> PrincipalId:
    return home.app.principals.grant(admin(home), Grant(issuer, sub, frozenset(roles), number))[0]


def row(home: Home, sub: str, issuer: str = REAL) -> PrincipalRow | None:
    with home.app.database.read() as work:
        return work.principals.by_name(issuer, sub)


def refused(error: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in error.value.problems]


def test_a_second_account_of_one_person_holds_nothing_that_conflicts_with_the_first(home: Home) -> None:
    give(home, "clerk", Role.ENROLLER)
    with pytest.raises(InvalidInput) as error:
        give(home, "clerk-2", Role.READER, issuer=OTHER)
    assert refused(error) == [("/roles", "conflicting_roles")]
    assert row(home, "clerk-2", OTHER) is None
    last = home.entries()[-1].values or {}
    assert last["result"] == "refused conflicting_roles"
    assert last["detail"] == "enroller with reader through another account"
    assert give(home, "clerk-2", Role.READER, number="T-0401", issuer=OTHER)  # somebody else's
    assert give(home, "clerk-3", Role.APPROVER)  # does not conflict


def test_not_by_moving_nor_at_the_keyboard(home: Home) -> None:
    give(home, "clerk", Role.ENROLLER)
    second = give(home, "clerk-2", Role.SUBJECT)
    wanted = Move(roles=frozenset({Role.READER}))
    with pytest.raises(InvalidInput):
        home.app.principals.move(admin(home), second, wanted)
    with pytest.raises(InvalidInput):
        home.app.principals.change(second, wanted, operator="local:test")
    with pytest.raises(InvalidInput):
        home.app.principals.ensure(Grant(REAL, "clerk-2", frozenset({Role.AUDITOR})), operator="local:test")
    found = row(home, "clerk-2")
    assert found is not None
    assert found.roles == {Role.SUBJECT}


def test_not_by_giving_the_number_afterwards(home: Home) -> None:
    give(home, "clerk", Role.ENROLLER)
    give(home, "desk", Role.READER, number=None)
    with pytest.raises(InvalidInput):
        give(home, "desk", Role.READER)


def test_who_leaves_one_may_have_the_other(home: Home) -> None:
    first = give(home, "clerk", Role.ENROLLER)
    home.app.principals.move(admin(home), first, LEAVE)
    assert give(home, "clerk-2", Role.READER)


def test_an_account_from_before_counts_too(home: Home) -> None:
    """Rows that were written before accounts were joined to a person have no tag; their sealed numbers tell."""
    give(home, "clerk", Role.ENROLLER)
    before = row(home, "clerk")
    assert before is not None
    with home.app.database.write() as work:
        work.principals.update(replace(before, person_tag=None))
        work.commit()
    found = row(home, "clerk")
    assert found is not None
    assert (found.person_tag, found.roles) == (None, {Role.ENROLLER})
    with pytest.raises(InvalidInput):
        give(home, "clerk-2", Role.READER)


def test_whoever_takes_the_tag_off_has_no_roles(home: Home) -> None:
    give(home, "clerk", Role.ENROLLER)
    home.sql().execute("UPDATE principals SET person_tag = NULL WHERE sub = 'clerk'")
    found = row(home, "clerk")
    assert found is not None
    assert found.roles == frozenset()


def test_two_at_once_give_one_person_one_of_both(home: Home) -> None:
    caller, said = admin(home), list[str]()
    start = threading.Barrier(2)

    def one(sub: str, role: Role) -> None:
        start.wait()
        try:
            home.app.principals.grant(caller, Grant(REAL, sub, frozenset({role}), NUMBER))
            said.append("granted")
        except InvalidInput:
            said.append("refused")

    threads = [threading.Thread(target=one, args=each) for each in (("a", Role.READER), ("b", Role.ENROLLER))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["granted", "refused"]


def test_an_approver_says_who_they_are(home: Home) -> None:
    with pytest.raises(InvalidInput) as error:
        give(home, "boss", Role.APPROVER, number=None)
    assert refused(error) == [("/employee_number", "missing")]
    assert give(home, "machine", Role.READER, number=None)
    assert give(home, "boss", Role.APPROVER)
    assert (home.entries()[-1].values or {})["result"] == "active"


def test_the_tag_says_of_no_subject_whose_it_is(home: Home) -> None:
    subject = home.enroll().subject
    give(home, "own", Role.SUBJECT, number="T-0001")
    found = row(home, "own")
    assert found is not None
    with home.app.database.read() as work:
        number_tag = work.subjects.by_ids([subject])[subject].number_tag
    assert found.person_tag not in (None, number_tag)
