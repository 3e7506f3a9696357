"""Several texts in one case, and texts that are added to it: a record counts once, in the first item that has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.domain.case_states import CaseState, PartKind
from registry.domain.errors import AccessDenied, Conflict, NotFound
from registry.domain.principals import Role
from registry.leaktrace.report_model import digest_of_text
from registry.leaktrace.report_shapes import TierLabel, TraceReport, not_held
from registry.services.disclose import Disclosed
from registry.services.evidence_items import ItemAsk
from registry.services.kernel import Caller
from registry.services.trace import StoredTrace, Trace, TraceAsk
from registry.services.uploads import Upload
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import verify
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served

STRONG = (TierLabel.STRONG, TierLabel.ATTRIBUTED)


def inspector(home: Home) -> Caller:
    return home.caller("investigator", Role.INVESTIGATOR)


def cards_of(home: Home, count: int, staff: int = 4) -> tuple[list[Disclosed], datetime]:
    """Serve cards of so many people to several readers; returns one reader's, and a moment after them."""
    subjects = people(home, count)
    cards = [[served(home, reader, one) for one in subjects] for reader in readers(home, staff)]
    home.clock.step(3600)
    moment = home.clock.now()
    home.clock.step(3600)
    return cards[0], moment


def traced(home: Home, *items: ItemAsk) -> StoredTrace:
    return home.app.trace.trace(inspector(home), TraceAsk("", items=items)).stored


def figures(report: TraceReport) -> list[tuple[str, float, float, float]]:
    assert report.marks is not None
    return [(one.label, one.evidence.e, one.evidence.p, one.evidence.bound) for one in report.marks.copies]


def test_cards_spread_over_items_single_a_copy_out_as_one_text_does(home: Home) -> None:
    cards, moment = cards_of(home, 4)
    parts = [ItemAsk(post([card]), moment + timedelta(minutes=number)) for number, card in enumerate(cards)]
    report = traced(home, *parts).report
    assert report.tier.label in STRONG
    assert [one.number for one in report.question.items] == [1, 2, 3, 4]
    found = [item.found for person in report.people for item in person.findings]
    assert {one.seen.item for one in found if one.seen} == {1, 2, 3, 4}
    single = home.app.trace.trace(inspector(home), TraceAsk(post(cards), moment + timedelta(minutes=3)))
    assert single.stored.report.tier.label in STRONG


def test_the_same_leak_in_five_items_weighs_what_one_does(home: Home) -> None:
    cards, moment = cards_of(home, 2)
    once = traced(home, ItemAsk(post(cards), moment)).report
    five = traced(home, *[ItemAsk(post(cards), moment + timedelta(hours=n)) for n in range(5)]).report
    assert [e for _, e, _, _ in figures(five)] == [e for _, e, _, _ in figures(once)]
    assert five.tier.label == once.tier.label
    assert five.marks is not None
    assert once.marks is not None
    assert (five.marks.values, five.marks.slots) == (once.marks.values, once.marks.slots)
    assert any("another item again, which adds no weight" in one for one in five.summary)


def test_a_leak_that_is_posted_five_times_later_raises_nothing(home: Home) -> None:
    cards, moment = cards_of(home, 2)
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk(post(cards), moment)).trace
    before = home.app.trace.get(who, trace).report
    judged = sum(entry.kind == Kind.WEIGHTS for entry in home.entries())
    for number in range(5):
        later = home.app.later_items.add(who, trace, ItemAsk(post(cards), moment + timedelta(hours=number)))
        assert later.traced is None
        assert (later.seen.fresh, later.seen.again) == (0, 8)
    after = home.app.trace.get(who, trace).report
    assert figures(after) == figures(before)
    assert after.tier == before.tier
    assert len(after.sightings) == 5
    assert {one.said for one in after.sightings} == {
        "8 values of earlier items stand in it again; nothing is new, so it adds no weight."
    }
    # No draw was compared again, so that the year's budget is as it was.
    assert sum(entry.kind == Kind.WEIGHTS for entry in home.entries()) == judged
    (row,) = home.app.trace.listing(who)
    assert row.state is CaseState.OPEN


def test_new_records_in_a_later_item_are_judged_with_the_others(home: Home) -> None:
    cards, moment = cards_of(home, 4)
    who = inspector(home)
    first = home.app.trace.trace(who, TraceAsk(post(cards[:2]), moment))
    later = home.app.later_items.add(who, first.trace, ItemAsk(post(cards[1:]), moment + timedelta(hours=1)))
    assert later.traced is not None
    assert (later.seen.fresh, later.seen.again) == (8, 4)
    report = home.app.trace.get(who, later.traced.trace).report
    assert report.question.continues == first.trace
    assert report.question.items[0].text_sha256 == first.stored.report.question.text_sha256
    assert [one.is_later for one in report.question.items] == [False, True]
    whole = traced(home, ItemAsk(post(cards[:2]), moment), ItemAsk(post(cards[2:]), moment + timedelta(hours=1)))
    assert [e for _, e, _, _ in figures(report)] == pytest.approx([e for _, e, _, _ in figures(whole.report)])
    (sighting,) = home.app.trace.get(who, first.trace).report.sightings
    assert sighting.continued_by == later.traced.trace
    # The case goes on there alone: nobody makes two of it.
    with pytest.raises(Conflict, match="closed"):
        home.app.later_items.add(who, first.trace, ItemAsk(post(cards[2:]), moment))
    home.app.trace.file.set_state(who, first.trace, CaseState.OPEN, "to write a note")
    with pytest.raises(Conflict, match="closed"):
        home.app.later_items.add(who, first.trace, ItemAsk(post(cards[2:]), moment))


