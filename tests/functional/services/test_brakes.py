"""Quotas, new accounts, raised limits and decoys, on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import PrincipalId, SubjectId, new_id
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import NOT_PERMITTED, PURPOSE_NOT_ALLOWED, QUOTA_EXCEEDED
from registry.services.disclose import Answer, Disclosed, DisclosureAsk, Refused
from registry.services.kernel import Caller
from registry.services.ports import LOCKED
from registry.services.principals import Grant
from registry.services.unlock import RaisedLimit
from tests.functional.services.homes import ISSUER, Home, person
from tests.functional.services.test_at_once import at_once

MAIL = Purpose(PurposeCode("official_mail"), "MAIL-1", "yearly letters")
REASON = "Yearly letters to all units"


@contextmanager
def limited(home: Home, **brakes: Any) -> Iterator[Home]:
    """Serve the registry of a home a second time, with brakes."""
    settings = replace(home.app.settings, brakes=brakes)
    opened = Home(open_application(settings, home.clock), home.clock)
    try:
        yield opened
    finally:
        opened.close()


def people(home: Home, count: int) -> list[SubjectId]:
    return [home.enroll(person(f"T-{number:04}")).subject for number in range(count)]


def asks(home: Home, subjects: Sequence[SubjectId], **changes: Any) -> list[DisclosureAsk]:
    return [home.ask(subject, Category.HOME_ADDRESS, **changes) for subject in subjects]


def told(answer: Answer) -> str:
    if isinstance(answer, Refused):
        return answer.reason
    assert isinstance(answer, Disclosed)
    return "shown"


def ask_all(home: Home, caller: Caller, subjects: Sequence[SubjectId], **changes: Any) -> Counter[str]:
    given = home.app.disclose.disclose_many([(caller, ask) for ask in asks(home, subjects, **changes)])
    return Counter(map(told, given))


def principal(home: Home, name: str) -> PrincipalId:
    (found,) = [row.id for row in home.app.principals.listing() if row.sub == name]
    return found


def test_nobody_is_limited_in_development_unless_it_is_set(home: Home) -> None:
    reader, subjects = home.caller("reader", Role.READER), people(home, 12)
    assert ask_all(home, reader, subjects) == {"shown": 12}
    with home.app.database.read() as work:
        assert work.meta.get("profile") == "development"
    assert stored(home, "tallies") == []


def test_so_many_different_people_a_day_and_no_more(home: Home) -> None:
    subjects = people(home, 8)
    with limited(home, subjects_per_day=5) as braked:
        reader = braked.caller("reader", Role.READER)
        assert ask_all(braked, reader, subjects) == {"shown": 5, QUOTA_EXCEEDED: 3}
        # Seen again is not another person; a new one is, in a batch of its own as well.
        assert ask_all(braked, reader, subjects[:5]) == {"shown": 5}
        assert ask_all(braked, reader, subjects[5:6]) == {QUOTA_EXCEEDED: 1}
        # Another purpose and another account have a count of their own.
        assert ask_all(braked, reader, subjects[5:], purpose=MAIL) == {"shown": 3}
        assert ask_all(braked, braked.caller("other", Role.READER), subjects[5:]) == {"shown": 3}
        braked.clock.step(86_400)
        assert ask_all(braked, reader, subjects[3:]) == {"shown": 5}
        refused = [
            entry for entry in braked.entries() if (entry.values or {}).get("result", "").endswith(QUOTA_EXCEEDED)
        ]
        assert len(refused) == 4
        assert {"brakes.quota" in (entry.values or {})["rules"] for entry in refused} == {True}
        verify_ledger(braked.app, 1)


def test_a_refusal_uses_nothing_up(home: Home) -> None:
    subjects = people(home, 4)
    with limited(home, subjects_per_day=2) as braked:
        reader = braked.caller("reader", Role.READER)
        payroll = Purpose(PurposeCode("payroll"), "", "salary statement")
        refused = [(reader, braked.ask(one, Category.HEALTH, purpose=payroll)) for one in subjects]
        given = braked.app.disclose.disclose_many(refused)
        assert {told(answer) for answer in given} == {PURPOSE_NOT_ALLOWED}
        unknown = braked.ask(SubjectId(new_id()), Category.HOME_ADDRESS, purpose=payroll)
        assert told(braked.disclose(reader, unknown)) == "not_found"
        assert ask_all(braked, reader, subjects, purpose=payroll) == {"shown": 2, QUOTA_EXCEEDED: 2}


def test_a_purpose_may_have_a_limit_of_its_own(home: Home) -> None:
    subjects = people(home, 4)
    with limited(home, subjects_per_day=3, by_purpose={PurposeCode("safety"): 1}) as braked:
        reader = braked.caller("reader", Role.READER)
        assert ask_all(braked, reader, subjects) == {"shown": 1, QUOTA_EXCEEDED: 3}
        assert ask_all(braked, reader, subjects, purpose=MAIL) == {"shown": 3, QUOTA_EXCEEDED: 1}


def test_a_new_account_is_given_less(home: Home) -> None:
    subjects = people(home, 6)
    with limited(home, cooling_days=7, cooling_subjects_per_day=2) as braked:
        reader = braked.caller("reader", Role.READER)
        assert ask_all(braked, reader, subjects) == {"shown": 2, QUOTA_EXCEEDED: 4}
        assert "brakes.cooling" in (braked.entries()[-1].values or {})["rules"]
        braked.clock.step(7 * 86_400)
        assert ask_all(braked, reader, subjects) == {"shown": 6}


def test_thirty_two_at_once_are_shown_exactly_as_many_as_may_be(home: Home) -> None:
    subjects = people(home, 40)
    with limited(home, subjects_per_day=17) as one, limited(home, subjects_per_day=17) as other:
        reader = one.caller("reader", Role.READER)

        def look_up(number: int) -> str:
            # Two registries over one database, as two processes have them.
            served = (one, other)[number % 2]
            mine = [subjects[(number * 7 + step) % 40] for step in range(5)]
            return " ".join(told(served.disclose(reader, ask)) for ask in asks(served, mine))

        given = at_once([lambda number=number: look_up(number) for number in range(32)])  # type: ignore[misc]  # bound now
        assert {type(answer) for answer in given} == {str}
        shown = [entry for entry in one.entries() if entry.kind == "disclose"]
        assert len({(entry.values or {})["subject"] for entry in shown}) == 17
        assert sum(str(answer).split().count("shown") for answer in given) == len(shown)
        verify_ledger(one.app, 1)


def test_somebody_else_may_raise_a_limit_until_a_time(home: Home) -> None:
    subjects = people(home, 6)
    with limited(home, subjects_per_day=2, cooling_days=30, cooling_subjects_per_day=1) as braked:
        reader = braked.caller("reader", Role.READER)
        assert ask_all(braked, reader, subjects, purpose=MAIL) == {"shown": 1, QUOTA_EXCEEDED: 5}
        until = braked.clock.now() + timedelta(hours=30)
        raised = RaisedLimit(PurposeCode("official_mail"), 5, until, REASON)
        target = principal(braked, "reader")
        for name, role in (("boss", Role.APPROVER), ("admin", Role.SECURITY_ADMIN)):
            braked.app.unlock.raise_limit(braked.caller(name, role), target, raised)
        entry = braked.entries()[-1]
        said = entry.values or {}
        assert (entry.kind, said["result"], said["note"]) == ("unlock", "raised", REASON)
        assert ask_all(braked, reader, subjects, purpose=MAIL) == {"shown": 5, QUOTA_EXCEEDED: 1}
        assert ask_all(braked, reader, subjects) == {"shown": 1, QUOTA_EXCEEDED: 5}  # another purpose
        braked.clock.step(30 * 3600)
        assert ask_all(braked, reader, subjects, purpose=MAIL) == {"shown": 1, QUOTA_EXCEEDED: 5}
        verify_ledger(braked.app, 1)


def test_nobody_raises_their_own_limit_under_a_second_account_neither(home: Home) -> None:
    home.enroll(person("T-0001"))
    both = home.caller("both", Role.READER, Role.APPROVER, number="T-0001")
    second = home.caller("second", Role.APPROVER, number="T-0001")
    raised = RaisedLimit(PurposeCode("safety"), 500, home.clock.now() + timedelta(days=1), REASON)
    for caller in (both, second, home.caller("reader", Role.READER), home.caller("auditor", Role.AUDITOR)):
        with pytest.raises(AccessDenied):
            home.app.unlock.raise_limit(caller, principal(home, "both"), raised)
        assert home.entries()[-1].kind == "deny"
    with pytest.raises(NotFound):
        home.app.unlock.raise_limit(second, PrincipalId(new_id()), raised)
    assert (home.entries()[-1].kind, (home.entries()[-1].values or {})["result"]) == ("unlock", "not_found")
    assert stored(home, "quota_unlocks") == []


def test_a_decoy_is_served_like_anybody_and_locks_who_asked(home: Home) -> None:
    subjects, admin = people(home, 3), home.caller("admin", Role.SECURITY_ADMIN)
    reader = home.caller("reader", Role.READER)
    home.app.decoys.add(admin, ["T-0001"])
    home.app.decoys.add(admin, ["T-0001"])  # twice is once
    plain, decoy = (home.disclose(reader, ask) for ask in asks(home, subjects[:2]))
    assert isinstance(plain, Disclosed)
    assert isinstance(decoy, Disclosed)
    assert (plain.form, len(plain.fields)) == (decoy.form, len(decoy.fields))
    # By its receipt a decoy's entry is the last one of its commit, as any other is.
    assert [one.receipt.size - one.receipt.index for one in (plain, decoy)] == [1, 1]
    alarm, disclosed = home.entries()[-2:]
    assert (alarm.kind, disclosed.kind) == ("alarm", "disclose")
    said = alarm.values or {}
    assert (said["subject"], said["result"]) == (subjects[1], LOCKED)
    assert told(home.disclose(reader, asks(home, subjects[2:])[0])) == NOT_PERMITTED
    assert [entry.kind for entry in home.entries()].count("alarm") == 1  # a locked account alarms nobody again
    verify_ledger(home.app, 1)


def test_a_decoy_in_a_batch_locks_for_the_next_batch_in_every_process(home: Home) -> None:
    subjects, admin = people(home, 6), home.caller("admin", Role.SECURITY_ADMIN)
    reader = home.caller("reader", Role.READER)
    home.app.decoys.add(admin, ["T-0002", "T-0004"])
    with limited(home) as beside:
        assert ask_all(home, reader, subjects) == {"shown": 6}
        assert ask_all(beside, reader, subjects) == {NOT_PERMITTED: 6}
    kinds = [entry.kind for entry in home.entries()]
    assert kinds.count("alarm") == 2
    verify_ledger(home.app, 1)


def test_a_search_by_a_decoys_value_locks(home: Home) -> None:
    people(home, 1)
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), ["T-0000"])
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    by_value = home.app.search.by_value(Category.PHONE, {"kind": "mobile", "number": "816-555-0142"})
    by_name = home.app.search.by_name("Dana", "Brightwater")
    assert len(home.app.search.search(investigator, by_name).hits) == 1  # a name anybody may come across
    found = home.app.search.search(investigator, by_value)
    assert len(found.hits) == 1
    assert found.receipt.size - found.receipt.index == 1
    assert [entry.kind for entry in home.entries()[-2:]] == ["alarm", "search"]
    with pytest.raises(AccessDenied):
        home.app.search.search(investigator, by_name)


def test_only_a_security_administrator_who_is_somebody_else_lifts_a_lock(home: Home) -> None:
    (subject,) = people(home, 1)
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    home.app.decoys.add(admin, ["T-0000"])
    reader = home.caller("reader", Role.READER, Role.SECURITY_ADMIN)
    (ask,) = asks(home, [subject])
    assert told(home.disclose(reader, ask)) == "shown"
    target = principal(home, "reader")
    # Neither the same grant again nor another person without the role lets it in.
    home.app.principals.ensure(Grant(ISSUER, "reader", frozenset({Role.READER})), operator="local:test")
    home.app.principals.grant(admin, Grant(ISSUER, "reader", frozenset({Role.READER, Role.SECURITY_ADMIN})))
    for caller in (reader, home.caller("boss", Role.APPROVER)):
        with pytest.raises(AccessDenied):
            home.app.unlock.lift_lock(caller, target, REASON)
    assert told(home.disclose(reader, ask)) == NOT_PERMITTED
    verify_ledger(home.app, 1)
    home.app.unlock.lift_lock(admin, target, REASON)
    with pytest.raises(Conflict, match="not_locked"):
        home.app.unlock.lift_lock(admin, target, REASON)
    home.app.decoys.remove(admin, ["T-0000"])
    assert told(home.disclose(reader, ask)) == "shown"
    assert told(home.disclose(reader, ask)) == "shown"
    verify_ledger(home.app, 1)


def test_decoys_are_set_whole_and_by_administrators_only(home: Home) -> None:
    people(home, 1)
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    with pytest.raises(NotFound):
        home.app.decoys.add(admin, ["T-0000", "T-9999"])
    assert (home.entries()[-1].kind, (home.entries()[-1].values or {})["result"]) == ("decoy", "not_found")
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        with pytest.raises(AccessDenied):
            home.app.decoys.add(home.caller(f"the {role}", role), ["T-0000"])
    assert stored(home, "decoys") == []


def test_at_rest_nothing_says_who_is_a_decoy_or_whom_somebody_saw(home: Home) -> None:
    subjects = people(home, 3)
    before = stored(home, "subjects")
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
    assert stored(home, "subjects") == before  # no row of a subject changes with it
    with limited(home, subjects_per_day=5) as braked:
        for name in ("one", "two"):
            ask_all(braked, braked.caller(name, Role.READER), [subjects[0], subjects[2]])
    tallies = stored(home, "tallies")
    kept = [bytes(row[2]) for row in tallies]
    items = [one[at : at + 8] for one in kept for at in (0, 12)]
    assert len(set(items)) == 4  # the same two people, seen by two accounts
    public = " ".join(str(row) for row in [*stored(home, "decoys"), *tallies])
    for secret in (*subjects, *(bytes.fromhex(one) for one in subjects), principal(home, "one")):
        assert str(secret) not in public
    assert [len(row) for row in stored(home, "decoys")] == [1]


def test_a_changed_count_or_limit_stops_who_it_is_about(home: Home) -> None:
    subjects = people(home, 4)
    with limited(home, subjects_per_day=2) as braked:
        reader = braked.caller("reader", Role.READER)
        assert ask_all(braked, reader, subjects) == {"shown": 2, QUOTA_EXCEEDED: 2}
        home.sql().execute("UPDATE tallies SET tags = x''")
        (answer,) = braked.app.disclose.disclose_many([(reader, asks(braked, subjects[3:])[0])])
        assert isinstance(getattr(answer, "error", None), LedgerCorrupt)


def stored(home: Home, table: str) -> list[tuple[Any, ...]]:
    engine = create_engine(home.app.settings.database_url.replace("postgresql:", "postgresql+psycopg:", 1))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]
    finally:
        engine.dispose()
