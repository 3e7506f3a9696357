"""Many callers at once, on both engines: nothing is lost, nothing happens twice, nobody waits in a circle."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, Conflict, Contended
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services.disclose import Disclosed, Refused
from registry.services.enroll import Enrolled
from registry.services.import_people import Existing, Outcome
from registry.services.principals import Grant
from registry.services.rerun import rerun_once
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import ISSUER, TODAY, Home, person

T = TypeVar("T")
CALLERS = 8


def at_once(asks: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Ask all at the same moment, each in a thread of its own; gives answers and errors in order."""
    start = threading.Barrier(len(asks))
    given: list[Any] = [None] * len(asks)

    def run(place: int, ask: Callable[[], T]) -> None:
        start.wait()
        try:
            given[place] = ask()
        except Exception as exc:  # noqa: BLE001 - the test judges every error
            given[place] = exc

    threads = [threading.Thread(target=run, args=each) for each in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def entries_of(home: Home, kind: str, result: str) -> int:
    told = [entry.values or {} for entry in home.entries() if entry.kind == kind]
    return sum(values["result"].startswith(result) for values in told)


def test_one_employee_number_is_enrolled_once(home: Home) -> None:
    home.caller("hr", Role.ENROLLER)
    given = at_once([home.enroll] * CALLERS)
    assert Counter(type(answer) for answer in given) == {Enrolled: 1, Conflict: CALLERS - 1}
    assert {str(answer) for answer in given if isinstance(answer, Exception)} == {"exists"}
    assert entries_of(home, "enroll", "created") == 1
    assert entries_of(home, "enroll", "refused exists") == CALLERS - 1
    verify_ledger(home.app, 1)


def test_one_key_is_one_write_and_one_answer(home: Home) -> None:
    home.caller("hr", Role.ENROLLER)
    for number in range(6):
        body = person(f"T-{number:04}")
        given = at_once([lambda body=body, key=f"k{number}": home.enroll(body, key=key)] * CALLERS)  # type: ignore[misc]  # bound now
        assert {type(answer) for answer in given} == {Enrolled}
        enrolled = [answer for answer in given if isinstance(answer, Enrolled)]
        assert len({answer.subject for answer in enrolled}) == 1
        assert sum(not answer.is_replay for answer in enrolled) == 1
    verify_ledger(home.app, 1)


def test_people_of_one_department_are_all_found_again(home: Home) -> None:
    """Their index terms are the same, so every one of them goes for the same place of the same lists."""
    home.caller("hr", Role.ENROLLER)

    def enroll(number: int) -> Enrolled:
        return home.enroll(person(f"T-{number:04}"))

    given = at_once([lambda number=number: enroll(number) for number in range(CALLERS)])  # type: ignore[misc]  # bound now
    assert {type(answer) for answer in given} == {Enrolled}
    found = home.app.search.search(home.caller("hr", Role.ENROLLER), home.app.search.by_department("Parks"))
    assert len(found.hits) == CALLERS
    verify_ledger(home.app, 1)


def test_lookups_of_the_same_people_in_any_order_do_not_wait_in_a_circle(home: Home) -> None:
    people = [home.enroll(person(f"T-{number:04}")).subject for number in range(4)]
    reader = home.caller("reader", Role.READER)

    def look_up(order: Sequence[SubjectId]) -> Sequence[object]:
        asks = [(reader, home.ask(subject, Category.PHONE)) for subject in order]
        return [answer for _ in range(4) for answer in home.app.disclose.disclose_many(asks)]

    orders = [people, people[::-1], people[2:] + people[:2], people[1:2]] * 2
    given = at_once([lambda order=order: look_up(order) for order in orders])  # type: ignore[misc]  # bound now
    answers = [answer for batch in given if not isinstance(batch, Exception) for answer in batch]
    assert len(answers) == sum(4 * len(order) for order in orders)
    assert {type(answer) for answer in answers} == {Disclosed}
    verify_ledger(home.app, 1)


def test_an_accounting_under_lookups_is_whole(home: Home) -> None:
    """A snapshot that is a moment old is no rollback."""
    subject = home.enroll().subject
    reader, own = home.caller("reader", Role.READER), home.caller("own", Role.SUBJECT, number="T-0001")

    def look_up() -> int:
        return len([home.disclose(reader, home.ask(subject, Category.PHONE)) for _ in range(25)])

    def account() -> int:
        return len([home.app.audit.accounting(own) for _ in range(10)])

    assert at_once([look_up, look_up, account, account]) == [25, 25, 10, 10]
    # Enrolled, the account linked to it, fifty lookups, twenty-one readings.
    assert len(home.app.audit.accounting(own).entries) == 1 + 1 + 50 + 21


def test_imports_of_the_same_people_in_any_order_end_with_each_once(home: Home) -> None:
    people = [read_enrollment(person(f"T-{number:04}"), today=TODAY) for number in range(12)]
    changed = [read_enrollment(person(f"T-{number:04}", title="Warden"), today=TODAY) for number in range(6)]
    clerk = home.caller("hr", Role.ENROLLER)
    given = at_once(
        [
            lambda: home.import_people(clerk, people, Existing.UPDATE),
            lambda: home.import_people(clerk, people[::-1], Existing.UPDATE),
            lambda: home.import_people(clerk, changed[::-1] + people[6:], Existing.UPDATE),
            lambda: home.import_people(clerk, people[5:] + people[:5], Existing.REJECT),
        ]
    )
    lines = [line for batch in given if not isinstance(batch, Exception) for line in batch.outcomes]
    assert not [batch for batch in given if isinstance(batch, Exception)]
    assert sum(line.outcome is Outcome.CREATED for line in lines) == 12
    assert len({line.subject for line in lines}) == 12
    verify_ledger(home.app, 1)


def test_documents_that_replace_each_other_are_each_a_version(home: Home) -> None:
    subject = home.enroll().subject
    clerk = home.caller("hr", Role.ENROLLER)

    def replace(number: int) -> object:
        document = read_enrollment(person(title=f"Ranger {number}"), today=TODAY)
        return home.import_people(clerk, [document], Existing.UPDATE)

    given = at_once([lambda number=number: replace(number) for number in range(CALLERS)])  # type: ignore[misc]  # bound now
    assert not [answer for answer in given if isinstance(answer, Exception)]
    with home.app.database.read() as work:
        row = work.subjects.by_ids([subject])[subject]
    assert (row.version, row.directory.version) == (CALLERS + 1, CALLERS + 1)
    verify_ledger(home.app, 1)


def test_of_two_changes_each_builds_on_the_other_or_is_refused(home: Home) -> None:
    subject = home.enroll().subject
    clerk = home.caller("hr", Role.ENROLLER)

    def change(number: int) -> Enrolled:
        changes = read_changes({"title": f"Ranger {number}"}, today=TODAY)
        return home.app.update.update(clerk, UpdateAsk(subject, changes, None, TODAY))

    given = at_once([lambda number=number: change(number) for number in range(CALLERS)])  # type: ignore[misc]  # bound now
    done = [answer for answer in given if isinstance(answer, Enrolled)]
    assert all(isinstance(answer, Conflict) for answer in given if isinstance(answer, Exception))
    assert sorted(answer.version for answer in done) == list(range(2, len(done) + 2))
    with home.app.database.read() as work:
        assert work.subjects.by_ids([subject])[subject].version == len(done) + 1
    verify_ledger(home.app, 1)


def test_roles_given_at_once_are_all_kept(home: Home) -> None:
    roles = [role for role in Role if role is not Role.SUBJECT]
    at_once(
        [
            lambda role=role: home.app.principals.ensure(  # type: ignore[misc]  # bound now
                Grant(ISSUER, "many", frozenset({role})), operator="local:test"
            )
            for role in roles
        ]
    )
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, "many")
    assert row is not None
    assert row.roles == frozenset(roles)
    verify_ledger(home.app, 1)


def test_a_lookup_sees_a_role_that_was_taken_before_it(home: Home) -> None:
    subject = home.enroll().subject
    clerk = home.caller("clerk", Role.READER)
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    home.app.principals.grant(admin, Grant(ISSUER, "clerk", frozenset()))
    given = at_once([lambda: home.disclose(clerk, home.ask(subject, Category.PHONE))] * CALLERS)
    assert {type(answer) for answer in given} == {Refused}


@pytest.mark.parametrize(("losses", "calls"), [(0, 1), (1, 2), (2, 2)])
def test_what_lost_is_run_again_once(losses: int, calls: int) -> None:
    made: list[int] = []

    @rerun_once
    def work(value: int) -> int:
        made.append(value)
        if len(made) <= losses:
            raise Contended
        return value

    if losses < 2:
        assert work(7) == 7
    else:
        with pytest.raises(Contended):
            work(7)
    assert made == [7] * calls


def test_an_unknown_outcome_is_not_run_again() -> None:
    made: list[int] = []

    @rerun_once
    def work() -> None:
        made.append(1)
        raise AuditUnavailable("connection_lost")

    with pytest.raises(AuditUnavailable):
        work()
    assert made == [1]
