"""Ids of entries grow with time, and no two are alike."""

from __future__ import annotations

from registry.domain.ids import event_id_at, is_id


def test_a_later_entry_has_a_greater_id() -> None:
    ids = [event_id_at(moment) for moment in (0, 1, 255, 256, 1_700_000_000_000, 1_700_000_000_001)]
    assert ids == sorted(ids)
    assert all(map(is_id, ids))


def test_entries_of_one_millisecond_have_different_ids() -> None:
    assert len({event_id_at(1_700_000_000_000) for _ in range(1_000)}) == 1_000


def test_a_clock_before_1970_or_far_ahead_gives_an_id_all_the_same() -> None:
    assert all(is_id(event_id_at(moment)) for moment in (-1, 1 << 48, 1 << 60))
