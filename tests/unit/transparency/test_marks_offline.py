"""The verifier's own e-value, test and draws beside the product's, on readings that chance makes."""

from __future__ import annotations

import random

import pytest

from registry.attribution.channel import BEHAVIOURS, ELSEWHERE, PUBLIC_HABIT, RecordRead, SlotRead
from registry.attribution.evalue import MOST, e_value, verdict
from registry.domain.ids import PrincipalId, RecordId
from registry.marks.draw import MarkKey
from registry.marks.slots import TABLE, TABLE_VERSION
from registry.transparency.offline import verify_bundle as offline

MODEL = offline.Model(list(BEHAVIOURS), list(ELSEWHERE), PUBLIC_HABIT, {}, TABLE_VERSION)
SLOTS = [slot for slots in TABLE.values() for slot in slots]


def reading(seed: int, records: int) -> tuple[list[tuple[SlotRead, ...]], list[tuple[int, ...]]]:
    chance = random.Random(seed)
    slots, drawn = [], []
    for _ in range(records):
        chosen = chance.sample(SLOTS, chance.randint(1, 4))
        forms = tuple(chance.randint(1, slot.forms) for slot in chosen)
        said = [
            chance.choice([form, form, form, chance.randint(0, slot.forms), None])
            for slot, form in zip(chosen, forms, strict=True)
        ]
        read = zip(chosen, said, strict=True)
        slots.append(tuple(SlotRead(one.name, one.forms, one.kept, what, one.has_public) for one, what in read))
        drawn.append(forms)
    return slots, drawn


def as_offline(records: list[tuple[SlotRead, ...]]) -> list[list[offline.Slot]]:
    return [[offline.Slot(one.name, one.forms, one.kept, one.has_public, one.read) for one in each] for each in records]


@pytest.mark.parametrize("seed", range(60))
def test_two_programs_compute_one_e_value(seed: int) -> None:
    records, drawn = reading(seed, records=1 + seed % 12)
    ours = e_value(records, drawn)
    theirs = offline.e_value(MODEL, as_offline(records), [list(forms) for forms in drawn])
    assert theirs == pytest.approx(ours, rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_two_programs_repeat_one_test(seed: int) -> None:
    records, drawn = reading(seed, records=8)
    held = [RecordRead(slots, {"copy": forms}) for slots, forms in zip(records, drawn, strict=True)]
    ours = verdict(held, "copy", seed=seed, draws=60)
    assert ours.draws == (60 if ours.e > 1 else 0)
    if ours.e > 1:
        theirs = offline.randomisation_p(MODEL, as_offline(records), ours.e, seed, 60)
        assert min(1 / ours.e, theirs) == pytest.approx(ours.p, rel=1e-9)


def test_some_of_those_readings_speak_for_their_copy() -> None:
    e_values = [e_value(*reading(seed, records=8)) for seed in range(12)]
    assert sum(e > 100 for e in e_values) >= 4


def test_a_dump_leaves_no_range_of_numbers() -> None:
    records, _ = reading(1, records=1)
    read = [tuple(SlotRead(one.name, 6, one.kept, 1, has_public=False) for one in records[0])] * 2_000
    forms = [(1,) * len(records[0])] * 2_000
    assert e_value(read, forms) == pytest.approx(MOST, rel=1)
    assert offline.e_value(MODEL, as_offline(read), [list(one) for one in forms]) == pytest.approx(e_value(read, forms))


@pytest.mark.parametrize("category", list(TABLE))
def test_two_programs_draw_alike(category: str) -> None:
    marks = MarkKey(b"k" * 32, 1)
    record = RecordId("ab" * 16)
    slots = next(slots for name, slots in TABLE.items() if name == category)
    for account in (f"{number:032x}" for number in range(200)):  # bytes that are drawn again come up among them
        drawn = offline.drawn_by(
            marks.record_key(record, 3), account, category, (TABLE_VERSION, [(one.name, one.forms) for one in slots])
        )
        assert drawn == marks.of_record(record, 3).vector(PrincipalId(account), category)
