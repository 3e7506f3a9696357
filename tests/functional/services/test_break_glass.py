"""Cards opened in an emergency: for whom, how long, for exactly what, and the review that follows."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from registry.domain.break_glass import OPEN_MS, REVIEW_MS, Finding
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import BreakGlassId, SubjectId
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.break_glass import Emergency, Judgement
from registry.services.disclose import Disclosed, DisclosureAsk, Failed, Refused, Waiting
from registry.services.kernel import Caller, Kernel
from tests.functional.services.homes import Home, person

PAPERS = Purpose(PurposeCode.LEGAL_SERVICE, "CASE-1", "service of papers")
WHY = "Threat called in, officers on their way"


def enrolled(home: Home, tier: str = "restricted", number: str = "T-0001") -> SubjectId:
    body = person(number)
    for record in body["records"]:
        record["confidentiality"] = tier
    return home.enroll(body).subject


def opened(home: Home, caller: Caller, subject: SubjectId, *categories: Category) -> BreakGlassId:
    asked = Emergency(subject, None, frozenset(categories or {Category.PHONE}), WHY)
    row, _ = home.app.break_glass.open(caller, asked)
    return row.id


def ask(home: Home, subject: SubjectId, *categories: Category, **changes: Any) -> DisclosureAsk:
    return home.ask(subject, *(categories or (Category.PHONE,)), **({"purpose": PAPERS} | changes))


def review(home: Home, caller: Caller, glass: BreakGlassId, finding: Finding = Finding.JUSTIFIED) -> None:
    home.app.break_glass.review(caller, Judgement(glass, finding, "dispatch log confirms it"))


def later(monkeypatch: pytest.MonkeyPatch, by_ms: int) -> None:
    now = Kernel.now_ms
    monkeypatch.setattr(Kernel, "now_ms", lambda self: now(self) + by_ms)


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


def test_after_an_hour_it_is_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER)
    opened(home, reader, subject)
    later(monkeypatch, OPEN_MS)
    assert isinstance(home.disclose(reader, ask(home, subject)), Waiting)


def test_nobody_opens_their_own_card(home: Home) -> None:
    subject = enrolled(home)
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
def test_who_owes_a_review_opens_nothing_more(
    home: Home, monkeypatch: pytest.MonkeyPatch, second_account: bool
) -> None:
    subject = enrolled(home)
    reader = home.caller("reader", Role.READER, number="T-0009")
    again = home.caller("second", Role.READER, number="T-0009") if second_account else reader
    glass = opened(home, reader, subject)
    opened(home, again, subject)
    later(monkeypatch, REVIEW_MS)
    with pytest.raises(Conflict, match="review_overdue"):
        opened(home, again, subject)
    assert (home.entries()[-1].kind, (home.entries()[-1].values or {})["result"]) == (
        "breakglass",
        "refused review_overdue",
    )
    opened(home, home.caller("another", Role.READER), subject)
    approver = home.caller("approver", Role.APPROVER)
    late = [view for view in home.app.break_glass.listing(approver) if view.is_overdue]
    assert glass in {view.row.id for view in late}
    for view in late:
        review(home, approver, view.row.id)
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