def test_of_two_items_that_are_added_at_once_the_case_goes_on_with_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards, moment = cards_of(home, 4)
    who = inspector(home)
    first = home.app.trace.trace(who, TraceAsk(post(cards[:2]), moment))
    judge, others = Trace.judge_onward, []

    def after_the_other(trace: Trace, *asked: Any) -> Any:
        monkeypatch.setattr(Trace, "judge_onward", judge)
        others.append(home.app.later_items.add(who, first.trace, ItemAsk(post(cards[3:]), moment)))
        return judge(trace, *asked)

    monkeypatch.setattr(Trace, "judge_onward", after_the_other)
    with pytest.raises(Conflict, match="closed"):
        home.app.later_items.add(who, first.trace, ItemAsk(post(cards[2:3]), moment))
    (other,) = others
    assert other.traced is not None
    assert {row.id for row in home.app.trace.listing(who)} == {first.trace, other.traced.trace}
    (sighting,) = home.app.trace.get(who, first.trace).report.sightings
    assert sighting.continued_by == other.traced.trace


def test_a_page_that_had_it_earlier_clears_whoever_was_served_later(home: Home) -> None:
    """The page is found by the accused person's lawyer, after the case was judged by a later time."""
    subjects = people(home, 2)
    early, late = readers(home, 2)
    cards = [served(home, early, one) for one in subjects]
    home.clock.step(3600)
    really = home.clock.now()
    home.clock.step(3600)
    for one in subjects:
        served(home, late, one)
    home.clock.step(3600)
    who, text = inspector(home), post(cards)
    first = home.app.trace.trace(who, TraceAsk(text, home.clock.now()))
    assert len(first.stored.report.accounts) == 2
    later = home.app.later_items.add(who, first.trace, ItemAsk(text, really, url="https://forum.example/t/1"))
    assert later.traced is not None
    assert (later.seen.fresh, later.seen.again) == (0, 8)
    assert "before the time" in later.seen.said
    report = home.app.trace.get(who, later.traced.trace).report
    assert len(report.accounts) == 1
    assert sum(len(account.copies) for account in report.after_publication) == 2
    # As if it had been known at once: the text is read where it was judged, by the earlier time.
    straight = home.app.trace.trace(who, TraceAsk(text, really)).stored.report
    assert [one[:2] for one in figures(report)] == [one[:2] for one in figures(straight)]
    cut = home.app.trace.evidence(who, later.traced.trace, home.app.evidence, lambda _: {"report.txt": b"a report\n"})
    assert verify(cut, format_vkey(home.app.verifier_key)).problems == []
    # Nothing is gained by a time that is later again.
    same = home.app.later_items.add(who, later.traced.trace, ItemAsk(text, home.clock.now()))
    assert same.traced is None


def test_a_time_is_judged_where_none_was_told_before(home: Home) -> None:
    cards, moment = cards_of(home, 2)
    who = inspector(home)
    first = home.app.trace.trace(who, TraceAsk(post(cards)))
    unknown = home.app.later_items.add(who, first.trace, ItemAsk(post(cards)))
    assert unknown.traced is None
    told = home.app.later_items.add(who, first.trace, ItemAsk(post(cards), moment))
    assert told.traced is not None


def test_a_copy_served_after_an_item_was_seen_is_no_source_of_its_values(home: Home) -> None:
    subjects = people(home, 2)
    early, late = readers(home, 2)
    first = [served(home, early, one) for one in subjects]
    home.clock.step(3600)
    seen = home.clock.now()
    home.clock.step(3600)
    second = [served(home, late, one) for one in subjects]
    home.clock.step(3600)
    again = home.clock.now()
    home.clock.step(60)
    text = post([first[0]])
    report = traced(home, ItemAsk(text, seen), ItemAsk(f"{text}\n{post([second[1]])}", again)).report
    found = {item.label: item.found for person in report.people for item in person.findings}
    second_item = {label for label, one in found.items() if one.seen and one.seen.item == 2}
    assert {one.employee_number for label, one in found.items() if label in second_item} == {"T-0001"}
    held = {account.label: set(account.held) for account in report.accounts}
    assert list(held.values()) == [set(found), second_item]
    late_only = [copy for account in report.after_publication for copy in account.copies]
    assert [copy.employee_number for copy in late_only] == ["T-0000"]


