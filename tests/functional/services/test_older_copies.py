"""Copies of before slots were added to the table: they speak by what was drawn for them, and stay found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TraceReport
from registry.marks.draw import Drawn
from registry.marks.slots import added_slots, older
from registry.services import disclose
from registry.services.trace import TraceAsk
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import verify
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served, shown, traced


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Serve copies as before the slots were added; returns what ends that."""
    now = disclose._drawn

    def as_before(principal: Any, rows: Any, keys: Any, *, is_decoy: bool) -> Mapping[RecordId, Drawn]:
        drawn, categories = now(principal, rows, keys, is_decoy=is_decoy), {row.id: row.category for row in rows}
        return {one: Drawn(older(categories[one], forms), epoch) for one, (forms, epoch) in drawn.items()}

    monkeypatch.setattr(disclose, "_drawn", as_before)
    return monkeypatch.undo


def evidence_of(report: TraceReport, entry: int) -> Any:
    (label,) = [one.label for one in report.accounts if entry in {copy.entry for copy in one.copies}]
    assert report.marks is not None
    return next(one.evidence for one in report.marks.copies if one.label == label)


def test_what_was_drawn_stays_and_only_what_was_added_is_new(home: Home, before: Callable[[], None]) -> None:
    (subject,) = people(home, 1)
    reader = readers(home, 1)[0]
    then = shown(served(home, reader, subject))
    before()
    now = shown(served(home, reader, subject))
    assert then[Category.HOME_ADDRESS] != now[Category.HOME_ADDRESS]
    words = [card[Category.HOME_ADDRESS]["line"].replace(",", "").lower() for card in (then, now)]
    assert words[0] == words[1]
    assert then[Category.DATE_OF_BIRTH] == now[Category.DATE_OF_BIRTH]


def test_an_older_copy_is_judged_by_the_slots_that_it_has(home: Home, before: Callable[[], None]) -> None:
    subjects = people(home, 3)
    staff = readers(home, 6)
    cards = [[served(home, reader, subject) for subject in subjects] for reader in staff]
    before()
    newer = [served(home, home.caller("newcomer", Role.READER), subject) for subject in subjects]
    text = "\n\n".join(post([card]) for card in cards[2])
    report = traced(home, text)
    assert report.gaps == ()
    own, others = (evidence_of(report, cards[place][0].receipt.index) for place in (2, 3))
    newcomer = evidence_of(report, newer[0].receipt.index)
    assert own.bound < 1e-3 < others.bound
    # Nothing that was added counts for or against who saw an older copy; everything else does.
    assert newcomer.slots - own.slots == len(subjects) * len(added_slots(Category.HOME_ADDRESS))
    assert own.slots == own.agreeing


def test_whoever_saw_both_is_judged_by_the_newer_one(home: Home, before: Callable[[], None]) -> None:
    (subject,) = people(home, 1)
    both, other = readers(home, 2)
    older_card = served(home, both, subject)
    before()
    cards = [served(home, one, subject) for one in (both, other)]
    report = traced(home, post([cards[0]]))
    told = evidence_of(report, older_card.receipt.index)
    assert told.slots > len(added_slots(Category.HOME_ADDRESS))
    assert told.slots == told.agreeing


def test_a_bundle_with_older_and_newer_copies_is_verified_offline(home: Home, before: Callable[[], None]) -> None:
    subjects = people(home, 2)
    early, late = readers(home, 2)
    cards = [served(home, early, subject) for subject in subjects]
    before()
    for subject in subjects:
        served(home, late, subject)
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    ask = TraceAsk("\n\n".join(post([card]) for card in cards), published_at=home.clock.now())
    home.clock.step(60)
    done = home.app.trace.trace(investigator, ask)
    bundle = home.app.trace.evidence(
        investigator, done.trace, home.app.evidence, lambda _: {"report.txt": b"a report\n"}
    )
    verified = verify(bundle, format_vkey(home.app.verifier_key))
    assert verified.problems == []
