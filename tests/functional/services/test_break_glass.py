"""Cards opened in an emergency: for whom, how long, for exactly what, and the review that follows."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from registry.domain.approvals import ApprovalRules
from registry.domain.break_glass import Finding
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import BreakGlassId, SubjectId
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.break_glass import Emergency, Judgement
from registry.services.disclose import Disclosed, DisclosureAsk, Failed, Refused, Waiting
from registry.services.kernel import Caller
from registry.services.read_audit import recipient_of
from tests.functional.services.homes import ISSUER, Home, person
from tests.functional.services.test_attacks_rollback import put_back

PAPERS = Purpose(PurposeCode("legal_service"), "CASE-1", "service of papers")
RULES = ApprovalRules()
WHY = "Threat called in, officers on their way"


def guarded(number: str = "T-0001", tier: str = "restricted", **changes: Any) -> dict[str, Any]:
    body = person(number, **changes)
    for record in body["records"]:
        record["confidentiality"] = tier
    return body


def enrolled(home: Home, tier: str = "restricted", number: str = "T-0001") -> SubjectId:
    return home.enroll(guarded(number, tier)).subject


def opened(home: Home, caller: Caller, subject: SubjectId, *categories: Category) -> BreakGlassId:
    asked = Emergency(subject, None, frozenset(categories or {Category.PHONE}), WHY)
    row, _ = home.app.break_glass.open(caller, asked)
    return row.id


def ask(home: Home, subject: SubjectId, *categories: Category, **changes: Any) -> DisclosureAsk:
    return home.ask(subject, *(categories or (Category.PHONE,)), **({"purpose": PAPERS} | changes))


def review(home: Home, caller: Caller, glass: BreakGlassId, finding: Finding = Finding.JUSTIFIED) -> None:
    home.app.break_glass.review(caller, Judgement(glass, finding, "dispatch log confirms it"))


def test_it_opens_one_card_and_each_lookup_names_it(home: Home) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)
    glass = opened(home, reader, subject)
    entry = home.entries()[-1]
    assert (entry.kind, entry.values and entry.values["note"]) == ("breakglass", WHY)
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)
    assert f"break-glass {glass} " in (home.entries()[-1].values or {})["detail"]


def test_it_opens_nothing_wider(home: Home) -> None:
    subject, other = enrolled(home), enrolled(home, number="T-0002")
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    assert isinstance(home.disclose(reader, ask(home, other)), Waiting)
    assert isinstance(home.disclose(reader, ask(home, subject, Category.PHONE, Category.HOME_ADDRESS)), Waiting)
    assert isinstance(home.disclose(home.caller("another", Role.READER), ask(home, subject)), Waiting)


def test_purposes_hold_as_ever(home: Home) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject, Category.SSN)
    answer = home.disclose(reader, ask(home, subject, Category.SSN))
    assert isinstance(answer, Refused)
    assert answer.reason == "purpose_not_allowed"


def test_after_an_hour_it_is_over(home: Home) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    home.clock.step((RULES.emergency_ms - 1) / 1000)
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)
    home.clock.step(1 / 1000)
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)


@pytest.mark.parametrize("has_address", [True, False])
def test_nobody_opens_their_own_card(home: Home, has_address: bool) -> None:
    body = guarded()
    subject = home.enroll(body if has_address else body | {"records": body["records"][1:2]}).subject
    reader = home.caller("reader", Role.READER, number="T-0001")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        opened(home, reader, subject)
    assert home.entries()[-1].kind == "deny"


def test_nobody_unknown_is_opened_and_it_is_an_entry(home: Home) -> None:
    reader = home.caller("reader", Role.READER)
    with pytest.raises(NotFound):
        opened(home, reader, SubjectId("0" * 32))
    assert (home.entries()[-1].values or {})["result"] == "not_found"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.READER])
def test_only_readers_open(home: Home, role: Role) -> None:
    subject = enrolled(home)
    with pytest.raises(AccessDenied, match="not_permitted"):
        opened(home, home.caller("somebody", role), subject)


@pytest.mark.parametrize("second_account", [False, True])
def test_who_owes_a_review_opens_nothing_more(home: Home, second_account: bool) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER, number="T-0009")
    again = home.caller("second", Role.READER, number="T-0009") if second_account else reader
    glass = opened(home, reader, subject)
    home.clock.step((RULES.review_ms - 1) / 1000)
    opened(home, again, subject)
    home.clock.step(1 / 1000)
    with pytest.raises(Conflict, match="review_overdue"):
        opened(home, again, subject)
    assert (home.entries()[-1].kind, (home.entries()[-1].values or {})["result"]) == (
        "breakglass",
        "refused review_overdue",
    )
    opened(home, home.caller("another", Role.READER), subject)
    approver = home.caller("approver", Role.APPROVER)
    late = [view for view in home.app.break_glass.listing(approver) if view.is_overdue]
    assert [view.row.id for view in late] == [glass]
    assert home.app.break_glass.figures() == (3, 1)
    review(home, approver, glass)
    opened(home, again, subject)


@pytest.mark.parametrize("name", ["reader", "second"])
def test_nobody_reviews_their_own(home: Home, name: str) -> None:
    subject = enrolled(home)
    glass = opened(home, home.caller("reader", Role.READER, Role.APPROVER, number="T-0009"), subject)
    same = home.caller(name, Role.READER, Role.APPROVER, number="T-0009")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        review(home, same, glass)


def test_nobody_reviews_or_reads_what_is_about_themselves(home: Home) -> None:
    subject = enrolled(home)
    glass = opened(home, home.caller("reader", Role.READER), subject)
    approver = home.caller("approver", Role.APPROVER, number="T-0001")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        review(home, approver, glass)
    with pytest.raises(NotFound):
        home.app.break_glass.get(approver, glass)


def test_it_is_reviewed_once_by_whoever_comes_first(home: Home) -> None:
    glass = opened(home, home.caller("reader", Role.READER), enrolled(home))
    said: list[str] = []

    def one(caller: Caller) -> None:
        try:
            review(home, caller, glass, Finding.NOT_JUSTIFIED)
            said.append("done")
        except Conflict as exc:
            said.append(exc.code)

    callers = [home.caller(f"approver {n}", Role.APPROVER) for n in range(4)]
    threads = [threading.Thread(target=one, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["decided", "decided", "decided", "done"]
    assert [entry.kind for entry in home.entries()].count("review") == 4


def test_an_unknown_one_is_not_reviewed(home: Home) -> None:
    with pytest.raises(NotFound):
        review(home, home.caller("approver", Role.APPROVER), BreakGlassId("0" * 32))
    assert home.entries()[-1].kind == "review"


@pytest.mark.parametrize(
    "change", ["until = until + 99000000", "categories = 'phone ssn'", "finding = 'justified'", "review_by = 9"]
)
def test_a_row_that_somebody_edited_is_found(home: Home, change: str) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    home.sql().execute(f"UPDATE break_glass SET {change}")
    assert isinstance(home.disclose(reader, ask(home, subject)), Failed)
    with pytest.raises(LedgerCorrupt):
        home.app.break_glass.listing(home.caller("approver", Role.APPROVER))


def test_what_was_not_justified_is_closed_at_once(home: Home) -> None:
    subject = enrolled(home)
    reader, approver = home.caller("reader", Role.READER), home.caller("approver", Role.APPROVER)
    review(home, approver, opened(home, reader, subject))
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)
    review(home, approver, opened(home, reader, subject), Finding.NOT_JUSTIFIED)
    assert isinstance(home.disclose(reader, ask(home, subject)), Disclosed)  # by the other one, which was
    other = home.caller("other", Role.READER)
    glass = opened(home, other, subject)
    assert isinstance(home.disclose(other, ask(home, subject)), Disclosed)
    review(home, approver, glass, Finding.NOT_JUSTIFIED)
    assert isinstance(home.disclose(other, ask(home, subject)), Waiting)


def test_sealed_records_take_a_strong_sign_in_too(home: Home) -> None:
    subject = enrolled(home, "sealed")
    strong = home.caller("reader", Role.READER)
    opened(home, strong, subject)
    weak = replace(strong, claims=replace(strong.claims, step_up_until=0))
    answer = home.disclose(weak, ask(home, subject))
    assert isinstance(answer, Refused)
    assert answer.reason == "step_up_required"
    assert isinstance(
        home.disclose(replace(strong, claims=replace(strong.claims, step_up_until=2**53)), ask(home, subject)),
        Disclosed,
    )


def test_nobody_opens_the_card_of_somebody_close(home: Home) -> None:
    subject = home.enroll(guarded(relations=[{"kind": "former_partner", "employee_number": "T-0009"}])).subject
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        opened(home, home.caller("the former partner", Role.READER, number="T-0009"), subject)


def test_it_opens_no_conflict_that_comes_to_light(home: Home) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    home.caller("reader", Role.READER, number="T-0001")
    answer = home.disclose(reader, ask(home, subject))
    assert isinstance(answer, Refused)
    assert answer.reason == "conflict_of_interest"


def test_nobody_close_to_whom_it_is_about_reviews_or_reads_it(home: Home) -> None:
    subject = home.enroll(guarded(relations=[{"kind": "kin", "employee_number": "T-0009"}])).subject
    glass = opened(home, home.caller("reader", Role.READER), subject)
    kin = home.caller("kin", Role.APPROVER, number="T-0009")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        review(home, kin, glass)
    with pytest.raises(NotFound):
        home.app.break_glass.get(kin, glass)
    review(home, home.caller("approver", Role.APPROVER), glass)


def test_nobody_close_to_who_opened_it_reviews_it(home: Home) -> None:
    subject = enrolled(home)
    home.enroll(person("T-0008", relations=[{"kind": "household", "employee_number": "T-0009"}], records=[], family=[]))
    glass = opened(home, home.caller("reader", Role.READER, number="T-0008"), subject)
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        review(home, home.caller("at home", Role.APPROVER, number="T-0009"), glass)
    review(home, home.caller("approver", Role.APPROVER, number="T-0010"), glass)


def test_only_so_many_wait_for_their_review(home: Home) -> None:
    subject = enrolled(home)
    reader, approver = home.caller("reader", Role.READER), home.caller("approver", Role.APPROVER)
    glasses = [opened(home, reader, subject) for _ in range(RULES.unreviewed)]
    with pytest.raises(Conflict, match="reviews_waiting"):
        opened(home, reader, subject)
    home.clock.step(1)
    opened(home, home.caller("another", Role.READER), subject)
    listed = home.app.break_glass.listing(approver)
    assert {view.row.id for view in listed[:-1]} == set(glasses)  # the most urgent first
    review(home, approver, glasses[5])
    assert home.app.break_glass.listing(approver)[-1].row.id == glasses[5]
    opened(home, reader, subject)


def test_a_decoy_alarms_and_locks(home: Home) -> None:
    subject = enrolled(home)
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    assert [entry.kind for entry in home.entries()[-2:]] == ["alarm", "breakglass"]
    with pytest.raises(AccessDenied, match="not_permitted"):
        opened(home, reader, subject)


def test_who_was_looked_up_finds_it_in_their_accounting(home: Home) -> None:
    subject = enrolled(home)
    opened(home, home.caller("reader", Role.READER), subject)
    page = home.app.audit.accounting(home.caller("own", Role.SUBJECT, number="T-0001"))
    (entry,) = [entry for entry in page.entries if entry.kind == "breakglass"]
    assert recipient_of(entry) == f"{ISSUER}#reader"


def test_one_opens_and_many_look_up_at_once(home: Home) -> None:
    """Whatever comes first: each lookup is either before the emergency or names it."""
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(home.disclose(reader, ask(home, subject)))) for _ in range(4)
    ]
    threads.append(threading.Thread(target=opened, args=(home, reader, subject)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = next(entry.index for entry in home.entries() if entry.kind == "breakglass")
    shown = [entry for entry in home.entries() if entry.kind == "disclose"]
    assert len(shown) == sum(isinstance(answer, Disclosed) for answer in answers)
    assert all(entry.index > at and "break-glass" in (entry.values or {})["detail"] for entry in shown)


@pytest.mark.parametrize(
    ("edit", "what"),
    [("earlier", "does not stand as its review left it"), ("DELETE FROM break_glass", "missing")],
)
def test_an_emergency_is_as_its_entries_say(home: Home, edit: str, what: str) -> None:
    """Else one is taken off the list before anybody reviews it, or a review is taken back."""
    glass = opened(home, home.caller("reader", Role.READER), enrolled(home))
    approver = home.caller("approver", Role.APPROVER)
    sql = home.sql()
    before = sql.execute("SELECT * FROM break_glass").fetchall()
    home.app.row_check.check()
    review(home, approver, glass, Finding.NOT_JUSTIFIED)
    with pytest.raises(Conflict):
        review(home, approver, glass)
    home.app.row_check.check()
    if edit == "earlier":
        put_back(sql, "break_glass", before)
    else:
        sql.execute(edit)
    with pytest.raises(LedgerCorrupt, match=what):
        home.app.row_check.check()
