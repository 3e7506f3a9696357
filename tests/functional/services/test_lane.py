"""The lane: lookups that arrive together share a commit; a bad ask hurts nobody; a full lane says so; none is lost."""

from __future__ import annotations

import threading

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, Busy
from registry.domain.ids import SubjectId, new_id
from registry.domain.principals import Role
from registry.services.admissions import SECONDS, Admissions
from registry.services.disclose import Answer, Disclosed, Refused
from registry.services.lane import Lane
from registry.services.principals import Grant
from tests.functional.services.homes import ISSUER, Home, person


class Held:
    """A disclose service that waits until it is let go, and counts how it was called."""

    def __init__(self, home: Home) -> None:
        self._real = home.app.disclose
        self.go = threading.Event()
        self.sizes: list[int] = []
        self.error: Exception | None = None

    def disclose_many(self, asks: object) -> tuple[Answer, ...]:
        self.go.wait(20)
        self.sizes.append(len(asks))  # type: ignore[arg-type]  # the lane's list
        if self.error is not None:
            raise self.error
        return self._real.disclose_many(asks)  # type: ignore[arg-type]  # the lane's list


@pytest.fixture
def held(home: Home) -> Held:
    return Held(home)


def test_lookups_that_wait_are_answered_in_one_batch_each_with_its_own_entry(home: Home, held: Held) -> None:
    subjects = [home.enroll(person(f"T-{number}")).subject for number in range(5)]
    reader = home.caller("reader", Role.READER)
    lane = Lane(held)  # type: ignore[arg-type]  # stands in for the service
    first = lane.submit(reader, home.ask(subjects[0], Category.PHONE))
    while lane.figures().waiting:
        pass
    rest = [lane.submit(reader, home.ask(one, Category.PHONE)) for one in [*subjects[1:], SubjectId(new_id())]]
    held.go.set()
    answers = [one.result(20) for one in [first, *rest]]
    lane.close()
    assert held.sizes == [1, 5]
    assert [type(answer) for answer in answers] == [Disclosed] * 5 + [Refused]
    indexes = [answer.receipt.index for answer in answers if answer.receipt is not None]
    assert len(set(indexes)) == 6
    assert [answer.subject for answer in answers[:5] if isinstance(answer, Disclosed)] == subjects
    assert lane.figures().answered == 6


def test_a_full_lane_takes_nothing_more(home: Home, held: Held) -> None:
    reader, ask = home.caller("reader", Role.READER), home.ask(SubjectId(new_id()), Category.PHONE)
    lane = Lane(held, capacity=3, at_once=1)  # type: ignore[arg-type]  # stands in for the service
    first = lane.submit(reader, ask)
    while lane.figures().waiting:
        pass
    waiting = [lane.submit(reader, ask) for _ in range(3)]
    with pytest.raises(Busy):
        lane.submit(reader, ask)
    held.go.set()
    assert [isinstance(one.result(20), Refused) for one in [first, *waiting]] == [True] * 4
    lane.close()


def test_closing_answers_all_that_wait_and_takes_no_more(home: Home, held: Held) -> None:
    reader, ask = home.caller("reader", Role.READER), home.ask(SubjectId(new_id()), Category.PHONE)
    lane = Lane(held)  # type: ignore[arg-type]  # stands in for the service
    waiting = [lane.submit(reader, ask) for _ in range(4)]
    held.go.set()
    lane.close()
    assert all(one.done() for one in waiting)
    with pytest.raises(Busy):
        lane.submit(reader, ask)


def test_a_failed_batch_fails_those_in_it_and_the_lane_goes_on(home: Home, held: Held) -> None:
    reader, ask = home.caller("reader", Role.READER), home.ask(SubjectId(new_id()), Category.PHONE)
    lane = Lane(held)  # type: ignore[arg-type]  # stands in for the service
    for error in (AuditUnavailable("disk_full"), RuntimeError("a fault of ours")):
        held.error = error
        held.go.set()
        with pytest.raises(type(error)):
            lane.submit(reader, ask).result(20)
    held.error = None
    assert isinstance(lane.submit(reader, ask).result(20), Refused)
    lane.close()


def test_who_went_away_before_its_turn_is_not_looked_up(home: Home, held: Held) -> None:
    reader, ask = home.caller("reader", Role.READER), home.ask(SubjectId(new_id()), Category.PHONE)
    lane = Lane(held, at_once=1)  # type: ignore[arg-type]  # stands in for the service
    first = lane.submit(reader, ask)
    while lane.figures().waiting:
        pass
    gone = lane.submit(reader, ask)
    assert gone.cancel()
    size = len(home.entries())
    held.go.set()
    first.result(20)
    lane.close()
    assert len(home.entries()) == size + 1


def test_an_admission_is_remembered_shortly_and_only_for_the_same_caller(home: Home) -> None:
    seconds = [0.0]
    admissions = Admissions(home.app.kernel, lambda: seconds[0])
    roles, reader = frozenset({Role.READER}), home.caller("reader", Role.READER)
    assert admissions.recall(reader, roles) is None
    principal = admissions.admit(reader, roles, "look")
    assert admissions.recall(reader, roles) == principal
    assert admissions.recall(reader, frozenset({Role.AUDITOR})) is None
    assert admissions.recall(home.caller("other", Role.READER), roles) is None
    seconds[0] = SECONDS
    assert admissions.recall(reader, roles) is None


def test_a_revoked_role_opens_nothing_even_while_the_admission_is_remembered(home: Home) -> None:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    home.app.admissions.admit(reader, frozenset({Role.READER}), "look")
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    home.app.principals.grant(admin, replace_roles("reader"))
    assert home.app.admissions.recall(reader, frozenset({Role.READER})) is not None
    answer = home.app.lane.submit(reader, home.ask(subject, Category.PHONE)).result(20)
    assert isinstance(answer, Refused)
    assert answer.reason == "not_permitted"


def replace_roles(name: str) -> Grant:
    return Grant(ISSUER, name, frozenset({Role.AUDITOR}))