def test_what_is_added_to_a_closed_case_is_not_even_compared(home: Home) -> None:
    """Otherwise each try made another trace that goes on with the case, and the case itself knew of none."""
    cards, moment = cards_of(home, 2)
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk(post(cards[:1]), moment)).trace
    home.app.trace.file.set_state(who, trace, CaseState.CLOSED, "nothing more is to be done")
    opened = sum(entry.kind == Kind.OPEN for entry in home.entries())
    with pytest.raises(Conflict, match="closed"):
        home.app.later_items.add(who, trace, ItemAsk(post(cards[1:]), moment))
    assert len(home.app.trace.listing(who)) == 1
    # The one entry is of the case itself being opened, to see how it stands.
    assert sum(entry.kind == Kind.OPEN for entry in home.entries()) - opened <= 1


def test_a_name_in_one_item_anchors_nothing_in_another(home: Home) -> None:
    people(home, 1)
    now = home.clock.now()
    birthday = "Dana0 Brightwater", "born 1984-02-01"
    assert traced(home, ItemAsk(" ".join(birthday), now)).report.people
    assert not traced(home, *[ItemAsk(text, now) for text in birthday]).report.people


def test_each_item_is_hashed_and_an_entry_before_anything_is_compared(home: Home) -> None:
    people(home, 1)
    now = home.clock.now()
    file = Upload(b"call 651-555-0100", "post.txt")
    stored = traced(
        home, ItemAsk("nothing", now, 60, "a forum", "https://forum.example/t/1"), ItemAsk("", now, upload=file)
    )
    nonce = bytes.fromhex(stored.nonce)
    entries = home.entries()
    opened = min(
        entry.index
        for entry in entries
        if entry.kind == Kind.OPEN and f"{stored.report.question.trace}" in str(entry.values)
    )
    texts = {1: "call 651-555-0100", 2: "nothing"}
    for item in stored.report.question.items:
        assert item.text_sha256 == digest_of_text(texts[item.number], nonce)
        assert item.entry is not None
        assert item.entry < opened
        said = entries[item.entry].values or {}
        assert said["request"] == stored.report.question.trace
        assert said["result"] == f"item {item.number} of 2"
        assert item.text_sha256 in said["detail"]
        assert item.entry in stored.entries
    with_file = stored.report.question.items[0]
    assert with_file.file_sha256
    assert f"file {with_file.file_sha256}" in (entries[with_file.entry or 0].values or {})["detail"]


def test_an_outsider_computes_the_figures_of_several_items_anew(home: Home) -> None:
    """The leaker's last card came after its number was seen: a copy that counts for one item and not for the other."""
    subjects = people(home, 4)
    staff = readers(home, 3)
    cards = [served(home, staff[0], one) for one in subjects[:3]]
    for reader in staff[1:]:
        for one in subjects:
            served(home, reader, one)
    home.clock.step(3600)
    seen = home.clock.now()
    home.clock.step(3600)
    cards.append(served(home, staff[0], subjects[3]))
    home.clock.step(3600)
    numbers = "\n".join(
        field.expose()["number"] for card in cards for field in card.fields if field.category == "phone"
    )
    items = (ItemAsk(numbers, seen), ItemAsk(post(cards), home.clock.now()))
    home.clock.step(60)
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk("", items=items))
    report = trace.stored.report
    assert report.tier.label in STRONG
    last = {item.label for one in report.people for item in one.findings if item.found.employee_number == "T-0003"}
    (found,) = [one for one in report.accounts if last & set(not_held(report.labels(), one))]
    assert len(last & set(found.held)) == 3
    cut = home.app.trace.evidence(who, trace.trace, home.app.evidence, lambda _: {"report.txt": b"a report\n"})
    verdict = verify(cut, format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    assert [one["tier"] for one in verdict.marks] == [report.tier.label]


def test_nobody_adds_an_item_to_what_is_not_theirs(home: Home) -> None:
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk("nobody")).trace
    with pytest.raises(NotFound):
        home.app.later_items.add(home.caller("another", Role.INVESTIGATOR), trace, ItemAsk("651-555-0100"))
    with pytest.raises(AccessDenied):
        home.app.later_items.add(home.caller("reader", Role.READER), trace, ItemAsk("651-555-0100"))
    assert home.app.trace.reveal(who, trace).parts == ()


def test_a_later_item_is_sealed_and_shown_with_the_text(home: Home) -> None:
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk("nobody")).trace
    home.app.later_items.add(who, trace, ItemAsk("a marker-7422 alone"))
    with home.app.kernel.database.read() as work:
        (row,) = work.traces.parts_of([trace])
    assert row.kind == PartKind.SIGHTING
    assert b"marker-7422" not in row.sealed
    (part,) = home.app.trace.reveal(who, trace).parts
    assert part.content == "a marker-7422 alone"
