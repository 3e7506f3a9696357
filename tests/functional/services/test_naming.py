"""Naming the account behind a label: from strong on, by two people, told to who has it, and disputed by them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from registry.audit.kinds import Kind
from registry.domain.approvals import Verdict
from registry.domain.errors import AccessDenied, ApprovalNeeded, Conflict, NotFound
from registry.domain.ids import EntryIndex, TraceId
from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TierLabel
from registry.services.approvals import Word
from registry.services.flag_budget import FlagSpending
from registry.services.kernel import Caller
from registry.services.naming import NameAsk
from registry.services.petitions import DISPUTE
from registry.services.trace import TraceAsk, Traced
from tests.functional.services.homes import Home, person
from tests.functional.services.receivers import Receiver, hook, notifying, receiving
from tests.functional.services.test_marked_copies import people, post, readers, served

NUMBER = "T-0900"
REASON = "hearing of 4 May, agreed with counsel"


def investigated(home: Home, *, is_enrolled: bool = True) -> tuple[Caller, Caller, Traced]:
    """Leak one reader's copies of four cards among three readers', and trace the text: investigator, reader, trace."""
    if is_enrolled:
        home.enroll(person(NUMBER))
    leaker = home.caller("the reader", Role.READER, number=NUMBER)
    subjects = people(home, 4)
    cards = {reader: [served(home, reader, one) for one in subjects] for reader in [leaker, *readers(home, 2)]}
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    published = home.clock.now()
    home.clock.step(60)
    return investigator, leaker, home.app.trace.trace(investigator, TraceAsk(post(cards[leaker]), published))


def strong(traced: Traced) -> str:
    report = traced.stored.report
    assert report.tier.label in (TierLabel.STRONG, TierLabel.ATTRIBUTED)
    assert report.marks is not None
    return max(report.marks.copies, key=lambda one: one.evidence.e).label


def approved(home: Home, who: Caller, trace: TraceId, ask: NameAsk) -> None:
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.trace.name(who, trace, ask)
    home.app.approvals.decide(home.caller("approver", Role.APPROVER), Word(waiting.value.request, Verdict.APPROVE))


def test_a_name_takes_another_person_whatever_the_settings_say(home: Home) -> None:
    who, _, traced = investigated(home)
    ask = NameAsk(strong(traced), REASON)
    assert not home.app.kernel.rules.dual_control
    for _ in range(2):
        with pytest.raises(ApprovalNeeded):
            home.app.trace.name(who, traced.trace, ask)
    approved(home, who, traced.trace, ask)
    named = home.app.trace.name(who, traced.trace, ask)
    assert named.name.endswith("the reader")
    assert named.reply_until == home.app.kernel.now_ms() + 14 * 86_400_000
    with pytest.raises(ApprovalNeeded):  # an approval is used once
        home.app.trace.name(who, traced.trace, ask)


def test_nobody_is_named_below_strong(home: Home) -> None:
    who, _, traced = investigated(home)
    label = strong(traced)
    report = traced.stored.report
    assert report.marks is not None
    others = [one.label for one in report.marks.copies if one.label != label]
    for one in (*others, "Account 99"):
        with pytest.raises(Conflict, match="below_strong"):
            home.app.trace.name(who, traced.trace, NameAsk(one, REASON))
    refusals = [one for one in home.entries() if one.values.get("result") == "refused below_strong"]
    assert len(refusals) == len(others) + 1
    assert not [one for one in home.entries() if one.kind == Kind.REQUEST]
    matching = home.app.trace._matching
    home.app.trace._matching = replace(matching, spending=FlagSpending(home.app.kernel, 1))
    text = home.app.trace.reveal(who, traced.trace).text
    capped = home.app.trace.trace(who, TraceAsk(text, report.question.published_at))
    with pytest.raises(Conflict, match="below_strong"):
        home.app.trace.name(who, capped.trace, NameAsk(label, REASON))


def test_only_who_ran_the_trace_asks_for_a_name(sqlite_home: Home) -> None:
    home = sqlite_home
    _, leaker, traced = investigated(home)
    ask = NameAsk(strong(traced), REASON)
    with pytest.raises(NotFound):
        home.app.trace.name(home.caller("another", Role.INVESTIGATOR), traced.trace, ask)
    with pytest.raises(AccessDenied):
        home.app.trace.name(leaker, traced.trace, ask)


@pytest.mark.parametrize("is_enrolled", [True, False])
def test_whose_account_it_is_approves_nothing_under_whatever_account(sqlite_home: Home, is_enrolled: bool) -> None:
    home = sqlite_home
    who, _, traced = investigated(home, is_enrolled=is_enrolled)
    ask = NameAsk(strong(traced), REASON)
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.trace.name(who, traced.trace, ask)
    other = home.caller("the reader's other account", Role.APPROVER, number=NUMBER)
    with pytest.raises(AccessDenied):
        home.app.approvals.decide(other, Word(waiting.value.request, Verdict.APPROVE))
    with pytest.raises(ApprovalNeeded):
        home.app.trace.name(who, traced.trace, ask)


def test_who_is_named_finds_it_and_disputes_it(home: Home) -> None:
    who, _, traced = investigated(home)
    ask = NameAsk(strong(traced), REASON)
    approved(home, who, traced.trace, ask)
    named = home.app.trace.name(who, traced.trace, ask)
    own = home.caller("the reader's own view", Role.SUBJECT, number=NUMBER)
    entry = EntryIndex(named.receipt.index)
    home.app.petitions.dispute(own, entry, "my screen was seen by others that day")
    (petition,) = home.app.petitions.own(own, DISPUTE)
    assert petition.what == str(entry)
    told = next(one for one in home.entries() if one.index == entry)
    assert told.values["note"] == REASON
    assert "reply until" in told.values["detail"]


def test_who_has_the_account_is_told_and_the_notice_names_nobody(sqlite_home: Home) -> None:
    home = sqlite_home
    with receiving() as receiver, notifying(home, hook(home, receiver.url)) as site:
        told_once(site, receiver)


def told_once(home: Home, receiver: Receiver) -> None:
    who, _, traced = investigated(home, is_enrolled=False)
    ask = NameAsk(strong(traced), REASON)
    approved(home, who, traced.trace, ask)
    named = home.app.trace.name(who, traced.trace, ask)
    home.app.notices.send_due()
    bodies = [body for _, body in receiver.got]
    (notice,) = [json.loads(body) for body in bodies if json.loads(body)["type"] == "registry.named"]
    assert named.account in json.dumps(notice)
    assert REASON not in json.dumps(notice)
    assert named.name not in json.dumps(notice)


def test_the_report_keeps_its_labels(sqlite_home: Home) -> None:
    home = sqlite_home
    who, _, traced = investigated(home)
    ask = NameAsk(strong(traced), REASON)
    before = home.app.trace.get(who, traced.trace)
    approved(home, who, traced.trace, ask)
    named = home.app.trace.name(who, traced.trace, ask)
    after = home.app.trace.get(who, traced.trace)
    assert after == before
    assert named.name not in repr(after)
