"""Which copies are tested by draws, and what it does to their bounds."""

from __future__ import annotations

import pytest

from registry.attribution import evalue
from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import Circumstances
from registry.attribution.pairs import PairBound
from registry.services.attribute import _bound, _flagged

COPY = "copy"


def copied(places: int) -> list[RecordRead]:
    """Return records that agree with a copy in so many places of six forms, one place a record."""
    return [
        RecordRead((SlotRead(f"place {number}", 6, (0.99, 0.95, 0.9, 0.7), 1),), {COPY: (1,)})
        for number in range(places)
    ]


@pytest.mark.parametrize(("places", "is_tested"), [(1, False), (2, True), (6, True), (20, False)])
def test_a_copy_is_tested_where_that_can_change_a_tier(places: int, is_tested: bool) -> None:
    bound = _bound(copied(places), COPY, 0.1, 1)
    assert (bound.verdict.draws > 0) is is_tested
    # Left out, it is the e-value's own bound: never smaller than what a test would have given.
    plain = min(1.0, 1.0 / (bound.verdict.e * 0.1))
    assert bound.bound < plain if is_tested else bound.bound == pytest.approx(plain)
    assert bound.bound < 1e-9 or places < 20


def test_a_copy_of_a_dump_is_tested_with_as_many_draws_as_its_places_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only places of records that the copy held count: others are in no draw of it."""
    monkeypatch.setattr(evalue, "_MOST_FORMS", 12_000)
    strangers = [RecordRead(one.slots, {}) for one in copied(30)]
    assert _bound([*copied(6), *strangers], COPY, 0.1, 1).verdict.draws == 12_000 // 36
    monkeypatch.setattr(evalue, "_MOST_FORMS", 3_599)
    assert _bound(copied(6), COPY, 0.1, 1).verdict.draws == 0


@pytest.mark.parametrize(("forgeable", "tier"), [("", "strong"), ("c", "strong"), ("a", "lead"), ("b", "lead")])
def test_a_pair_of_which_one_could_be_written_like_by_others_is_a_lead(forgeable: str, tier: str) -> None:
    pair = PairBound("a", "b", 0.1, 1e12, 1e-11, both=9, first_alone=5, second_alone=5, neither=0)
    (told,) = _flagged([pair], Circumstances(uncapped=True, posterior={}, forgeable=frozenset(forgeable)))
    assert told.tier == tier
