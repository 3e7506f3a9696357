"""Holds: notices to a subject are kept back for a time, by one person and with the word of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.holds import REVIEW_MS, HoldState, Statement
from registry.domain.ids import EntryIndex, HoldId, SubjectId, new_id
from registry.domain.principals import Role
from registry.domain.purposes import PurposeCode
from registry.services.contact import Contact
from registry.services.disclose import Disclosed
from registry.services.holds import HoldAsk, HoldWord
from registry.services.kernel import Caller
from registry.services.ports_notices import HELD
from registry.services.search import SearchAsk, SearchKind
from tests.functional.services.homes import Home, person
from tests.functional.services.receivers import Receiver, hook, notifying, receiving
from tests.functional.services.test_digests import DAY, MAIL, counts, digests, in_unit, next_day

REASON = "Grand jury subpoena 12, not to be told before the hearing"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as told:
        yield told


@pytest.fixture
def site(home: Home, receiver: Receiver) -> Iterator[Home]:
    with notifying(home, hook(home, receiver.url)) as opened:
        opened.app.digests.make_due()
        yield opened


def ask(subject: SubjectId, days: int = 10, *purposes: PurposeCode) -> HoldAsk:
    return HoldAsk(subject, None, frozenset(purposes), days, Statement.WRITTEN, "County prosecutor", REASON, "GJ-12")


def investigator(site: Home) -> Caller:
    return site.caller("investigator", Role.INVESTIGATOR)


def place(site: Home, subject: SubjectId, days: int = 10, *purposes: PurposeCode) -> HoldId:
    view, _ = site.app.holds.place(investigator(site), ask(subject, days, *purposes))
    assert view.state is HoldState.PENDING
    return view.row.id


def say(site: Home, hold: HoldId, state: HoldState = HoldState.CONFIRMED, role: Role = Role.APPROVER) -> HoldState:
    return site.app.holds.settle(site.caller(f"the {role}", role), HoldWord(hold, state, "seen")).__getitem__(0).state


def looked_up(site: Home, subject: SubjectId) -> None:
    desk = in_unit(site, "desk", "Benefits")
    site.disclose(desk, site.ask(subject, Category.PHONE))
    site.disclose(desk, site.ask(subject, Category.HOME_ADDRESS, purpose=MAIL))


def sent(site: Home, receiver: Receiver) -> list[list[tuple[str, str, int]]]:
    """Send what is due, and return the digests among it."""
    receiver.got.clear()
    site.app.notices.send_due()
    return [counts(data) for data in digests(receiver)]


SAFETY, LETTERS = ("safety", "Benefits", 1), ("official_mail", "Benefits", 1)


def test_nothing_is_held_back_before_somebody_else_has_confirmed_it(site: Home, receiver: Receiver) -> None:
    subject = site.enroll().subject
    place(site, subject)
    looked_up(site, subject)
    next_day(site)
    assert sent(site, receiver) == [[LETTERS, SAFETY]]


def test_a_hold_ends_by_itself_and_what_was_held_goes_out(site: Home, receiver: Receiver) -> None:
    subject, other = site.enroll().subject, site.enroll(person("T-0002")).subject
    assert say(site, place(site, subject)) is HoldState.CONFIRMED
    looked_up(site, subject)
    looked_up(site, other)
    assert next_day(site) == 2
    assert sent(site, receiver) == [[LETTERS, SAFETY]]  # the other's
    assert site.app.notices.counts() == {("webhook", HELD): 1}
    site.clock.step(8 * DAY)
    assert sent(site, receiver) == []
    site.clock.step(DAY)
    assert sent(site, receiver) == [[LETTERS, SAFETY]]
    assert site.app.notices.counts() == {}


def test_only_the_named_purposes_are_held_and_the_rest_goes_out(site: Home, receiver: Receiver) -> None:
    subject = site.enroll().subject
    say(site, place(site, subject, 10, PurposeCode("safety")))
    looked_up(site, subject)
    next_day(site)
    assert sent(site, receiver) == [[LETTERS]]
    site.clock.step(10 * DAY)
    assert sent(site, receiver) == [[SAFETY]]


def test_a_hold_that_comes_after_the_digest_holds_what_is_not_sent(site: Home, receiver: Receiver) -> None:
    subject = site.enroll().subject
    looked_up(site, subject)
    next_day(site)
    say(site, place(site, subject))
    assert sent(site, receiver) == []
    assert site.app.notices.counts() == {("webhook", HELD): 1}


def test_ended_early_it_goes_out_and_others_stay_held(site: Home, receiver: Receiver) -> None:
    subject, other = site.enroll().subject, site.enroll(person("T-0002")).subject
    hold = place(site, subject)
    say(site, hold)
    say(site, place(site, other))
    looked_up(site, subject)
    looked_up(site, other)
    next_day(site)
    assert sent(site, receiver) == []
    assert say(site, hold, HoldState.ENDED, Role.AUDITOR) is HoldState.ENDED
    assert sent(site, receiver) == [[LETTERS, SAFETY]]
    assert site.app.notices.counts() == {("webhook", HELD): 1}


def test_what_was_held_long_is_tried_as_long_as_anything_new(site: Home, receiver: Receiver) -> None:
    subject = site.enroll().subject
    say(site, place(site, subject, 30))
    looked_up(site, subject)
    next_day(site)
    sent(site, receiver)
    site.clock.step(30 * DAY)
    receiver.status = 400
    assert sent(site, receiver) == [[LETTERS, SAFETY]]
    assert [state for _, state in site.app.notices.counts()] == ["waiting"]


def test_nobody_reviews_their_own_under_whatever_account(site: Home) -> None:
    apart = person("T-0002")
    apart["records"] = apart["records"][1:]  # not at one address
    subject = site.enroll(apart).subject
    placer = site.caller("placer", Role.INVESTIGATOR, number="T-0001")
    view, _ = site.app.holds.place(placer, ask(subject))
    second = site.caller("second account", Role.APPROVER, number="T-0001")
    with pytest.raises(AccessDenied):
        site.app.holds.settle(second, HoldWord(view.row.id, HoldState.CONFIRMED))
    assert say(site, view.row.id) is HoldState.CONFIRMED


def test_nobody_holds_their_own_or_their_familys_notices_or_learns_of_it(site: Home) -> None:
    subject = site.enroll().subject
    hold = place(site, subject)
    with pytest.raises(AccessDenied):
        site.app.holds.place(site.caller("own", Role.INVESTIGATOR, number="T-0001"), ask(subject))
    for role in (Role.APPROVER, Role.AUDITOR):
        with pytest.raises(NotFound):
            site.app.holds.get(site.caller(f"own {role}", role, number="T-0001"), hold)
    with pytest.raises(AccessDenied):
        site.app.holds.settle(
            site.caller("own approver", Role.APPROVER, number="T-0001"), HoldWord(hold, HoldState.CONFIRMED)
        )
    mine = site.app.audit.accounting(site.caller("me", Role.SUBJECT, number="T-0001"))
    assert "hold" not in {entry.kind for entry in mine.entries}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.INVESTIGATOR}))
def test_only_investigators_place(site: Home, role: Role) -> None:
    with pytest.raises(AccessDenied):
        site.app.holds.place(site.caller(f"the {role}", role), ask(site.enroll().subject))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.APPROVER}))
def test_only_approvers_review(site: Home, role: Role) -> None:
    hold = place(site, site.enroll().subject)
    for state in (HoldState.CONFIRMED, HoldState.REFUSED):
        with pytest.raises(AccessDenied):
            say(site, hold, state, role)


def test_a_review_comes_in_time_and_once(site: Home) -> None:
    subject = site.enroll().subject
    late, refused, ended = (place(site, subject, 90) for _ in range(3))
    assert say(site, refused, HoldState.REFUSED) is HoldState.REFUSED
    assert say(site, ended, HoldState.ENDED) is HoldState.ENDED
    for hold, state in ((refused, HoldState.CONFIRMED), (refused, HoldState.ENDED), (ended, HoldState.CONFIRMED)):
        with pytest.raises(Conflict, match="decided"):
            say(site, hold, state)
    site.clock.step(REVIEW_MS / 1000)
    with pytest.raises(Conflict, match="expired"):
        say(site, late)
    states = {view.row.id: view.state for view in site.app.holds.listing(site.caller("a", Role.AUDITOR))}
    assert states == {late: HoldState.EXPIRED, refused: HoldState.REFUSED, ended: HoldState.ENDED}
    with pytest.raises(NotFound):
        say(site, HoldId(new_id()))


def test_another_investigator_neither_sees_nor_ends_it(site: Home) -> None:
    hold = place(site, site.enroll().subject)
    other = site.caller("other", Role.INVESTIGATOR)
    assert site.app.holds.listing(other) == []
    with pytest.raises(NotFound):
        site.app.holds.get(other, hold)
    with pytest.raises(NotFound):
        site.app.holds.settle(other, HoldWord(hold, HoldState.ENDED))
    found = site.app.holds.get(investigator(site), hold)
    assert (found.reason, found.asked_by, found.statement, found.case) == (
        REASON,
        "County prosecutor",
        "written",
        "GJ-12",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE holds SET state = 'confirmed'",
        "UPDATE holds SET until = until + 1, state = 'confirmed'",
        "UPDATE holds SET entry = entry + 1, state = 'confirmed'",
    ],
)
def test_who_holds_the_database_holds_nothing_back(site: Home, receiver: Receiver, statement: str) -> None:
    subject = site.enroll().subject
    hold = place(site, subject)
    looked_up(site, subject)
    site.sql().execute(statement)
    next_day(site)
    assert sent(site, receiver) == [[LETTERS, SAFETY]]
    with pytest.raises(LedgerCorrupt):
        say(site, hold)


def test_at_rest_nothing_says_whose_notices_are_held(site: Home) -> None:
    subject = site.enroll().subject
    place(site, subject)
    rows: list[Any] = site.sql().execute("SELECT * FROM holds").fetchall()
    assert subject not in str(rows)
    assert REASON not in str(rows)


def own(site: Home) -> Caller:
    return site.caller("dana", Role.SUBJECT, number="T-0001")


def accounted(site: Home, caller: Caller | None = None) -> list[tuple[str, str]]:
    """Return the lookups in the own accounting, oldest first: kind and purpose."""
    page = site.app.audit.accounting(caller or own(site))
    told = [(entry.kind, (entry.values or {})["purpose"]) for entry in reversed(page.entries)]
    return [one for one in told if one[0] in ("disclose", "deny", "search")]


def said_of_last(site: Home) -> str:
    return (list(site.entries())[-1].values or {})["detail"]


BOTH = [("disclose", "safety"), ("disclose", "official_mail")]


def test_an_accounting_leaves_out_what_is_held_until_the_hold_ends_by_itself(site: Home) -> None:
    subject = site.enroll().subject
    say(site, place(site, subject))
    looked_up(site, subject)
    assert accounted(site) == []
    assert said_of_last(site) == "accounting held *"
    site.clock.step(10 * DAY)
    assert accounted(site) == BOTH
    assert said_of_last(site) == "accounting"


def test_an_accounting_leaves_out_nothing_before_the_second_person_has_confirmed(site: Home) -> None:
    subject = site.enroll().subject
    hold = place(site, subject)
    looked_up(site, subject)
    assert accounted(site) == BOTH
    say(site, hold)
    assert accounted(site) == BOTH  # what was shown once stays
    looked_up(site, subject)
    assert accounted(site) == BOTH
    say(site, hold, HoldState.ENDED)
    assert accounted(site) == BOTH + BOTH


def test_a_hold_that_follows_another_still_covers_what_was_never_shown(site: Home) -> None:
    subject = site.enroll().subject
    first = place(site, subject)
    say(site, first)
    looked_up(site, subject)
    assert accounted(site) == []
    say(site, place(site, subject, 20, PurposeCode("safety")))
    say(site, first, HoldState.ENDED)
    assert accounted(site) == BOTH[1:]
    assert said_of_last(site) == "accounting held safety"


def test_an_accounting_under_a_hold_keeps_what_the_hold_does_not_cover(site: Home) -> None:
    subject = site.enroll().subject
    say(site, place(site, subject, 10, PurposeCode("safety")))
    looked_up(site, subject)
    site.app.search.search(
        site.caller("reader", Role.READER),
        SearchAsk(SearchKind.EMPLOYEE_NUMBER, "T-0001", site.app.kernel.number_tag("T-0001")),
    )
    weak = replace(own(site), claims=replace(own(site).claims, step_up_until=0))
    with pytest.raises(AccessDenied):
        site.app.contacts.put(weak, Contact("email", "dana@mail.example"))
    assert accounted(site) == [BOTH[1], ("deny", "")]  # the own denial, not somebody's search


def test_what_is_held_cannot_be_disputed_either(site: Home) -> None:
    subject = site.enroll().subject
    site.disclose(in_unit(site, "desk", "Benefits"), site.ask(subject, Category.PHONE))
    assert len(accounted(site)) == 1
    hold = place(site, subject)
    say(site, hold)
    answer = site.disclose(in_unit(site, "desk", "Benefits"), site.ask(subject, Category.PHONE))
    assert isinstance(answer, Disclosed)
    shown = next(entry.index for entry in site.app.audit.accounting(own(site)).entries if entry.kind == "disclose")
    assert site.app.petitions.dispute(own(site), EntryIndex(shown), "nobody had a reason")
    with pytest.raises(NotFound):
        site.app.petitions.dispute(own(site), EntryIndex(answer.receipt.index), "nobody had a reason")
    say(site, hold, HoldState.ENDED)
    assert site.app.petitions.dispute(own(site), EntryIndex(answer.receipt.index), "nobody had a reason")


def test_what_a_digest_told_stays_in_the_accounting(site: Home) -> None:
    subject = site.enroll().subject
    looked_up(site, subject)
    next_day(site)
    site.app.notices.send_due()
    looked_up(site, subject)
    say(site, place(site, subject))
    assert accounted(site) == BOTH


def test_the_accounting_of_others_is_whole(site: Home) -> None:
    subject, other = site.enroll().subject, site.enroll(person("T-0002")).subject
    say(site, place(site, subject))
    looked_up(site, other)
    assert accounted(site, site.caller("lee", Role.SUBJECT, number="T-0002")) == BOTH


@pytest.mark.parametrize("name", ["investigator", "the approver"])
def test_nobody_hides_their_own_lookups(site: Home, name: str) -> None:
    """An investigator and an approver together could else look somebody up unseen, a hold after the other."""
    subject = site.enroll().subject
    say(site, place(site, subject))
    looked_up(site, subject)
    site.disclose(site.caller(name, Role.READER), site.ask(subject, Category.PHONE))
    assert accounted(site) == BOTH[:1]
    (shown,) = [entry for entry in site.app.audit.accounting(own(site)).entries if entry.kind == "disclose"]
    assert (shown.values or {})["principal"].endswith(name)
