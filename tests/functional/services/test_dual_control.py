"""Dual control: what takes another person's approval, for exactly what, once, and by whom."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from registry.bootstrap import open_application
from registry.domain.approvals import Action, State, Verdict
from registry.domain.enrollment import MarkChange, SubjectChanges
from registry.domain.errors import AccessDenied, ApprovalNeeded, LedgerCorrupt, NotFound
from registry.domain.ids import RecordId, RequestId, SubjectId
from registry.domain.marks import Mark, Tier
from registry.domain.principals import Role
from registry.reports.for_bundle import reports_for_bundle
from registry.services.approvals import Word
from registry.services.enroll import Enrolled
from registry.services.import_people import Existing, Outcome
from registry.services.kernel import Caller
from registry.services.ports import PrincipalRow
from registry.services.principals import LEAVE, Grant, Move
from registry.services.trace import TraceAsk
from registry.services.update import UpdateAsk
from registry.text.intake import read_enrollment
from registry.vault.vault import Vault
from tests.functional.services.homes import ISSUER, TODAY, Home, person
from tests.functional.services.test_attacks_rollback import put_back

OTHER = "https://login.city.example/"
LEAK = TraceAsk("Dana Brightwater, 816-555-0142", source="a forum")
RAISED = Grant(OTHER, "desk-4", frozenset({Role.READER}), None, "Benefits")


@pytest.fixture
def home(home: Home) -> Home:
    """The same registry, opened with everything under dual control."""
    home.app.close()
    settings = replace(home.app.settings, approvals={"dual_control": frozenset(Action)})
    home.app = open_application(settings, home.clock)
    return home


def needed(call: Any, *args: Any) -> RequestId:
    with pytest.raises(ApprovalNeeded) as waiting:
        call(*args)
    return waiting.value.request


def approve(home: Home, request: RequestId, caller: Caller | None = None) -> State:
    approver = caller or home.caller("approver", Role.APPROVER)
    view, _ = home.app.approvals.decide(approver, Word(request, Verdict.APPROVE, "seen"))
    return view.state


def state(home: Home, request: RequestId) -> State:
    listed = home.app.approvals.listing(home.caller("auditor", Role.AUDITOR))
    return next(view.state for view in listed if view.row.id == request)


def account(home: Home, issuer: str, sub: str) -> PrincipalRow | None:
    with home.app.database.read() as work:
        return work.principals.by_name(issuer, sub)


def kinds(home: Home) -> list[str]:
    return [entry.kind for entry in home.entries()]


def enrolled(home: Home, number: str = "T-0001", **changes: Any) -> Enrolled:
    return home.enroll(person(number, **changes))


def unmark(subject: SubjectId, record: RecordId, tier: Tier = Tier.NONE) -> UpdateAsk:
    changes = SubjectChanges(marks=(MarkChange(record, Mark(tier)),))
    return UpdateAsk(subject, changes, None, date(2026, 3, 2))


def test_a_case_opens_once_another_person_has_approved_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    enrolled(home)
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    with monkeypatch.context() as shut:
        shut.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
        request = needed(home.app.trace.trace, investigator, LEAK)
        assert kinds(home)[-1] == "request"
        assert needed(home.app.trace.trace, investigator, LEAK) == request  # the same one waits
        assert kinds(home)[-1] == "deny"
    detail = home.app.approvals.get(home.caller("approver", Role.APPROVER), request)
    assert (detail.view.action, detail.subject) == (Action.TRACE, None)
    assert detail.told == "text of 30 characters, published at an unknown time, source a forum"
    assert approve(home, request) is State.APPROVED
    traced = home.app.trace.trace(investigator, LEAK)
    assert traced.stored.report.people
    assert "use" in kinds(home)
    assert state(home, request) is State.USED
    assert needed(home.app.trace.trace, investigator, LEAK) != request  # once


@pytest.mark.parametrize("changed", ["text", "source", "investigator"])
def test_an_approval_is_for_this_case_alone(home: Home, changed: str) -> None:
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    request = needed(home.app.trace.trace, investigator, LEAK)
    approve(home, request)
    asked = replace(LEAK, **{changed: "other words"}) if changed != "investigator" else LEAK
    if changed == "investigator":
        investigator = home.caller("another", Role.INVESTIGATOR)
    assert needed(home.app.trace.trace, investigator, asked) != request
    assert state(home, request) is State.APPROVED


def test_one_approval_is_used_once_by_many_at_once(home: Home) -> None:
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    approve(home, needed(home.app.trace.trace, investigator, LEAK))
    said: list[str] = []

    def one() -> None:
        try:
            home.app.trace.trace(investigator, LEAK)
            said.append("traced")
        except ApprovalNeeded:
            said.append("waits")

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["traced", "waits", "waits", "waits"]
    assert kinds(home).count("use") == 1


@pytest.mark.parametrize("second_account", [False, True])
def test_nobody_approves_their_own(home: Home, second_account: bool) -> None:
    roles = (Role.ENROLLER, Role.APPROVER)
    clerk = home.caller("clerk", *roles, number="T-0009")
    people = enrolled(home)
    request = needed(home.app.update.update, clerk, unmark(people.subject, people.records[0].record))
    again = home.caller("second", *roles, number="T-0009") if second_account else clerk
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        approve(home, request, again)
    assert state(home, request) is State.PENDING


def test_what_is_refused_or_over_is_not_done(home: Home) -> None:
    investigator, approver = home.caller("investigator", Role.INVESTIGATOR), home.caller("approver", Role.APPROVER)
    request = needed(home.app.trace.trace, investigator, LEAK)
    home.app.approvals.decide(approver, Word(request, Verdict.REFUSE, "no reason given"))
    second = needed(home.app.trace.trace, investigator, LEAK)
    assert second != request
    approve(home, second)
    home.clock.step(24 * 3600)
    assert needed(home.app.trace.trace, investigator, LEAK) not in (request, second)


def test_an_approval_ends_with_who_gave_it(home: Home) -> None:
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    request = needed(home.app.trace.trace, investigator, LEAK)
    approve(home, request)
    approver = account(home, ISSUER, "approver")
    assert approver is not None
    home.app.principals.change(approver.id, LEAVE, operator="local:test")
    assert needed(home.app.trace.trace, investigator, LEAK) != request


def test_who_is_no_investigator_requests_no_case(home: Home) -> None:
    with pytest.raises(AccessDenied, match="not_permitted"):
        home.app.trace.trace(home.caller("reader", Role.READER), LEAK)
    assert "request" not in kinds(home)


def test_a_bundle_leaves_once_for_each_approval(home: Home) -> None:
    enrolled(home)
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    approve(home, needed(home.app.trace.trace, investigator, LEAK))
    trace = home.app.trace.trace(investigator, LEAK).trace
    app = home.app
    wanted = (investigator, trace, app.evidence, lambda _: {"report.txt": b"as told"})
    request = needed(app.trace.evidence, *wanted)
    assert state(home, request) is State.PENDING
    approve(home, request)
    assert app.trace.evidence(*wanted)
    assert needed(app.trace.evidence, *wanted) != request
    other = home.caller("another", Role.INVESTIGATOR)
    with pytest.raises(NotFound):
        app.trace.evidence(other, trace, app.evidence, reports_for_bundle)


@pytest.mark.parametrize("how", ["lower", "end"])
def test_a_mark_comes_off_with_a_second_person(home: Home, how: str) -> None:
    people = enrolled(home)
    record = people.records[0].record
    clerk = home.caller("hr", Role.ENROLLER)
    asked = unmark(people.subject, record)
    if how == "end":
        asked = replace(asked, changes=SubjectChanges(ends=(record,)))
    request = needed(home.app.update.update, clerk, asked)
    with home.app.database.read() as work:
        row = work.records.by_ids([record])[record]
    assert (row.tier, row.state) == (Tier.CONFIDENTIAL, "active")
    detail = home.app.approvals.get(home.caller("approver", Role.APPROVER), request)
    assert detail.subject == people.subject
    assert record in detail.told
    approve(home, request)
    assert home.app.update.update(clerk, asked).version == people.version + 1
    assert kinds(home)[-1] == "update"
    home.app.row_check.check()


def test_who_is_close_to_whom_it_is_about_approves_no_unmarking(home: Home) -> None:
    people = enrolled(home, relations=[{"kind": "former_partner", "employee_number": "T-0009"}])
    clerk = home.caller("hr", Role.ENROLLER)
    request = needed(home.app.update.update, clerk, unmark(people.subject, people.records[0].record))
    for number in ("T-0009", "T-0001"):
        with pytest.raises(AccessDenied, match="conflict_of_interest"):
            approve(home, request, home.caller(f"approver {number}", Role.APPROVER, number=number))


def test_marking_more_closely_takes_nobody_else(home: Home) -> None:
    people = enrolled(home)
    asked = unmark(people.subject, people.records[0].record, Tier.SEALED)
    assert home.app.update.update(home.caller("hr", Role.ENROLLER), asked).version == people.version + 1
    request = needed(
        home.app.update.update,
        home.caller("hr", Role.ENROLLER),
        unmark(people.subject, people.records[0].record, Tier.RESTRICTED),
    )
    assert state(home, request) is State.PENDING


def test_an_import_takes_no_mark_off(home: Home) -> None:
    enrolled(home)
    clerk = home.caller("hr", Role.ENROLLER)
    less = person()
    less["records"][0]["confidentiality"] = "none"
    fewer = person("T-0002")
    home.enroll(person("T-0002"))
    fewer["records"] = fewer["records"][1:]
    more = person("T-0003", title="Warden")
    home.enroll(person("T-0003"))
    documents = [read_enrollment(body, today=TODAY) for body in (less, fewer, more)]
    imported = home.import_people(clerk, documents, Existing.UPDATE)
    assert [line.outcome for line in imported.outcomes] == [Outcome.UNMARKS, Outcome.UNMARKS, Outcome.UPDATED]
    told = [(entry.values or {})["result"] for entry in home.entries()[-2:]]
    assert told == ["refused exists 0 unchanged 0 unmarks 2", "replaced"]
    home.app.row_check.check()


def test_an_account_gets_more_with_a_second_person(home: Home) -> None:
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    request = needed(home.app.principals.grant, admin, RAISED)
    assert account(home, OTHER, "desk-4") is None
    detail = home.app.approvals.get(home.caller("approver", Role.APPROVER), request)
    assert detail.told == f"{OTHER}#desk-4: roles reader; new reader; changes unit"
    approve(home, request)
    home.app.principals.grant(admin, RAISED)
    row = account(home, OTHER, "desk-4")
    assert row is not None
    assert row.roles == {Role.READER}
    assert state(home, request) is State.USED


@pytest.mark.parametrize(
    "move", [Move(roles=frozenset({Role.READER, Role.APPROVER})), Move(unit="Payroll"), Move(supervisor="T-0044")]
)
def test_what_an_account_may_do_or_is_tied_to_changes_with_a_second_person(home: Home, move: Move) -> None:
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    identifier = home.app.principals.ensure(replace(RAISED, employee_number="T-0070"), operator="local:test")
    request = needed(home.app.principals.move, admin, identifier, move)
    assert account(home, OTHER, "desk-4") == account(home, OTHER, "desk-4")
    approve(home, request)
    home.app.principals.move(admin, identifier, move)
    assert state(home, request) is State.USED


def test_roles_are_taken_away_at_once(home: Home) -> None:
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    both = replace(RAISED, roles=frozenset({Role.READER, Role.APPROVER}), employee_number="T-0070")
    identifier = home.app.principals.ensure(both, operator="local:test")
    assert home.app.principals.move(admin, identifier, Move(roles=frozenset({Role.READER}))).row.roles == {Role.READER}
    assert home.app.principals.move(admin, identifier, LEAVE).row.roles == frozenset()


@pytest.mark.parametrize("how", ["account", "second account", "number"])
def test_nobody_approves_what_their_own_account_gets(home: Home, how: str) -> None:
    """An administrator and an approver are two people, and what they do together is for neither of them."""
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    own = home.caller("approver", Role.APPROVER, number="T-0009")
    row = account(home, ISSUER, "approver")
    assert row is not None
    if how == "account":
        request = needed(home.app.principals.move, admin, row.id, Move(unit="Payroll"))
    elif how == "second account":
        home.caller("second", Role.READER, number="T-0009")
        second = account(home, ISSUER, "second")
        assert second is not None
        request = needed(home.app.principals.move, admin, second.id, Move(unit="Payroll"))
    else:
        request = needed(home.app.principals.grant, admin, replace(RAISED, employee_number="T-0009"))
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        approve(home, request, own)
    with pytest.raises(NotFound):
        home.app.approvals.get(own, request)
    assert approve(home, request, home.caller("other", Role.APPROVER)) is State.APPROVED


def test_who_asked_sees_their_own_requests_and_no_other(home: Home) -> None:
    admin, investigator = home.caller("admin", Role.SECURITY_ADMIN), home.caller("investigator", Role.INVESTIGATOR)
    request = needed(home.app.principals.grant, admin, RAISED)
    needed(home.app.trace.trace, investigator, LEAK)
    assert [view.row.id for view in home.app.approvals.listing(admin)] == [request]
    with pytest.raises(NotFound):
        home.app.approvals.get(investigator, request)


@pytest.mark.parametrize("statement", ["UPDATE requests SET state = 'approved'", "UPDATE requests SET needs = 0"])
def test_who_holds_the_database_approves_nothing(home: Home, statement: str) -> None:
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    needed(home.app.trace.trace, investigator, LEAK)
    home.sql().execute(statement)
    with pytest.raises(LedgerCorrupt):
        home.app.trace.trace(investigator, LEAK)
    assert "trace" not in kinds(home)


def test_an_approval_that_is_put_back_is_found(home: Home) -> None:
    """Else one approval would be used as often as somebody with the database likes."""
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    approve(home, needed(home.app.trace.trace, investigator, LEAK))
    sql = home.sql()
    before = sql.execute("SELECT * FROM requests").fetchall()
    home.app.trace.trace(investigator, LEAK)
    home.app.row_check.check()
    put_back(sql, "requests", before)
    with pytest.raises(LedgerCorrupt, match="does not stand"):
        home.app.row_check.check()
