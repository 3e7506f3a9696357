"""Restricted and sealed records: who may approve, how often, how long, and for exactly what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from registry.domain.approvals import ApprovalRules, State, Verdict
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import RequestId, SubjectId, new_id
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.approvals import Word
from registry.services.disclose import Answer, Disclosed, DisclosureAsk, Refused, Waiting
from registry.services.kernel import Caller
from registry.services.principals import Grant, Move
from registry.vault.vault import Vault
from tests.functional.services.homes import ISSUER, Home, person

RULES = ApprovalRules()
PAPERS = Purpose(PurposeCode("legal_service"), "CASE-1", "service of papers")


def enrolled(home: Home, tier: str, number: str = "T-0001") -> SubjectId:
    body = person(number)
    body["records"][1]["confidentiality"] = tier
    return home.enroll(body).subject


def ask(home: Home, subject: SubjectId, **changes: Any) -> DisclosureAsk:
    return home.ask(subject, Category.PHONE, **({"purpose": PAPERS} | changes))


def in_unit(home: Home, name: str, unit: str, role: Role, number: str | None = None) -> Caller:
    home.app.principals.ensure(Grant(ISSUER, name, frozenset({role}), number, unit), operator="local:test")
    return home.caller(name, role, number=number)


def wanted(answer: Answer) -> RequestId:
    assert isinstance(answer, Waiting), answer
    return answer.request.id


def approve(home: Home, approver: Caller, request: RequestId) -> State:
    view, _ = home.app.approvals.decide(approver, Word(request, Verdict.APPROVE, "seen"))
    return view.state


def test_a_restricted_record_takes_one_other_person(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    with monkeypatch.context() as shut:
        shut.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
        request = wanted(home.disclose(reader, ask(home, subject)))
    entry = home.entries()[-1]
    assert (entry.kind, entry.values and entry.values["result"]) == ("request", "pending")
    assert approve(home, home.caller("approver", Role.APPROVER), request) is State.APPROVED
    assert home.entries()[-1].kind == "approve"
    answer = home.disclose(reader, ask(home, subject))
    assert isinstance(answer, Disclosed)
    said = home.entries()[-1].values or {}
    assert f"request {request}" in said["detail"]


def test_asked_again_it_is_the_same_request(home: Home) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    first = wanted(home.disclose(reader, ask(home, subject)))
    assert wanted(home.disclose(reader, ask(home, subject))) == first
    assert home.entries()[-1].kind == "deny"
    twice = home.app.disclose.disclose_many([(reader, ask(home, enrolled(home, "restricted", "T-0002")))] * 2)
    assert wanted(twice[0]) == wanted(twice[1]) != first
    assert len(home.app.approvals.listing(reader)) == 2


def test_a_sealed_record_takes_two_one_of_them_of_another_unit(home: Home) -> None:
    subject = enrolled(home, "sealed")
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    for name, unit, state in (
        ("one", "Dispatch", State.PENDING),
        ("two", "Dispatch", State.PENDING),
        ("three", "", State.PENDING),  # of no unit is not of another unit
        ("four", "Courts", State.APPROVED),
    ):
        approver = in_unit(home, name, unit, Role.APPROVER)
        assert approve(home, approver, request) is state, name
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)


def test_one_of_another_unit_alone_is_not_two(home: Home) -> None:
    subject = enrolled(home, "sealed")
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    approver = in_unit(home, "one", "Courts", Role.APPROVER)
    assert approve(home, approver, request) is State.PENDING
    with pytest.raises(Conflict, match="decided"):
        approve(home, approver, request)
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)


def test_one_refusal_settles_it(home: Home) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    approver = home.caller("approver", Role.APPROVER)
    view, _ = home.app.approvals.decide(approver, Word(request, Verdict.REFUSE, "no case of this number"))
    assert (view.state, home.entries()[-1].kind) == (State.REFUSED, "refuse")
    with pytest.raises(Conflict, match="decided"):
        approve(home, home.caller("other", Role.APPROVER), request)
    assert wanted(home.disclose(reader, ask(home, subject))) != request


@pytest.mark.parametrize("second_account", [False, True])
def test_nobody_approves_their_own(home: Home, second_account: bool) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER, Role.APPROVER, number="T-0009")
    request = wanted(home.disclose(reader, ask(home, subject)))
    approver = home.caller("the same", Role.APPROVER, number="T-0009") if second_account else reader
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        approve(home, approver, request)
    entry = home.entries()[-1]
    assert (entry.kind, (entry.values or {})["result"]) == ("deny", "denied conflict_of_interest")
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)


def test_two_accounts_of_one_person_are_not_two_people(home: Home) -> None:
    subject = enrolled(home, "sealed")
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    one = in_unit(home, "one", "Courts", Role.APPROVER, "T-0009")
    assert approve(home, one, request) is State.PENDING
    with pytest.raises(Conflict, match="decided"):
        approve(home, in_unit(home, "two", "Police", Role.APPROVER, "T-0009"), request)


def test_nobody_close_to_whom_it_is_about_approves(home: Home) -> None:
    body = person(relations=[{"kind": "former_partner", "employee_number": "T-0009"}])
    body["records"][1]["confidentiality"] = "restricted"
    subject = home.enroll(body).subject
    request = wanted(home.disclose(home.caller("reader", Role.READER), ask(home, subject)))
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        approve(home, home.caller("the former partner", Role.APPROVER, number="T-0009"), request)
    assert approve(home, home.caller("approver", Role.APPROVER), request) is State.APPROVED


@pytest.mark.parametrize("has_address", [True, False])
def test_whom_it_is_about_neither_approves_nor_learns_of_it(home: Home, has_address: bool) -> None:
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    subject = home.enroll(body if has_address else body | {"records": body["records"][1:2]}).subject
    request = wanted(home.disclose(home.caller("reader", Role.READER), ask(home, subject)))
    own = home.caller("officer", Role.APPROVER, number="T-0001")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        approve(home, own, request)
    with pytest.raises(NotFound):
        home.app.approvals.get(own, request)


@pytest.mark.parametrize("changed", ["case", "purpose", "records", "reader"])
def test_an_approval_is_for_exactly_what_was_asked(home: Home, changed: str) -> None:
    body = person()
    for record in body["records"][:2]:
        record["confidentiality"] = "restricted"
    subject = home.enroll(body).subject
    reader = home.caller("reader", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    approve(home, home.caller("approver", Role.APPROVER), request)
    if changed == "reader":
        reader = home.caller("other", Role.READER)
    categories = [Category.PHONE, Category.HOME_ADDRESS] if changed == "records" else [Category.PHONE]
    code = PurposeCode("emergency_contact") if changed == "purpose" else PAPERS.code
    other = home.ask(
        subject, *categories, purpose=Purpose(code, "CASE-2" if changed == "case" else PAPERS.case, PAPERS.note)
    )
    assert wanted(home.disclose(reader, other)) != request


def test_a_request_and_an_approval_end_by_themselves(home: Home) -> None:
    subject = enrolled(home, "restricted")
    reader, approver = home.caller("reader", Role.READER), home.caller("approver", Role.APPROVER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    home.clock.step(RULES.decide_ms / 1000)
    with pytest.raises(Conflict, match="expired"):
        approve(home, approver, request)
    assert home.app.approvals.listing(approver)[0].state is State.EXPIRED
    second = wanted(home.disclose(reader, ask(home, subject)))
    assert second != request
    approve(home, approver, second)
    home.clock.step((RULES.use_ms - 1) / 1000)
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)
    home.clock.step(1 / 1000)
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)


@pytest.mark.parametrize("change", ["leaves", "moves", "turns out to be who asks"])
def test_an_approval_ends_with_who_gave_it(home: Home, change: str) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER, number="T-0009")
    request = wanted(home.disclose(reader, ask(home, subject)))
    approver = home.caller("approver", Role.APPROVER)
    approve(home, approver, request)
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)
    if change == "turns out to be who asks":
        home.caller("approver", Role.APPROVER, number="T-0009")
    else:
        roles = frozenset({Role.READER}) if change == "moves" else frozenset()
        with home.app.database.read() as work:
            row = work.principals.by_name(ISSUER, "approver")
        assert row is not None
        home.app.principals.change(row.id, Move(roles=roles), operator="local:test")
    assert wanted(home.disclose(reader, ask(home, subject))) != request
    assert wanted(home.disclose(reader, ask(home, subject))) == wanted(home.disclose(reader, ask(home, subject)))


def test_an_approval_does_not_open_what_the_purpose_or_a_conflict_closes(home: Home) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    approve(home, home.caller("approver", Role.APPROVER), wanted(home.disclose(reader, ask(home, subject))))
    home.caller("reader", Role.READER, number="T-0001")
    answer = home.disclose(reader, ask(home, subject))
    assert isinstance(answer, Refused)
    assert answer.reason == "conflict_of_interest"


def test_only_approvers_decide_and_only_watchers_and_askers_see(home: Home) -> None:
    subject = enrolled(home, "restricted")
    request = wanted(home.disclose(home.caller("reader", Role.READER), ask(home, subject)))
    for role in (Role.READER, Role.AUDITOR, Role.SECURITY_ADMIN, Role.ENROLLER, Role.INVESTIGATOR, Role.SUBJECT):
        with pytest.raises(AccessDenied, match="not_permitted"):
            approve(home, home.caller(f"the {role}", role), request)
    other = home.caller("another reader", Role.READER)
    assert home.app.approvals.listing(other) == []
    with pytest.raises(NotFound):
        home.app.approvals.get(other, request)
    with pytest.raises(NotFound):
        home.app.approvals.get(other, RequestId(new_id()))
    with pytest.raises(NotFound):
        home.app.approvals.get(home.caller("officer", Role.RECORDS_OFFICER), request)
    with pytest.raises(AccessDenied):
        home.app.approvals.get(home.caller("somebody", Role.SUBJECT), request)
    detail = home.app.approvals.get(home.caller("approver", Role.APPROVER), request)
    assert (detail.subject, detail.categories, detail.purpose) == (subject, ("phone",), "legal_service")
    assert (detail.case, detail.note) == ("CASE-1", "service of papers")
    assert home.entries()[-1].kind == "audit-read"


def test_two_at_once_are_two_words_and_one_settlement(home: Home) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    approvers = [home.caller(f"approver {number}", Role.APPROVER) for number in range(4)]
    outcomes: list[str] = []

    def decide(approver: Caller) -> None:
        try:
            outcomes.append(approve(home, approver, request).value)
        except Conflict as conflict:
            outcomes.append(conflict.code)

    threads = [threading.Thread(target=decide, args=(approver,)) for approver in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "decided", "decided", "decided"]


def test_figures_tell_who_reads_nothing(home: Home) -> None:
    reader, approver = home.caller("reader", Role.READER), home.caller("approver", Role.APPROVER)
    for number, verdict in (("T-0001", Verdict.APPROVE), ("T-0002", Verdict.APPROVE), ("T-0003", Verdict.REFUSE)):
        request = wanted(home.disclose(reader, ask(home, enrolled(home, "restricted", number))))
        home.clock.step(10)
        home.app.approvals.decide(approver, Word(request, verdict))
    (figures,) = home.app.approvals.statistics(home.caller("auditor", Role.AUDITOR))
    assert (figures.approved, figures.refused, round(figures.median_seconds)) == (2, 1, 10)
    with pytest.raises(AccessDenied):
        home.app.approvals.statistics(approver)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE requests SET state = 'approved', until = 9999999999999",
        "UPDATE requests SET needs = 0",
        "UPDATE requests SET principal = (SELECT id FROM principals WHERE sub = 'other')",
    ],
)
def test_who_holds_the_database_cannot_approve(home: Home, statement: str) -> None:
    subject = enrolled(home, "restricted")
    reader = home.caller("reader", Role.READER)
    home.caller("other", Role.READER)
    wanted(home.disclose(reader, ask(home, subject)))
    home.sql().execute(statement)
    with pytest.raises(LedgerCorrupt):
        home.app.approvals.listing(home.caller("approver", Role.APPROVER))
    assert not isinstance(home.disclose(reader, ask(home, subject)), Disclosed)


def test_a_word_put_into_the_database_counts_for_nothing(home: Home) -> None:
    subject = enrolled(home, "sealed")
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    request = wanted(home.disclose(reader, ask(home, subject)))
    home.caller("other", Role.APPROVER)
    approve(home, in_unit(home, "one", "Courts", Role.APPROVER), request)
    home.sql().execute(
        "INSERT INTO request_decisions SELECT request, (SELECT id FROM principals WHERE sub = 'other'), verdict, "
        "is_other_unit, decided_at, guard FROM request_decisions"
    )
    with pytest.raises(LedgerCorrupt):
        approve(home, home.caller("three", Role.APPROVER), request)
